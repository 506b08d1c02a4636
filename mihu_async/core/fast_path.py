"""The fast path: bytes to models in one go, for answers as documented.

For an answer without problems it returns the same models as the converter; for any other it returns None. It skips the
parts that no model reads. Values that msgspec accepts and the converter does not, such as a time without an offset, are
found here and left to the converter, which notes their place.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast, get_args, get_origin

import attrs
import msgspec

from mihu_async.core.problems import are_usual
from mihu_async.core.request import NOTHING, RAW, Request
from mihu_async.core.response import Reading, Response
from mihu_async.models.extra import keeps_extra
from mihu_async.models.identity import is_identity
from mihu_async.models.pages import Page, Pagination
from mihu_async.value import Value

T = TypeVar("T")

LARGE = 2**20
"""A body of more bytes is read in slices."""
UNMODELLED = (RAW, NOTHING)
MANY = 2
"""A page with more than this many times ``per_page`` items has a problem."""
NOT_READ = (msgspec.MsgspecError, ArithmeticError, RecursionError, UnicodeDecodeError)
"""The errors that msgspec raises for a body that it cannot read."""


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


class _Decoder(Value, frozen=True):
    """The decoder of one type of answer, with a predicate that finds decoded items that the converter must read."""

    decode: Callable[[bytes], _Envelope[Any]]
    is_odd: Callable[[Sequence[Any]], bool] | None
    is_page: bool


def warm_up(*answers: Any) -> None:
    """Make the decoders of some types of answers now, so that the first answer need not wait some milliseconds."""
    for answer in answers:
        _decoder(answer)


def read_fast(response: Response, request: Request[T]) -> Reading[T] | None:
    """Read a successful answer in one go, or return None if it must be read closely."""
    answer, body = request.returns, response.body
    if not (response.ok and response.is_json) or response.unfit or len(body) > LARGE or answer in UNMODELLED:
        return None
    return decode_fast(body, answer)


def decode_fast(body: bytes, answer: type[T]) -> Reading[T] | None:
    """Read the body of a successful answer, or return None if the converter must read it."""
    decoder = _decoder(cast("Hashable", answer))
    if decoder is None:
        return None
    try:
        envelope = decoder.decode(body)
    except NOT_READ:
        return None
    data = envelope.data
    if not envelope.success:
        return None
    if decoder.is_odd is not None and decoder.is_odd(data.items if decoder.is_page else (data,)):
        return None
    if decoder.is_page:
        if len(data.items) > MANY * data.pagination.per_page:
            return None
        data = _page(data)
    return Reading(cast("T", data), envelope.message)


@cache
def item_decoder(kind: Hashable) -> Callable[[msgspec.Raw], Any] | None:
    """Return a function that reads one item, or returns None for an item that the converter must read.

    Return None for a model that keeps unknown members, because msgspec drops them.
    """
    item: Any = kind
    if keeps_extra(item):
        return None
    decode, is_odd = msgspec.json.Decoder(item).decode, _oddness(item)

    def decode_item(body: msgspec.Raw) -> Any:
        try:
            item = decode(body)
        except NOT_READ:
            return None
        return None if is_odd is not None and is_odd((item,)) else item

    return decode_item


def _page(page: _Page[Any]) -> Page[Any]:
    stated = page.pagination
    pagination = Pagination(
        current_page=stated.current_page,
        per_page=stated.per_page,
        total=stated.total,
        last_page=stated.last_page,
        has_more=stated.has_more,
        from_=stated.from_,
        to=stated.to,
    )
    return Page(items=page.items, pagination=pagination)


@cache
def _decoder(answer: Hashable) -> _Decoder | None:
    """Return the decoder of a type of answer, or None for a model that keeps unknown members: msgspec drops them."""
    is_page = get_origin(answer) is Page
    item: Any = get_args(answer)[0] if is_page else answer
    if keeps_extra(get_origin(item) or item):
        return None
    data = cast("Any", _Page)[item] if is_page else item
    envelope: Any = cast("Any", _Envelope)[data]
    return _Decoder(decode=msgspec.json.Decoder(envelope).decode, is_odd=_oddness(item), is_page=is_page)


@cache
def _oddness(kind: Any) -> Callable[[Sequence[Any]], bool] | None:
    """Return a predicate that is true of items if the converter would find a problem in one that msgspec accepts.

    Such a problem is a blank id, a time without an offset or an amount that no service means, at any depth. Return None
    if the type has no such field. The checks go field by field, in a quarter of the time that going item by item takes.
    """
    checks: list[Callable[[Sequence[Any]], bool]] = []
    for field in attrs.fields(kind):
        values, parts = partial(map, attrgetter(field.name)), _parts(field.type)
        if is_identity(field):
            checks.append(partial(_has_blank, values))
        if datetime in parts:
            checks.append(partial(_has_naive, values, partial(map, attrgetter(f"{field.name}.tzinfo"))))
        if Decimal in parts:
            checks.append(partial(_has_unusual, values))
        below = [_oddness(part) for part in parts if attrs.has(part)]
        checks += [partial(_has_odd, values, check) for check in below if check is not None]
    return partial(_is_any_odd, checks) if checks else None


Values = Callable[[Sequence[Any]], Iterable[Any]]


def _is_any_odd(checks: Sequence[Callable[[Sequence[Any]], bool]], items: Sequence[Any]) -> bool:
    for check in checks:  # noqa: SIM110 - a generator would cost a small answer as much as its checks
        if check(items):
            return True
    return False


def _has_blank(values: Values, items: Sequence[Any]) -> bool:
    return not all(values(items))


def _has_naive(values: Values, zones: Values, items: Sequence[Any]) -> bool:
    try:
        return None in zones(items)
    except AttributeError:  # not every item has a time
        return any([moment.tzinfo is None for moment in values(items) if moment is not None])  # noqa: C419 - in half the time


def _has_unusual(values: Values, items: Sequence[Any]) -> bool:
    try:
        return not are_usual([*values(items)])
    except TypeError:  # not every item has an amount
        return not are_usual([amount for amount in values(items) if amount is not None])


def _has_odd(values: Values, check: Callable[[Sequence[Any]], bool], items: Sequence[Any]) -> bool:
    return check([*filter(None, values(items))])  # a model is always true


def _parts(kind: Any) -> set[Any]:
    """Return a field's type and all types inside it, such as A in ``tuple[A, ...] | None``."""
    return {kind} | {inner for part in get_args(kind) for inner in _parts(part)}
