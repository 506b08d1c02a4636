"""Runs commands in this process, against a sandbox that the environment names."""

import io
import signal
import sys
import time
from collections.abc import Callable, Generator
from threading import Thread, main_thread
from typing import NamedTuple

import pytest

from mihu_async.cli.run import run
from mihu_async.sandbox import Sandbox


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[str]:
        """Return the lines of its output."""
        return self.out.splitlines()


Command = Callable[..., Done]


@pytest.fixture
def sandbox(monkeypatch):
    """Serve a workspace of 250 numbers and 40 trunks."""
    with Sandbox() as served:
        monkeypatch.setenv("MIHU_API_TOKEN", served.token)
        monkeypatch.setenv("MIHU_BASE_URL", served.base_url)
        yield served


@pytest.fixture
def command(sandbox, capsys) -> Command:
    """Return what runs a command: each argument is words, split at spaces."""

    def call(*words: str) -> Done:
        code = run([word for part in words for word in (part.split() if " " in part else [part])])
        return Done(int(code), *capsys.readouterr())

    return call


def ctrl_c_when(due: Callable[[], bool], number: int = signal.SIGINT) -> None:
    """Press Ctrl-C once something is so, or send another signal."""

    def press() -> None:
        while not due():
            time.sleep(0.001)
        signal.pthread_kill(main_thread().ident or 0, number)

    Thread(target=press, daemon=True).start()


@pytest.fixture
def interrupt() -> Generator[Callable[..., None]]:
    """Return what presses Ctrl-C once something is so, or sends another signal."""
    if not hasattr(signal, "pthread_kill"):
        pytest.skip("Windows sends no signal to a thread")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
    yield ctrl_c_when
    signal.signal(signal.SIGINT, before)


class Terminal(io.StringIO):
    """Standard input with a person in front of it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch) -> Callable[[str], None]:
    """Return what types at the terminal."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))
