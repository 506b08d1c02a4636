"""Standard error while a command works: a bar, the reason for a wait, the end of an export."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import define
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn
from rich.text import Text

from mihu_async import Attempt, CallReport
from mihu_async.cli.errors import NAME, one_line

LONG_WAIT = 2.0
"""Seconds that a wait has at least that is told."""

_shown: ContextVar[Console | None] = ContextVar("shown", default=None)
"""The console that shows a bar now."""


def tell(text: str) -> None:
    """Write a line to standard error, above the bar where there is one."""
    line, console = f"{NAME}: {one_line(text)}", _shown.get()
    if console is None:
        print(line, file=sys.stderr)
    else:
        console.print(Text(line), soft_wrap=True)


def explain(text: str) -> None:
    """Tell at a terminal why nothing happens for a while; a log of a job stays short."""
    if sys.stderr.isatty():
        tell(text)


@define
class Waits:
    """A hook that tells of long waits before a call is tried again; of several that end together it tells once."""

    told_until: float = 0.0

    def __call__(self, attempt: Attempt, call: CallReport) -> None:
        """Tell of a wait at a terminal."""
        wait, now = attempt.wait or 0.0, time.monotonic()
        if wait < LONG_WAIT or now + wait < self.told_until + 1:
            return
        self.told_until = now + wait
        why = "gave no answer" if attempt.status is None else f"answered {attempt.status}"
        explain(f"{call.method} {call.path}: the service {why}; it is tried again in {wait:.0f} s.")


@define
class Bar:
    """A bar that appears with the first figure it is told; without a terminal, nothing."""

    progress: Progress | None
    task: TaskID | None = None

    def show(self, done: int, total: int) -> None:
        """Tell how far it is."""
        if self.progress:
            if self.task is None:
                self.task = self.progress.add_task("")
            self.progress.update(self.task, total=total, completed=done)


@contextmanager
def progress(*, shown_elsewhere: bool = False) -> Generator[Bar]:
    """Make a bar where standard error is a terminal, and where no rows are shown in between."""
    if shown_elsewhere or not sys.stderr.isatty():
        yield Bar(None)
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as shown:
        before = _shown.set(console)
        try:
            yield Bar(shown)
        finally:
            _shown.reset(before)
