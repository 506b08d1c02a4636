"""The columns of rows, by name, and their choice for the width of a table. Pure functions of the SDK's models."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import attrs
from attrs import frozen

T = TypeVar("T")

FEW_DECIMALS = (0, -1, -2)
"""The exponents of amounts that a table fills up to two decimals."""
GAP = 2
"""The spaces between two columns of a table."""


@frozen
class Column(Generic[T]):
    """A column: its name, the value in its cells, and its width in a table.

    If a table lacks space, a column shrinks to ``least`` at most, which truncates longer cells; None never truncates. A
    table aligns money to the right, with two decimals at least.
    """

    name: str
    pick: Callable[[T], Any]
    width: int = 8
    least: int | None = None
    title: str = ""
    is_money: bool = False

    @property
    def heading(self) -> str:
        """The text above the column in a table."""
        return self.title or self.name.upper()


@frozen
class Layout(Generic[T]):
    """The columns of a kind of row: all of them, those of a table, those that ``wide`` adds, and the row's name."""

    columns: tuple[Column[T], ...]
    table: tuple[str, ...]
    wide: tuple[str, ...] = ()
    name: str = "number"

    def named(self, names: Sequence[str]) -> tuple[Column[T], ...]:
        """Return columns by name, in the given order.

        Raises:
            KeyError: A name is unknown.
        """
        known = {column.name: column for column in self.columns}
        return tuple(known[name] for name in names)


@frozen
class Fitted(Generic[T]):
    """A column of a table with its width there; ``cut`` is True if longer cells are truncated."""

    column: Column[T]
    width: int
    cut: bool = False


def fit(columns: Sequence[Column[T]], width: int | None, *, keep_all: bool = False) -> list[Fitted[T]]:
    """Return the columns that fit the width of a line, always including the first.

    Args:
        columns: The columns, in order.
        width: The width of the line; None is unlimited.
        keep_all: True to drop none: those that can shrink do, and the line may be longer.
    """
    if width is None:
        return [Fitted(column, column.width) for column in columns]
    kept = list(columns)
    while not keep_all and len(kept) > 1 and _room(kept) > width:
        kept.pop()
    spare = width - _room(kept)
    fitted: list[Fitted[T]] = []
    for column in kept:
        least = _least(column)
        grown = least + max(0, min(spare, column.width - least))
        spare -= grown - least
        fitted.append(Fitted(column, grown, cut=column.least is not None))
    return fitted


def _least(column: Column[Any]) -> int:
    return column.width if column.least is None else column.least


def _room(columns: Sequence[Column[Any]]) -> int:
    return sum(map(_least, columns)) + GAP * (len(columns) - 1)


def at(path: str) -> Callable[[Any], Any]:
    """Return a function that follows a path of fields, and returns None if one of them is None."""
    steps = [attrgetter(step) for step in path.split(".")]

    def pick(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return pick


def text(value: Any) -> str:
    """Format a value for a cell: empty for None, ``true`` or ``false``, ISO 8601, several separated by spaces."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case tuple():
            return " ".join(map(text, cast("tuple[Any, ...]", value)))
        case _:
            return str(value)


def money(value: Any) -> str:
    """Format an amount for a table, with all of its decimals and two at least; anything else as text."""
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else None
    return f"{value:.2f}" if exponent in FEW_DECIMALS else text(value)


def as_json(item: Any, indent: int | None = None) -> str:
    """Return an entire item as JSON, with the API's names; money is text, to keep every digit.

    A character that could control a terminal is written as a JSON escape, which decodes to the same text.
    """
    value: Any = attrs.asdict(item) if attrs.has(cast("type[Any]", type(item))) else item
    return escape_json(json.dumps(value, default=text, ensure_ascii=False, indent=indent))


def escape_json(document: str) -> str:
    """Escape the characters of a text that is or contains JSON that could control a terminal, in JSON's own way."""
    return re.sub(r"[^ -~\n]", _escape, document)


def _escape(match: re.Match[str]) -> str:
    sign = match.group()
    return sign if sign.isprintable() else json.dumps(sign)[1:-1].replace("\x7f", "\\u007f")
