"""Whether a listing moved while it was read, and which items of a page are new: pure decisions.

A page-number listing shifts when items before a page come or go. What is assumed of the service: the order of items
that stay is stable, and each page is read at one moment. Then, wherever an item stands that was given already, all
that stayed before it was given too; so a page that holds a known item joins on by itself, and what follows that item
is new.
"""

import re
from collections.abc import Callable, Hashable
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import Generic, Literal, TypeVar, get_args

from attrs import define, field, frozen

from mihu_async.models.pages import Page

T = TypeVar("T")

OnDrift = Literal["recover", "verify", "raise", "ignore"]
PATIENCE = 16
"""How many answers beyond a whole pass may bring nothing new before a walk stops to read again, and then ends."""

SIGHT = re.compile(rb'"(total|last_page)"\s*:\s*([0-9]{1,18})')

MODES: tuple[str, ...] = get_args(OnDrift)


@frozen
class Read(Generic[T]):
    """One answer: page ``number``, and when it was read.

    ``asked`` and ``answered`` order the reads among each other; ``epoch`` is the same for reads between which no answer
    showed that the listing moved.
    """

    number: int
    page: Page[T]
    asked: int
    answered: int
    epoch: int


@define
class Trail(Generic[T]):
    """What was read so far, and which items were given.

    ``whole`` says that the walk began at the first item; otherwise what stands before a known item was not this
    walk's to give.
    """

    key: Callable[[T], Hashable]
    whole: bool
    seen: set[Hashable] = field(factory=set[Hashable])
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

    def ask(self) -> int:
        """Mark that a page is asked for, and give the moment."""
        self.moment += 1
        return self.moment

    def sight(self, number: int, body: bytes) -> None:
        """Write down what an answer says of the listing as it arrives, before it is read."""
        if found := sighted(body):
            self.sights[number] = (*found, self._epoch_of(*found), self.ask())

    def note(self, number: int, page: Page[T], *, asked: int) -> Read[T]:
        """Write an answer down as it is read."""
        said = page.pagination.total, page.pagination.last_page
        *seen, epoch, answered = self.sights.pop(number, (0, 0, 0, 0))
        if tuple(seen) != said:
            epoch, answered = self._epoch_of(*said), self.ask()
        self.per_page = max(1, page.pagination.per_page)
        self.pages += 1
        self.idle += 1
        return Read(number, page, asked, answered, epoch)

    def _epoch_of(self, total: int, last_page: int) -> int:
        """Give the epoch of an answer that comes now: another total than the one before had begins a new one."""
        if self.total is None:
            self.least, self.first_last_page = total, last_page
        elif (total, last_page) != (self.total, self.last_page):
            self.epoch += 1
            self.least -= max(0, self.total - total)
        self.total, self.last_page = total, last_page
        return self.epoch

    def knows(self, read: Read[T]) -> bool:
        """Whether the page holds an item that was given already."""
        return self.holds(read, self.seen)

    def holds(self, read: Read[T], items: AbstractSet[Hashable]) -> bool:
        """Whether the page holds one of some items."""
        return not items.isdisjoint(map(self.key, read.page.items))

    def follows(self, before: Read[T], after: Read[T]) -> bool:
        """Whether nothing shows that the listing moved between two pages that stand next to each other."""
        last, first = before.page.pagination.to, after.page.pagination.from_
        in_place = last is None or first is None or first == last + 1
        return before.epoch == after.epoch and in_place and not self.knows(after)

    def take(self, read: Read[T]) -> tuple[T, ...]:
        """Give the items of a page that are new, and remember them."""
        items = read.page.items
        keys = {*map(self.key, items)}
        if len(keys) == len(items) and self.seen.isdisjoint(keys):
            self.seen |= keys
            self.count(len(items))
            return items
        if not self.whole:
            items = self.after_known(items)
        new: dict[Hashable, T] = {}
        for item in items:
            key = self.key(item)
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

    def after_known(self, items: tuple[T, ...]) -> tuple[T, ...]:
        """Give the items behind the last one that was given already, or all."""
        known = [place for place, item in enumerate(items, start=1) if self.key(item) in self.seen]
        return items[known[-1] :] if known else items

    def holds_still(self, before: Read[T], after: Read[T], again: Read[T]) -> bool:
        """Whether a page ended alike before and after the next one was read, while the listing only grew or shrank."""
        ends, ended = before.page.items, again.page.items
        totals = [read.page.pagination.total for read in (before, after, again)]
        return (
            len(ends) == len(ended) > 0
            and self.key(ends[-1]) == self.key(ended[-1])
            and totals in (sorted(totals), sorted(totals, reverse=True))
        )

    def only_grew(self, earlier: Read[T], after: Read[T], again: Read[T]) -> bool:
        """Whether a page that was read again holds the same items, and the listing never became shorter."""
        same = [*map(self.key, earlier.page.items)] == [*map(self.key, again.page.items)]
        reads = sorted((earlier, after, again), key=attrgetter("answered"))
        totals = [read.page.pagination.total for read in reads]
        return same and totals == sorted(totals)

    def adds_up(self) -> bool:
        """Whether as many items were given as must have been there; asked at the end of a whole walk."""
        return self.fresh >= self.least if self.drifted else self.fresh == self.total


def sighted(body: bytes) -> tuple[int, int] | None:
    """Find ``total`` and ``last_page`` in an answer that was not read yet; None where they are not to be seen."""
    found = dict(reversed(SIGHT.findall(body, max(0, body.rfind(b'"pagination"')))))
    if len(found) < len(("total", "last_page")):
        return None
    return int(found[b"total"]), int(found[b"last_page"])
