"""Whether a listing moved while it was read, and which items of a page are new: pure decisions.

A page-number listing shifts when items before a page come or go. What is assumed of the service: the order of items
that stay is stable, and each page is read at one moment. Then, wherever an item stands that was given already, all
that stayed before it was given too; so a page that holds a known item joins on by itself, and what follows that item
is new.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Generic, Literal, TypeVar, get_args

from attrs import define, evolve, field, frozen

from mihu_async.models.pages import Page

T = TypeVar("T")

OnDrift = Literal["recover", "verify", "raise", "ignore"]
PATIENCE = 16
"""How many answers beyond a whole pass may bring nothing new before a walk stops to read again, and then ends."""

SIGHT = re.compile(rb'"(total|last_page)"\s*:\s*([0-9]{1,18})')

UUID_DIGITS = 32

MODES: tuple[str, ...] = get_args(OnDrift)


@frozen
class Read(Generic[T]):
    """One answer: page ``number``, by what its items are known, and when it came, among all answers.

    From a read on, nothing showed that the listing moved as long as its ``epoch`` is the trail's. Where another answer
    showed a move while this one was under way, which of the two is the older is not known, and the epoch has passed.
    """

    number: int
    page: Page[T]
    keys: tuple[Hashable, ...]
    answered: int
    epoch: int

    def without_items(self) -> "Read[T]":
        """Give what a later page is compared with: items that were given must not be held for it."""
        return evolve(self, page=evolve(self.page, items=()))


@define
class Trail(Generic[T]):
    """What was read so far, and which items were given.

    ``whole`` says that the walk began at the first item; otherwise what stands before a known item was not this
    walk's to give. A trail that does not remember keeps nothing of the items. The ``doubted`` among the items ``seen``
    were given, but something before them may not have been.
    """

    key: Callable[[T], str]
    whole: bool
    remembers: bool = True
    seen: set[Hashable] = field(factory=set[Hashable])
    doubted: set[Hashable] = field(factory=set[Hashable])
    asked: dict[int, int] = field(factory=dict[int, int])
    sights: dict[int, tuple[int, int, int, int]] = field(factory=dict[int, tuple[int, int, int, int]])
    moment: int = 0
    epoch: int = 0
    pages: int = 0
    fresh: int = 0
    idle: int = 0
    drifted: bool = False
    total: int | None = None
    last_page: int = 1
    first_last_page: int = 1
    per_page: int = 1
    least: int = 0

    def ask(self, number: int) -> None:
        """Write down that a page is asked for now."""
        self.asked[number] = self.epoch

    def sight(self, number: int, body: bytes) -> None:
        """Write down what an answer says of the listing as it arrives, before it is read."""
        if found := sighted(body):
            self.sights[number] = (*found, *self._arrive(number, *found))

    def note(self, number: int, page: Page[T]) -> Read[T]:
        """Write an answer down as it is read."""
        said = page.pagination.total, page.pagination.last_page
        *seen, answered, epoch = self.sights.pop(number, (0, 0, 0, 0))
        if tuple(seen) != said:
            answered, epoch = self._arrive(number, *said)
        self.per_page = max(1, page.pagination.per_page)
        self.pages += 1
        self.idle += 1
        keys = tuple(map(mark, map(self.key, page.items))) if self.remembers or self.seen else ()
        return Read(number, page, keys, answered, epoch)

    def _arrive(self, number: int, total: int, last_page: int) -> tuple[int, int]:
        """Give the moment and the epoch of an answer that comes now: another total begins an epoch."""
        asked, overtaken = self.asked[number], self.asked[number] != self.epoch
        if self.total is None:
            self.least, self.first_last_page = total, last_page
        elif (total, last_page) != (self.total, self.last_page):
            self.epoch += 1
            self.least -= max(0, self.total - total)
        self.total, self.last_page = total, last_page
        self.moment += 1
        return self.moment, asked if overtaken else self.epoch

    def knows(self, read: Read[T]) -> bool:
        """Whether the page holds an item before which all was given that stayed."""
        return not self.doubted.issuperset(self.seen.intersection(read.keys))

    def repeats(self, read: Read[T]) -> bool:
        """Whether the page holds an item that was given already."""
        return not self.seen.isdisjoint(read.keys)

    def doubt(self, reads: Iterable[Read[T]]) -> None:
        """Take back that all that stayed before the items of some reads was given."""
        self.doubted.update(*(read.keys for read in reads))

    def follows(self, since: Read[T], before: Read[T], after: Read[T]) -> bool:
        """Whether a page joins on to the one before, and nothing shows a move since an earlier one."""
        last, first = before.page.pagination.to, after.page.pagination.from_
        in_place = last is None or first is None or first == last + 1
        return since.epoch == self.epoch and in_place and not self.repeats(after)

    def take(self, read: Read[T]) -> tuple[T, ...]:
        """Give the items of a page that are new, and remember them."""
        items, keys = read.page.items, {*read.keys}
        if len(keys) == len(items) and self.seen.isdisjoint(keys):
            self.seen |= keys
            self.count(len(items))
            return items
        place = 0 if self.whole else self.known_until(read)
        self.doubted -= keys
        new: dict[Hashable, T] = {}
        for key, item in zip(read.keys[place:], items[place:], strict=True):
            if key not in self.seen:
                new.setdefault(key, item)
        self.seen.update(new)
        self.count(len(new))
        return tuple(new.values())

    def count(self, items: int, *, new: bool = True) -> None:
        """Count items as given; ``new`` is False where they are those of the page before once more."""
        self.fresh += items
        if items and new:
            self.idle = 0

    def patience(self) -> int:
        """How many answers in a row may bring nothing new: as many as the listing has pages, and some."""
        return max(self.first_last_page, (self.total or 0) // self.per_page) + PATIENCE

    def known_until(self, read: Read[T]) -> int:
        """Give the place behind the last item of the page that was given already, or 0."""
        known = (place for place, key in enumerate(read.keys, start=1) if key in self.seen and key not in self.doubted)
        return max(known, default=0)

    def holds_still(self, before: Read[T], after: Read[T], again: Read[T]) -> bool:
        """Whether a page ended alike before and after the next one was read, while the listing only grew or shrank."""
        ends, ended = before.keys, again.keys
        totals = [read.page.pagination.total for read in (before, after, again)]
        return (
            len(ends) == len(ended) > 0
            and ends[-1] == ended[-1]
            and totals in (sorted(totals), sorted(totals, reverse=True))
        )

    def only_grew(self, earlier: Read[T], after: Read[T], again: Read[T]) -> bool:
        """Whether a page that was read again holds the same items, and the listing never became shorter."""
        same = earlier.keys == again.keys
        reads = sorted((earlier, after, again), key=attrgetter("answered"))
        totals = [read.page.pagination.total for read in reads]
        return same and totals == sorted(totals)

    def adds_up(self) -> bool:
        """Whether as many items were given as must have been there; asked at the end of a whole walk."""
        return self.fresh >= self.least if self.drifted else self.fresh == self.total


def mark(key: str) -> Hashable:
    """Give what a key is remembered by: for a UUID a number, which takes half the memory of its text."""
    digits = key.replace("-", "")
    if len(digits) != UUID_DIGITS:
        return key
    try:
        return int.from_bytes(bytes.fromhex(digits))
    except ValueError:
        return key


def sighted(body: bytes) -> tuple[int, int] | None:
    """Find ``total`` and ``last_page`` in an answer that was not read yet; None where they are not to be seen."""
    found = dict(reversed(SIGHT.findall(body, max(0, body.rfind(b'"pagination"')))))
    if len(found) < len(("total", "last_page")):
        return None
    return int(found[b"total"]), int(found[b"last_page"])
