"""Contention between the calls of one client: those that make the same thing wait for each other.

No call returns a thing that another one has returned already.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field

KEPT = 10_000
"""The number of claimed things that are remembered."""


@define
class _Place:
    lock: asyncio.Lock
    users: int = 0


@define
class Contention:
    """A lock for each thing that calls want to make, in each event loop, and a record of which call made which thing.

    A client shares it with the clients that its ``with_options`` returns.
    """

    _places: dict[tuple[asyncio.AbstractEventLoop, str], _Place] = field(factory=dict[Any, Any], init=False)
    _owners: dict[str, object] = field(factory=dict[str, object], init=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys whose lock a call has or waits for."""
        return tuple(key for _, key in self._places)

    @asynccontextmanager
    async def lock_for(self, key: str) -> AsyncGenerator[asyncio.Lock]:
        """Lend the lock of a key; it is forgotten once no call uses it any more."""
        where = asyncio.get_running_loop(), key
        place = self._places.setdefault(where, _Place(asyncio.Lock()))
        place.users += 1
        try:
            yield place.lock
        finally:
            place.users -= 1
            if not place.users:
                del self._places[where]

    def claim(self, identity: str, owner: object) -> None:
        """Note that ``owner``, a call or a key for several, made the thing of this identity."""
        self._owners[identity] = owner
        while len(self._owners) > KEPT:
            del self._owners[next(iter(self._owners))]

    def is_anothers(self, identity: str, owner: object) -> bool:
        """Return True if another than ``owner`` made the thing of this identity."""
        return self._owners.get(identity, owner) != owner
