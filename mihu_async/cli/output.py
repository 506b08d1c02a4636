"""The output options, the choice of a format, and standard output."""

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

from attrs import frozen
from cyclopts import Parameter

from mihu_async.cli.columns import Layout
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.formats import FOR_PEOPLE, Format, Place, Rows, rows_in

T = TypeVar("T")

ENDINGS = {f".{known}": known for known in (Format.JSON, Format.JSONL, Format.CSV)} | {".ndjson": Format.JSONL}
"""The format for each ending of a file's name."""


@Parameter(name="*", group="Output")
@frozen(kw_only=True)
class Show:
    """The options of a command that writes an answer."""

    output: Annotated[Format | None, Parameter(name=("--output", "-o"))] = None
    """The output format: by default a table on a terminal, and jsonl elsewhere. wide shows more columns than fit the
    terminal, and name only the input of other commands.
    """
    columns: str | None = None
    """The columns of a table or of csv, such as number,status; an unknown name lists them all."""

    def check(self, layout: Layout[Any]) -> None:
        """Reject a format that cannot be written, before anything is sent."""
        self.rows(layout, sys.stdout)

    def one(self, item: Any, layout: Layout[Any]) -> None:
        """Write a single item."""
        self._write((item,), self.rows(layout, sys.stdout, one=True))

    def several(self, items: Iterable[Any], layout: Layout[Any]) -> None:
        """Write a few rows."""
        self._write(items, self.rows(layout, sys.stdout))

    def rows(self, layout: Layout[T], file: IO[str], *, one: bool = False) -> Rows[T]:
        """Return the format in use for a file."""
        return rows_in(self.format, layout, names=self.columns, place=place_of(file), one=one)

    def _write(self, items: Iterable[Any], rows: Rows[Any]) -> None:
        file = standard_output(self.format)
        file.write(rows.head())
        for item in items:
            file.write(rows.row(item))
        file.write(rows.foot())

    @property
    def format(self) -> Format:
        """The output format."""
        return format_for(self.output)


SHOWN = Show()


def format_for(chosen: Format | None, file: Path | None = None) -> Format:
    """Return the chosen format, or the one of the file's ending, or a table on a terminal, or else jsonl."""
    if chosen:
        return chosen
    if file is None:
        return Format.TABLE if sys.stdout.isatty() else Format.JSONL
    if not file.suffix:
        return Format.JSONL
    if file.suffix.lower() not in ENDINGS:
        message = f"{file}: its ending is not that of a format. Nothing was sent."
        raise StopError(
            Exit.USAGE, message, f"Name it {', '.join(f'*{ending}' for ending in ENDINGS)}, or use --output."
        )
    return ENDINGS[file.suffix.lower()]


def place_of(file: IO[str]) -> Place:
    """Return the width of a terminal; a file and a pipe are unlimited."""
    if not file.isatty():
        return Place()
    return Place(width=shutil.get_terminal_size().columns, is_terminal=True)


def forget(stream: IO[str]) -> None:
    """Discard the rest of a standard stream: writing it when the interpreter exits would fail again."""
    with suppress(OSError, ValueError):  # a replacement of a stream may have no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def standard_output(chosen: Format) -> IO[str]:
    """Return standard output, in UTF-8 regardless of the locale unless the format is for people."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and chosen not in FOR_PEOPLE:
        reconfigure(encoding="utf-8", errors="backslashreplace")
    return sys.stdout
