"""One answer of a listing, and what a page may say of itself without contradicting what was asked. Pure."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import frozen

from mihu_async.errors import PaginationError
from mihu_async.models.pages import Page

T = TypeVar("T")
V = TypeVar("V")


@frozen
class Moment:
    """Between which two moments a page was made, on the service's clock, with a second to spare for cut dates."""

    earliest: datetime
    latest: datetime


@frozen
class Answer(Generic[T]):
    """A page, and the moment at which it was made; None where the answer does not tell."""

    page: Page[T]
    moment: Moment | None = None


def check_progress(page: Page[Any], *, requested: int) -> None:
    """Raise a PaginationError where going on could repeat pages or never end; only ``has_more`` false is an end."""
    pagination = page.pagination
    received, last = optional(pagination.current_page), optional(pagination.last_page)
    if received is not None and received != requested:
        raise PaginationError(
            f"Page {requested} was asked for, and the service answered with page {received} "
            f"({len(page.items)} items, last_page {last}). "
            "Going on would repeat or miss items; the items before this page are as they were given.",
            requested=requested,
            received=received,
        )
    if pagination.has_more and not page.items and last is not None and requested > last:
        raise contradiction(
            requested,
            f"Page {requested} is empty and past last_page {last}, and yet has_more is true: "
            "the walk would never end. All items that the service showed were given.",
        )


def contradiction(number: int, told: str) -> PaginationError:
    """Return the error of a page that came as it was asked for, and cannot be gone on from."""
    return PaginationError(told, requested=number, received=number)


def has_more(page: Page[Any], *, number: int) -> bool:
    """Return True if a page follows: as ``has_more`` says, or ``last_page``, or ``total``, or as long as items come."""
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
        "last_page or total that can be read. All items that the service showed were given; there may be others.",
    )


def last_page(page: Page[Any]) -> int | None:
    """Return the number of the listing's last page, or None where the page does not tell."""
    last, total, size = map(optional, (page.pagination.last_page, page.pagination.total, page.pagination.per_page))
    if last is None and total is not None and size:
        return -(-total // size)
    return last


def optional(value: V | None) -> V | None:
    """Return a field of a pagination as what it may be: None where the service's own could not be read."""
    return value
