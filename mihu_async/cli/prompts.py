"""Asks the person at the terminal. Without a terminal, no answer is assumed."""

import getpass
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager

from mihu_async.cli.errors import Exit, StopError

YES = ("y", "yes")


def confirm(question: str) -> None:
    """Ask a question, and stop unless the answer is yes."""
    if not sys.stdin.isatty():
        raise StopError(
            Exit.DECLINED,
            "Nothing was sent: confirmation is required, and standard input is not a terminal.",
            "The option --yes skips the confirmation.",
        )
    with _interruptible():
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
    if answer.strip().lower() not in YES:
        raise StopError(Exit.DECLINED, "Nothing was sent.")


def ask_secret(what: str) -> str:
    """Ask for a secret, without showing the input."""
    with _interruptible():
        return getpass.getpass(f"{what}: ", stream=sys.stderr)


@contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C end a prompt at once; asyncio would delay it until the loop runs again."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
