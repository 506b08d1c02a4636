import csv
import io
import sys
from pathlib import Path

import pytest

from mihu_async import EnsureResult, TrunkSpec
from mihu_async.cli.errors import Exit
from mihu_async.cli.results import Results
from mihu_async.cli.spreadsheet import Row
from mihu_async.sandbox import Hang, Status

HEAD = (
    "phone_number,channel,agent_uuid,name,direction,sip_gateway,sip_port,sip_username,sip_password,additional_settings"
)


@pytest.fixture
def trunks(sandbox, tmp_path):
    """Return what writes a file of trunks, each for a free agent."""

    def write(count: int, *more: str) -> Path:
        agents = sandbox.inventory.free_agents("call")[:count]
        rows = [
            f'+1555555{position:04},call,{agent},Desk,both,sip.acme.com,5060,acme,hunter22,"{{""a"": 1}}"'
            for position, agent in enumerate(agents)
        ]
        path: Path = tmp_path / "trunks.csv"
        path.write_text("\n".join((HEAD, *rows, *more)) + "\n")
        return path

    return write


def results(path: Path) -> list[dict[str, str]]:
    """Read the file of results."""
    with path.with_suffix(".results.csv").open(newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: int(row["line"]))


def test_every_line_of_a_file_is_ensured(command, sandbox, trunks):
    """Again is safe, and what was given and not sent is named."""
    path = trunks(6)
    first = command("trunks", "ensure", "--from", str(path))
    created = results(path)
    again = command("trunks", "ensure", "--from", str(path))

    assert (Exit.DONE, "") == (first.code, first.out)
    assert f"mihu-async: 6 created; {path.with_suffix('.results.csv')} has a line for each.\n" == first.err
    assert [str(line) for line in range(2, 8)] == [row["line"] for row in created]
    assert {"created"} == {row["outcome"] for row in created}
    assert "6 unchanged" in again.err
    assert {"name direction sip additional_settings"} == {row["unverified"] for row in results(path)}
    (body, *_) = (entry.json for entry in sandbox.journal if entry.method == "POST")
    assert {"gateway": "sip.acme.com", "port": 5060, "username": "acme", "password": "hunter22"} == body["sip"]
    assert {"a": 1} == body["additional_settings"]
    assert "hunter22" not in path.with_suffix(".results.csv").read_text()


def test_a_line_that_fails_leaves_the_others_alone(command, trunks, tmp_path):
    """Its error and its exit code stand in the results, which may have another name."""
    path = trunks(2, "+1999,call,nobody,,,,,,,", "12345,call,nobody,,,,,,,")
    other = tmp_path / "other.csv"
    done = command("trunks", "ensure", "--from", str(path), "--results", str(other))
    with other.open(newline="") as file:
        found = {row["line"]: row for row in csv.DictReader(file)}

    assert Exit.INCOMPLETE == done.code
    assert "2 created, 2 failed" in done.err
    assert "2 trunks could not be ensured." in done.err
    assert ["created", "created", "failed", "failed"] == [found[str(line)]["outcome"] for line in range(2, 6)]
    assert ["4", "2"] == [found[line]["exit_code"] for line in ("4", "5")]
    assert "ValidationError" in found["4"]["error"]
    assert f"mihu-async: Line 4: {found['4']['error']}\n" in done.err


def test_only_the_first_failures_are_reported(command, trunks):
    """The results have all of them."""
    done = command("trunks", "ensure", "--from", str(trunks(0, *(f"1234{digit},call,a,,,,,,," for digit in range(5)))))

    assert 3 == done.err.count("mihu-async: Line ")
    assert "5 trunks could not be ensured." in done.err


def test_a_line_of_results_is_one_line(command, sandbox, trunks):
    """Also where a cell of the file holds a carriage return."""
    path = trunks(0, '"+1555\r9",call,nobody,,,,,,,')
    command("trunks", "ensure", "--from", str(path))

    assert [("3", "+1555\r9")] == [(row["line"], row["phone_number"]) for row in results(path)]


def test_results_replace_no_file_of_trunks(command, sandbox, trunks):
    """It may be the only place where the passwords are."""
    path = trunks(1)
    text = path.read_text()
    done = command("trunks", "ensure", "--from", str(path), "--results", str(path))

    assert Exit.USAGE == done.code
    assert "--results would replace" in done.err
    assert text == path.read_text()
    assert not sandbox.journal


def test_a_dry_run_of_a_file_says_what_would_be_sent(command, sandbox, trunks):
    """It fails nothing, changes nothing, and leaves the results of the last run in their file."""
    path = trunks(3)
    done = command("trunks", "ensure", "--dry-run", "--from", str(path))
    rows = list(csv.DictReader(done.rows))

    assert (Exit.DONE, {"planned"}) == (done.code, {row["outcome"] for row in rows})
    assert rows[0]["error"].startswith("POST http://")
    assert not path.with_suffix(".results.csv").exists()
    assert {"GET"} == {entry.method for entry in sandbox.journal}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: it has no phone_number"),
        ("phone_number,channel\n", "line 1: it has no agent_uuid"),
        ("phone_number,channel,agent_uuid,password\n", "line 1: it must name each column once, and only known ones."),
        ("phone_number,channel,agent_uuid,name,name\n", "line 1: it must name each column once, and only known ones."),
        (f"{HEAD}\n+1,call,\n", "line 2: agent_uuid is empty."),
        ("phone_number,channel,agent_uuid\n+1,call,a,hunter22\n", "line 2: There are more cells than columns."),
        (f"{HEAD}\n+1,call,a,,,,hunter22\n", "line 2: sip_port must be a whole number."),
        (f"{HEAD}\n+1,call,a,,,,99999\n", "line 2: SipCredentials.port must be a whole number from 1 to 65535"),
        (f"{HEAD}\n\n+1,call,a,,,,,,,[]\n", "line 3: additional_settings must be a JSON object."),
        (f"{HEAD}\n+1,call,a,,,,,,,hunter22\n", "line 2: additional_settings must be a JSON object."),
        (f'{HEAD}\n+1,call,a,"x"y\n', "line 2: "),
        (f"{HEAD}\n+1,call,a\n+1,whatsapp,a\n+1,call,b\n", "line 4: it repeats the trunk of line 2."),
    ],
)
def test_what_is_wrong_with_a_file_is_reported_before_anything_is_sent(command, sandbox, tmp_path, text, message):
    """With its line, and without what stands in it."""
    path = tmp_path / "trunks.csv"
    path.write_text(text)
    done = command("trunks", "ensure", "--from", str(path))

    assert Exit.USAGE == done.code
    assert f"{path}, {message}" in done.err
    assert "hunter22" not in done.err
    assert not sandbox.journal


def test_an_interruption_leaves_an_account_of_every_line(command, sandbox, trunks, interrupt):
    """What is done, what may be done, and what was not begun; the same command ends the work."""
    path = trunks(6)
    sandbox.faults.add(Hang(), method="POST", skip=2, times=2)

    interrupt(lambda: sum(entry.method == "POST" for entry in sandbox.journal) >= 4)
    done = command("trunks ensure --concurrency 2 --from", str(path))
    found = [row["outcome"] for row in results(path)]
    again = command("trunks", "ensure", "--from", str(path))

    assert Exit.INTERRUPTED == done.code
    assert "2 created, 2 not begun, 2 unfinished" in done.err
    assert [2, 2, 2] == [found.count(outcome) for outcome in ("created", "unfinished", "not begun")]
    assert Exit.DONE == again.code
    assert "4 created, 2 unchanged" in again.err


def test_an_empty_file_is_done(command, trunks):
    """It says so."""
    done = command("trunks", "ensure", "--from", str(trunks(0)))

    assert (Exit.DONE, True) == (done.code, "no trunks" in done.err)


@pytest.mark.parametrize(("count", "shown"), [(25, True), (3, False)])
def test_a_bar_shows_how_far_a_long_file_is(command, trunks, monkeypatch, count, shown):
    """On a terminal."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    done = command("trunks", "ensure", "--from", str(trunks(count)))

    assert shown == (f"{count}/{count}" in done.err)


def test_a_refused_token_fails_every_line(command, sandbox, trunks):
    """Each says why."""
    path = trunks(2)
    sandbox.faults.add(Status(401), times=None)
    done = command("trunks", "ensure", "--from", str(path))

    assert Exit.INCOMPLETE == done.code
    assert {"failed"} == {row["outcome"] for row in results(path)}


def test_a_row_that_was_done_and_not_given_is_written():
    """An interruption may come between the two."""
    rows = [Row(line, TrunkSpec(phone_number="+1", channel="call", agent_uuid="a")) for line in (2, 3)]
    written = io.StringIO()
    found = Results(rows, written)
    found.interrupt([EnsureResult(position=1, row=rows[1].trunk, error=ValueError("x"))], [rows[0].trunk])

    assert ["3,+1,call,a,failed,,1,ValueError: x", "2,+1,call,a,unfinished,,,"] == written.getvalue().splitlines()
