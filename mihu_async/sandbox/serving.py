"""Runs a sandbox as a program: prints how to reach it, logs each request, and ends with a signal."""

import asyncio
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from mihu_async.sandbox.app import ADMIN_PREFIX
from mihu_async.sandbox.env_file import env_file, exports, remove_stale
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.server import Sandbox
from mihu_async.sandbox.strictness import UndocumentedError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(sandbox: Sandbox, *, variables_file: Path | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code of the program.

    Args:
        sandbox: The sandbox to serve.
        variables_file: A file that holds the environment variables to set while the sandbox serves; None writes none. A
            file that an earlier sandbox left is removed before this one listens.

    Returns:
        1 if a strict sandbox met something undocumented, which is listed on standard error, else 0.
    """
    if variables_file:
        remove_stale(variables_file)
    try:
        with _ended_by_signals() as stopped:
            async with sandbox:
                text = exports(sandbox.variables)
                with env_file(variables_file, text) if variables_file else nullcontext():
                    print(text, end="")
                    if sandbox.admin:
                        print(f"# Inspect and control it at {sandbox.base_url}{ADMIN_PREFIX}/")
                    print("# Set these variables for your program; press Ctrl-C to stop the sandbox.", flush=True)
                    await stopped.wait()
    except UndocumentedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def tell(entry: JournalEntry) -> None:
    """Write a finished request to standard error."""
    print(request_line(entry), file=sys.stderr, flush=True)


def request_line(entry: JournalEntry) -> str:
    """Return a request in one line: time, method, path, query, status or `-`, milliseconds, fault."""
    arrived = f"{entry.arrived_at.astimezone():%H:%M:%S}" if entry.arrived_at else "-"
    target = f"{entry.path}?{entry.raw_query}" if entry.raw_query else entry.path
    status = "-" if entry.status is None else entry.status
    took = "-" if entry.seconds is None else f"{entry.seconds * 1000:.1f} ms"
    words = f"{arrived} {entry.method} {target} {status} {took} {entry.fault or ''}".rstrip()
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in words)


@contextmanager
def _ended_by_signals() -> Generator[asyncio.Event]:
    """Yield an event that a signal sets, and restore the previous handlers afterwards.

    The loop's own handlers wake it up. A handler of the signal module alone does not: a signal just before the loop
    waits would be noticed only when something else happens.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopped.set)

    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # pragma: no cover - on Windows, whose loop is woken by any signal
            signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)
