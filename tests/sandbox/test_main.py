import os
import re
import runpy
import signal
import subprocess
import sys
import urllib.request
from threading import Thread

import pytest

from mihu_async.sandbox import __main__
from tests.platforms import posix_only


class Screen:
    """Standard output that calls a function when the hint is printed, the last line before the wait."""

    def __init__(self, then) -> None:
        self.text = ""
        self._then = then

    def write(self, text) -> None:
        """Take what is printed."""
        self.text += text

    def flush(self) -> None:
        """Hand on what was printed."""
        Thread(target=self._then, args=(self.text,)).start()


@posix_only("ends a process at once where it is sent SIGTERM")
def test_serves_until_it_is_told_to_stop(monkeypatch):
    """The command prints where it serves, with which token, serves what was asked for, and returns 0 on SIGTERM."""
    answers = []

    def look(text):
        settings = dict(re.findall(r"^export (MIHU_\w+)=(.*)$", text, re.MULTILINE))
        request = urllib.request.Request(  # noqa: S310 (the scheme is the sandbox's)
            f"{settings['MIHU_BASE_URL']}/api/v1/phone-numbers",
            headers={"Authorization": f"Bearer {settings['MIHU_API_TOKEN']}"},
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310 (same)
            answers.append(response.read())
        os.kill(os.getpid(), signal.SIGTERM)

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(sys, "stdout", screen := Screen(look))

    options = "--numbers 3 --trunks 0 --seed 5 --purchase-limit 4 --activation-delay 2.5 --quiet"
    assert 0 == __main__.main(options.split())
    assert b'"total":3,' in answers[0]
    printed = r"export MIHU_BASE_URL=http://127\.0\.0\.1:\d+\nexport MIHU_API_TOKEN=sandbox-\w+\n"
    assert re.fullmatch(printed + r"(export (OTHER_|CALLS_)?AGENT=[\w-]+\n){3}(# .*\n){2}", screen.text)
    assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@posix_only("sends no SIGINT to a process of its own")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_module_ends_well_on_a_signal(number):
    """`python -m mihu_async.sandbox` can be piped, and a signal ends it with 0 and not a word."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "mihu_async.sandbox", "--numbers", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        printed = [process.stdout.readline() for _ in range(7)]
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)

    names = ["MIHU_BASE_URL", "MIHU_API_TOKEN", "AGENT", "OTHER_AGENT", "CALLS_AGENT"]
    assert names == [line.removeprefix("export ").partition("=")[0] for line in printed[:5]]
    assert ("", "", 0) == (rest, errors, process.returncode)


def test_wrong_arguments(capsys, monkeypatch):
    """A wrong argument ends the command with 2 and its usage."""
    monkeypatch.setattr(sys, "argv", ["sandbox", "--numbers", "many"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(__main__.__file__, run_name="__main__")

    assert 2 == caught.value.code
    assert "usage: python -m mihu_async.sandbox" in capsys.readouterr().err


def test_plays_scripts(monkeypatch):
    """A script that is named is played, in the order of the names; one that is not there is refused."""
    served = []

    async def serve(sandbox, **_):
        served.extend(sandbox.faults.pending)
        return 0

    monkeypatch.setattr(__main__, "serve", serve)  # the real one serves until a signal comes
    __main__.main(["--script", "busy", "--script", "outage"])

    assert [429, 503] == [fault.status for fault in served]
    with pytest.raises(SystemExit):
        __main__.main(["--script", "rain"])
