"""One walk: reads page after page, steps back if two do not join, and reads again until a certificate holds."""

import logging
from asyncio import Event
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from heapq import merge
from itertools import islice
from typing import Any, Generic, TypeVar

from attrs import evolve

from mihu_async.errors import DriftError, MihuError
from mihu_async.models.pages import Page
from mihu_async.paging.checkpoint import ANCHORS, Place, encode_checkpoint
from mihu_async.paging.drift import MOST_READS, PASSES, History, OnDrift, Read, compact_keys, fell
from mihu_async.paging.page import ALL_YIELDED, Answer, Stated, check_progress, contradiction, has_more
from mihu_async.paging.proof import Dates, Proof, certificate, shortfall
from mihu_async.paging.window import Window
from mihu_async.reports import Problem, WalkReport, summarize
from mihu_async.value import Value, replace

T = TypeVar("T")

PARTLY_READ = "A page of %s was read except for %s (report.problems counts them in a walk)"

logger: logging.Logger = logging.getLogger("mihu_async")


class Listing(Value, Generic[T], frozen=True, kw_only=True):
    """A listing that can be walked: how to fetch a page, how to recognise an item, and where to begin and end.

    ``base_url``, ``path`` and ``query`` name it with its workspace, filters and page size. A part of a listing has an
    ``end``, the last page to read, and the ``total`` that the listing had when it was split. ``on_page`` is called with
    each page: its number, the number of new items on it, its problems, and the walk's report. ``room`` returns the
    number of pages that the client may currently have under way.
    """

    fetch: Callable[[int, Event | None], Awaitable[Answer[T]]]
    key: Callable[[T], str]
    path: str
    query: str
    room: Callable[[], int]
    dates: Dates[T] | None = None
    base_url: str = ""
    start: int = 1
    end: int | None = None
    total: int | None = None
    divisible: bool = True
    on_page: Callable[[int, int, tuple[Problem, ...], WalkReport], None] | None = None

    @property
    def name(self) -> str:
        """The name that distinguishes this listing from every other one."""
        part = "" if (self.start, self.end) == (1, None) else f"#{self.start}-{self.end or ''}"
        return f"{self.base_url}{self.path}?{self.query}{part}"


class WalkOptions(Value, frozen=True, kw_only=True):
    """The options of a walk."""

    concurrency: int
    on_drift: OnDrift = "recover"
    resume: Place | None = None


class Walk(AbstractAsyncContextManager[Any], Generic[T]):
    """A walk that is under way or has ended; ``report`` and ``checkpoint`` are accurate at every moment."""

    def __init__(self, listing: Listing[T], options: WalkOptions) -> None:
        self._listing = listing
        self._mode: OnDrift = options.on_drift
        self._begin = begin = options.resume or Place(page=listing.start)
        forgetful, span = self._mode == "ignore", (listing.start, listing.end)
        evidence = replace(begin.evidence, part=span != (1, None), forgetful=forgetful)
        self._history = History(dates=listing.dates, span=span, evidence=evidence, total=listing.total)
        self._compact: Callable[[Iterable[str]], tuple[Hashable, ...]] = tuple if forgetful else compact_keys
        self._window = Window(self._fetch, most=options.concurrency, room=listing.room)
        self._latest: Read[T] | None = None
        self._hand: tuple[Read[T], tuple[T, ...]] | None = None
        self._number, self._anchors = begin.page, begin.anchors
        self._yielded = self._done = self._duplicates = self._problems = self._furthest = 0
        self._rewound = False
        self._proof: Proof | None = None
        self._complete: bool | None = None

    @property
    def report(self) -> WalkReport:
        """The report of the walk so far."""
        return WalkReport(
            expected=self._history.total,
            yielded=self._yielded,
            duplicates=self._duplicates,
            pages=self._history.pages,
            drifted=self._history.evidence.moved,
            problems=self._problems,
            complete=self._complete,
            proof=self._proof,
        )

    def checkpoint(self) -> str:
        """Return the position of the walk: after the last item for which the caller has asked for the next one."""
        place, history, anchors = self._begin, self._history, self._passed()
        if not self._rewound and self._done >= history.front and anchors != place.anchors:
            unread = () if self._hand is None else self._hand[1][self._done :]
            place = Place(page=self._number, anchors=anchors, evidence=history.seen(unread))
        return encode_checkpoint(place, listing=self._listing.name)

    def rewind(self) -> None:
        """Reset the checkpoint to the beginning, because the caller got nothing or an item may be missing."""
        self._rewound = True

    def _passed(self) -> tuple[str, ...]:
        """Return the keys of the last items that the caller has handled, in the listing's order."""
        if self._hand is None or not self._done:
            return self._anchors
        read, new = self._hand
        rows = read.page.items[: len(read.page.items) - len(new) + self._done]
        return (*self._anchors, *map(self._listing.key, rows[-ANCHORS:]))[-ANCHORS:]

    async def items(self) -> AsyncGenerator[T]:
        """Walk item by item."""
        async with self:
            while step := await self._next():
                for self._done, item in enumerate(step[1]):
                    self._yielded += 1
                    yield item
                self._done = len(step[1])
                del step  # so that the next page can use the memory of this one

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Walk page by page. A page leaves out the items that were yielded before."""
        async with self:
            while step := await self._next():
                page, new = step
                self._yielded += len(new)
                yield page if len(new) == len(page.items) else evolve(page, items=new)
                self._done = len(new)
                del step, page, new

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Leave nothing under way when the walk ends, and attach its position to an error."""
        if isinstance(error, MihuError):
            error.checkpoint = self.checkpoint()
        await self._window.clear()

    async def _next(self) -> tuple[Page[T], tuple[T, ...]] | None:
        """Return the next page for the caller, with its new items, or None at the end of the walk."""
        history, listing = self._history, self._listing
        self._anchors, self._hand = self._passed(), None
        while read := await self._read():
            new = history.new_items(read)
            if self._mode == "raise" and history.slipped:
                raise drifted(read.number)
            forward = history.evidence.nth == 1 and read.number > self._furthest
            self._furthest = max(self._furthest, read.number)
            self._duplicates += (len(read.page.items) - len(new)) * forward
            if new or forward:
                self._number, self._hand, self._done = read.number, (read, new), 0
                if listing.on_page is not None:
                    listing.on_page(read.number, len(new), read.page.problems, self.report)
                return read.page, new
        return None

    async def _read(self) -> Read[T] | None:
        """Read page by page, and again until a certificate holds, as often as the mode allows; None at the end."""
        read, self._latest = self._latest, None
        if read is None:
            self._latest = await self._first()
            self._furthest = self._latest.number if self._begin.anchors else 0
        elif read.number != self._listing.end and has_more(read.stated, number=read.number, items=len(read.page.items)):
            number, before = read.number, read.stated
            del read
            self._latest = await self._following(number, before)
        elif not self._ends(read):
            self.rewind()
            await self._window.clear()
            self._latest = await self._first()
        return self._latest

    def _ends(self, read: Read[T]) -> bool:
        """Look for a certificate at the end of a pass, and return True if it was the last pass."""
        evidence, proof = self._history.evidence, certificate(self._history.evidence)
        fewest, most = PASSES[self._mode]
        hopeless = evidence.total is None or evidence.part or evidence.resumed or evidence.left_out
        if evidence.nth < (fewest if proof or hopeless else most):
            return False
        if self._rewound and read.page.items:
            self._begin = Place(page=read.number, anchors=tuple(map(self._listing.key, read.page.items[-ANCHORS:])))
        self._proof, self._complete = proof, proof is not None
        if not proof:
            message = "The walk of %s is not proved to be complete: %s. %s"
            logger.warning(message, self._listing.path, shortfall(evidence), self.report)
        return True

    async def _first(self) -> Read[T]:
        """Read the page where the walk begins, before all others; if no anchor is left, begin again."""
        history, page, anchors = self._history, self._begin.page, {*self._compact(self._begin.anchors)}
        read = await self._window.read(page)
        searched = islice(nearest(page, history.last_page or page), MOST_READS)
        while anchors and anchors.isdisjoint(read.keys):
            number = next(searched, None)
            if number is None:
                number, self._anchors, anchors = self._listing.start, (), set[Hashable]()
                self._begin = Place(page=number)
                history.evidence.moved |= history.evidence.part
            read = await self._window.read(number)
        history.begin_pass(read, anchors, self._begin.evidence)
        return read

    async def _following(self, number: int, before: Stated) -> Read[T]:
        """Read the page after one, or if it does not join on, the nearest page before it that does."""
        history, window, first = self._history, self._window, self._listing.start
        if history.stalled_reads > 2 * history.stall_limit:
            message = f"No page is named as the last, and the last {history.stalled_reads} pages brought nothing new"
            raise contradiction(number + 1, f"{message}: the walk would never end. {ALL_YIELDED}.")
        last = history.last_page or number + 1
        after = await window.read(number + 1, last=min(last, self._listing.end or last))
        slipped = self._mode != "ignore" and fell(before, after.stated) and not history.knows(after)
        if slipped:
            await window.clear()
        if self._mode == "raise":
            if slipped:  # it may have been read before the page that it follows on
                after = await window.read(number + 1)
            if history.knows(after) or fell(before, after.stated):
                raise drifted(after.number)
            return after
        while slipped and not history.knows(after) and after.number > first:
            if history.stalled_reads > history.stall_limit:
                break  # stepping back is of no use
            after = await window.read(after.number - 1)
        return after

    async def _fetch(self, number: int, ready: Event) -> Read[T]:
        answer = await self._listing.fetch(number, ready)
        page, count = answer.page, answer.page.problem_count
        stated = check_progress(page, requested=number)
        read = Read(number, page, stated, self._compact(map(self._listing.key, page.items)), answer.moment)
        self._history.record(read)
        if count and not self._problems:
            logger.warning(PARTLY_READ, self._listing.path, summarize(page.problems, count))
        self._problems += count
        return read


def nearest(page: int, last: int) -> Iterator[int]:
    """Yield the pages from 1 to ``last`` without ``page``, the nearest first; ``last`` may be absurdly large."""
    before, behind = range(min(page - 1, last), 0, -1), range(page + 1, last + 1)
    return merge(before, behind, key=lambda at: abs(at - page))


def drifted(number: int) -> DriftError:
    """Return the error that names the page before which the listing changed."""
    message = f"The listing changed before page {number} was read, so items may be missing or repeated."
    return DriftError(message, requested=number, received=number)
