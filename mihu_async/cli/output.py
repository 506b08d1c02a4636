"""How rows are written: one after the other, so that a million of them need the memory of one."""

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, frozen
from cyclopts import Parameter

from mihu_async.cli.columns import Column, as_json, cells, text
from mihu_async.cli.errors import one_line

T = TypeVar("T")
Item_contra = TypeVar("Item_contra", contravariant=True)


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


OUTPUT: Parameter = Parameter(name=("--output", "-o"), group="Output")
LINE_ENDS = "\r\n"
"""What readers of CSV take for the end of a line; the writer puts quotes around no other sign than those of its own."""
APPENDABLE = (Format.JSONL, Format.CSV)
"""The formats in which a file can be gone on with."""


class Rows(Protocol[Item_contra]):
    """A format at work: each method gives the text that is to be written."""

    def head(self) -> str:
        """Give what comes before the rows."""
        ...

    def row(self, item: Item_contra) -> str:
        """Give a row."""
        ...

    def foot(self) -> str:
        """Give what comes behind the rows."""
        ...


@frozen
class TableRows(Generic[T]):
    """Columns of fixed widths. Nothing is cut: what is longer moves the rest of its line."""

    columns: tuple[Column[T], ...]

    def head(self) -> str:
        """Give the names."""
        return self._line([column.name.upper() for column in self.columns])

    def row(self, item: T) -> str:
        """Give a line."""
        return self._line([one_line(text(column.pick(item))) or "-" for column in self.columns])

    def foot(self) -> str:
        """Give nothing."""
        return ""

    def _line(self, words: list[str]) -> str:
        padded = (word.ljust(column.width) for word, column in zip(words, self.columns, strict=True))
        return "  ".join(padded).rstrip() + "\n"


def csv_line(words: Iterable[str]) -> str:
    """Spell a record; the writer quotes what it takes for the end of a line, so it is given all that may be one."""
    line = io.StringIO()
    csv.writer(line, lineterminator=LINE_ENDS).writerow(words)
    return f"{line.getvalue().removesuffix(LINE_ENDS)}\n"


@frozen
class CsvRows(Generic[T]):
    """Comma-separated values, as RFC 4180 has them but with plain line ends; empty is what is not known."""

    columns: tuple[Column[T], ...]

    def head(self) -> str:
        """Give the names."""
        return csv_line(column.name for column in self.columns)

    def row(self, item: T) -> str:
        """Give a record."""
        return csv_line(cells(self.columns, item))

    def foot(self) -> str:
        """Give nothing."""
        return ""


@frozen
class JsonlRows:
    """An object a line."""

    def head(self) -> str:
        """Give nothing."""
        return ""

    def row(self, item: Any) -> str:
        """Give an object."""
        return f"{as_json(item)}\n"

    def foot(self) -> str:
        """Give nothing."""
        return ""


@define
class JsonRows:
    """One array, written as it grows."""

    begun: bool = False

    def head(self) -> str:
        """Open the array."""
        return "["

    def row(self, item: Any) -> str:
        """Give an element."""
        between, self.begun = ",\n" if self.begun else "\n", True
        return f"{between}{as_json(item)}"

    def foot(self) -> str:
        """Close the array."""
        return "\n]\n" if self.begun else "]\n"


def format_for(chosen: Format | None, file: Path | None = None) -> Format:
    """Choose a format: a table for people who look on, and an object a line for files and pipes."""
    if chosen:
        return chosen
    if file:
        return next((known for known in Format if file.suffix == f".{known}"), Format.JSONL)
    return Format.TABLE if sys.stdout.isatty() else Format.JSONL


def rows_in(chosen: Format, columns: Sequence[Column[T]]) -> Rows[T]:
    """Give the format at work."""
    if chosen is Format.TABLE:
        return TableRows(tuple(column for column in columns if column.width))
    if chosen is Format.CSV:
        return CsvRows(tuple(columns))
    return JsonRows() if chosen is Format.JSON else JsonlRows()


def show(items: Iterable[T], columns: Sequence[Column[T]], output: Format | None) -> None:
    """Write a few rows."""
    rows = rows_in(format_for(output), columns)
    sys.stdout.write(rows.head())
    for item in items:
        sys.stdout.write(rows.row(item))
    sys.stdout.write(rows.foot())


def show_one(item: T, columns: Sequence[Column[T]], output: Format | None) -> None:
    """Write one row: as JSON one object, and no array of one."""
    chosen = format_for(output)
    show((item,), columns, Format.JSONL if chosen is Format.JSON else chosen)
