"""Looking at one number, and waiting for it to have a status."""

import json

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Status


def test_a_number_is_got_by_itself_and_by_its_uuid(command, sandbox):
    """Both give its row, also where another row of the number is older."""
    row = sandbox.inventory.numbers[120]
    found = [command("numbers", "get", row[name]) for name in ("number", "phone_number_uuid")]

    assert found[0] == found[1]
    assert row["phone_number_uuid"] == json.loads(found[0].out)["phone_number_uuid"]


@pytest.mark.parametrize("known", ["+12025550199", "6b908b23-e62c-4b3f-be4d-a5f55fe74730"])
def test_a_number_that_is_not_there_is_not_got(command, known):
    """The exit code says so, and the text where to look."""
    done = command("numbers", "get", known)

    assert (Exit.REFUSED, "") == (done.code, done.out)
    assert f"This workspace has no number {known!r}." in done.err


def test_a_number_that_may_have_slipped_is_not_called_missing(command, sandbox):
    """A listing that is not proved to be read whole proves nothing."""
    sandbox.faults.add(Status(200, body=page(total=2)), times=None)
    done = command("numbers get 6b908b23-e62c-4b3f-be4d-a5f55fe74730")

    assert Exit.INCOMPLETE == done.code
    assert "the listing changed while it was read" in done.err


def page(total: int) -> dict[str, object]:
    """Return a page that is empty, of a listing that is not."""
    meta = {"current_page": 1, "per_page": 100, "total": total, "last_page": 1, "has_more": False}
    return {"success": True, "data": {"items": [], "pagination": meta}}


def test_a_number_is_waited_for(command, sandbox):
    """Until it is active, or has the status that was asked for."""
    number = sandbox.inventory.insert(status="pending")["number"]
    pending = command("numbers", "wait", number, "--status", "pending")
    late = command("numbers", "wait", number, "--within", "0.02", "--interval", "0.01")
    sandbox.inventory.update(sandbox.inventory.numbers[-1]["phone_number_uuid"], status="active")
    active = command("numbers", "wait", number)

    assert ["pending", "active"] == [json.loads(done.out)["status"] for done in (pending, active)]
    assert (Exit.INCOMPLETE, "") == (late.code, late.out)
    assert "was not active within 0.02 s" in late.err
    assert "The option --within waits longer." in late.err


def test_a_number_that_will_not_come_is_not_waited_for(command, sandbox):
    """An external number has no status."""
    number = sandbox.inventory.trunks[0]["number"]
    done = command("numbers", "wait", number)

    assert Exit.REFUSED == done.code
    assert "or look at the number with mihu-async numbers get." in done.err
