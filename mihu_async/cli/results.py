"""Writes the result of each line of a file of trunks to another file, as soon as it is known."""

from asyncio import CancelledError
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from attrs import define, field

from mihu_async import DryRun, EnsureResult, MihuClient, TrunkSpec
from mihu_async.cli.columns import text
from mihu_async.cli.errors import Exit, StopError, ending_of, one_line
from mihu_async.cli.formats import Format, csv_line
from mihu_async.cli.output import standard_output
from mihu_async.cli.progress import progress, tell
from mihu_async.cli.spreadsheet import NEEDED, Row
from mihu_async.cli.wording import counted

RESULTS = ("line", *NEEDED, "outcome", "unverified", "exit_code", "error")
"""The columns of a file of results."""
MOST_SHOWN = 3
"""The number of failures that standard error shows too."""
LONG = 20
"""The number of rows from which a file shows a progress bar."""


async def ensure_rows(mihu: MihuClient, rows: Sequence[Row], path: Path | None) -> None:
    """Ensure every trunk, and write each result as it arrives, to a file or to standard output."""
    run = mihu.trunks.ensure_all([row.trunk for row in rows])
    where = f"{path} has a line for each" if path else "each has a line"
    with _open(path) as file, progress(shown_elsewhere=file.isatty()) as bar:
        results = Results(rows, file)
        results.begin()
        try:
            async with aclosing(aiter(run)) as done:
                async for result in done:
                    results.add(result)
                    if len(rows) >= LONG:
                        bar.show(results.count, len(rows))
        except CancelledError:
            results.interrupt(run.report.unseen, run.report.unfinished)
            raise StopError(
                Exit.INTERRUPTED,
                f"Interrupted: {results.summary}; {where}.",
                "The same command ensures every line again, and changes no trunk that is already in order.",
            ) from None
    tell(f"{results.summary}; {where}.")
    if results.outcomes["failed"]:
        raise StopError(Exit.INCOMPLETE, f"{counted(results.outcomes['failed'], 'trunk')} could not be ensured.")


@contextmanager
def _open(path: Path | None) -> Generator[TextIO]:
    if path is None:
        yield cast("TextIO", standard_output(Format.CSV))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file


@define
class Results:
    """Writes the result of each row."""

    rows: Sequence[Row]
    file: TextIO
    outcomes: Counter[str] = field(factory=Counter[str], init=False)
    _written: set[int] = field(factory=set[int], init=False)

    @property
    def count(self) -> int:
        """The number of rows written."""
        return len(self._written)

    @property
    def summary(self) -> str:
        """The number of rows with each outcome, as text."""
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())) or "no trunks"

    def begin(self) -> None:
        """Write the names of the columns."""
        self._write(RESULTS)

    def add(self, result: EnsureResult[TrunkSpec]) -> None:
        """Write a result."""
        ensured, error = result.ensured, result.error
        if ensured:
            self._row(result.position, ensured.outcome, unverified=ensured.unverified)
        elif isinstance(error, DryRun):
            self._row(result.position, "planned", error=f"{error.method} {error.url}")
        else:
            ending = ending_of(cast("Exception", error))
            self._row(result.position, "failed", code=ending.code, error=ending.message)
            if self.outcomes["failed"] <= MOST_SHOWN:
                tell(f"Line {self.rows[result.position].line}: {ending.message}")

    def interrupt(self, unseen: Sequence[EnsureResult[TrunkSpec]], unfinished: Sequence[TrunkSpec]) -> None:
        """Write the rows that are done but not yet written, the rows that may be done, and the rows that are not."""
        for result in unseen:
            self.add(result)
        under_way = set(map(id, unfinished))
        for position in self._left():
            self._row(position, "unfinished" if id(self.rows[position].trunk) in under_way else "not begun")

    def _left(self) -> Iterator[int]:
        return (position for position in range(len(self.rows)) if position not in self._written)

    def _row(
        self, position: int, outcome: str, *, unverified: tuple[str, ...] = (), code: int | None = None, error: str = ""
    ) -> None:
        row = self.rows[position]
        self._written.add(position)
        self.outcomes[outcome] += 1
        address = (getattr(row.trunk, name) for name in NEEDED)
        self._write((row.line, *address, outcome, unverified, code, one_line(error)))

    def _write(self, cells: Sequence[Any]) -> None:
        self.file.write(csv_line(map(text, cells)))
        self.file.flush()
