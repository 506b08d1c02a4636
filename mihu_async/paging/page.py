"""What a page may say of itself without contradicting what was asked. Pure."""

from typing import TypeVar, cast

from mihu_async.errors import PaginationError
from mihu_async.models.pages import Page

T = TypeVar("T")


def check_progress(page: Page[T], *, requested: int) -> None:
    """Raise a PaginationError where going on could repeat pages or never end.

    An empty page is no end, and ``last_page`` is no end either: ``has_more`` decides. The two contradict each other
    only where an empty page past ``last_page`` promises more.
    """
    pagination = page.pagination
    said = cast("int | None", pagination.current_page)  # None where it cannot be read
    received = requested if said is None else said
    if received != requested:
        raise PaginationError(
            f"Page {requested} was asked for, and the service answered with page {received} "
            f"({len(page.items)} items, last_page {pagination.last_page}). "
            "Going on would repeat or miss items; the items before this page are as they were given.",
            requested=requested,
            received=received,
        )
    if pagination.has_more and not page.items and requested > pagination.last_page:
        raise PaginationError(
            f"Page {requested} is empty and past last_page {pagination.last_page}, and yet has_more is true: "
            "the walk would never end. All items that the service showed were given.",
            requested=requested,
            received=received,
        )
