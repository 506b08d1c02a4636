"""What docs/sandbox.md says, beyond its words."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mihu_async.sandbox import Sandbox
from mihu_async.sandbox.__main__ import main
from mihu_async.sandbox.admin.pages import NAMES
from mihu_async.sandbox.admin.routes import ROUTES
from mihu_async.sandbox.admin.service import EVENTS
from tests.platforms import posix_only

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def test_every_option_is_documented(capsys):
    """The page has each option of the command, and no other."""
    with pytest.raises(SystemExit):
        main(["--help"])
    documented = {
        option for row in re.findall(r"^\| (`--.*?) \|", PAGE, re.MULTILINE) for option in re.findall(r"--[\w-]+", row)
    }

    assert set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"} == documented


def test_every_request_is_documented():
    """The page has each request below `/_sandbox/`, but those for its own files, and no other."""
    documented = re.findall(r"^\| `([A-Z]+) ([^?`]+)[^`]*` \|", PAGE, re.MULTILINE)
    served = [(route.method, route.path.removeprefix("/")) for route in ROUTES]

    assert sorted([*served, ("GET", EVENTS.rpartition("/")[2])]) == sorted(
        [*documented, *(("GET", name) for name in NAMES)]
    )


@posix_only("has no /bin/sh")
def test_the_example_runs():
    """Every command of the example does what is said beside it."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (script,) = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    with Sandbox(2, 0) as sandbox:
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", "\necho\n".join(script.splitlines())],
            env={**os.environ, **sandbox.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        rows, requests = len(sandbox.inventory.numbers), len(sandbox.journal)
    faults, refused, journal, _, number = [json.loads(line or "null") for line in done.stdout.splitlines()[1:]]

    assert ("", 0) == (done.stderr, done.returncode)
    assert ["Status", False, 429] == [faults["faults"][0]["fault"], refused["success"], journal["entries"][0]["status"]]
    assert ("pending", 2.5) == (number["status"], number["billing"]["monthly_fee"])
    assert (2, 0) == (rows, requests)
