"""Ordered prefetch: pages are fetched ahead of the caller, a few at a time, and returned in order."""

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

P = TypeVar("P")

UNPROVEN = 12
"""The width of a window before twice as many pages have arrived, which bounds the first refusals of a limit."""


class Window(Generic[P]):
    """A window of prefetched pages, which begins with one page and doubles with each page that the caller requests.

    Beyond a dozen pages, and a fifth of the listing, it is at most half as wide as the number of pages
    that have arrived. It waits for a slow caller: each fetch gets an event that is set when the caller asks for its
    page, so that only one page at a time is decoded into models.

    Args:
        fetch: The function that fetches a page.
        most: The most pages to fetch at a time.
        room: Returns the number of pages that the client may have under way now.
    """

    def __init__(self, fetch: Callable[[int, Event], Awaitable[P]], *, most: int, room: Callable[[], int]) -> None:
        self._fetch = fetch
        self._most = most
        self._room = room
        self._width = 1
        self._finished = 0
        self._begun: dict[int, tuple[Event, asyncio.Task[P]]] = {}

    async def read(self, number: int, *, last: int = 0) -> P:
        """Return page ``number``, and prefetch up to page ``last``. The error of a prefetched page is raised only now.

        Args:
            number: The number of the page.
            last: The number of the last page to fetch ahead; 0 fetches none ahead.
        """
        width = min(self._width, self._room(), max(UNPROVEN, last // 5, self._finished // 2))
        for ahead in (number, *range(number + 1, min(number + width, last + 1))):
            if ahead not in self._begun:
                ready = Event()
                self._begun[ahead] = ready, asyncio.ensure_future(self._fetch(ahead, ready))
        ready, task = self._begun.pop(number)
        ready.set()
        try:
            return await task
        finally:
            self._finished += 1
            self._width = min(self._most, max(1, self._width * 2))

    async def clear(self) -> None:
        """Cancel and await the fetches under way, and forget the prefetched pages.

        The next two pages are fetched one by one.
        """
        self._width = 0
        tasks, self._begun = [task for _, task in self._begun.values()], {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
