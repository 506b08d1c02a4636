"""Notifies watchers in an event loop which parts of a sandbox changed."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

PARTS = ("faults", "inventory", "journal")
"""The parts of a sandbox that can change."""


class Subscription:
    """Collects the names of changed parts until its watcher reads them."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self._arrived: asyncio.Event = asyncio.Event()
        self._parts: set[str] = set()

    async def next(self) -> tuple[str, ...]:
        """Return the parts that changed since the last call; wait while there are none."""
        await self._arrived.wait()
        self._arrived.clear()
        parts, self._parts = self._parts, set()
        return tuple(sorted(parts))

    def note(self, part: str) -> None:
        """Record a change. Safe to call from any thread."""
        with suppress(RuntimeError):  # the loop of a watcher that has just ended is closed
            self._loop.call_soon_threadsafe(self._add, part)

    def _add(self, part: str) -> None:
        self._parts.add(part)
        self._arrived.set()


class Changes:
    """Passes the names of changed parts on to all subscriptions. Without a subscription, it costs nothing."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()

    def note(self, part: str) -> None:
        """Notify every subscription of a change. Safe to call from any thread."""
        for subscription in self._subscriptions:
            subscription.note(part)

    @contextmanager
    def subscribed(self) -> Generator[Subscription]:
        """Subscribe for the duration of a block, from within an event loop."""
        subscription = Subscription()
        self._subscriptions = (*self._subscriptions, subscription)
        try:
            yield subscription
        finally:
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
