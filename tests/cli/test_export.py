import csv
import json
import os
import signal
import sys

import pytest

from mihu_async import CheckpointFile
from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Change, Hang, Sandbox, Status, WrongContentType

PAGES = "numbers list --per-page 25 --max-attempts 1 --output"


def uuids(sandbox) -> list[str]:
    """Return what is there, in order."""
    return [row["phone_number_uuid"] for row in sandbox.inventory.numbers]


def test_filters_reach_the_service(command, sandbox):
    """Each option is a parameter under the API's name."""
    done = command(
        "numbers list --status active --country-code US --type toll_free --compliance completed --search +1",
        "--bound-to-agent-uuid 6b908b23-e62c-4b3f-be4d-a5f55fe74735 --sort monthly_fee --include-external",
        "--page 2 --per-page 7",
    )

    assert (0, "") == (done.code, done.err)
    assert {
        "status": "active",
        "country_code": "US",
        "type": "toll_free",
        "compliance": "completed",
        "search": "+1",
        "bound_to_agent_uuid": "6b908b23-e62c-4b3f-be4d-a5f55fe74735",
        "sort": "monthly_fee",
        "include_external": "true",
        "page": "2",
        "per_page": "7",
    } == dict(sandbox.journal[0].query)


def test_trunks_and_rates_have_their_filters(command, sandbox):
    """Under the API's names too."""
    agent = "6b908b23-e62c-4b3f-be4d-a5f55fe74735"
    command(f"trunks list --channel call --agent-uuid {agent} --search 49 --page 1 --per-page 3")
    command("rates --country-code IT --prefix 393 --page 1 --per-page 3")
    (trunks, *_), (rates, *_) = (
        [dict(entry.query) for entry in sandbox.journal if entry.path.endswith(end)] for end in ("trunks", "rates")
    )

    assert {"channel": "call", "agent_uuid": agent, "search": "49", "page": "1", "per_page": "3"} == trunks
    assert {"country_code": "IT", "prefix": "393", "page": "1", "per_page": "3"} == rates


def test_a_limit_stops_the_walk(command, sandbox):
    """No page is asked for behind it, and the window had not grown."""
    assert 30 == len(command(PAGES, "jsonl --limit 30").rows)
    assert len(sandbox.journal) < 10


@pytest.mark.parametrize("output", ["csv", "jsonl"])
def test_an_export_that_failed_goes_on(command, sandbox, tmp_path, output):
    """Nothing is lost or doubled, and what notes the place is gone at the end."""
    target, place = tmp_path / f"numbers.{output}", tmp_path / "place.json"
    words = (PAGES, output, "--file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Status(500), skip=4)
    failed = command(*words)
    before = target.read_text()
    resumed = command(*words)

    assert (Exit.REFUSED, Exit.DONE) == (failed.code, resumed.code)
    assert [f"mihu-async: The same command continues from {place}."] == failed.err.splitlines()[1:]
    assert target.read_text().startswith(before)
    assert 0 < len(before.splitlines()) < 250
    with target.open(newline="") as file:
        rows = csv.DictReader(file) if output == "csv" else map(json.loads, file)
        assert uuids(sandbox) == [row["phone_number_uuid"] for row in rows]
    assert not place.exists()


def test_an_export_to_standard_output_goes_on_too(command, sandbox, tmp_path):
    """Its second part is what the first one lacks."""
    words = (PAGES, "jsonl --resume-file", str(tmp_path / "place.json"))
    sandbox.faults.add(Status(500), skip=4)
    rows = [json.loads(row) for row in command(*words).rows + command(*words).rows]

    assert uuids(sandbox) == [row["phone_number_uuid"] for row in rows]


def test_what_was_written_behind_the_noted_place_is_cut(command, sandbox, tmp_path):
    """A process that was killed in the middle of a page leaves half a row."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = (PAGES, "csv --file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Status(500), skip=4)
    command(*words)
    with target.open("a") as file:
        file.write("a0743635-b8ca,+33")
    command(*words)

    with target.open(newline="") as file:
        assert uuids(sandbox) == [row["phone_number_uuid"] for row in csv.DictReader(file)]


def test_an_interrupted_export_says_how_to_go_on(command, sandbox, tmp_path, interrupt):
    """And does so without loss."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = (PAGES, "csv --file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Hang(), skip=4)
    interrupt(lambda: len(sandbox.journal) >= 5)
    done = command(*words)
    command(*words)

    assert (Exit.INTERRUPTED, f"mihu-async: Interrupted.\nmihu-async: The same command continues from {place}.\n") == (
        done.code,
        done.err,
    )
    with target.open(newline="") as file:
        assert uuids(sandbox) == [row["phone_number_uuid"] for row in csv.DictReader(file)]


def test_a_file_keeps_what_it_held_until_there_are_rows(command, sandbox, tmp_path):
    """An export that gets no answer does not cost the one of yesterday."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    target.write_text("yesterday" * 100_000)
    words = (PAGES, "csv --file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Status(500))
    failed = command(*words)

    assert (Exit.REFUSED, "yesterday" * 100_000, False) == (failed.code, target.read_text(), place.exists())
    assert "goes on" not in failed.err
    assert Exit.DONE == command(*words).code
    with target.open(newline="") as file:
        assert uuids(sandbox) == [row["phone_number_uuid"] for row in csv.DictReader(file)]


def test_an_export_that_failed_while_it_verified_begins_again(command, sandbox, tmp_path):
    """What was missed may stand anywhere, so the file begins again too."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = (PAGES, "csv --on-drift verify --file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Status(500), skip=14)
    codes = [command(*words).code for _ in range(2)]

    assert [Exit.REFUSED, Exit.DONE] == codes
    with target.open(newline="") as file:
        assert uuids(sandbox) == [row["phone_number_uuid"] for row in csv.DictReader(file)]


def test_an_export_may_be_written_where_nothing_can_be_cut(command, sandbox):
    """Such as a device."""
    assert Exit.DONE == command(PAGES, "csv --file", os.devnull).code


def test_an_export_does_not_go_on_in_another_workspace(command, sandbox, tmp_path, monkeypatch):
    """One file would hold rows of both."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = (PAGES, "csv --file", str(target), "--resume-file", str(place))
    sandbox.faults.add(Status(500), skip=4)
    command(*words)
    before = target.read_text()
    with Sandbox(token=sandbox.token) as other:
        monkeypatch.setenv("MIHU_BASE_URL", other.base_url)
        refused = command(*words)

    assert (Exit.USAGE, before, 0) == (refused.code, target.read_text(), len(other.journal))
    assert "another workspace" in refused.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_listing_just_ends(command, sandbox, interrupt, number):
    """There is nothing to go on from."""
    sandbox.faults.add(Hang(), skip=1)
    interrupt(lambda: len(sandbox.journal) >= 2, number)
    done = command(PAGES, "jsonl")

    assert (Exit.INTERRUPTED, "mihu-async: Interrupted.\n") == (done.code, done.err)


def test_rates_that_are_equal_leave_a_walk_incomplete(command, sandbox):
    """Of rows that are equal a walk gives one, so the total is not met."""
    rate = {"country_code": "IT", "destination_prefix": "39", "price": {"amount": 1, "currency": "EUR"}}
    meta = {"current_page": 1, "per_page": 200, "total": 2, "last_page": 1, "has_more": False, "from": 1, "to": 2}
    body = {"success": True, "data": {"items": [rate, rate], "pagination": meta}}
    sandbox.faults.add(Status(200, body=body), times=None)
    done = command("rates --output jsonl")

    assert (Exit.INCOMPLETE, 1) == (done.code, len(done.rows))
    assert "the listing may have more: 1 row in 3 pages, of 2 in all." in done.err


@pytest.mark.parametrize(
    ("hidden", "code", "said"),
    [
        ("last_page", Exit.DONE, ""),
        (
            "total",
            Exit.INCOMPLETE,
            "250 rows in 10 pages, of an unknown number in all.\nmihu-async: The service does not",
        ),
    ],
)
def test_a_listing_that_does_not_say_how_long_it_is_is_written(command, sandbox, hidden, code, said):
    """Every row is written, and the advice is not to read again what will not tell."""
    sandbox.faults.add(
        Change(lambda document: document["data"]["pagination"].update({hidden: None})), method="GET", times=None
    )
    done = command("numbers list --per-page 25 --output name")

    assert (code, 250) == (done.code, len(done.rows))
    assert said in done.err


def test_what_cannot_be_gone_on_with_is_refused(command, sandbox, tmp_path):
    """Before anything is sent, with what to do instead."""
    place, target = tmp_path / "place.json", tmp_path / "x.csv"
    resume = ("--resume-file", str(place))
    runs = [
        command("numbers list --output json", *resume),
        command("numbers list --output csv --limit 3", *resume),
        command("numbers list --output csv --file", str(tmp_path / "." / "place.json"), *resume),
    ]
    runs.append(command("numbers list --output csv --on-drift verify", *resume))
    for text in ('{"checkpoint": 3}', "[]", "{"):
        place.write_text(text)
        runs.append(command("numbers list --output csv", *resume))
    place.write_bytes(b"\xff")
    runs.append(command("numbers list --output csv", *resume))
    place.write_text('{"checkpoint": "x", "size": 7, "output": "jsonl"}')
    runs.append(command("numbers list --output csv", *resume))
    place.write_text('{"checkpoint": "x", "size": null, "file": null, "output": "csv"}')
    runs.append(command("numbers list --output csv --file", str(target), *resume))
    runs.append(command("numbers list --output csv", *resume))

    assert [Exit.USAGE] * len(runs) == [done.code for done in runs]
    assert [True] * 3 == [f"or remove {place} to start over." in done.err for done in runs[4:7]]
    for expected, done in zip(
        (
            "--resume-file needs --output jsonl or csv",
            "do not go together",
            "must be two files",
            "may start over",
            "was not written by --resume-file",
            "must hold a JSON object, not list",
            "is not JSON",
            "is not text in UTF-8",
            "belongs to an export as jsonl, not csv",
            "belongs to an export to standard output",
            f"{place} cannot be used",
        ),
        runs,
        strict=True,
    ):
        assert expected in done.err
    assert not sandbox.journal


def test_the_file_must_be_the_one_that_was_begun(command, sandbox, tmp_path):
    """A shorter one, or none, is another one, as one of another name is; and so is standard output."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = (PAGES, "csv --resume-file", str(place))
    sandbox.faults.add(Status(500), skip=4)
    command(*words, "--file", str(target))
    target.write_text("")
    shorter = command(*words, "--file", str(target))
    target.unlink()
    gone = command(*words, "--file", str(target))
    other = tmp_path / "other.csv"
    other.write_text("of somebody else\n" * 10_000)
    another, nowhere = command(*words, "--file", str(other)), command(*words)
    place.unlink()
    sandbox.faults.add(Status(500), skip=4)
    command(*words)
    elsewhere = command(*words, "--file", str(target))

    assert [Exit.USAGE] * 5 == [done.code for done in (shorter, gone, another, nowhere, elsewhere)]
    assert f"belongs to an export to {target}, and --file names another." in another.err
    assert "of somebody else\n" * 10_000 == other.read_text()
    assert ("", True) == (nowhere.out, f"belongs to an export to {target}" in nowhere.err)
    assert "is not the file that" in shorter.err
    assert f"{target}, which {place} was written with, is missing." in gone.err
    assert "belongs to an export to standard output" in elsewhere.err


def test_an_export_goes_on_with_the_columns_that_it_began_with(command, sandbox, tmp_path):
    """One file would hold two kinds of rows."""
    words = (PAGES, "csv --file", str(tmp_path / "numbers.csv"), "--resume-file", str(tmp_path / "place.json"))
    sandbox.faults.add(Status(500), skip=4)
    command(*words, "--columns", "number,status")
    other, same = command(*words), command(*words, "--columns", "number,status")

    assert (Exit.USAGE, True) == (other.code, "belongs to an export with other columns." in other.err)
    assert (Exit.DONE, 251) == (same.code, len((tmp_path / "numbers.csv").read_text().splitlines()))


def test_a_page_that_cannot_be_read_ends_it(command, sandbox):
    """The exit code says that the service is at fault."""
    sandbox.faults.add(WrongContentType(), times=None)

    assert Exit.UNREADABLE == command(PAGES, "jsonl").code


@pytest.mark.parametrize(("per_page", "shown"), [(25, True), (100, False)])
def test_a_bar_shows_how_far_a_long_walk_is(command, monkeypatch, per_page, shown):
    """On standard error where that is a terminal, and rows stay what they are."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    done = command(f"numbers list --output jsonl --per-page {per_page}")

    assert shown == ("/250" in done.err)
    assert 250 == len(done.rows)
    assert all(json.loads(row) for row in done.rows)


def test_no_bar_stands_between_rows(command, monkeypatch):
    """Where rows go to the terminal they are the progress."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    done = command("numbers list --per-page 25")

    assert "" == done.err
    assert 251 == len(done.rows)


def test_a_second_export_with_one_resume_file_is_refused(command, sandbox, tmp_path):
    """It would write the same rows into the same file; it touches nothing, and says what to do."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    target.write_text("of the first one")
    with CheckpointFile(place):
        refused = command(PAGES, "csv --file", str(target), "--resume-file", str(place))

    assert (Exit.USAGE, "of the first one", 0) == (refused.code, target.read_text(), len(sandbox.journal))
    assert "is in use by another job" in refused.err
    assert 1 == refused.err.count("wait until it ends")
    assert "CheckpointInUseError" not in refused.err
