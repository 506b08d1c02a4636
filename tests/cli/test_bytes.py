"""What is written is what is meant, whatever the locale and the terminal are."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from mihu_async.cli.columns import as_json
from mihu_async.cli.errors import Exit
from mihu_async.cli.output import place_of
from mihu_async.sandbox import Status

EVIL = "\x1b[2J\x9b31m\u202eevil\u2066\x07\x7fCefalù"


MAIN = "from mihu_async.cli import main; main()"
EACH = """
import os, sys
from mihu_async.cli.run import run
encoding = sys.stdout.encoding
for output in ("json", "jsonl", "csv", "name"):
    sys.stdout.reconfigure(encoding=encoding)
    code = run([*sys.argv[1:], "--output", output])
    os.write(1, b"%d\\0" % code)
"""


def written(encoding: str, *words: str, code: str = MAIN) -> subprocess.CompletedProcess[bytes]:
    """Run the command where standard output has an encoding of its own."""
    shell = {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"}  # which tells of a slow loop
    shell |= {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run([sys.executable, "-c", code, *words], env=shell, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
def test_what_programs_read_is_utf_8(sandbox, encoding):
    """A locale that has no such letters does not make JSON that is none."""
    sandbox.inventory.insert(at=0, location="Cefalù → 東京")
    done = written(encoding, "numbers", "list", "--limit", "1", code=EACH)
    *texts, rest = done.stdout.decode("utf-8").split("0\0")

    assert (0, b"", "") == (done.returncode, done.stderr, rest)
    assert [True, True, True, False] == ["Cefalù → 東京" in text for text in texts]
    for text in texts[:2]:
        assert "Cefalù → 東京" in json.dumps(json.loads(text), ensure_ascii=False)


def test_a_table_is_what_the_terminal_can_show(sandbox):
    """Its encoding is for people; what it lacks is spelled."""
    sandbox.inventory.insert(at=0, location="Cefalù")
    done = written("ascii", "numbers", "list", "--output", "wide", "--limit", "1")

    assert b"Cefal\\xf9" in done.stdout


def test_a_file_is_utf_8(sandbox, tmp_path):
    """Too."""
    sandbox.inventory.insert(at=0, location="Cefalù → 東京")
    written("ascii", "numbers", "list", "--file", str(tmp_path / "numbers.csv"))

    assert "Cefalù → 東京" in (tmp_path / "numbers.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("output", ["table", "wide", "json", "jsonl", "csv", "name"])
@pytest.mark.parametrize("words", ["numbers list --limit 1", "numbers get NUMBER"])
def test_no_text_of_the_service_acts_on_a_terminal(command, sandbox, monkeypatch, output, words):
    """No escape sequence, no control character of either set, and nothing that turns the direction of writing."""
    row = sandbox.inventory.insert(at=0, number="+12025550142", location=EVIL, country_code=EVIL)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    done = command(words.replace("NUMBER", row["number"]), "--output", output)

    assert Exit.DONE == done.code
    assert all(sign.isprintable() or sign == "\n" for sign in done.out)
    if output.startswith("json"):
        (found,) = json.loads(done.out) if output == "json" and "list" in words else [json.loads(done.out)]
        assert EVIL == found["location"]


def test_a_request_shows_what_acts_on_a_terminal_as_escapes(command, sandbox):
    """And the same text is read back."""
    sandbox.inventory.insert(at=0, location=EVIL)
    done = command("request GET /phone-numbers --query per_page=1")

    assert all(sign.isprintable() or sign == "\n" for sign in done.out)
    assert EVIL == json.loads(done.out)["items"][0]["location"]


def test_a_dry_run_acts_on_no_terminal(command, sandbox):
    """Its request holds what the search said; the body is the same."""
    offer = {"number": "+390790080041", "monthly_fee": 1, "location": EVIL}
    sandbox.faults.add(Status(200, body={"success": True, "data": [offer]}), path="/phone-numbers/search")
    done = command("numbers buy +390790080041 --country-code IT --type local --dry-run")

    assert all(sign.isprintable() or sign == "\n" for sign in done.out + done.err)
    assert r"\u202eevil\u2066" in done.out


def test_csv_that_no_terminal_shows_holds_the_text_as_it_is(command, sandbox):
    """To the last sign."""
    sandbox.inventory.insert(at=0, location=EVIL)
    done = command("numbers list --limit 1 --output csv")

    assert EVIL == next(csv.DictReader(io.StringIO(done.out)))["location"]


@pytest.mark.parametrize("text", [EVIL, "\ud800", "\U000e0001", "\u2028", '"\\', "🎉"])
def test_json_reads_back_as_the_same_text(text):
    """Whatever it holds."""
    assert {"a": text} == json.loads(as_json({"a": text}))
    assert as_json({"a": text}).isprintable()


def test_the_log_acts_on_no_terminal_either(command, sandbox):
    """Nor does a traceback."""
    done = command("numbers", "list", "--debug", "--subdomain", "a\x1b[2J")

    assert "\x1b" not in done.err
    assert Exit.USAGE == done.code


def test_a_pipe_has_any_width():
    """And a terminal its own."""
    assert place_of(io.StringIO()).width is None
