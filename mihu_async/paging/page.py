"""One answer of a listing, and the checks of its pagination against the request. Pure."""

from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from mihu_async.errors import PaginationError
from mihu_async.models.pages import Page
from mihu_async.value import Value

T = TypeVar("T")
V = TypeVar("V")

SPARE_PAGES = 16
"""A listing may grow by as many pages as it had, and by these, while it is walked."""


class Moment(Value, frozen=True):
    """The earliest and the latest time at which a page was made, on the service's clock, with a second to spare.

    The second is for dates that are cut to whole seconds.
    """

    earliest: datetime
    latest: datetime


class Answer(Value, Generic[T], frozen=True):
    """A page, and the time at which it was made; None if the answer does not say."""

    page: Page[T]
    moment: Moment | None = None


def check_progress(page: Page[Any], *, requested: int) -> None:
    """Check that the walk can go on from a page; only ``has_more`` false is an end.

    Args:
        page: The page of the answer.
        requested: The number of the page that was requested.

    Raises:
        PaginationError: If going on could repeat pages or never end.
    """
    pagination = page.pagination
    received, last = optional(pagination.current_page), optional(pagination.last_page)
    if received is not None and received != requested:
        raise PaginationError(
            f"Page {requested} was requested, and the service answered with page {received} "
            f"({len(page.items)} items, last_page {last}). "
            "Going on would repeat or miss items; the items before this page are not affected.",
            requested=requested,
            received=received,
        )
    total, size = optional(pagination.total), optional(pagination.per_page)
    is_counted = bool(last and total and size) and last == -(-cast("int", total) // cast("int", size))
    if pagination.has_more and is_counted and requested > 2 * cast("int", last) + SPARE_PAGES:
        raise contradiction(
            requested,
            f"The service counts {total} items on {last} pages, and still has more after page {requested}: "
            "the walk would never end. All items that the service returned were yielded.",
        )
    if pagination.has_more and not page.items and last is not None and requested > last:
        raise contradiction(
            requested,
            f"Page {requested} is empty and past last_page {last}, but has_more is true: "
            "the walk would never end. All items that the service returned were yielded.",
        )


def contradiction(number: int, message: str) -> PaginationError:
    """Return the error of a page that has the requested number and from which the walk cannot go on."""
    return PaginationError(message, requested=number, received=number)


def has_more(page: Page[Any], *, number: int) -> bool:
    """Return True if a page follows, by ``has_more``, else ``last_page`` or ``total``, else as long as items come.

    Args:
        page: The page of the answer.
        number: Its number.

    Raises:
        PaginationError: If the page is empty and has none of these.
    """
    said, last = optional(page.pagination.has_more), last_page(page)
    if said is not None:
        return said
    if last is not None:
        return number < last
    if page.items:
        return True
    raise contradiction(
        number,
        f"Page {number} is empty, and the service does not say whether there is more: its pagination has no has_more, "
        "last_page or total that can be read. All items that the service returned were yielded; there may be more.",
    )


def last_page(page: Page[Any]) -> int | None:
    """Return the number of the listing's last page, or None if the page does not show it."""
    last, total, size = map(optional, (page.pagination.last_page, page.pagination.total, page.pagination.per_page))
    if last is None and total is not None and size:
        return -(-total // size)
    return last


def optional(value: V | None) -> V | None:
    """Return a field of a pagination with the type that it may have: None if it could not be read."""
    return value
