"""One answer of a listing, and the checks of its pagination against the request. Pure."""

import math
from datetime import datetime
from typing import Any, Generic, TypeVar

from mihu_async.errors import PaginationError
from mihu_async.models.pages import Page
from mihu_async.value import Value

T = TypeVar("T")

SPARE_PAGES = 16
"""The number of pages by which a listing may grow during a walk, beyond doubling."""
ALL_YIELDED = "All items that the service returned were yielded"


class Moment(Value, frozen=True):
    """The earliest and the latest time at which a page was made, on the service's clock, with a second to spare.

    The second is for dates that are cut to whole seconds.
    """

    earliest: datetime
    latest: datetime


class Answer(Value, Generic[T], frozen=True):
    """A page, and the time at which the service made it; None if the answer does not say."""

    page: Page[T]
    moment: Moment | None = None


class Stated(Value, frozen=True):
    """The pagination of an answer; a field that is missing or could not be read is None.

    ``pages`` is the number of pages that ``total`` items fill; ``last_page`` is that number if the answer lacks it.
    """

    current_page: int | None
    total: int | None
    per_page: int | None
    pages: int | None
    last_page: int | None
    has_more: bool | None


def stated(page: Page[Any]) -> Stated:
    """Return the pagination of a page as far as it could be read."""
    read: Any = page.pagination
    total, size, last = read.total, read.per_page, read.last_page
    pages = None if total is None or not size else -(-total // size)
    return Stated(read.current_page, total, size, pages, pages if last is None else last, read.has_more)


def check_progress(page: Page[Any], *, requested: int) -> Stated:
    """Return the pagination of a page from which the walk can continue; only a false ``has_more`` ends it.

    Args:
        page: The page of the answer.
        requested: The number of the page that was requested.

    Raises:
        PaginationError: If continuing could repeat pages or never end.
    """
    known = stated(page)
    received, last, items = known.current_page, known.last_page, len(page.items)
    if received is not None and received != requested:
        raise PaginationError(
            f"Page {requested} was requested, and the service answered with page {received} "
            f"({items} items, last_page {last}). "
            "Continuing would repeat or miss items; the items before this page are not affected.",
            requested=requested,
            received=received,
        )
    grown = 2 * known.pages + SPARE_PAGES if known.pages == last and known.pages else math.inf
    if known.has_more and last is not None and requested > (grown if items else last):
        raise contradiction(
            requested,
            f"Page {requested} has {items} items, and has_more is true past last_page {last} (total {known.total}): "
            f"the walk would never end. {ALL_YIELDED}.",
        )
    return known


def contradiction(number: int, message: str) -> PaginationError:
    """Return the error for a page that has the requested number but from which the walk cannot continue."""
    return PaginationError(message, requested=number, received=number)


def has_more(known: Stated, *, number: int, items: int) -> bool:
    """Return True if a page follows: by ``has_more``, else ``last_page``, else ``total``, else if the page has items.

    Args:
        known: The pagination of the page.
        number: The number of the page.
        items: The number of its items.

    Raises:
        PaginationError: If the page is empty and has none of these.
    """
    if known.has_more is not None:
        return known.has_more
    if known.last_page is not None:
        return number < known.last_page
    if items:
        return True
    raise contradiction(
        number,
        f"Page {number} is empty, and the service does not say whether there is more: its pagination has no has_more, "
        f"last_page or total that can be read. {ALL_YIELDED}; there may be more.",
    )
