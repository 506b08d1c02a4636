"""The watcher, from its first walk to its stop, and started again."""

import asyncio
import json
from typing import Any

import pytest

from examples import number_watcher
from mihu_async import CheckpointFile, PhoneNumber
from mihu_async.sandbox import Status
from tests.examples.hosts import terminate, until


@pytest.fixture
def seen(tmp_path):
    """Return the file of the reported changes."""
    return tmp_path / "numbers.seen"


@pytest.fixture
def lines(capsys):
    """Return a function that reads the lines so far."""
    lines: list[dict[str, Any]] = []

    def read() -> list[dict[str, Any]]:
        lines.extend(map(json.loads, capsys.readouterr().out.splitlines()))
        return lines

    return read


@pytest.mark.usefixtures("_clients")
async def test_it_tells_each_change(workspace, seen, lines):
    """With the status and the agent before and after it; it ends well when it is told to stop."""
    watching = asyncio.create_task(number_watcher.main(str(seen), 0.01))
    await until(seen.exists)
    row = workspace.inventory.numbers[0]
    workspace.inventory.update(row["phone_number_uuid"], status="inactive")
    await until(lambda: len(lines()) == 1)
    workspace.inventory.delete(row["phone_number_uuid"])
    await until(lambda: len(lines()) == 2)
    terminate()

    assert 0 == await watching
    changed, removed = lines()
    assert ("changed", row["number"], "inactive") == (changed["kind"], changed["number"], changed["after"]["status"])
    assert row["bindings"]["call"]["agent_uuid"] == changed["before"]["call_agent"]
    assert ("removed", None) == (removed["kind"], removed["after"])


@pytest.mark.usefixtures("_clients")
async def test_it_tells_what_changed_while_it_was_away(workspace, seen, lines):
    """The reported changes are in the file, so that nothing is lost over a restart."""
    watching = asyncio.create_task(number_watcher.main(str(seen), 0.01))
    await until(seen.exists)
    terminate()
    await watching
    row = workspace.inventory.insert(number="+390790080041", country_code="IT")
    watching = asyncio.create_task(number_watcher.main(str(seen), 0.01))
    await until(lambda: len(lines()) == 1)
    terminate()

    assert 0 == await watching
    assert [("added", row["number"])] == [(line["kind"], line["number"]) for line in lines()]


async def test_a_second_watcher_is_refused(workspace, seen, caplog):
    """Two of them would tell everything twice; nothing is sent."""
    with CheckpointFile(seen):
        ended = await number_watcher.main(str(seen), 0.01)

    assert (1, 0) == (ended, len(workspace.journal))
    assert "The watcher is already running:" in caplog.text


@pytest.mark.usefixtures("_clients")
async def test_what_no_walk_would_escape_ends_it(workspace, seen, caplog):
    """The log says the service's reason."""
    workspace.faults.add(Status(403), times=None)

    assert 1 == await number_watcher.main(str(seen), 0.01)
    assert "The watcher cannot continue: A fault of the sandbox's script." in caplog.text


def test_a_number_without_bindings_has_no_agent():
    """An answer may leave them out."""
    number = PhoneNumber(phone_number_uuid="x", number="+390790080041", is_external=False)

    assert {"status": None, "call_agent": None} == number_watcher.brief(number)
