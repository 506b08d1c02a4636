"""The rows of a number in a listing: on one page, if the service can narrow the listing, or in a proved walk."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import encode_query
from mihu_async.errors import BadRequestError, MihuError, ValidationError
from mihu_async.models.numbers import PhoneNumber
from mihu_async.paging.walk import PARTLY_READ
from mihu_async.reports import summarize
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.value import Value

RowTest = Callable[[PhoneNumber], bool]
"""Tests a row of a listing."""
ALL: Mapping[str, Any] = MappingProxyType({})
"""The filters of a whole listing."""
MOVED = "the listing changed or contradicts itself, so it may contain {number}"
UNREADABLE = "the number of a row cannot be read, so {number} may be that row"

logger: logging.Logger = logging.getLogger("mihu_async")


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


class Listed(Value, frozen=True):
    """A listing in which the rows of a number are found, and the most of its pages that may be under way."""

    endpoint: Endpoint[PhoneNumber]
    concurrency: int

    async def narrowed(
        self, pipeline: Pipeline, number: str, *, filters: Mapping[str, Any] = ALL, counts: RowTest = any_row
    ) -> Rows | None:
        """Return the rows of a number in the listing that is narrowed to it, or None if the service cannot narrow it.

        ``search`` is an inferred name. A service that refuses it cannot narrow the listing, and one that ignores it
        shows that by a second page. A number that is written differently may be missing.

        Args:
            pipeline: The pipeline that makes the read.
            number: The number, in any form.
            filters: The filters of the listing.
            counts: Tests whether a row counts.

        Raises:
            MihuError: If no row is found and the number of another row cannot be read, because it may be that one.
        """
        query = encode_query({**filters, "search": digits_of(number), "per_page": PER_PAGE, "page": 1})
        try:
            page = await pipeline.run(self.endpoint.request.with_query(query))
        except (BadRequestError, ValidationError):
            return None
        if (page.pagination.current_page, page.pagination.has_more) != (1, False):
            return None
        if page.problem_count:
            logger.warning(PARTLY_READ, self.endpoint.path, summarize(page.problems, page.problem_count))
        found, unreadable = _rows_among(page.items, number, counts)
        if unreadable and not found:
            raise MihuError(UNREADABLE.format(number=number))
        return Rows(tuple(found), complete=False)

    async def proved(
        self,
        pipeline: Pipeline,
        number: str,
        *,
        filters: Mapping[str, Any] = ALL,
        counts: RowTest = any_row,
        suffices: RowTest = any_row,
    ) -> Rows:
        """Walk the listing, up to a page with a row that suffices, and return the rows of a number that count.

        Args:
            pipeline: The pipeline that makes the reads.
            number: The number, in any form.
            filters: The filters of the listing.
            counts: Tests whether a row counts.
            suffices: Tests whether no further row is needed.

        Raises:
            MihuError: If no row is found, and the walk is not complete or the number of another row cannot be read.
        """
        pager = self.endpoint.pager(pipeline, self.concurrency, filters, page=1, per_page=PER_PAGE)
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
        complete = pager.report.complete is True
        if not (found or complete):
            raise MihuError(f"{MOVED.format(number=number)}; look again later")
        return Rows(tuple(found), complete)


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
