import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime

import pytest

from mihu_async.sandbox import JournalEntry, Sandbox
from mihu_async.sandbox.serving import request_line, tell

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        pytest.param(
            JournalEntry(
                method="GET", path="/api/v1/agents", raw_query="page=2", status=200, seconds=0.00123, fault="Delay"
            ),
            "- GET /api/v1/agents?page=2 200 1.2 ms Delay",
            id="answered",
        ),
        pytest.param(JournalEntry(method="POST", path="/x", seconds=2.0), "- POST /x - 2000.0 ms", id="broken"),
        pytest.param(JournalEntry(method="POST", path="/x"), "- POST /x - -", id="under way"),
        pytest.param(
            JournalEntry(method="GET", path="/\x1b[2J\n\u202e\udcff", raw_query="é\r"),
            r"- GET /\x1b[2J\n\u202e\udcff?é\r - -",
            id="no escape sequence",
        ),
    ],
)
def test_line_of_a_request(entry, line):
    """A request is one line, whatever its path holds, and none of it steers a terminal."""
    assert line == request_line(entry)


def test_line_with_its_time():
    """The line begins with the time of arrival, on the machine's clock."""
    entry = JournalEntry(method="GET", path="/", arrived_at=datetime(2023, 11, 7, 5, 31, 56, tzinfo=UTC))

    assert re.match(r"\d\d:\d\d:56 GET / ", request_line(entry))


def test_lines_go_to_standard_error(capsys):
    """Standard output is kept for what another program reads."""
    tell(JournalEntry(method="GET", path="/"))

    assert ("", "- GET / - -\n") == capsys.readouterr()


async def test_each_request_is_logged_when_it_is_over(caller_of):
    """`on_request` gets the finished entry of each request, also of a refused one, and of none twice."""
    entries: list[JournalEntry] = []
    async with Sandbox(1, 0, on_request=entries.append) as sandbox:
        call = caller_of(sandbox)
        await call("GET", "/phone-numbers")
        await call("GET", "/nothing")
        await call("GET", "/agents", headers={})

        assert [200, 404, 401] == [entry.status for entry in entries]
        assert list(sandbox.journal) == entries


async def test_a_forgotten_request_is_not_logged(caller_of):
    """A request that left the journal while it was under way is not logged: its outcome is not known."""
    entries: list[JournalEntry] = []
    async with Sandbox(1, 0, on_request=entries.append) as sandbox:

        class Forget:
            async def around(self, exchange):
                sandbox.journal.clear()
                return await exchange.apply()

        sandbox.faults.add(Forget())
        assert 200 == (await caller_of(sandbox)("GET", "/phone-numbers")).status

    assert [] == entries


def run(*options):
    """Start a sandbox as a program."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "mihu_async.sandbox", "--numbers", "1", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path):
    """Return the variables of a file when it is there."""
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return dict(re.findall(r"^export (\w+)=(.*)$", path.read_text(), re.MULTILINE))


def get(variables, path):
    """Ask a sandbox for a path and return the answer."""
    token = variables["MIHU_API_TOKEN"].strip("'")
    request = urllib.request.Request(  # noqa: S310 (the scheme is the sandbox's)
        variables["MIHU_BASE_URL"] + path, headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 (same)
            return response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return str(error.code)


def test_a_program_and_its_file(tmp_path):
    """The file is there while the sandbox can be reached; options reach it; a strict one ends with 1."""
    path = tmp_path / "sandbox.env"
    options = ["--env-file", str(path), "--strict", "--token", "<token>", "--agent", AGENT, "--journal-limit", "1"]
    with run(*options) as process:
        variables = wait_for(path)
        agents = get(variables, "/api/v1/agents?per_page=100")
        get(variables, "/api/v1/weather")
        journal = get(variables, "/_sandbox/journal")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert AGENT in agents
    assert '"dropped":1' in journal
    assert not path.exists()
    assert (1, True) == (process.returncode, out.startswith("export MIHU_BASE_URL="))
    assert f"# Inspect and control it at {variables['MIHU_BASE_URL']}/_sandbox/\n" in out
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d GET /api/v1/agents\?per_page=100 200 [\d.]+ ms\n"
        r"\d\d:\d\d:\d\d GET /api/v1/weather 404 [\d.]+ ms\n"
        r"GET /api/v1/weather: there is no /api/v1/weather\n",
        err,
    )


def test_a_quiet_program_without_its_pages(tmp_path):
    """`--quiet` tells no request, and `--no-admin` serves no page and names none."""
    path = tmp_path / "sandbox.env"
    with run("--env-file", str(path), "--quiet", "--no-admin") as process:
        variables = wait_for(path)
        page = get(variables, "/_sandbox/")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert ("404", "", 0) == (page, err, process.returncode)
    assert "_sandbox/" not in out
