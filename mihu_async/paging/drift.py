"""The record of one pass over a listing, and the decision whether two pages join. Pure.

If items are only added, a page repeats items of an earlier page; if items are only removed, ``total`` falls. So a page
follows on from the page before if it holds an item that was shown, or if ``total`` did not fall. The certificates
reveal the changes that this rule misses.
"""

from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from struct import iter_unpack
from typing import Generic, Literal, TypeVar

from mihu_async.models.pages import Page
from mihu_async.paging.page import Moment, Stated
from mihu_async.paging.proof import Dates, Evidence, came_since, older
from mihu_async.value import State, Value, field, replace

T = TypeVar("T")

OnDrift = Literal["recover", "verify", "raise", "ignore"]
PASSES: dict[OnDrift, tuple[int, int]] = {"recover": (1, 3), "verify": (2, 5), "raise": (1, 3), "ignore": (1, 1)}
"""The least number of passes of each mode and, while no certificate holds, the most."""
SPARE_READS = 16
"""The number of answers without a new item, beyond a whole pass, after which a walk stops stepping back, and later
ends.
"""
MOST_READS = 10_000
"""The most pages that are read in search of something, however many the listing is said to have."""
UUID_DIGITS, UUID_BYTES = 32, 16


class Read(Value, Generic[T], frozen=True):
    """The answer for page ``number``, its pagination as far as it could be read, and the keys of its items."""

    number: int
    page: Page[T]
    stated: Stated
    keys: tuple[Hashable, ...]
    moment: Moment | None


class History(State, Generic[T], kw_only=True):
    """The items that a walk yielded, and those that its current pass showed; in the first pass, both are the same set.

    Of the new items of the last page, ``front`` stand before a known one. ``slipped`` is True if a later pass found a
    new item before one that was yielded. ``began`` is the time at which the walk began, or the walk that it continues.
    """

    dates: Dates[T] | None
    span: tuple[int, int | None]
    evidence: Evidence
    total: int | None
    yielded: set[Hashable] = field(default_factory=set[Hashable])
    shown: set[Hashable] = field(default_factory=set[Hashable])
    pages: int = 0
    last_page: int | None = None
    began: Moment | None = None
    opening: bool = True
    appended: bool = False
    slipped: bool = False
    front: int = 0
    stalled_reads: int = 0
    stall_limit: int = 0

    def begin_pass(self, read: Read[T], anchors: set[Hashable], before: Evidence) -> None:
        """Begin a pass with a page.

        Args:
            read: The first page of the pass.
            anchors: The keys of the items that were yielded before that page.
            before: The evidence of the walk that this walk continues.
        """
        total = expected(read.stated, *self.span)
        evidence = replace(self.evidence, nth=self.evidence.nth + 1, total=total, since=read.moment, quiet=True)
        evidence.resumed, evidence.there, evidence.shown = bool(anchors), before.there, before.shown
        if anchors:
            evidence.moved |= before.total not in {None, total}
            evidence.total, evidence.since = before.total, before.since
        if evidence.nth == 1:
            evidence.first, evidence.old = evidence.total, evidence.there
            self.began, self.yielded = evidence.since, anchors
        self.evidence, self.shown = evidence, anchors
        self.opening, self.appended, self.stalled_reads = True, False, 0

    def record(self, read: Read[T]) -> None:
        """Record what an answer says of the listing.

        Args:
            read: The answer.
        """
        if self.total not in {None, read.stated.total}:
            self.evidence.moved, self.evidence.quiet = True, False
        self.evidence.left_out += read.page.left_out
        self.total, self.last_page = read.stated.total, read.stated.last_page
        self.stall_limit = self.stall_limit or min(self.last_page or 1, MOST_READS) + SPARE_READS
        self.stalled_reads += 1
        self.pages += 1

    def knows(self, read: Read[T]) -> bool:
        """Return True if the page holds an item that this pass showed."""
        return not self.shown.isdisjoint(read.keys)

    def new_items(self, read: Read[T]) -> tuple[T, ...]:
        """Return the items of a page that are new to the walk, and remember them."""
        evidence, keys, opening, behind = self.evidence, read.keys, self.opening, 0
        self.opening = False
        if self.knows(read):
            behind = max(place for place, key in enumerate(keys, start=1) if key in self.shown)
        skip = behind if evidence.resumed and (opening or not evidence.forgetful) else 0
        rows = dict(zip(keys[skip:], read.page.items[skip:], strict=True))
        evidence.moved |= len(rows) < len(keys) - skip or (behind > 0 and not opening)
        if not self.shown.issuperset(rows):
            self.stalled_reads = 0
        if evidence.forgetful:
            evidence.forgot |= evidence.moved or evidence.shown > len(self.shown)
            self._count(rows, rows, read.moment)
            self.shown = set(rows)
            return read.page.items[skip:]
        if behind:
            rows = {key: item for key, item in rows.items() if key not in self.shown}
        self.front = sum(key in rows for key in {*keys[:behind]})
        new = rows
        if evidence.nth > 1:
            new = {key: item for key, item in rows.items() if key not in self.yielded}
            for key in rows:
                self.slipped |= self.appended and key not in new
                self.appended |= key in new
            if new:
                evidence.moved, evidence.quiet = True, False
            self.yielded.update(new)
        self._count(rows, new, read.moment)
        self.shown.update(rows)
        return tuple(new.values())

    def _count(self, rows: dict[Hashable, T], new: dict[Hashable, T], moment: Moment | None) -> None:
        """Count the items that the pass shows first on this page, and those of them that are known to be old."""
        evidence, dates, since, began = self.evidence, self.dates, self.evidence.since, self.began
        evidence.shown += len(rows)
        if not (dates and since and began):
            evidence.there += len(rows) - len(new)
            return
        there = older(new.values(), dates, began)
        evidence.old += there
        if evidence.nth > 1:
            there, now = 0, moment.latest if moment else None
            for key, item in rows.items():
                evidence.quiet &= not came_since(dates(item), since.latest, now)
                kept = key not in new and not came_since(dates(item), since.earliest, now)
                there += kept or older((item,), dates, since)
        evidence.there += there
        evidence.dated |= any(any(dates(item)) for item in rows.values())

    def seen(self, unread: Sequence[T]) -> Evidence:
        """Return the evidence for a checkpoint.

        Args:
            unread: The items that were read and are not yielded yet; they do not count.
        """
        old = older(unread, self.dates, self.began) if self.dates and self.began else 0
        return replace(self.evidence, shown=self.evidence.shown - len(unread), there=self.evidence.there - old)


def fell(before: Stated, after: Stated) -> bool:
    """Return True if a total is known to be lower than the previous one."""
    return before.total is not None and after.total is not None and after.total < before.total


def expected(known: Stated, start: int, end: int | None) -> int | None:
    """Return the number of items on some pages of a listing; None if its length is not known.

    Args:
        known: The pagination of an answer.
        start: The first of the pages.
        end: The last of the pages; None for the last page of the listing.
    """
    total, size = known.total, known.per_page or 0
    if total is None:
        return None
    return max(0, (total if end is None else min(total, end * size)) - (start - 1) * size)


def compact_keys(keys: Iterable[str]) -> tuple[Hashable, ...]:
    """Return the forms in which keys are remembered: a UUID as a number, which takes half the memory of its text."""
    texts = tuple(keys)
    digits = [text.replace("-", "") for text in texts]
    with suppress(ValueError):
        together = bytes.fromhex("".join(digits))
        # there are fewer bytes if spaces are among the digits
        if set(map(len, digits)) == {UUID_DIGITS} and len(together) == UUID_BYTES * len(texts):
            return tuple([int.from_bytes(key) for (key,) in iter_unpack(f"{UUID_BYTES}s", together)])
    return texts if len(texts) == 1 else tuple(key for text in texts for key in compact_keys((text,)))
