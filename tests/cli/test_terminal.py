"""The command as a user runs it: in a process of its own, with pipes and terminals around it."""

import csv
import os
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Delay, Hang
from tests.platforms import posix_only

pytestmark = [pytest.mark.slow, posix_only("has no terminals and signals of this kind")]

COMMAND = str(Path(sys.executable).with_name("mihu-async"))
README = (Path(__file__).parents[2] / "README.md").read_text()


class Screen:
    """A process at a terminal of its own."""

    def __init__(self, *words: str) -> None:
        self.text = ""
        self.master, slave = os.openpty()
        tty = os.ttyname(slave)  # the first terminal that a new session opens becomes its own
        shell = ("/bin/sh", "-c", f'exec "$@" <{tty} >{tty} 2>&1', "sh")
        self.process = subprocess.Popen([*shell, COMMAND, *words], start_new_session=True)
        self.slave = slave

    def until(self, expected: str, seconds: float = 20) -> None:
        """Read until a text shows."""
        end = time.monotonic() + seconds
        while expected not in self.text:
            assert time.monotonic() < end, self.text
            self._read()

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def interrupt(self, seconds: float = 20) -> None:
        """Press Ctrl-C until the process ends: a key that comes just before it reads is lost, as at any terminal."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.text
            self.type("\x03")
            pressed = time.monotonic()
            while self.process.poll() is None and time.monotonic() < pressed + 2:
                self._read()

    def end(self) -> int:
        """Read all, and give the exit code."""
        while self.process.poll() is None or select.select([self.master], [], [], 0)[0]:
            self._read()
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode

    def _read(self) -> None:
        if select.select([self.master], [], [], 0.05)[0]:
            self.text += os.read(self.master, 65536).decode(errors="replace")


@pytest.fixture(autouse=True)
def _plain(monkeypatch, sandbox):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")


def test_a_purchase_is_confirmed_at_a_terminal(sandbox):
    """The price is shown, the question asked, and the answer taken."""
    screen = Screen("numbers", "buy", "+390790080041", "--country-code", "IT", "--type", "local")
    screen.until("Buy it? [y/N] ")
    before = [entry.method for entry in sandbox.journal]
    screen.type("y\n")

    assert Exit.DONE == screen.end()
    assert "POST" not in before
    assert "It costs 1.15 a month" in screen.text
    assert "PHONE_NUMBER_UUID" in screen.text
    assert "+390790080041" in {row["number"] for row in sandbox.inventory.numbers}


def test_ctrl_c_at_the_question_buys_nothing(sandbox):
    """It ends at once."""
    screen = Screen("numbers", "buy", "+390790080041", "--country-code", "IT", "--type", "local")
    screen.until("Buy it? [y/N] ")
    screen.interrupt()

    assert Exit.INTERRUPTED == screen.end()
    assert "Traceback" not in screen.text
    assert "+390790080041" not in {row["number"] for row in sandbox.inventory.numbers}


def test_a_token_is_typed_unseen(sandbox, monkeypatch):
    """It is no argument, and does not show."""
    monkeypatch.delenv("MIHU_API_TOKEN")
    screen = Screen("numbers", "list", "--limit", "1")
    screen.until("API token: ")
    screen.type(f"{sandbox.token}\n")

    assert Exit.DONE == screen.end()
    assert "PHONE_NUMBER_UUID" in screen.text
    assert sandbox.token not in screen.text


def test_an_export_interrupted_at_a_terminal_goes_on(sandbox, tmp_path):
    """With a bar while it runs, nothing but rows in the output, and nothing lost or doubled."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = ("numbers", "list", "--output", "csv", "--per-page", "10", "--file", str(target))
    sandbox.faults.add(Hang(), skip=12)
    screen = Screen(*words, "--resume-file", str(place))
    screen.until("/250")
    while len(sandbox.journal) < 13:
        time.sleep(0.005)
    screen.type("\x03")
    code = screen.end()
    rows = len(target.read_text().splitlines())
    resumed = subprocess.run([COMMAND, *words, "--resume-file", str(place)], check=False, capture_output=True)

    assert (Exit.INTERRUPTED, Exit.DONE) == (code, resumed.returncode)
    assert f"The same command continues from {place}." in screen.text
    assert 1 < rows < 250
    with target.open(newline="") as file:
        assert [row["number"] for row in sandbox.inventory.numbers] == [row["number"] for row in csv.DictReader(file)]


def test_a_killed_export_goes_on(sandbox, tmp_path):
    """There was no time to say anything."""
    target, place = tmp_path / "numbers.csv", tmp_path / "place.json"
    words = [COMMAND, "numbers", "list", "--output", "csv", "--per-page", "10", "--file", str(target)]
    words += ["--resume-file", str(place)]
    sandbox.faults.add(Hang(), skip=12)
    with subprocess.Popen(words) as process:
        while len(sandbox.journal) < 13 or not place.exists():
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    subprocess.run(words, check=True)

    with target.open(newline="") as file:
        assert [row["number"] for row in sandbox.inventory.numbers] == [row["number"] for row in csv.DictReader(file)]


def test_a_reader_that_goes_away_ends_it(sandbox):
    """Without a word, and without the rest of the pages."""
    sandbox.faults.add(Delay(0.01), times=None)
    words = [COMMAND, "numbers", "list", "--per-page", "5", "--concurrency", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        first = process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()

    assert (Exit.CLOSED_PIPE, b"") == (process.returncode, errors)
    assert first.startswith(b'{"phone_number_uuid"')
    assert len(sandbox.journal) < 50


def test_the_readmes_commands_give_what_it_shows(sandbox, tmp_path):
    """Each line that begins with a dollar, in order, in an empty folder."""
    section = README.partition("## Command line\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    parts = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
    shell = {**os.environ, "PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"}
    expected = [
        subprocess.run(line, shell=True, cwd=tmp_path, env=shell, capture_output=True, text=True, check=False).stdout  # noqa: S602 - the README's
        for line, _ in parts
    ]

    assert [shown for _, shown in parts] == expected
    assert len(parts) >= 3
    with (tmp_path / "numbers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = [row for row in sandbox.inventory.numbers if row["country_code"] == "US" and row["status"] == "active"]
    assert [row["number"] for row in wanted] == [row["number"] for row in rows]
