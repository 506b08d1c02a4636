"""One page of a listing, as the API documents it."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import frozen

from mihu_async.reports import Problem

T = TypeVar("T")


@frozen(kw_only=True)
class Pagination:
    """The position of a page in its listing.

    A field that the service left out, or that cannot be read, is None, whatever its annotation says; the page's
    ``problems`` list it.
    """

    current_page: int
    """The number of this page, counted from 1."""
    per_page: int
    """The maximum number of items on a page."""
    total: int
    """The number of items in the listing."""
    last_page: int
    """The number of the last page."""
    has_more: bool
    """True if a page follows."""
    from_: int | None = None
    """The position of the page's first item, from 1; None on an empty page."""
    to: int | None = None
    """The position of the page's last item; None on an empty page."""


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a listing. It can be iterated, and has a length."""

    items: tuple[T, ...]
    """The items, in the service's order."""
    pagination: Pagination
    """The position of the page in the listing."""
    problems: tuple[Problem, ...] = ()
    """The first parts of the page that could not be read, each with its place; empty if all of it was readable."""
    problem_count: int = 0
    """The number of all problems: fields, and rows that were left out."""
    left_out: int = 0
    """The number of rows that are not among ``items``, because they are not objects or have no id."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
