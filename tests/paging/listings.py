"""Listings in memory that move while they are read, for the tests of walks."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Self

from attrs import frozen

from mihu_async import Page, Pager, Pagination
from mihu_async.paging.page import Answer, Moment
from mihu_async.paging.proof import Dates
from mihu_async.paging.walk import Listing, WalkOptions

UNBOUNDED = 1_000_000
EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DATES: Dates[Any] = attrgetter("bought", "changed")


class Item(str):
    """An item that is known by its text, as a page showed it; a change makes another one of the same text."""

    __slots__ = ("__weakref__", "bought", "changed")
    bought: datetime | None
    changed: datetime | None

    def __new__(cls, text: str, bought: datetime | None = None, changed: datetime | None = None) -> Self:
        """Make one, with its dates."""
        item = super().__new__(cls, text)
        item.bought, item.changed = bought, changed
        return item


@frozen
class Move:
    """What happens just before the answer number ``when`` (from 0) is made.

    An item is inserted, deleted, touched, or an old one enters, which may be one that was deleted. ``where`` is a share
    of the list.
    """

    when: int
    kind: str
    where: float


def page_of(items: Sequence[Any], number: int, size: int) -> Page[Any]:
    """Cut a page as the service documents it."""
    cut = items[(number - 1) * size : number * size]
    last = max(1, -(-len(items) // size))
    return Page(
        items=tuple(cut),
        pagination=Pagination(
            current_page=number,
            per_page=size,
            total=len(items),
            last_page=last,
            has_more=number < last,
            from_=(number - 1) * size + 1 if cut else None,
            to=(number - 1) * size + len(cut) if cut else None,
        ),
    )


class Shelf:
    """A listing that answers in a random order of time, and moves as its script says.

    It has a clock of its own, which goes on by ``pace`` seconds with each turn of the loop. Where it is ``dated``, each
    item says when it was bought and changed, and each answer when it was made, both in whole seconds.
    """

    def __init__(
        self,
        count: int,
        size: int,
        moves: Iterable[Move] = (),
        *,
        seed: int = 0,
        dated: bool = False,
        pace: float = 1.0,
    ) -> None:
        self.now = EPOCH
        self.pace = timedelta(seconds=pace)
        self.dated = dated
        self.items: list[Any] = [self._made(f"item-{number}", age=timedelta(days=1)) for number in range(count)]
        self.size = size
        self.moves = sorted(moves, key=lambda move: move.when)
        self.asked: list[int] = []
        self.answers = 0
        self.gone: set[str] = set()
        self.under_way = 0
        self.most_under_way = 0
        self.started = tuple(self.items)
        self.room = UNBOUNDED
        self._random = random.Random(seed)
        self._made_so_far = 0

    @property
    def stayed(self) -> list[str]:
        """Every item that was there from the beginning to now, in order."""
        return [item for item in self.started if item not in self.gone]

    async def fetch(self, number: int, ready: Any) -> Answer[Any]:
        """Answer after some turns of the loop, with the listing as it is at one moment between them."""
        self.asked.append(number)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            sent = self.now
            await self._some_turns()
            self._move()
            page = page_of(self.items, number, self.size)
            self.answers += 1
            await self._some_turns()
            date = self.now.replace(microsecond=0)
            await self._some_turns()
            way = self.now - sent
            await ready.wait()
            return Answer(page, Moment(date - way - SECOND, date + SECOND) if self.dated else None)
        finally:
            self.under_way -= 1

    async def _some_turns(self) -> None:
        for _ in range(self._random.randrange(4)):
            self.now += self.pace
            await asyncio.sleep(0)

    def _made(self, text: str, age: timedelta | None = None) -> Item:
        """Make an item that is changed now, and bought then or some time ago."""
        if not self.dated:
            return Item(text)
        now = self.now.replace(microsecond=0)
        return Item(text, now - (age or timedelta()), now - (age or timedelta()))

    def _move(self) -> None:
        while self.moves and self.moves[0].when <= self.answers:
            move = self.moves.pop(0)
            place = int(move.where * len(self.items))
            if move.kind == "insert":
                self._made_so_far += 1
                self.items.insert(place, self._made(f"new-{self._made_so_far}"))
            elif move.kind == "enter":
                self._made_so_far += 1
                left = sorted(self.gone.difference(self.items))
                text = self._random.choice(left) if left and self._random.random() < 0.5 else f"old-{self._made_so_far}"
                entered = self._made(text)
                entered.bought = EPOCH - timedelta(days=1)
                self.items.insert(place, entered)
            elif self.items:
                place = min(place, len(self.items) - 1)
                if move.kind == "touch":
                    touched = self._made(self.items[place])
                    touched.bought = self.items[place].bought
                    self.items[place] = touched
                else:
                    self.gone.add(self.items.pop(place))

    def pager(self, *, concurrency: int = 1, start: int = 1) -> Pager[str]:
        """Make the pager over this listing."""
        return pager_of(
            self.fetch,
            concurrency=concurrency,
            start=start,
            room=lambda: self.room,
            dates=DATES if self.dated else None,
        )


class Scripted:
    """A listing of three a page whose answers are made and given in an order of the test's."""

    def __init__(self, *items: str) -> None:
        self.items = list(items)
        self.asked: list[int] = []
        self.waiting: dict[int, asyncio.Event] = {}
        self.made: dict[int, Any] = {}

    async def fetch(self, number: int, ready: Any) -> Any:
        """Answer with the page as it was made, or is now."""
        self.asked.append(number)
        if event := self.waiting.pop(number, None):
            await event.wait()
        page = self.made.pop(number, None) or page_of(self.items, number, 3)
        await ready.wait()
        return page


def pager_of(
    fetch: Any, *, concurrency: int = 1, start: int = 1, room: Any = lambda: UNBOUNDED, dates: Dates[Any] | None = None
) -> Pager[Any]:
    """Make a pager whose items are known by their text; what is fetched may be an answer or a page without a date."""

    async def answered(number: int, ready: Any) -> Answer[Any]:
        found = await fetch(number, ready)
        return found if isinstance(found, Answer) else Answer(found)

    listing: Listing[Any] = Listing(
        fetch=answered, key=str, path="/shelf", query="per_page=3", room=room, start=start, dates=dates
    )
    return Pager(listing, WalkOptions(concurrency=concurrency))


async def keep(items: list[Any], pager: Pager[Any]) -> None:
    """Walk, and keep what came before an error."""
    async for item in pager:
        items.append(item)  # noqa: PERF401 - a comprehension would lose what came before the error
