"""The closer look at an answer's data: row by row and in slices, so that no answer holds up the event loop.

A generator reads one slice between two yields, and returns its result. This module does no I/O.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs

from mihu_async.core import codec
from mihu_async.core.codec import Part, json_name
from mihu_async.core.converter import expected, structure
from mihu_async.core.problems import Problems, UnreadableError
from mihu_async.core.response import MANY, item_decoder
from mihu_async.models.extra import keeps_extra
from mihu_async.models.pages import Page, Pagination
from mihu_async.models.provisional import Items

T = TypeVar("T")

SLICE = 65_536
"""The number of bytes of rows that are read at a time."""
LARGEST_ROW = 65_536
"""The most bytes of a row, or of a field of a larger row, that is read closely. A documented row has 1,200."""
LARGEST_OBJECT = 2**20
"""The most bytes that a single object may have."""
CLOSER_LOOKS = 1_000
"""The most rows of one answer that may have problems. No page is documented to have more than 200."""
NOTHING: tuple[Any, ...] = (None, [], {})
"""The values that PHP writes for nothing."""
CONTAINERS = ("items", "numbers", "requirements", "data")
"""The members that may hold the rows of an answer that is not documented."""


def read_data(data: Part, into: type[T], problems: Problems) -> Generator[None, None, T]:
    """Read the data of an answer, at the present path. Raise UnreadableError if no model can be made of it."""
    kind = get_origin(into)
    if kind is Page:
        return cast("T", (yield from _page(data, get_args(into)[0], problems)))
    if kind is Items:
        return cast("T", (yield from _items(data, get_args(into)[0], problems)))
    size = len(memoryview(data))
    if size > LARGEST_OBJECT:
        raise UnreadableError(f"must be an object of at most {LARGEST_OBJECT} bytes, not of {size}")
    return structure(_plain(data, into, problems, most=LARGEST_OBJECT), into, problems)


def _page(data: Part, kind: Any, problems: Problems) -> Generator[None, None, Page[Any]]:
    listing = _members(data, ("items", "pagination"))
    rows = _elements(listing.get("items"), ".items")
    pagination = _pagination(listing.get("pagination"), problems)
    per_page = cast("int | None", pagination.per_page)
    if per_page is not None and len(rows) > MANY * per_page:
        problems.note(f"holds {len(rows)} items, though a page has {per_page}", ".items")
    yield
    items = yield from _rows(rows, ".items", kind, problems)
    return Page(
        items=items,
        pagination=pagination,
        problems=tuple(problems.listed),
        problem_count=problems.count,
        left_out=problems.left_out,
    )


def _items(data: Part, kind: Any, problems: Problems) -> Generator[None, None, Items[Any]]:
    """Read some items: a bare list, an object that holds one, or null for none."""
    said: Part | None = None
    beside: dict[str, Any] = {}
    suffix = ""
    rows: Sequence[Part] | None = () if codec.sample(data) in NOTHING else codec.elements(data)
    if rows is None:
        listing = _members(data, (*CONTAINERS, "pagination"))
        held = [name for name in CONTAINERS if name in listing]
        held_as = next((name for name in held if type(codec.sample(listing[name])) is list), (held or CONTAINERS)[0])
        suffix = f".{held_as}"
        part, said = listing.get(held_as), listing.get("pagination")
        rows = () if part is not None and codec.sample(part) is None else _elements(part, suffix)
        beside = _beside(data, {held_as: part, "pagination": said}, problems)
    yield
    items = yield from _rows(rows, suffix, kind, problems)
    return Items(
        items=items,
        pagination=None if said is None or codec.sample(said) in NOTHING else _pagination(said, problems),
        problems=tuple(problems.listed),
        problem_count=problems.count,
        left_out=problems.left_out,
        extra=beside,
    )


def _members(data: Part, names: tuple[str, ...]) -> dict[str, Part]:
    found = codec.known_members(data, names)
    if found is None:
        value = codec.sample(data)
        if value == []:
            return {}
        raise expected("an object", value)
    return found


def _beside(data: Part, known: Mapping[str, Part | None], problems: Problems) -> dict[str, Any]:
    """Return the members of an undocumented answer that are not known, without those that are too large."""
    size = len(memoryview(data)) - sum(len(memoryview(part)) for part in known.values() if part is not None)
    if size > LARGEST_ROW:
        problems.note(f"holds {size} bytes beside its items, which are left out")
        return {}
    found = {name: _value(part, LARGEST_ROW) for name, part in codec.members(data).items() if name not in known}
    for name in [name for name, value in found.items() if isinstance(value, Part)]:
        problems.note("holds a number that is too large, and is left out", f".{name}")
        del found[name]
    return found


def _elements(value: Part | None, suffix: str) -> Sequence[Part]:
    found = None if value is None else codec.elements(value)
    if value is None or found is None:
        plain = None if value is None else codec.sample(value)
        if plain == {}:
            return ()
        raise UnreadableError(expected("a list", plain).reason, suffix)
    return found


def _pagination(value: Part | None, problems: Problems) -> Pagination:
    problems.path.append(".pagination")
    try:
        plain: Any = {} if value is None else _plain(value, Pagination, problems, most=LARGEST_ROW)
        return structure(plain, Pagination, problems)
    except UnreadableError as odd:
        problems.note(odd.reason)
        return structure({}, Pagination, Problems())
    finally:
        problems.path.pop()


def _rows(rows: Sequence[Part], suffix: str, kind: Any, problems: Problems) -> Generator[None, None, tuple[Any, ...]]:
    """Read rows, each by itself, so that a row that cannot be read does not affect the others."""
    decode = item_decoder(kind)
    items: list[Any] = []
    looks = CLOSER_LOOKS
    read = 0
    for index, row in enumerate(rows):
        item = None if decode is None else decode(row)
        if item is None:
            if not looks:
                problems.note(f"has too many items that cannot be read: only the first {index} were looked at", suffix)
                problems.leave_out(len(rows) - index)
                break
            before = problems.count
            item = _row(row, f"{suffix}[{index}]", kind, problems)
            looks -= problems.count > before
        if item is not None:
            items.append(item)
        read += len(memoryview(row))
        if read > SLICE:
            read = 0
            yield
    return tuple(items)


def _plain(row: Part, kind: Any, problems: Problems, *, most: int) -> Any:
    """Return a row as plain values. Of a row that is too large, return only the known fields that are small enough."""
    plain = _value(row, most)
    if plain is not row:
        return plain
    kinds = {json_name(field.name): field.type for field in attrs.fields(kind)}
    found = codec.known_members(row, tuple(kinds))
    if found is None:
        return row
    if keeps_extra(kind):
        problems.note("is too large: of its fields those are left out that its model does not know")
    return {name: _below(part, name, kinds[name], problems) for name, part in found.items()}


def _below(part: Part, name: str, kind: Any, problems: Problems) -> Any:
    """Return a field of a row that is too large as a plain value, or as bytes if the field is too large itself."""
    model = next((inner for inner in (kind, *get_args(kind)) if attrs.has(inner)), None)
    if model is None:
        return _value(part, LARGEST_ROW)
    problems.path.append(f".{name}")
    try:
        return _plain(part, model, problems, most=LARGEST_ROW)
    finally:
        problems.path.pop()


def _value(part: Part, most: int) -> Any:
    """Return a part as a plain value, or as bytes if the part or a number in it is too large."""
    if len(memoryview(part)) > most:
        return part
    try:
        return codec.parse(part, exact=True)
    except codec.ParseError as error:
        if not error.well_formed:
            raise
        return part


def _row(row: Part, suffix: str, kind: Any, problems: Problems) -> Any:
    """Read one row closely. Note a problem and return None if it cannot be read.

    A row may be as large as a single object if its model keeps unknown members.
    """
    problems.path.append(suffix)
    try:
        plain = _plain(row, kind, problems, most=LARGEST_OBJECT if keeps_extra(kind) else LARGEST_ROW)
        return structure(plain, kind, problems)
    except UnreadableError as odd:
        problems.note(odd.reason, odd.suffix)
        problems.leave_out()
        return None
    finally:
        problems.path.pop()
