"""A part of a listing as a small value that another process can walk. Pure values."""

from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class Shard:
    """A part of a listing: some of its pages.

    It can be pickled, holds no secret, and is turned back into a pager by the ``shard`` method of the resource it came
    from.
    """

    path: str
    """Which listing: its path,"""
    query: str
    """And its filters."""
    first: int
    """The first of its pages,"""
    last: int
    """And the last one."""
    total: int
    """How many items the listing held when it was cut."""


def ranges(pages: int, parts: int) -> Iterator[tuple[int, int]]:
    """Cut pages 1 to ``pages`` into at most ``parts`` ranges of nearly the same length, in order."""
    parts = min(parts, pages)
    for part in range(parts):
        yield part * pages // parts + 1, (part + 1) * pages // parts
