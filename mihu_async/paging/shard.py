"""A part of a listing as a small value that another process can walk. Pure values."""

from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class Shard:
    """Pages ``first`` to ``last`` of a listing.

    ``path`` and ``query`` say which listing, ``total`` how long it was when it was cut.

    It can be pickled, holds no secret, and is turned back into a pager by the ``shard`` method of the resource it came
    from.
    """

    path: str
    query: str
    first: int
    last: int
    total: int


def ranges(pages: int, parts: int) -> Iterator[tuple[int, int]]:
    """Cut pages 1 to ``pages`` into at most ``parts`` ranges of nearly the same length, in order."""
    parts = min(parts, pages)
    for part in range(parts):
        yield part * pages // parts + 1, (part + 1) * pages // parts
