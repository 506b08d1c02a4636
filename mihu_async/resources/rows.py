"""The rows of a number in a listing: found with the filter that the service may know, or in a walk that is proved."""

import re
from collections.abc import Callable
from contextlib import suppress
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
    number: str, pager: Callable[[dict[str, Any]], Pager[PhoneNumber]], **tests: RowTest
) -> list[PhoneNumber] | None:
    """Return the rows of a listing that is narrowed to a number; None if the service refuses the filter.

    ``search`` is an inferred name, so a service that ignores it returns the whole listing; and a number that is written
    differently may be missing.

    Args:
        number: The number, in any form.
        pager: Returns the pager of the listing, with filters.
        tests: As in ``rows_of``.
    """
    with suppress(BadRequestError, ValidationError):
        narrowed = pager({"search": digits_of(number)}).with_options(on_drift="ignore")  # it proves nothing anyway
        return await rows_of(number, narrowed, **tests)
    return None


async def proved_rows(number: str, pager: Pager[PhoneNumber], **tests: RowTest) -> list[PhoneNumber]:
    """Return the rows of a number in a whole listing.

    Args:
        number: The number, in any form.
        pager: The pager of the listing.
        tests: As in ``rows_of``.

    Raises:
        MihuError: If there is none and the walk is not complete.
    """
    found = await rows_of(number, pager, **tests)
    if not (found or pager.report.complete):
        raise MihuError(f"{MOVED.format(number=number)}; look again later")
    return found


async def rows_of(
    number: str, pager: Pager[PhoneNumber], *, counts: RowTest = any_row, suffices: RowTest = any_row
) -> list[PhoneNumber]:
    """Walk a listing and return the rows of a number that count, up to the first one that suffices.

    Args:
        number: The number, in any form.
        pager: The pager of the listing.
        counts: Tests whether a row counts.
        suffices: Tests whether no further row is needed.

    Raises:
        MihuError: If no row is found and the number of another row cannot be read, because it may be that one.
    """
    digits = digits_of(number)
    found: list[PhoneNumber] = []
    unreadable = False
    async with pager:
        async for item in pager:
            written = cast("str | None", item.number)
            unreadable |= written is None
            if written is not None and digits_of(written) == digits and counts(item):
                found.append(item)
                if suffices(item):
                    break
    if unreadable and not found:
        raise MihuError(f"the number of a row cannot be read, so {number} may be in it unseen")
    return found


def digits_of(number: str) -> str:
    """Return the digits of a number, which identify it however it is written: ``+39 079…``, ``0039-079…``."""
    return re.sub(r"[^0-9]", "", number).removeprefix("00")
