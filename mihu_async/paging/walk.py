"""One walk through a listing.

Reads through the window, asks the trail whether the pages join, and reads again where not.
"""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Generic, TypeVar

from attrs import evolve, frozen

from mihu_async.errors import DriftError, MihuError, PaginationError
from mihu_async.models.pages import Page
from mihu_async.paging.checkpoint import ANCHORS, Place, encode_checkpoint
from mihu_async.paging.drift import OnDrift, Read, Trail, mark
from mihu_async.paging.page import check_progress
from mihu_async.paging.window import Turn, Window
from mihu_async.reports import WalkReport

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("mihu_async")

PASSES = 5
"""How many passes ``on_drift="verify"`` makes at the most, after the first."""


@frozen(kw_only=True)
class Listing(Generic[T]):
    """What can be walked: how to fetch a page, how to know an item again, and where to begin and end.

    ``base_url``, ``path`` and ``query`` name it with its workspace, filters and page size. A part of a listing has an
    ``end``, the last page to read, and the ``total`` that the listing had when it was cut; not every listing is
    ``divisible``. ``on_page`` is told of each page that a walk gives: its number, how many items it holds, and the
    walk's report. ``room`` says how many pages the client may have under way now.
    """

    fetch: Callable[[int, Callable[[bytes], Awaitable[None]]], Awaitable[Page[T]]]
    key: Callable[[T], str]
    path: str
    query: str
    room: Callable[[], int]
    base_url: str = ""
    start: int = 1
    end: int | None = None
    total: int | None = None
    divisible: bool = True
    on_page: Callable[[int, int, WalkReport], None] | None = None

    @property
    def name(self) -> str:
        """Tell this listing from every other one."""
        part = "" if self.end is None else f"#{self.start}-{self.end}"
        return f"{self.base_url}{self.path}?{self.query}{part}"


class Walk(Generic[T]):
    """A walk that is under way or over; ``report`` and ``checkpoint`` are true at every moment of it."""

    def __init__(self, listing: Listing[T], *, concurrency: int, on_drift: OnDrift, resume: Place | None) -> None:
        self._listing = listing
        self._on_drift = on_drift
        self._begin = begin = resume or Place(page=listing.start)
        self._page = begin.page
        self._passed: deque[T] = deque(maxlen=ANCHORS)
        whole = not begin.anchors and begin.page == 1 and listing.end is None
        seen = set(map(mark, begin.anchors))
        self._trail = Trail(listing.key, whole=whole, remembers=on_drift != "ignore", seen=seen)
        self._window = Window(self._fetch, most=concurrency, room=listing.room, arrived=self._trail.sight)
        self._recent: deque[Read[T]] = deque(maxlen=concurrency)
        self._spare: Read[T] | None = None
        self._before: tuple[T, ...] = ()
        self._yielded = 0
        self._duplicates = 0
        self._gave_up = False
        self._verifying = False
        self._complete: bool | None = None

    @property
    def report(self) -> WalkReport:
        """What the walk can say of itself now."""
        return WalkReport(
            expected=self._trail.total,
            yielded=self._yielded,
            duplicates=self._duplicates,
            pages=self._trail.pages,
            drifted=self._trail.drifted,
            complete=self._complete,
        )

    def checkpoint(self) -> str:
        """Where the walk is: behind the last item after which the caller asked for another one."""
        if self._verifying:  # what was missed may stand anywhere
            return encode_checkpoint(self._begin, listing=self._listing.name)
        anchors = (*self._begin.anchors, *map(self._listing.key, self._passed))
        return encode_checkpoint(Place(page=self._page, anchors=anchors[-ANCHORS:]), listing=self._listing.name)

    def rewind(self) -> None:
        """Put the checkpoint back to the beginning, for a caller who got nothing of what was read."""
        self._page = self._begin.page
        self._passed.clear()

    async def items(self) -> AsyncGenerator[T]:
        """Walk item by item."""
        async with aclosing(self._guarded()) as pages:
            async for number, page in pages:
                for item in page.items:
                    self._yielded += 1
                    yield item
                    self._page = number
                    self._passed.append(item)

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk page by page; an item that was given before is left out of its page."""
        async with aclosing(self._guarded()) as pages:
            async for number, page in pages:
                self._yielded += len(page.items)
                yield page
                self._page = number
                self._passed.extend(page.items[-ANCHORS:])

    async def _guarded(self) -> AsyncGenerator[tuple[int, Page[T]]]:
        """Leave nothing under way however the walk ends, and put its place on every error."""
        try:
            async with aclosing(self._whole()) as pages:
                async for number, page in pages:
                    if self._listing.on_page is not None:
                        self._listing.on_page(number, len(page.items), self.report)
                    yield number, page
        except MihuError as error:
            error.checkpoint = self.checkpoint()
            raise
        finally:
            await self._window.clear()

    async def _whole(self) -> AsyncGenerator[tuple[int, Page[T]]]:
        async with aclosing(self._forward()) as pages:
            async for found in pages:
                yield found
        if self._on_drift == "verify":
            self._verifying = True
            async with aclosing(self._verified()) as pages:
                async for found in pages:
                    yield found
            self._verifying = False
        self._finish()

    async def _forward(self) -> AsyncGenerator[tuple[int, Page[T]]]:
        """Read from page to page, and back where two do not join."""
        read = await self._first()
        furthest = read.number if self._begin.anchors else 0
        while True:
            new = self._take(read)
            if read.number > furthest:
                self._duplicates += len(read.page.items) - len(new)
            if new or read.number > furthest:
                yield read.number, evolve(read.page, items=new)
            if self._is_last(read):
                return
            furthest = max(furthest, read.number)
            self._recent.append(read.without_items())
            read = await self._join(read, await self._next(read.number + 1))

    def _take(self, read: Read[T]) -> tuple[T, ...]:
        if self._on_drift != "ignore":
            return self._trail.take(read)
        items = read.page.items[self._trail.known_until(read) :]
        before, self._before = self._before, read.page.items
        self._trail.count(len(items), new=read.page.items != before)
        return items

    async def _first(self) -> Read[T]:
        begin = self._begin
        if begin.anchors:
            read = await self._locate(begin.page, self._trail.knows)
        else:
            read = await self._next(begin.page)
        if self._listing.total not in {None, read.page.pagination.total}:
            self._trail.drifted = True
        return read

    def _is_last(self, read: Read[T]) -> bool:
        end = self._listing.end
        return not read.page.pagination.has_more or (end is not None and read.number >= end)

    async def _join(self, before: Read[T], after: Read[T]) -> Read[T]:
        """Give the page to go on with: the one after where it joins on, else an earlier one as it is now."""
        if self._on_drift == "ignore":
            self._trail.drifted |= before.epoch != after.epoch
            return after
        settled, *unsettled = self._recent
        if self._gave_up or self._trail.follows(settled, before, after):
            return after
        alone = not (unsettled or self._window.busy)
        await self._window.clear()
        if self._trail.idle > self._trail.patience():
            self._gave_up = True
            return after
        self._recent.clear()
        self._trail.doubt(unsettled)
        if self._trail.repeats(after):
            self._moved(after)
        if self._trail.knows(after):
            return after
        return await self._rejoin(settled, after, alone=alone)

    async def _rejoin(self, settled: Read[T], after: Read[T], *, alone: bool) -> Read[T]:
        """Read again where the pages came apart: at the last one whose own place is beyond doubt."""
        again = await self._alone(settled.number)
        if self._on_drift != "raise" or not self._trail.only_grew(settled, after, again):
            self._moved(after)
        if alone and self._trail.holds_still(settled, after, again):
            return after
        if not self._trail.knows(again):
            return await self._locate(settled.number, self._trail.knows)
        self._spare = after if after.epoch == again.epoch else None
        return again

    def _moved(self, seen_on: Read[T]) -> None:
        self._trail.drifted = True
        if self._on_drift == "raise":
            raise DriftError(
                f"The listing moved before page {seen_on.number} was read, so items may be missing or come twice.",
                requested=seen_on.number,
                received=seen_on.page.pagination.current_page,
            )

    async def _locate(self, near: int, found: Callable[[Read[T]], bool]) -> Read[T]:
        """Find a page, the nearest one first; where there is none, begin again."""
        for number in outward(near, last=self._trail.last_page):
            read = await self._alone(number)
            if found(read):
                return read
        self._gave_up |= self._listing.start > 1 or self._listing.end is not None  # what slipped before it is not ours
        return await self._alone(self._listing.start)

    async def _verified(self) -> AsyncGenerator[tuple[int, Page[T]]]:
        """Read the listing again, pass after pass, until a whole one shows nothing new and does not move."""
        for _ in range(PASSES):
            matched = True
            before: Read[T] | None = None
            self._trail.idle = 0
            read = await self._first()
            while True:
                new = self._trail.take(read)
                matched &= not new and (before is None or before.epoch == read.epoch)
                self._trail.drifted |= not matched
                if new:
                    yield read.number, evolve(read.page, items=new)
                if self._is_last(read):
                    break
                before, read = read, await self._next(read.number + 1)
            if matched:
                return
        self._gave_up = True

    async def _next(self, number: int) -> Read[T]:
        """Read a page, and ahead of it what the service says is there."""
        if self._trail.idle > 2 * self._trail.patience():
            raise PaginationError(
                f"The service says that there is more, and the last {self._trail.idle} pages brought nothing new: "
                "the walk would never end. All items that the service showed were given.",
                requested=number,
                received=number,
            )
        spare, self._spare = self._spare, None
        if spare is not None and spare.number == number:
            return spare
        return await self._window.read(
            number, last=min(self._trail.last_page, self._listing.end or self._trail.last_page)
        )

    async def _alone(self, number: int) -> Read[T]:
        """Read a page and nothing ahead of it."""
        return await self._window.read(number, last=number)

    async def _fetch(self, number: int, turn: Turn) -> Read[T]:
        self._trail.ask(number)
        page = await self._listing.fetch(number, turn)
        check_progress(page, requested=number)
        return self._trail.note(number, page)

    def _finish(self) -> None:
        trail = self._trail
        shard_moved = self._listing.total is not None and trail.drifted
        unseen = self._on_drift == "ignore" and trail.drifted
        short = trail.whole and not trail.adds_up()
        self._complete = not (self._gave_up or shard_moved or unseen or short)
        if not self._complete:
            logger.warning("The walk of %s cannot promise that it is complete: %s", self._listing.path, self.report)


def outward(near: int, *, last: int) -> Iterator[int]:
    """Count the pages 1 to ``last`` from one on, the nearest first; that one comes though it is past the last."""
    yield near
    for distance in range(1, max(near, last)):
        if near > distance:
            yield near - distance
        if near + distance <= last:
            yield near + distance
