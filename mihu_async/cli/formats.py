"""The formats of rows, written one at a time, so that a million rows need the memory of one. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from attrs import define, field, frozen
from rich.cells import cell_len, set_cell_size

from mihu_async.cli.columns import GAP, Column, Fitted, Layout, as_json, fit, money, text
from mihu_async.cli.errors import Exit, StopError, escape, one_line

T = TypeVar("T")
Item_contra = TypeVar("Item_contra", contravariant=True)

LINE_ENDS = "\r\n"
"""The characters that readers of CSV take for a line end; the csv module quotes only those of its line terminator."""


class Format(StrEnum):
    """The formats of rows."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    NAME = "name"


APPENDABLE = (Format.JSONL, Format.CSV)
"""The formats in which a file can be continued."""
FOR_PEOPLE = (Format.TABLE, Format.WIDE)
"""The formats that use the encoding of a terminal; all others are always UTF-8."""
COLUMNED = (*FOR_PEOPLE, Format.CSV)
"""The formats that have columns."""


@frozen(kw_only=True)
class Place:
    """The destination of rows: its line width, None if unlimited, and whether it is a terminal."""

    width: int | None = None
    is_terminal: bool = False


class Rows(Protocol[Item_contra]):
    """A format in use: each method returns the text to write."""

    def head(self) -> str:
        """Return the text before the rows."""
        ...

    def row(self, item: Item_contra) -> str:
        """Return the text of a row."""
        ...

    def foot(self) -> str:
        """Return the text after the rows."""
        ...


class _Bare:
    """A format with no text before or after the rows."""

    def head(self) -> str:
        """Return an empty text."""
        return ""

    def foot(self) -> str:
        """Return an empty text."""
        return ""


@frozen
class TableRows(_Bare, Generic[T]):
    """Columns of fixed widths.

    A longer cell is truncated if its column allows it, and otherwise shifts the rest of its line.
    """

    columns: tuple[Fitted[T], ...]

    def head(self) -> str:
        """Return the headings."""
        return self._line([fitted.column.heading for fitted in self.columns])

    def row(self, item: T) -> str:
        """Return a line."""
        return self._line([_cell(fitted.column, item) for fitted in self.columns])

    def _line(self, words: list[str]) -> str:
        padded = (_sized(word, fitted) for word, fitted in zip(words, self.columns, strict=True))
        return (" " * GAP).join(padded).rstrip() + "\n"


def _cell(column: Column[T], item: T) -> str:
    value = column.pick(item)
    return one_line(money(value) if column.is_money else text(value)) or "-"


def _sized(word: str, fitted: Fitted[Any]) -> str:
    if fitted.cut and cell_len(word) > fitted.width:
        word = f"{set_cell_size(word, fitted.width - 1).rstrip()}…"
    room = " " * (fitted.width - cell_len(word))
    return room + word if fitted.column.is_money else word + room


@frozen
class RecordRows(_Bare, Generic[T]):
    """One line for each column of a single item; ``full`` also shows unknown values."""

    columns: tuple[Column[T], ...]
    full: bool = False

    def row(self, item: T) -> str:
        """Return the lines of the item."""
        width = max(len(column.name) for column in self.columns)
        pairs = ((column.name.upper(), one_line(text(column.pick(item)))) for column in self.columns)
        return "".join(f"{name:<{width}}  {word or '-'}\n" for name, word in pairs if word or self.full)


def csv_line(words: Iterable[str]) -> str:
    """Format a record; the writer gets all possible line ends as its terminator, so that it quotes each of them."""
    line = io.StringIO()
    csv.writer(line, lineterminator=LINE_ENDS).writerow(words)
    return f"{line.getvalue().removesuffix(LINE_ENDS)}\n"


@frozen
class CsvRows(_Bare, Generic[T]):
    """Comma-separated values as in RFC 4180, but with plain line feeds; an unknown value is empty."""

    columns: tuple[Column[T], ...]
    escaped: bool = False

    def head(self) -> str:
        """Return the names of the columns."""
        return csv_line(column.name for column in self.columns)

    def row(self, item: T) -> str:
        """Return a record; on a terminal, with characters that could control it escaped."""
        record = csv_line(text(column.pick(item)) for column in self.columns)
        return escape(record) if self.escaped else record


@frozen
class NameRows(_Bare, Generic[T]):
    """The name of each row on a line of its own, as input of other commands."""

    column: Column[T]

    def row(self, item: T) -> str:
        """Return the name."""
        return f"{one_line(text(self.column.pick(item)))}\n"


@frozen
class JsonlRows(_Bare):
    """One JSON object a line."""

    def row(self, item: Any) -> str:
        """Return an object."""
        return f"{as_json(item)}\n"


@define
class JsonRows:
    """A single JSON array, written incrementally."""

    begun: bool = field(default=False, init=False)

    def head(self) -> str:
        """Open the array."""
        return "["

    def row(self, item: Any) -> str:
        """Return an element."""
        between, self.begun = ",\n" if self.begun else "\n", True
        return f"{between}{as_json(item)}"

    def foot(self) -> str:
        """Close the array."""
        return "\n]\n" if self.begun else "]\n"


def rows_in(
    chosen: Format, layout: Layout[T], *, names: str | None = None, place: Place = Place(), one: bool = False
) -> Rows[T]:
    """Return the format in use.

    Args:
        chosen: The format.
        layout: The available columns.
        names: The names of the columns to write, separated by commas; None uses the format's own choice.
        place: The destination of the rows.
        one: True for a single item, which is an object instead of an array, and a line a column instead of a table.

    Raises:
        StopError: A name is not that of a column, or the format has no columns.
    """
    asked = None if names is None else _asked(layout, names, chosen)
    match chosen:
        case Format.TABLE | Format.WIDE if one:
            return RecordRows(asked or layout.columns, full=chosen is Format.WIDE or asked is not None)
        case Format.TABLE | Format.WIDE:
            wide = chosen is Format.WIDE
            shown = asked or layout.named((*layout.table, *layout.wide) if wide else layout.table)
            return TableRows(tuple(fit(shown, None if wide else place.width, keep_all=asked is not None)))
        case Format.CSV:
            return CsvRows(asked or layout.columns, escaped=place.is_terminal)
        case Format.NAME:
            return NameRows(*layout.named((layout.name,)))
        case _:
            return JsonRows() if chosen is Format.JSON and not one else JsonlRows()


def _asked(layout: Layout[T], names: str, chosen: Format) -> tuple[Column[T], ...]:
    if chosen not in COLUMNED:
        raise StopError(Exit.USAGE, f"--columns is for tables and csv: {chosen} has no columns. Nothing was sent.")
    wanted: Sequence[str] = [name.strip() for name in names.split(",") if name.strip()]
    try:
        found = layout.named(wanted)
    except KeyError as error:
        message = f"There is no column {error.args[0]!r}. Nothing was sent."
        raise StopError(
            Exit.USAGE, message, f"The columns are {', '.join(column.name for column in layout.columns)}."
        ) from None
    if not found:
        raise StopError(Exit.USAGE, "--columns names no column. Nothing was sent.")
    return found
