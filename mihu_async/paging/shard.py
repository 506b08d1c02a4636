"""A part of a listing as a small value that another process can walk. Pure values."""

from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class Shard:
    """A part of a listing: some of its pages.

    It can be pickled, holds no secret, and is turned back into a pager by the ``shard`` method of the resource it came
    from.
    """

    base_url: str
    """Which listing: its workspace,"""
    path: str
    """Its path,"""
    query: str
    """And its filters."""
    first: int
    """The first of its pages,"""
    last: int
    """And the last one."""
    total: int
    """How many items the listing held when it was cut."""


def ranges(first: int, last: int, parts: int) -> Iterator[tuple[int, int]]:
    """Cut the pages ``first`` to ``last`` into at most ``parts`` ranges of nearly the same length, in order."""
    pages = max(1, last - first + 1)
    parts = min(parts, pages)
    for part in range(parts):
        yield first + part * pages // parts, first + (part + 1) * pages // parts - 1
