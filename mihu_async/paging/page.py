"""One page of a listing, as the API documents it, and what it may say. Pure values."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import frozen

from mihu_async.errors import PaginationError

T = TypeVar("T")


@frozen(kw_only=True)
class Pagination:
    """Where a page stands: pages and positions count from 1; ``from_`` and ``to`` are None on an empty page."""

    current_page: int
    per_page: int
    total: int
    last_page: int
    has_more: bool
    from_: int | None = None
    to: int | None = None


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page: its items, in the service's order, and where it stands. It can be iterated, and has a length."""

    items: tuple[T, ...]
    pagination: Pagination

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def check_progress(page: Page[T], *, requested: int) -> None:
    """Raise a PaginationError where going on could repeat pages or never end.

    An empty page is no end, and ``last_page`` is no end either: ``has_more`` decides. The two contradict each other
    only where an empty page past ``last_page`` promises more.
    """
    pagination = page.pagination
    received = pagination.current_page
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
