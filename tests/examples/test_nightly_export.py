"""The export, run again and again, and killed."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from examples import nightly_export
from mihu_async import CheckpointFile
from mihu_async.sandbox import Change, Hang, Status
from tests.examples.hosts import EXAMPLES, PYTHON, environment

COMMAND = (*PYTHON, str(EXAMPLES / "nightly_export.py"))

pytestmark = pytest.mark.usefixtures("_clients")


@pytest.fixture
def target(tmp_path):
    """Return the file to export to, in a folder of its own."""
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder / "numbers.jsonl"


def numbers(file: Path) -> list[str]:
    """Read the ids that a file holds; a line that is cut is an error."""
    return [json.loads(line)["phone_number_uuid"] for line in file.read_text().splitlines()]


def held(workspace) -> list[str]:
    """Return the ids of the inventory, in its order."""
    return [row["phone_number_uuid"] for row in workspace.inventory.numbers]


def names(target: Path) -> list[str]:
    """Tell what stands in the folder."""
    return sorted(path.name for path in target.parent.iterdir())


def kill(workspace, target: Path) -> None:
    """Run the export as cron does, and kill it: it noted a place behind three pages, and waits for the fifth."""
    whole = target.parents[1] / "whole.jsonl"
    nightly_export.main(whole)
    size = sum(map(len, whole.read_bytes().splitlines(keepends=True)[:300]))
    workspace.faults.add(Hang(), path="/phone-numbers", skip=4, times=None)
    with subprocess.Popen([*COMMAND, str(target)], env=environment()) as process:
        while noted(target.with_name("numbers.jsonl.place")) < size:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
    workspace.faults.clear()
    workspace.journal.clear()


def noted(place: Path) -> int:
    """Tell how many bytes the place says are written."""
    return int(json.loads(place.read_text())["size"]) if place.exists() else -1


def test_it_writes_a_line_for_each_number(workspace, target):
    """It says nothing, and leaves nothing else behind."""
    ended = subprocess.run([*COMMAND, str(target)], env=environment(), capture_output=True, text=True, check=False)
    again = target.with_name("again.jsonl")

    assert (0, "", "") == (ended.returncode, ended.stdout, ended.stderr)
    assert 0 == nightly_export.main(again)
    assert held(workspace) == numbers(target) == numbers(again)
    assert ["again.jsonl", "numbers.jsonl"] == names(target)


def test_it_notes_no_place_before_what_is_saved(target, monkeypatch):
    """A place that is ahead of the disk would lose numbers where the power fails."""
    synced, write_place = os.fsync, nightly_export.write_place
    saved = [0]
    places: list[int] = []

    def sync(file: int) -> None:
        synced(file)
        if os.path.samestat(os.fstat(file), target.with_name("numbers.jsonl.part").stat()):
            saved.append(os.fstat(file).st_size)

    def write(place: CheckpointFile, checkpoint: str, size: int) -> None:
        assert saved[-1] == size
        places.append(size)
        write_place(place, checkpoint, size)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(nightly_export, "write_place", write)

    assert 0 == nightly_export.main(target)
    assert 3 == len(places)
    assert target.stat().st_size == saved[-1]


@pytest.mark.mihu_sandbox(numbers=950)
def test_it_goes_on_where_it_was_killed(workspace, target):
    """Every number is there once, a line that was cut is none, and no page is asked for that lies before the place."""
    kill(workspace, target)
    assert ["numbers.jsonl.part", "numbers.jsonl.place", "numbers.jsonl.place.lock"] == names(target)
    with target.with_name("numbers.jsonl.part").open("a") as part:
        part.write('{"phone_number_uuid": "cut')

    assert 0 == nightly_export.main(target)
    assert held(workspace) == numbers(target)
    assert ["numbers.jsonl"] == names(target)
    assert set(range(3, 11)) == {int(dict(entry.query)["page"]) for entry in workspace.journal}


@pytest.mark.slow
@pytest.mark.mihu_sandbox(numbers=950)
def test_it_loses_nothing_where_numbers_came_and_went_meanwhile(workspace, target):
    """What stood there all the time is in the file; what went before it was killed may be too."""
    kill(workspace, target)
    staying = held(workspace)[3:]
    for gone in held(workspace)[:3]:
        workspace.inventory.delete(gone)
    workspace.inventory.insert(at=0)

    assert nightly_export.main(target) in {0, 3}
    assert set(staying) <= set(numbers(target))


def test_a_second_run_of_one_night_is_refused(workspace, target, caplog):
    """Two of them would write one file; the log says what to do, and nothing is sent."""
    with CheckpointFile(f"{target}.place"):
        refused = nightly_export.main(target)

    assert (1, 0) == (refused, len(workspace.journal))
    assert "The export is already running:" in caplog.text
    assert 0 == nightly_export.main(target)


def test_it_begins_anew_where_its_part_is_gone(workspace, target):
    """A place without what it is a place in says nothing."""
    target.with_name("numbers.jsonl.place").write_text('{"checkpoint": "x", "size": 3}')

    assert 0 == nightly_export.main(target)
    assert held(workspace) == numbers(target)


def test_an_error_stops_it_and_it_goes_on(workspace, target, caplog):
    """What it returns says that it is worth while to run it again, and the log what went wrong."""
    workspace.faults.add(Status(403), path="/phone-numbers", skip=2, times=None)
    stopped = nightly_export.main(target)
    workspace.faults.clear()

    assert 1 == stopped
    assert "The export stopped, and continues when you run it again: " in caplog.text
    assert "403" in caplog.text
    assert workspace.token not in caplog.text
    assert 0 == nightly_export.main(target)
    assert held(workspace) == numbers(target)


def test_a_place_of_another_listing_is_a_mistake(workspace, target, caplog):
    """Running it again would not help, and nothing is sent."""
    target.with_name("numbers.jsonl.part").touch()
    target.with_name("numbers.jsonl.place").write_text('{"checkpoint": "x", "size": 0}')

    assert 2 == nightly_export.main(target)
    assert "The export cannot run: resume cannot be used" in caplog.text
    assert 0 == len(workspace.journal)


def test_a_walk_that_cannot_be_trusted_says_so(workspace, target, caplog):
    """The file is there, and the exit code and the log warn."""
    workspace.faults.add(Change(promise_more), path="/phone-numbers", times=None)

    assert 3 == nightly_export.main(target)
    assert "251" in caplog.text
    assert held(workspace) == numbers(target)


def promise_more(document: dict[str, Any]) -> None:
    """Count a number that no page has."""
    document["data"]["pagination"]["total"] += 1
