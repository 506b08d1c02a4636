"""The calls of one client that want the same thing wait for each other, and none is given what another one has."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field

KEPT = 10_000
"""How many things that were given are remembered."""


@define
class _Place:
    lock: asyncio.Lock
    users: int = 0


@define
class Contention:
    """A lock for each thing that a call wants to make, in each event loop, and who was given what.

    A client and those that its ``with_options`` gives share one.
    """

    _places: dict[tuple[asyncio.AbstractEventLoop, str], _Place] = field(factory=dict[Any, Any], init=False)
    _owners: dict[str, object] = field(factory=dict[str, object], init=False)

    @asynccontextmanager
    async def place(self, key: str) -> AsyncGenerator[asyncio.Lock]:
        """Lend the lock of a key, which is forgotten when nobody uses it any more."""
        where = asyncio.get_running_loop(), key
        place = self._places.setdefault(where, _Place(asyncio.Lock()))
        place.users += 1
        try:
            yield place.lock
        finally:
            place.users -= 1
            if not place.users:
                del self._places[where]

    def give(self, identity: str, owner: object) -> None:
        """Note that a call was given something."""
        self._owners[identity] = owner
        while len(self._owners) > KEPT:
            del self._owners[next(iter(self._owners))]

    def is_anothers(self, identity: str, owner: object) -> bool:
        """Return True if another call was given it."""
        return self._owners.get(identity, owner) is not owner
