"""One page of a listing, as the API documents it."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import frozen

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
