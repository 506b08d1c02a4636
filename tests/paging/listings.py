"""Listings in memory that move while they are read, for the tests of walks."""

import asyncio
import itertools
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from attrs import frozen

from mihu_async import Page, Pager, Pagination
from mihu_async.paging.pager import WalkOptions
from mihu_async.paging.walk import Listing

UNBOUNDED = 1_000_000


@frozen
class Move:
    """An item that comes or goes just before the answer number ``when`` (from 0) is made.

    ``where`` is a share of the list.
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
    """A listing that answers in a random order of time, and moves as its script says."""

    def __init__(self, count: int, size: int, moves: Iterable[Move] = (), *, seed: int = 0) -> None:
        self.items = [f"item-{number}" for number in range(count)]
        self.size = size
        self.moves = sorted(moves, key=lambda move: move.when)
        self.asked: list[int] = []
        self.answers = 0
        self.gone: set[str] = set()
        self.script = tuple(self.moves)
        self.shown = {0}
        self.under_way = 0
        self.most_under_way = 0
        self.started = tuple(self.items)
        self.room = UNBOUNDED
        self._random = random.Random(seed)
        self._new = itertools.count()

    @property
    def stayed(self) -> list[str]:
        """Every item that was there from the beginning to now, in order."""
        return [item for item in self.started if item not in self.gone]

    @property
    def hid(self) -> bool:
        """Whether moves of both kinds came between two answers, so that none could show what happened."""
        kinds = [{move.kind for move in self.script[a:b]} for a, b in pairwise(sorted(self.shown))]
        return any(len(both) > 1 for both in kinds)

    async def fetch(self, number: int, turn: Any) -> Page[str]:
        """Answer after some turns of the loop, with the listing as it is at one moment between them."""
        self.asked.append(number)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self._some_turns()
            self._move()
            page = page_of(self.items, number, self.size)
            self.answers += 1
            moved = len(self.script) - len(self.moves)
            await self._some_turns()
            self.shown.add(moved)
            said = page.pagination
            await turn(b'{"pagination":{"total":%d,"last_page":%d}}' % (said.total, said.last_page))
            return page
        finally:
            self.under_way -= 1

    async def _some_turns(self) -> None:
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)

    def _move(self) -> None:
        while self.moves and self.moves[0].when <= self.answers:
            move = self.moves.pop(0)
            place = int(move.where * len(self.items))
            if move.kind == "insert":
                self.items.insert(place, f"new-{next(self._new)}")
            elif self.items:
                self.gone.add(self.items.pop(min(place, len(self.items) - 1)))

    def pager(self, *, concurrency: int = 1, start: int = 1) -> Pager[str]:
        """Make the pager over this listing."""
        return pager_of(self.fetch, concurrency=concurrency, start=start, room=lambda: self.room)


def pager_of(fetch: Any, *, concurrency: int = 1, start: int = 1, room: Any = lambda: UNBOUNDED) -> Pager[Any]:
    """Make a pager whose items are known by their text."""
    listing: Listing[Any] = Listing(fetch=fetch, key=str, path="/shelf", query="per_page=3", room=room, start=start)
    return Pager(listing, WalkOptions(concurrency=concurrency))


async def keep(items: list[Any], pager: Pager[Any]) -> None:
    """Walk, and keep what came before an error."""
    async for item in pager:
        items.append(item)  # noqa: PERF401 - a comprehension would lose what came before the error
