"""One page of a listing, as the API documents it."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from attrs import frozen

from mihu_async.reports import Problem

T = TypeVar("T")


@frozen(kw_only=True)
class Pagination:
    """Where a page stands in its listing.

    A field that the service left out, or wrote so that it cannot be read, is None, whatever its annotation says: the
    page's ``problems`` tell of it.
    """

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
    problems: tuple[Problem, ...] = ()
    """The first of what could not be read on it, each with its place; empty where all of it was."""
    problem_count: int = 0
    """How many there are in all: fields, and rows that were left out."""
    left_out: int = 0
    """How many rows are not among ``items``, because they are no objects or have nothing to be known by."""

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
