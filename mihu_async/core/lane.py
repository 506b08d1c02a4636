"""The direct lane: a whole answer from bytes to models in one go, where nothing in it asks for a closer look.

It gives what the converter gives, or nothing; parts that no model reads are not looked at. What msgspec takes more
lightly than the converter does, a fee as text or a time without an offset, is found here and left to the converter,
which says where it is wrong.
"""

import re
from collections.abc import Callable, Hashable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

import attrs
import msgspec

from mihu_async.models.extra import keeps_extra
from mihu_async.models.pages import Page, Pagination

T = TypeVar("T")

ESCAPED_LETTER = re.compile(rb"\\u00(?:5[fF]|6|7[0-9aA])")
"""A letter that is written as a number, as nobody writes it; a field's name could hide behind it."""


class _Envelope(msgspec.Struct, Generic[T], kw_only=True):
    data: T
    success: bool = True
    message: str | None = None


class _Pagination(msgspec.Struct, kw_only=True, rename={"from_": "from"}):
    current_page: int
    per_page: int
    total: int
    last_page: int
    has_more: bool
    from_: int | None = None
    to: int | None = None


class _Page(msgspec.Struct, Generic[T]):
    items: tuple[T, ...]
    pagination: _Pagination


@attrs.frozen
class _Lane:
    """How one type of answer is decoded, and what must be looked for in it."""

    decode: Callable[[bytes], _Envelope[Any]]
    money_as_text: re.Pattern[bytes] | None
    has_naive_time: Callable[[Any], bool]
    is_page: bool


def prepare(*answers: Any) -> None:
    """Make the lanes of some types of answers now, which takes milliseconds, and not when the first one comes."""
    for answer in answers:
        _lane(answer)


def read_directly(body: bytes, answer: type[T]) -> tuple[T, str | None] | None:
    """Return the data and the message of a successful answer, or None where the converter must look at it."""
    lane = _lane(cast("Hashable", answer))
    if (
        lane is None
        or (b"\\" in body and ESCAPED_LETTER.search(body))
        or (lane.money_as_text and lane.money_as_text.search(body))
    ):
        return None
    try:
        envelope = lane.decode(body)
    except (msgspec.MsgspecError, ArithmeticError, RecursionError, UnicodeDecodeError):
        return None
    data = envelope.data
    if not envelope.success or any(map(lane.has_naive_time, data.items if lane.is_page else (data,))):
        return None
    return cast("T", _page(data) if lane.is_page else data), envelope.message


def _page(page: _Page[Any]) -> Page[Any]:
    said = page.pagination
    pagination = Pagination(
        current_page=said.current_page,
        per_page=said.per_page,
        total=said.total,
        last_page=said.last_page,
        has_more=said.has_more,
        from_=said.from_,
        to=said.to,
    )
    return Page(items=page.items, pagination=pagination)


@cache
def _lane(answer: Hashable) -> _Lane | None:
    """Give the lane of a type of answer; None where the model keeps what is unknown, which this would drop."""
    is_page = get_origin(answer) is Page
    item: Any = get_args(answer)[0] if is_page else answer
    if keeps_extra(get_origin(item) or item):
        return None
    data = cast("Any", _Page)[item] if is_page else item
    envelope: Any = cast("Any", _Envelope)[data]
    money = sorted(_fields_of(item, Decimal))
    return _Lane(
        decode=msgspec.json.Decoder(envelope).decode,
        money_as_text=re.compile("|".join(rf'{name}"\s*:\s*"' for name in money).encode()) if money else None,
        has_naive_time=_naive_time_in(item),
        is_page=is_page,
    )


def _fields_of(kind: Any, leaf: type) -> set[str]:
    """Name the fields of a type, at any depth, that hold a leaf of one class."""
    found: set[str] = set()
    for field in attrs.fields(kind):
        for part in _parts(field.type):
            if part is leaf:
                found.add(field.name)
            elif attrs.has(part):
                found |= _fields_of(part, leaf)
    return found


def _parts(kind: Any) -> set[Any]:
    """Give the classes that a field's type is made of: of ``tuple[A, ...] | None``, A and others."""
    return {kind} | {inner for part in get_args(kind) for inner in _parts(part)}


def _naive_time_in(item: Any) -> Callable[[Any], bool]:
    names = [field.name for field in attrs.fields(item) if datetime in _parts(field.type)]

    def has_naive_time(value: Any) -> bool:
        for name in names:
            moment = getattr(value, name)
            if moment is not None and moment.tzinfo is None:
                return True
        return False

    return has_naive_time
