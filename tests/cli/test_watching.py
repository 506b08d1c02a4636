import csv
import io
import json
import sys

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Status

WATCH = "numbers watch --interval 0.01"


class Meanwhile:
    """Does something before one of the requests is answered."""

    def __init__(self, action, nth: int) -> None:
        self.action, self.left = action, nth

    async def around(self, exchange):
        self.left -= 1
        if not self.left:
            self.action()
        return await exchange.apply()


@pytest.fixture
def meanwhile(sandbox):
    """Do something once the first walk is over."""

    def do(action, walks: int = 3) -> None:
        sandbox.faults.add(Meanwhile(action, walks + 1), method="GET", path="/phone-numbers*", times=None)

    return do


def test_each_change_is_reported_as_it_is_seen(command, sandbox, meanwhile):
    """What came, what went and what is otherwise than before, with the rows."""
    first, second = (row["phone_number_uuid"] for row in sandbox.inventory.numbers[:2])

    def move() -> None:
        sandbox.inventory.insert(number="+12025550142")
        sandbox.inventory.delete(first)
        sandbox.inventory.update(second, status="pending")

    meanwhile(move)
    done = command(f"{WATCH} --limit 3 --output jsonl")
    changes = {change["kind"]: change for change in map(json.loads, done.rows)}

    assert (Exit.DONE, "") == (done.code, done.err)
    assert "+12025550142" == changes["added"]["after"]["number"]
    assert first == changes["removed"]["before"]["phone_number_uuid"]
    assert ["inactive", "pending"] == [changes["changed"][when]["status"] for when in ("before", "after")]


def test_a_change_is_a_row_that_says_what_is_different(command, sandbox, meanwhile):
    """In csv, with the number as it is now."""
    second = sandbox.inventory.numbers[1]
    meanwhile(lambda: sandbox.inventory.update(second["phone_number_uuid"], status="pending"))
    done = command(f"{WATCH} --limit 1 --output csv")
    (row,) = csv.DictReader(io.StringIO(done.out))

    assert ("changed", second["number"], "pending") == (row["kind"], row["number"], row["status"])
    assert "status" in row["fields"].split()


def test_filters_and_trunks_are_watched_too(command, sandbox, meanwhile, interrupt):
    """Each option is a parameter under the API's name."""
    meanwhile(lambda: sandbox.inventory.insert(country_code="IT", type="local"), walks=1)
    command(f"{WATCH} --limit 1 --country-code IT --type local --include-external")
    asked = dict(sandbox.journal[0].query)
    count = len(sandbox.journal)
    interrupt(lambda: len(sandbox.journal) > count + 1)
    done = command("trunks watch --interval 0.01 --channel call --search 49")

    assert ("IT", "local", "true") == (asked["country_code"], asked["type"], asked["include_external"])
    assert (Exit.INTERRUPTED, "mihu-async: Interrupted.\n") == (done.code, done.err)
    assert ("call", "49") == tuple(dict(sandbox.journal[-1].query)[name] for name in ("channel", "search"))


def test_a_watch_goes_on_where_the_last_one_ended(command, sandbox, tmp_path, interrupt):
    """A change in between is reported, once."""
    resume = ("--resume-file", str(tmp_path / "place"))
    interrupt(lambda: len(sandbox.journal) > 6)
    first = command(WATCH, *resume)
    sandbox.inventory.insert(number="+12025550142")
    count = len(sandbox.journal)
    interrupt(lambda: len(sandbox.journal) > count + 6)
    second = command(WATCH, *resume)
    count = len(sandbox.journal)
    interrupt(lambda: len(sandbox.journal) > count + 6)
    third = command(WATCH, *resume)

    assert [Exit.INTERRUPTED] * 3 == [done.code for done in (first, second, third)]
    assert [0, 1, 0] == [len(done.rows) for done in (first, second, third)]
    assert "+12025550142" == json.loads(second.out)["after"]["number"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--output json", "A watch has no end, but a JSON array needs one"),
        ("--limit 1 --resume-file PLACE", "--resume-file and --limit do not go together."),
        ("--resume-file PLACE", "place cannot be used: it belongs to another listing, or was not written by a watch."),
        ("--interval 0", "interval must be"),
        ("--output csv --columns fee", "There is no column 'fee'."),
    ],
)
def test_what_cannot_be_watched_is_refused(command, sandbox, tmp_path, words, message):
    """Before anything is sent."""
    (tmp_path / "place").write_text("of something else")
    done = command(f"numbers watch {words}".replace("PLACE", str(tmp_path / "place")))

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert message in done.err


def test_a_watch_that_is_refused_ends(command, sandbox):
    """A token that is not accepted now is not accepted later."""
    sandbox.faults.add(Status(401), times=None)

    assert Exit.REFUSED == command(WATCH).code


def test_a_watch_at_a_terminal_is_a_table(command, sandbox, meanwhile, monkeypatch):
    """With the widths that columns have."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    meanwhile(lambda: sandbox.inventory.insert(number="+12025550142"))
    head, row = command(f"{WATCH} --limit 1").rows

    assert ["KIND", "NUMBER", "STATUS", "CALL_AGENT", "FIELDS"] == head.split()
    assert ["added", "+12025550142"] == row.split()[:2]
