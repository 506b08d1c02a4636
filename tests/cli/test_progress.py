"""What a command tells while it works."""

import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mihu_async import Attempt, CallReport
from mihu_async.cli import progress
from mihu_async.cli.errors import Exit
from mihu_async.cli.progress import Waits, tell
from mihu_async.sandbox import Status

CALL = CallReport("GET", "/api/v1/phone-numbers", (), found=False)


@pytest.fixture
def terminal(monkeypatch) -> Callable[[], None]:
    """Return what puts a terminal behind standard error."""
    return lambda: monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def attempt(wait: float | None, status: int | None = 429) -> Attempt:
    """Return an attempt that is followed by a wait."""
    return Attempt(1, datetime.now(UTC), 0.1, status, "RateLimitError", wait)


def test_a_long_wait_is_reported_at_a_terminal(terminal, capsys):
    """With its seconds, and whether there was an answer."""
    terminal()
    Waits()(attempt(30), CALL)
    Waits()(attempt(4, None), CALL)

    assert [
        "mihu-async: GET /api/v1/phone-numbers: the service answered 429; retrying in 30 s.",
        "mihu-async: GET /api/v1/phone-numbers: the service gave no answer; retrying in 4 s.",
    ] == capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("wait", [None, 0.0, 1.9])
def test_a_short_wait_is_not_reported(terminal, capsys, wait):
    """Nobody asks for what it waits."""
    terminal()
    Waits()(attempt(wait), CALL)

    assert "" == capsys.readouterr().err


def test_a_wait_is_not_reported_where_nobody_looks(capsys):
    """A log of a job stays short."""
    Waits()(attempt(30), CALL)

    assert "" == capsys.readouterr().err


def test_waits_that_end_together_are_reported_once(terminal, capsys):
    """A pause holds all pages that are under way; a longer one is reported again."""
    terminal()
    waits = Waits()
    for seconds in (30, 29.5, 30.2, 45):
        waits(attempt(seconds), CALL)

    assert ["30", "45"] == re.findall(r"retrying in (\d+) s", capsys.readouterr().err)


@pytest.mark.parametrize("words", ["numbers list", "numbers buy +390790080041 --country-code IT --type local --yes"])
def test_every_call_tells_of_its_waits(command, sandbox, terminal, monkeypatch, words):
    """A pause that the service asked for, in a walk and in a change; nothing of it gets among the rows."""
    terminal()
    monkeypatch.setattr(progress, "LONG_WAIT", 0.0)  # a wait that is reported would be waited for
    sandbox.faults.add(Status(503, retry_after="0.01"))
    done = command(words)

    assert Exit.DONE == done.code
    assert "the service answered 503; retrying in" in done.err
    assert "answered" not in done.out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("numbers wait NUMBER", "mihu-async: Waiting for NUMBER to be active, for at most 600 s.\n"),
        (
            "numbers watch --limit 1 --interval 0.01",
            "mihu-async: Watching, with a check every 0.01 s. Press Ctrl-C to stop.\n",
        ),
    ],
)
def test_what_takes_long_by_itself_says_so(command, sandbox, terminal, interrupt, words, message):
    """At a terminal."""
    number = next(row["number"] for row in sandbox.inventory.numbers if row["status"] == "active")
    terminal()
    if "watch" in words:
        interrupt(lambda: len(sandbox.journal) > 3)
    done = command(words.replace("NUMBER", number))

    assert done.err.startswith(message.replace("NUMBER", number))


def test_a_line_is_written_above_the_bar(terminal, capsys):
    """And does nothing to the terminal."""
    terminal()
    with progress.progress() as bar:
        bar.show(1, 10)
        tell("a\x1b[2J [b]")
    tell("c")

    shown = capsys.readouterr().err
    assert r"mihu-async: a\x1b[2J [b]" in shown
    assert shown.endswith("mihu-async: c\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "250 rows written to {file}: proved to be complete (counted)."),
        ("--limit 1", "1 row written to {file}; --limit stopped it, and there may be more."),
        ("--limit 1000", "250 rows written to {file}: proved to be complete (counted)."),
    ],
)
def test_a_finished_export_says_how_many_rows_there_are(command, tmp_path, options, message):
    """And whether they are proved to be complete."""
    file = tmp_path / "numbers.csv"
    done = command("numbers list", *[options] * bool(options), "--file", str(file))

    assert (Exit.DONE, f"mihu-async: {message.format(file=file)}\n") == (done.code, done.err)


def test_an_export_that_goes_on_says_how_many_rows_are_new(command, sandbox, tmp_path):
    """Those before it were counted then."""
    place, file = str(tmp_path / "place"), str(tmp_path / "numbers.csv")
    words = ("numbers list --per-page 50 --max-attempts 1 --resume-file", place, "--file", file)
    sandbox.faults.add(Status(500), skip=2)
    command(*words)
    done = command(*words)

    assert re.match(r"mihu-async: (\d+) more rows written to .*: proved to be complete", done.err)


def test_an_export_that_proves_nothing_does_not_claim_to(command, tmp_path):
    """Pages that are taken as they come are not compared with one another."""
    file = tmp_path / "numbers.csv"
    done = command("numbers list --on-drift ignore --file", str(file))

    assert Exit.INCOMPLETE == done.code
    assert "but the listing may have more: 250 rows in 3 pages, of 250 in all" in done.err
    assert "Leave out --on-drift ignore" in done.err
    assert 251 == len(file.read_text().splitlines())


def test_an_empty_listing_is_reported_at_a_terminal(command, terminal):
    """Elsewhere nothing is written, because a program counts the rows itself."""
    words = "numbers list --search nothing-has-this"
    silent = command(words)
    terminal()
    done = command(words)

    assert ("", "") == (silent.out, silent.err)
    assert done.err.endswith("mihu-async: 0 rows.\n")
