"""The rows that a watcher holds: each as compressed JSON, without the fields that could not be read.

Such a field is filled in from the row's other reading, so it is no difference between the two.
"""

import re
import zlib
from collections.abc import Sequence
from functools import reduce
from typing import Any, cast

from mihu_async.core.codec import dump, parse
from mihu_async.core.problems import Problems
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page

PLACE = re.compile(r"\$\.data\.items\[(\d+)\]\.([\w.]+)")
"""The place of a problem: the position of its row, and its field; a list counts as one field."""


def unread_fields(page: Page[PhoneNumber], *, moved: bool) -> list[list[str] | None]:
    """Return, for each row of a page, the paths of the fields that could not be read.

    None stands for a row whose None may mean that a field could not be read: not all problems of the page are listed,
    or their places are not those of the rows.

    Args:
        page: The page.
        moved: True if the page may lack rows that its answer had, because an earlier page had them.
    """
    if page.problem_count and (moved or page.left_out or page.problem_count > len(page.problems)):
        return [None] * len(page.items)
    places = [place for problem in page.problems if (place := PLACE.match(problem.path))]
    return [[place[2] for place in places if int(place[1]) == index] for index in range(len(page.items))]


def pack(row: PhoneNumber, unread: Sequence[str] | None, known: bytes | None) -> bytes:
    """Return a row as it is held; if it is unchanged and was read in full, this is the same object.

    Args:
        row: The row.
        unread: The paths of its fields that could not be read; None for every field that is None.
        known: The row as it was held before, from which those fields are taken; None if it is new.
    """
    now = dump(row)
    if unread is not None and not unread:
        return known if known is not None and zlib.decompress(known) == now else zlib.compress(now, 1)
    members = _members(now)
    if unread is None:
        members = _without_nulls(members)
    for path in unread or ():
        *above, name = path.split(".")
        reduce(_below, above, members).pop(name, None)
    return zlib.compress(dump(_filled(members, {} if known is None else _members(zlib.decompress(known)))), 1)


def unpack(row: bytes | None) -> PhoneNumber | None:
    """Return a row that is held as a model, with None for a field that could not be read. None stays None."""
    return None if row is None else _structured(_members(zlib.decompress(row)))


def differ(known: bytes, row: bytes) -> bool:
    """Return True if two readings of a row differ, other than in a field that the earlier one could not read.

    A fee of 9.90 equals one of 9.9, and ids are compared without case.
    """
    now = _without_case(_members(zlib.decompress(row)))
    before = _without_case(_members(zlib.decompress(known)))
    return _structured(_filled(before, now)) != _structured(now)


def _members(row: bytes) -> dict[str, Any]:
    return cast("dict[str, Any]", parse(row, exact=True))


def _structured(members: dict[str, Any]) -> PhoneNumber:
    from mihu_async.core.converter import structure  # noqa: PLC0415 - cattrs is loaded with the first change

    return structure(members, PhoneNumber, Problems())


def _below(members: dict[str, Any], name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", members.get(name) or {})


def _filled(members: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Add the members that only the other object has, at any depth."""
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(members.get(name), dict):
            _filled(members[name], cast("dict[str, Any]", value))
        else:
            members.setdefault(name, value)
    return members


def _without_nulls(members: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_nulls(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for name, value in members.items()
        if value is not None
    }


def _without_case(members: dict[str, Any]) -> dict[str, Any]:
    """Return an object with its ids in lower case, at any depth."""
    plain: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, dict):
            plain[name] = _without_case(cast("dict[str, Any]", value))
        else:
            plain[name] = value.lower() if isinstance(value, str) and name.endswith("_uuid") else value
    return plain
