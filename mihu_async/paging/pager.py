"""The pager: what a ``list()`` gives."""

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, suppress
from typing import Any, Generic, Self, TypeVar

from attrs import evolve, frozen

from mihu_async.errors import MihuError, UsageError
from mihu_async.models.pages import Page
from mihu_async.paging.checkpoint import decode_checkpoint
from mihu_async.paging.drift import PASSES, OnDrift
from mihu_async.paging.page import check_progress, contradiction, last_page, optional
from mihu_async.paging.walk import Listing, Walk, WalkOptions, logger
from mihu_async.reports import WalkReport, summarize

T = TypeVar("T")


@frozen(kw_only=True)
class Shard:
    """A part of a listing: some of its pages.

    It can be pickled, holds no secret, and is made a pager again by the ``shard`` method of the resource it came from.
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


class Pager(Generic[T]):
    """A listing that is read as it is used; nothing is sent before.

    ``async for item in pager`` walks every item of every page; ``await pager`` gives the first :class:`Page`; see also
    :meth:`pages`, :meth:`collect` and :meth:`first`. Each of them reads the listing anew. ``async with pager`` ends its
    walks at the end of the block, of the last one where several overlap, also those that were left by ``break``, and
    waits until nothing of them is under way; a walk that another task is reading just then is left to that task.

    A walk fetches ahead: one page at first, twice as many with each page that the caller finishes, up to
    ``concurrency``. It ends where the service says that there is no more, never because a page is empty. It gives
    each item once though others insert and delete meanwhile, and :attr:`report` says whether it is proved that it gave
    all that was there all along. It raises PaginationError where the service's pages contradict themselves, and the
    errors of the listing's calls; each carries a ``checkpoint``.
    """

    def __init__(self, listing: Listing[T], options: WalkOptions) -> None:
        self._listing = listing
        self._options = options
        self._latest: Walk[T] | None = None
        self._open: list[AsyncGenerator[Any]] = []
        self._blocks = 0

    def with_options(
        self, *, concurrency: int | None = None, on_drift: OnDrift | None = None, resume: str | None = None
    ) -> "Pager[T]":
        """Give a pager of the same listing that walks in another way; None keeps what this one has.

        concurrency: how many pages may be under way at a time, from 1.
        on_drift: what to do when the listing moves while it is read. ``"recover"`` reads it again where nothing
            proves that all was given, in three passes at the most; ``"verify"`` always reads it again, in up to five;
            ``"raise"`` raises DriftError; ``"ignore"`` gives the pages as they come and keeps no memory of the items.
        resume: a checkpoint of this listing, with the same filters and page size, to go on behind its last item.

        Raises UsageError for what cannot be.
        """
        options = self._options
        if concurrency is not None:
            options = evolve(options, concurrency=check_concurrency(concurrency))
        if on_drift is not None:
            if on_drift not in PASSES:
                names = ", ".join(map(repr, PASSES))
                raise UsageError(f"on_drift must be one of {names}, not {on_drift!r}.", argument="on_drift")
            options = evolve(options, on_drift=on_drift)
        if resume is not None:
            options = evolve(options, resume=decode_checkpoint(resume, listing=self._listing.name))
        return Pager(self._listing, options)

    def __repr__(self) -> str:
        return f"<Pager of {self._listing.name}>"

    @property
    def report(self) -> WalkReport:
        """What the latest walk of this pager can say of itself now."""
        return (self._latest or Walk(self._listing, self._options)).report

    def checkpoint(self) -> str:
        """Give the place of the latest walk, to go on from with ``.with_options(resume=…)``, also in another process.

        It stands behind the last item after which the caller asked for another one; so when the walk goes on, at most
        the item that the caller held is given again, and none is lost. It holds no secret.
        """
        return (self._latest or Walk(self._listing, self._options)).checkpoint()

    def __await__(self) -> Generator[Any, None, Page[T]]:
        """Fetch the first page, or the one that ``page=`` named."""
        return self._first_page().__await__()

    def __aiter__(self) -> AsyncGenerator[T]:
        """Walk all items."""
        return self._tracked(self._walk().items())

    def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk page by page. An item that was given on an earlier page is left out of a later one."""
        return self._tracked(self._walk().pages())

    async def collect(self, limit: int | None = None) -> list[T]:
        """Give all items as a list, or the first ``limit``; pages past those are not asked for."""
        if limit is not None and (type(limit) is not int or limit < 0):
            raise UsageError(f"limit must be a whole number from 0, or None for all, not {limit!r}.", argument="limit")
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
            walk.rewind()  # the caller gets none of them, also where it was cancelled
            if isinstance(error, MihuError):
                error.checkpoint = walk.checkpoint()
            raise
        return items

    async def first(self) -> T | None:
        """Give the first item, or None where there is none."""
        return next(iter(await self.collect(limit=1)), None)

    async def split(self, parts: int) -> list[Shard]:
        """Cut the listing into at most ``parts`` ranges of pages that other processes can walk; costs one request.

        It is cut from the page where this pager begins; a part can be cut again. Each :class:`Shard` can be pickled;
        ``mihu.numbers.shard(shard)``, ``mihu.trunks.shard(shard)`` or ``mihu.numbers.rates_shard(shard)`` is its pager
        there. The ranges do not know of each other: when the listing moves after it was cut, walks of the parts that
        see it end with ``report.complete`` False and a warning; a part cannot be counted, so ``report.proof`` is
        ``"still"`` at best.
        Raises UsageError for ``numbers.search``, of which there are no parts, and PaginationError where the service
        does not say how long the listing is.
        """
        listing = self._listing
        if not listing.divisible:
            raise UsageError(f"There are no parts of {listing.path}: walk it whole. Nothing was sent.")
        if type(parts) is not int or parts < 1:
            raise UsageError(f"parts must be a whole number from 1, not {parts!r}.", argument="parts")
        page = await self
        total, last = optional(page.pagination.total), listing.end or last_page(page)
        if total is None or last is None:
            told = f"{listing.path} cannot be cut: the service does not say how long it is. Walk it whole."
            raise contradiction(listing.start, told)
        whole = Shard(
            base_url=listing.base_url, path=listing.path, query=listing.query, first=1, last=last, total=total
        )
        return [evolve(whole, first=first, last=last) for first, last in ranges(listing.start, last, parts)]

    async def __aenter__(self) -> Self:
        self._blocks += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._blocks -= 1
        while self._open and not self._blocks:  # where another block of this pager goes on, its walks do too
            with suppress(RuntimeError):  # another task is in the middle of it, and ends it
                await self._open.pop().aclose()

    def _walk(self) -> Walk[T]:
        self._latest = walk = Walk(self._listing, self._options)
        return walk

    def _tracked(self, walk: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        if self._blocks:
            self._open.append(walk)
        return walk

    async def _first_page(self) -> Page[T]:
        page = (await self._listing.fetch(self._listing.start, None)).page
        check_progress(page, requested=self._listing.start)
        if page.problem_count:
            told = "A page of %s was read but for %s"
            logger.warning(told, self._listing.path, summarize(page.problems, page.problem_count))
        return page


def check_concurrency(concurrency: Any) -> int:
    """Check how many pages may be under way at a time."""
    if type(concurrency) is not int or concurrency < 1:
        raise UsageError(f"concurrency must be a whole number from 1, not {concurrency!r}.", argument="concurrency")
    return concurrency


def ranges(first: int, last: int, parts: int) -> Iterator[tuple[int, int]]:
    """Cut the pages ``first`` to ``last`` into at most ``parts`` ranges of nearly the same length, in order."""
    pages = max(1, last - first + 1)
    parts = min(parts, pages)
    for part in range(parts):
        yield first + part * pages // parts, first + (part + 1) * pages // parts - 1
