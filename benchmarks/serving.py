"""Runs the benchmark server in a process of its own, beside what is measured."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(pages: int, per_page: int, delay: float = 0.0) -> Iterator[str]:
    """Serve that many pages, each after a delay in seconds; gives the address."""
    server = Path(__file__).with_name("server.py")
    command = [sys.executable, str(server), str(pages), str(per_page), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own file
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
