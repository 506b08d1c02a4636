"""The pager: the result of a ``list()``."""

from asyncio import Task, current_task
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, suppress
from typing import Any, Generic, Self, TypeVar

from attrs import frozen

from mihu_async.errors import MihuError, UsageError
from mihu_async.models.pages import Page
from mihu_async.paging.checkpoint import decode_checkpoint
from mihu_async.paging.drift import PASSES, OnDrift
from mihu_async.paging.page import check_progress, contradiction, stated
from mihu_async.paging.walk import PARTLY_READ, Listing, Walk, WalkOptions, logger
from mihu_async.reports import WalkReport, summarize
from mihu_async.validation import is_int, positive_int, wrong
from mihu_async.value import replace

T = TypeVar("T")


@frozen(kw_only=True)
class Shard:
    """A part of a listing: some of its pages.

    It can be pickled and holds no secret. The ``shard`` method of the resource that it came from makes it a pager
    again.
    """

    base_url: str
    """The base URL of the workspace."""
    path: str
    """The path of the listing."""
    query: str
    """The filters of the listing, as a query string."""
    first: int
    """The number of the part's first page."""
    last: int
    """The number of the part's last page."""
    total: int
    """The number of items in the listing when it was split."""


class Pager(Generic[T]):
    """A listing that is read as you use it; nothing is sent before.

    ``async for item in pager`` walks every item of every page; ``await pager`` returns the first :class:`Page`; see
    also :meth:`pages`, :meth:`collect` and :meth:`first`. Each of them reads the listing anew. ``async with pager``
    ends its walks at the end of the block (of the last block, if several overlap), including walks that were left by
    ``break``, and waits until none of their requests is under way. A walk that another task began goes on as long as
    that task runs, and so does one that another task is reading at that moment.

    A walk fetches pages ahead: one page at first, twice as many with each page that the caller finishes, up to
    ``concurrency``. It ends where the service says that there is no more, never because a page is empty. It yields each
    item once even if others insert and delete items in the meantime, and :attr:`report` shows whether the walk is
    proved to have yielded every item that was there from start to end. A walk raises PaginationError if the service's
    pages contradict themselves, and the errors of the listing's calls; each carries a ``checkpoint``.
    """

    def __init__(self, listing: Listing[T], options: WalkOptions) -> None:
        self._listing = listing
        self._options = options
        self._latest: Walk[T] | None = None
        self._open: list[tuple[AsyncGenerator[Any], Task[Any] | None]] = []
        self._blocks = 0

    def with_options(
        self, *, concurrency: int | None = None, on_drift: OnDrift | None = None, resume: str | None = None
    ) -> "Pager[T]":
        """Return a pager of the same listing with other options; None keeps the option of this pager.

        Args:
            concurrency: The number of pages that may be under way at a time, from 1.
            on_drift: The reaction to a listing that changes while it is read. ``"recover"`` reads it again unless a
                certificate proves that every item was yielded, in at most three passes; ``"verify"`` always reads it
                again, in at most five; ``"raise"`` raises DriftError; ``"ignore"`` yields the pages as they come and
                remembers no items, so it cannot prove a walk of more than two pages.
            resume: A checkpoint of this listing, with the same filters, page size and first page. The walk continues
                after its last item.

        Raises:
            UsageError: If a value is invalid.
        """
        options = self._options
        if concurrency is not None:
            options = replace(options, concurrency=positive_int("concurrency", concurrency))
        if on_drift is not None:
            if on_drift not in PASSES:
                raise wrong("on_drift", f"one of {', '.join(map(repr, PASSES))}", on_drift)
            options = replace(options, on_drift=on_drift)
        if resume is not None:
            options = replace(options, resume=decode_checkpoint(resume, listing=self._listing.name))
        return Pager(self._listing, options)

    def __repr__(self) -> str:
        return f"<Pager of {self._listing.name}>"

    @property
    def report(self) -> WalkReport:
        """The report of the latest walk of this pager so far."""
        return (self._latest or Walk(self._listing, self._options)).report

    def checkpoint(self) -> str:
        """Return the position of the latest walk, for ``.with_options(resume=…)``, also in another process.

        The position is after the last item for which the caller has asked for the next one. So a walk that continues
        there repeats at most the item that the caller was handling, and loses none. The checkpoint holds no secret.
        """
        return (self._latest or Walk(self._listing, self._options)).checkpoint()

    def __await__(self) -> Generator[Any, None, Page[T]]:
        """Fetch the first page, or the page that ``page=`` names."""
        return self._first_page().__await__()

    def __aiter__(self) -> AsyncGenerator[T]:
        """Walk all items."""
        return self._tracked(self._walk().items())

    def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk page by page. A page leaves out the items that an earlier page held."""
        return self._tracked(self._walk().pages())

    async def collect(self, limit: int | None = None) -> list[T]:
        """Return all items as a list, or the first ``limit`` items.

        Args:
            limit: The most items to return, from 0; no page after them is requested. None returns all.

        Raises:
            UsageError: If ``limit`` is anything else.
        """
        if limit is not None and not is_int(limit, 0):
            raise wrong("limit", "a whole number from 0, or None for all", limit)
        items: list[T] = []
        if limit == 0:
            return items
        walk = self._walk()
        try:
            async with aclosing(walk.items()) as walked:
                async for item in walked:
                    items.append(item)
                    if len(items) == limit:
                        break
        except BaseException as error:
            walk.rewind()  # the caller gets none of them, even if it was cancelled
            if isinstance(error, MihuError):
                error.checkpoint = walk.checkpoint()
            raise
        return items

    async def first(self) -> T | None:
        """Return the first item, or None if there is none."""
        return next(iter(await self.collect(limit=1)), None)

    async def split(self, parts: int) -> list[Shard]:
        """Split the listing into ranges of pages that other processes can walk. This costs one request.

        The listing is split from the page at which this pager begins; a part can be split again. Each :class:`Shard`
        can be pickled; ``mihu.numbers.shard(shard)``, ``mihu.trunks.shard(shard)`` or
        ``mihu.numbers.rates_shard(shard)`` makes it a pager in the other process. The parts do not know of each other:
        if the listing changes after the split, the walks that see it end with ``report.complete`` False and a warning.
        A part cannot be counted, so its ``report.proof`` is ``"still"`` at best.

        Args:
            parts: The most parts to return, from 1.

        Raises:
            UsageError: If ``parts`` is anything else, or the listing has no parts, such as ``numbers.search``.
            PaginationError: If the service does not say how long the listing is.
        """
        listing = self._listing
        if not listing.divisible:
            raise UsageError(f"{listing.path} has no parts: walk the whole listing. Nothing was sent.")
        positive_int("parts", parts)
        known = stated(await self)
        total, last = known.total, listing.end or known.last_page
        if total is None or last is None:
            raise contradiction(listing.start, f"{listing.path} cannot be split: no answer has a total. Walk it whole.")
        name = {"base_url": listing.base_url, "path": listing.path, "query": listing.query}
        return [Shard(**name, first=begin, last=end, total=total) for begin, end in ranges(listing.start, last, parts)]

    async def __aenter__(self) -> Self:
        self._blocks += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._blocks -= 1
        while self._open and not self._blocks:  # while another block of this pager is open, its walks go on
            walk, owner = self._open.pop()
            if owner is None or owner is current_task() or owner.done():
                with suppress(RuntimeError):  # another task is in the middle of it, and ends it
                    await walk.aclose()

    def _walk(self) -> Walk[T]:
        self._latest = walk = Walk(self._listing, self._options)
        return walk

    def _tracked(self, walk: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        if self._blocks:
            self._open.append((walk, current_task()))
        return walk

    async def _first_page(self) -> Page[T]:
        page = (await self._listing.fetch(self._listing.start, None)).page
        check_progress(page, requested=self._listing.start)
        if page.problem_count:
            logger.warning(PARTLY_READ, self._listing.path, summarize(page.problems, page.problem_count))
        return page


def ranges(first: int, last: int, parts: int) -> Iterator[tuple[int, int]]:
    """Yield at most ``parts`` ranges of nearly the same length that cover the pages ``first`` to ``last``, in order."""
    parts = min(parts, pages := max(1, last - first + 1))
    for part in range(parts):
        yield first + part * pages // parts, first + (part + 1) * pages // parts - 1
