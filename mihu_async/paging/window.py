"""Ordered prefetch: pages are fetched ahead of the caller, a few at a time, and given in order.

Knows page numbers and tasks; what a page holds is not its concern.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

P = TypeVar("P")

UNPROVEN = 12
"""How many pages may be under way in a short listing before twice as many have come.

So of a walk that meets a limit for the first time, no more requests are refused than a fifth of its pages, or a dozen.
"""


class Turn:
    """A page's turn to be read, awaited with its bytes: it comes when the caller asks for the page.

    Until then a page that was fetched ahead is bytes. So only one page at a time is made into models, and what the
    caller's asking begins is on its way before that work.
    """

    def __init__(self) -> None:
        self._come = asyncio.Event()

    def come(self) -> None:
        """Let the page be read."""
        self._come.set()

    async def __call__(self, _: bytes) -> None:
        """Wait for the turn."""
        await self._come.wait()


class Window(Generic[P]):
    """Fetches up to ``most`` pages at a time, counted from the one that the caller asks for.

    It begins with one and doubles with each page that is asked for, so that a caller who stops on the first page cost
    one request. Beyond a dozen pages, and a fifth of the listing, it is half as wide as the number of pages that have
    come. There are never more of them than ``room()`` says that the client may have under way. Nothing is fetched but
    in :meth:`read`, so a slow caller is waited for.
    """

    def __init__(
        self,
        fetch: Callable[[int, Turn], Awaitable[P]],
        *,
        most: int,
        room: Callable[[], int],
    ) -> None:
        self._fetch = fetch
        self._most = most
        self._room = room
        self._width = 1
        self._finished = 0
        self._begun: dict[int, tuple[Turn, asyncio.Task[P]]] = {}

    @property
    def width(self) -> int:
        """How many pages the next read may have under way."""
        return self._width

    async def read(self, number: int, *, last: int) -> P:
        """Give page ``number``, and fetch ahead up to page ``last``. A page that failed raises when its turn comes."""
        width = min(self._width, self._room(), max(UNPROVEN, last // 5, self._finished // 2))
        for ahead in (number, *range(number + 1, min(number + width, last + 1))):
            if ahead not in self._begun:
                turn = Turn()
                self._begun[ahead] = turn, asyncio.ensure_future(self._fetch(ahead, turn))
        turn, task = self._begun[number]
        turn.come()
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
