"""Ordered prefetch: pages are fetched ahead of the caller, a few at a time, and given in order."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

P = TypeVar("P")

UNPROVEN = 12
"""How many pages may be under way before twice as many have come, so that a limit refuses no more the first time."""


class Window(Generic[P]):
    """Fetches up to ``most`` pages at a time, from the one that the caller asks for; no more than ``room()`` says.

    It begins with one and doubles with each page that is asked for. Beyond a dozen pages, and a fifth of the listing,
    it is half as wide as the number of pages that have come. A slow caller is waited for: each fetch is given an event
    that is set when the caller asks for its page, so that only one at a time is made into models.
    """

    def __init__(self, fetch: Callable[[int, Event], Awaitable[P]], *, most: int, room: Callable[[], int]) -> None:
        self._fetch = fetch
        self._most = most
        self._room = room
        self._width = 1
        self._finished = 0
        self._begun: dict[int, tuple[Event, asyncio.Task[P]]] = {}

    async def read(self, number: int, *, last: int = 0) -> P:
        """Return page ``number``, and fetch ahead up to page ``last``. A page that failed raises only now."""
        width = min(self._width, self._room(), max(UNPROVEN, last // 5, self._finished // 2))
        for ahead in (number, *range(number + 1, min(number + width, last + 1))):
            if ahead not in self._begun:
                ready = Event()
                self._begun[ahead] = ready, asyncio.ensure_future(self._fetch(ahead, ready))
        ready, task = self._begun[number]
        ready.set()
        try:
            return await task
        finally:
            del self._begun[number]
            self._finished += 1
            self._width = min(self._most, max(1, self._width * 2))

    async def clear(self) -> None:
        """Cancel and await what is under way, and forget what was fetched ahead. The next two pages come one by one."""
        self._width = 0
        tasks = [task for _, task in self._begun.values()]
        self._begun.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
