"""One page of a listing, as the API documents it."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen(kw_only=True)
class Pagination:
    """Where a page stands in its listing."""

    current_page: int
    """Which page this is, from 1."""
    per_page: int
    """How many items a page holds at the most."""
    total: int
    """How many items the listing holds."""
    last_page: int
    """The number of its last page."""
    has_more: bool
    """Whether a page follows."""
    from_: int | None = None
    """The position of the page's first item, from 1; None on an empty page."""
    to: int | None = None
    """The position of its last one; None on an empty page."""


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a listing. It can be iterated, and has a length."""

    items: tuple[T, ...]
    """In the service's order."""
    pagination: Pagination
    """Where it stands."""
    problems: tuple[Any, ...] = ()
    """The fields of its items that could not be read, and are None."""
    left_out: int = 0
    """How many rows of the answer could not be read at all, and are missing from its items."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
