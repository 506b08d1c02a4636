"""The time that pytest takes to start and find no test, with and without the package's plugin."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

from benchmarks.processes import pin

ROUNDS = 15
WITH, WITHOUT = ("-p", "mihu_async"), ()
NO_TESTS = 5
"""The exit status of a run that found no test."""


def seconds(options: Sequence[str], folder: str) -> float:
    """Start pytest in its own process, in an empty folder and with no other installed plugin."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHONDONT"))}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "--rootdir", folder, "-p", "no:cacheprovider", *options]
    began = time.perf_counter()
    ended = subprocess.run(command, check=False, capture_output=True, cwd=folder, env=environment)
    took = time.perf_counter() - began
    assert ended.returncode == NO_TESTS, ended.stderr.decode()
    return took


def measure() -> dict[str, list[float]]:
    """Return the seconds with the plugin and without it, in turns. The first turn reads the disk and does not count."""
    pin(0)
    with TemporaryDirectory() as folder:
        turns = [(seconds(WITH, folder), seconds(WITHOUT, folder)) for _ in range(ROUNDS + 1)][1:]
    return {"with": [turn[0] for turn in turns], "without": [turn[1] for turn in turns]}
