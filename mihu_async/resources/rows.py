"""The rows of a number in a listing: on one page, if the service can narrow the listing, or in a proved walk."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from mihu_async.core.pipeline import Pipeline
from mihu_async.errors import BadRequestError, MihuError, ValidationError
from mihu_async.models.numbers import PhoneNumber
from mihu_async.paging.pager import Pager
from mihu_async.value import Value

Listed = Callable[[Pipeline, dict[str, Any]], Pager[PhoneNumber]]
"""Returns the pager of a listing, with filters."""
RowTest = Callable[[PhoneNumber], bool]
"""Tests a row of a listing."""
MOVED = "the listing moved or does not add up, so {number} may be in it unseen"
UNREADABLE = "the number of a row cannot be read, so {number} may be in it unseen"


class Rows(Value, frozen=True):
    """The rows of a number in a listing; ``complete`` is True only if the whole listing was seen."""

    items: tuple[PhoneNumber, ...]
    complete: bool


def any_row(_: PhoneNumber) -> bool:
    """Return True."""
    return True


def no_row(_: PhoneNumber) -> bool:
    """Return False."""
    return False


async def narrowed_rows(
    number: str, pager: Callable[[dict[str, Any]], Pager[PhoneNumber]], *, counts: RowTest = any_row
) -> list[PhoneNumber] | None:
    """Return the rows of a listing that is narrowed to a number, or None if the service cannot narrow it.

    ``search`` is an inferred name. A service that refuses it cannot narrow the listing, and one that ignores it shows
    that by a second page. A number that is written differently may be missing.

    Args:
        number: The number, in any form.
        pager: Returns the pager of the listing, with filters.
        counts: Tests whether a row counts.

    Raises:
        MihuError: If no row is found and the number of another row cannot be read, because it may be that one.
    """
    try:
        page = await pager({"search": digits_of(number)})
    except (BadRequestError, ValidationError):
        return None
    if page.pagination.has_more is not False:
        return None
    found, unreadable = _rows_among(page.items, number, counts)
    if unreadable and not found:
        raise MihuError(UNREADABLE.format(number=number))
    return found


async def proved_rows(
    number: str, pager: Pager[PhoneNumber], *, counts: RowTest = any_row, suffices: RowTest = any_row
) -> list[PhoneNumber]:
    """Walk a listing, up to a page with a row that suffices, and return the rows of a number that count.

    Args:
        number: The number, in any form.
        pager: The pager of the listing.
        counts: Tests whether a row counts.
        suffices: Tests whether no further row is needed.

    Raises:
        MihuError: If no row is found, and the walk is not complete or the number of another row cannot be read.
    """
    found: list[PhoneNumber] = []
    unreadable = False
    async with pager:
        async for page in pager.pages():
            rows, odd = _rows_among(page.items, number, counts)
            found += rows
            unreadable |= odd
            if any(map(suffices, rows)):
                break
    if unreadable and not found:
        raise MihuError(UNREADABLE.format(number=number))
    if not (found or pager.report.complete):
        raise MihuError(f"{MOVED.format(number=number)}; look again later")
    return found


def _rows_among(items: Sequence[PhoneNumber], number: str, counts: RowTest) -> tuple[list[PhoneNumber], bool]:
    """Return the rows of a number that count, and True if the number of another row cannot be read."""
    digits = digits_of(number)
    written = [cast("str | None", item.number) for item in items]
    found = [
        item
        for item, text in zip(items, written, strict=True)
        if text is not None and digits_of(text) == digits and counts(item)
    ]
    return found, None in written


def digits_of(number: str) -> str:
    """Return the digits of a number, which identify it however it is written: ``+39 079…``, ``0039-079…``."""
    return re.sub(r"[^0-9]", "", number).removeprefix("00")
