"""How far something long is, on standard error, for people who look on."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

from attrs import define
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TimeRemainingColumn


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
    """Give a bar where standard error is a terminal, and where no rows are shown in between."""
    if shown_elsewhere or not sys.stderr.isatty():
        yield Bar(None)
        return
    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as shown:
        yield Bar(shown)
