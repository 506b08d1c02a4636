"""The closer look at an answer's data: row by row and in slices, so that no answer holds up the event loop.

Each function is a generator that reads a slice between its yields and returns what it read. Does no I/O.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeVar, cast, get_args, get_origin

import attrs

from mihu_async.core import codec
from mihu_async.core.codec import Part
from mihu_async.core.converter import expected, json_name, structure
from mihu_async.core.fast_path import MANY, item_decoder
from mihu_async.core.problems import Problems, UnreadableError
from mihu_async.models.pages import Page, Pagination
from mihu_async.models.provisional import Items

T = TypeVar("T")

SLICE = 65_536
"""How many bytes of rows are read at a time."""
LARGEST_ROW = 65_536
"""How many bytes a row, or a field of a larger row, may have to be looked at closely. A documented row has 1,200."""
LARGEST_OBJECT = 2**20
"""How many bytes a single object may have."""
CLOSER_LOOKS = 1_000
"""How many rows of one answer are looked at closely. No page is documented to have more than 200."""
CONTAINERS = ("items", "numbers", "requirements", "data")
"""Where an answer that is not documented may hold its rows."""


def read_data(data: Part, into: type[T], problems: Problems) -> Generator[None, None, T]:
    """Read the data of an answer, at the present path; raise UnreadableError where nothing can be made of it."""
    kind = get_origin(into)
    if kind is Page:
        return cast("T", (yield from _page(data, get_args(into)[0], problems)))
    if kind is Items:
        return cast("T", (yield from _items(data, get_args(into)[0], problems)))
    size = len(memoryview(data))
    if size > LARGEST_OBJECT:
        raise UnreadableError(f"must be an object of at most {LARGEST_OBJECT} bytes, not of {size}")
    return structure(codec.parse(data, exact=True), into, problems)


def _page(data: Part, kind: Any, problems: Problems) -> Generator[None, None, Page[Any]]:
    listing = _members(data)
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
    listing: dict[str, Part] = {}
    suffix = ""
    rows: Sequence[Part] | None = () if bytes(data) == b"null" else codec.elements(data)
    if rows is None:
        listing = _members(data)
        held_as = next((name for name in CONTAINERS if name in listing), CONTAINERS[0])
        suffix = f".{held_as}"
        rows = _elements(listing.pop(held_as, None), suffix)
    beside = {name: codec.parse(part, exact=True) for name, part in listing.items()}
    said = beside.pop("pagination", None)
    yield
    items = yield from _rows(rows, suffix, kind, problems)
    return Items(
        items=items,
        pagination=None if said is None else _pagination(listing["pagination"], problems),
        problems=tuple(problems.listed),
        problem_count=problems.count,
        left_out=problems.left_out,
        extra=beside,
    )


def _members(data: Part) -> dict[str, Part]:
    found = codec.members(data)
    if found is None:
        value = codec.parse(data)
        if value == []:
            return {}
        raise expected("an object", value)
    return found


def _elements(value: Part | None, suffix: str) -> Sequence[Part]:
    found = None if value is None else codec.elements(value)
    if value is None or found is None:
        plain = None if value is None else codec.parse(value)
        if plain == {}:
            return ()
        raise UnreadableError(expected("a list", plain).reason, suffix)
    return found


def _pagination(value: Part | None, problems: Problems) -> Pagination:
    problems.path.append(".pagination")
    try:
        return structure({} if value is None else codec.parse(value), Pagination, problems)
    except UnreadableError as odd:
        problems.note(odd.reason)
        return structure({}, Pagination, Problems())
    finally:
        problems.path.pop()


def _rows(rows: Sequence[Part], suffix: str, kind: Any, problems: Problems) -> Generator[None, None, tuple[Any, ...]]:
    """Read rows, each by itself: what can be read of one does not depend on the others."""
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
            looks -= 1
            item = _row(row, f"{suffix}[{index}]", kind, problems)
        if item is not None:
            items.append(item)
        read += len(memoryview(row))
        if read > SLICE:
            read = 0
            yield
    return tuple(items)


def _plain(row: Part, kind: Any) -> Any:
    """Return a row as plain values; of a very large one, its model's fields, those that are not large themselves."""
    if len(memoryview(row)) <= LARGEST_ROW:
        return codec.parse(row, exact=True)
    found = codec.known_members(row, tuple(json_name(field.name) for field in attrs.fields(kind)))
    if found is None:
        return row
    return {
        name: part if len(memoryview(part)) > LARGEST_ROW else codec.parse(part, exact=True)
        for name, part in found.items()
    }


def _row(row: Part, suffix: str, kind: Any, problems: Problems) -> Any:
    """Look at one row closely; None where it is nothing, which is a problem."""
    problems.path.append(suffix)
    try:
        return structure(_plain(row, kind), kind, problems)
    except UnreadableError as odd:
        problems.note(odd.reason, odd.suffix)
        problems.leave_out()
        return None
    finally:
        problems.path.pop()
