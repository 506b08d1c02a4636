"""The demo's output: tables and progress bars on a terminal, plain lines elsewhere."""

from collections.abc import AsyncIterable, Iterable, Sequence
from typing import IO, Protocol, TypeVar

from attrs import frozen
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

T = TypeVar("T")


class Output(Protocol):
    """The destination of the demo's output."""

    def step(self, title: str) -> None:
        """Begin a step."""
        ...

    def line(self, text: str) -> None:
        """Write a line."""
        ...

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show rows."""
        ...

    async def gather(self, label: str, total: int, items: AsyncIterable[T]) -> list[T]:
        """Read a walk to its end, and show its progress."""
        ...


@frozen
class TerminalOutput:
    """Output for a terminal."""

    console: Console

    def step(self, title: str) -> None:
        """Begin a step."""
        self.console.print()
        self.console.print(Text(title, style="bold"))

    def line(self, text: str) -> None:
        """Write a line."""
        self.console.print(Text(text))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show rows."""
        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)

    async def gather(self, label: str, total: int, items: AsyncIterable[T]) -> list[T]:
        """Read a walk to its end under a progress bar."""
        gathered: list[T] = []
        with Progress(TextColumn(label), BarColumn(), MofNCompleteColumn(), console=self.console) as progress:
            task = progress.add_task(label, total=total)
            async for item in items:
                gathered.append(item)
                progress.advance(task)
        return gathered


@frozen
class PlainOutput:
    """Output for files and pipes: one fact a line, columns separated by tabs."""

    file: IO[str]

    def step(self, title: str) -> None:
        """Begin a step."""
        self.line(f"# {title}")

    def line(self, text: str) -> None:
        """Write a line."""
        print(text, file=self.file)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show rows."""
        for row in (columns, *rows):
            self.line("\t".join(row))

    async def gather(self, label: str, total: int, items: AsyncIterable[T]) -> list[T]:
        """Read a walk to its end, and write the number of items."""
        gathered = [item async for item in items]
        self.line(f"{label} {len(gathered)}/{total}")
        return gathered


def output_for(console: Console) -> Output:
    """Return the output that suits a console."""
    return TerminalOutput(console) if console.is_terminal else PlainOutput(console.file)
