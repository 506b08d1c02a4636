"""Starts the processes of a measurement: the server and the walkers, on separate cores if the system can."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from benchmarks.shapes import PER_PAGE

ROOT = Path(__file__).parent.parent
CACHE = ROOT / "build" / "bench"
"""The folder of the results and of the peers' environments."""
RESULTS = CACHE / "results.json"
"""The measurements of the last whole run."""


def pin(core: int) -> None:
    """Keep this process on one of its cores, counted from 0 or from the end; do nothing if the system cannot."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


@contextmanager
def serving(shape: str = "mihu", *, pages: int, per_page: int = PER_PAGE, delay: float = 0.0) -> Iterator[str]:
    """Serve this many pages, each after a delay in seconds, and yield the address."""
    command = [sys.executable, "-m", "benchmarks.server", shape, str(pages), str(per_page), str(delay)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.communicate()  # it ends when its input ends


def answered(base_url: str) -> int:
    """Return how many requests a server has answered."""
    with urlopen(f"{base_url}/requests") as answer:  # noqa: S310 - our own server
        return int(answer.read())


class Walker:
    """A process that walks on request, with its own Python and environment."""

    def __init__(self, python: Path, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.walkers", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def walk(self, base_url: str, **options: Any) -> dict[str, float]:
        """Walk the served listing. Return the seconds of ``wall`` and ``cpu``, and the ``peak`` of memory in bytes."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"base_url": base_url, **options}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            message = f"{self.name} cannot walk"
            raise RuntimeError(message)
        taken: dict[str, float] = json.loads(line)
        return taken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # it ends when its input ends
