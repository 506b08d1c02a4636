"""Writes to standard error while a command runs: a progress bar, the reason for a wait, the end of an export."""

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
from mihu_async.cli.output import forget

LONG_WAIT = 2.0
"""The shortest wait that is reported, in seconds."""

_shown: ContextVar[Console | None] = ContextVar("shown", default=None)
"""The console of the progress bar that is visible now."""


def tell(text: str) -> None:
    """Write a line to standard error, above the progress bar if there is one.

    If it cannot be written, as on a full disk, the command goes on: what it has bought is still to be written.
    """
    line, console = f"{NAME}: {one_line(text)}", _shown.get()
    try:
        if console is None:
            print(line, file=sys.stderr)
        else:
            console.print(Text(line), soft_wrap=True)
    except OSError:
        forget(sys.stderr)


def explain(text: str) -> None:
    """Explain a wait on a terminal; nothing is written elsewhere, so that logs stay short."""
    if sys.stderr.isatty():
        tell(text)


@define
class Waits:
    """A hook that reports long waits before a retry; of several that end together, only one is reported."""

    quiet_until: float = 0.0

    def __call__(self, attempt: Attempt, call: CallReport) -> None:
        """Report a wait on a terminal."""
        wait, now = attempt.wait or 0.0, time.monotonic()
        if wait < LONG_WAIT or now + wait < self.quiet_until + 1:
            return
        self.quiet_until = now + wait
        why = "gave no answer" if attempt.status is None else f"answered {attempt.status}"
        explain(f"{call.method} {call.path}: the service {why}; retrying in {wait:.0f} s.")


@define
class Bar:
    """A progress bar that appears with its first figure; without a terminal, it shows nothing."""

    progress: Progress | None
    task: TaskID | None = None

    def show(self, done: int, total: int) -> None:
        """Show the progress."""
        if self.progress:
            if self.task is None:
                self.task = self.progress.add_task("")
            self.progress.update(self.task, total=total, completed=done)


@contextmanager
def progress(*, shown_elsewhere: bool = False) -> Generator[Bar]:
    """Yield a progress bar, which is visible if standard error is a terminal and no rows are shown there."""
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
