"""Asks the person at the terminal; where there is none, nothing is taken for granted."""

import getpass
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager

from mihu_async.cli.errors import Exit, StopError

YES = ("y", "yes")


def confirm(question: str) -> None:
    """Go on where the answer is yes, and stop where it is anything else or nobody can answer."""
    if not sys.stdin.isatty():
        raise StopError(
            Exit.DECLINED,
            "Nothing was sent: it must be confirmed, and standard input is no terminal.",
            "The option --yes goes on without asking.",
        )
    with _interruptible():
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
    if answer.strip().lower() not in YES:
        raise StopError(Exit.DECLINED, "Nothing was sent.")


def ask_secret(what: str) -> str:
    """Ask for a secret, which is not shown while it is typed."""
    with _interruptible():
        return getpass.getpass(f"{what}: ", stream=sys.stderr)


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C end a prompt at once, under asyncio too, which would wait until the loop runs again."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
