"""The time of a walk with this SDK, with each peer over its own listing, and with bare aiohttp over the same bytes.

Each walks in its own process and environment, one at a time. A turn is bare aiohttp and this SDK over Mihu's pages,
with prefetching and page by page, then bare aiohttp and one peer over the peer's pages. So each ratio compares
walks that are adjacent in time.
"""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from benchmarks.peers import installed, version_of
from benchmarks.processes import Walker, serving
from benchmarks.shapes import PER_PAGE

PAGES, WARM, ROUNDS, TURNS = 400, 5, 3, 4
ONE_BY_ONE = "mihu, one by one"
"""The name of this SDK's walks with ``concurrency=1``."""
Figures = dict[str, float]


def measure() -> dict[str, Any]:
    """Walk in rounds, and return a list of turns for each peer, with the figures of the five walks."""
    turns: dict[str, list[dict[str, Figures]]] = {}
    with ExitStack() as stack:
        peers = {peer: stack.enter_context(_Race(peer, python)) for peer, python in installed().items()}
        own = stack.enter_context(_Race("mihu", Path(sys.executable)))
        broken = [race.name for race in (own, *peers.values()) if not race.warm()]
        for _ in range(ROUNDS):
            for peer, race in peers.items():
                if peer not in broken:
                    turns.setdefault(peer, []).append(_own_walks(own) | race.walk())
            turns.setdefault("mihu", []).extend(_own_walks(own) for _ in range(max(0, TURNS - len(peers))))
    return {
        "turns": turns,
        "versions": {peer: version_of(peer) for peer in peers},
        "skipped": [f"{peer} could not walk" for peer in broken],
    }


def _own_walks(own: "_Race") -> dict[str, Figures]:
    """Walk Mihu's pages with prefetching, and page by page right after, so that one bare walk is adjacent to both."""
    return own.walk() | {ONE_BY_ONE: own.walk_one_by_one()}


class _Race:
    """One SDK beside bare aiohttp, over the same bytes."""

    def __init__(self, name: str, python: Path) -> None:
        self.name = name
        self._python = python
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        self._bare = enter(Walker(Path(sys.executable), "bare"))
        self._sdk = enter(Walker(self._python, self.name))
        self._short, self._long = (enter(serving(self.name, pages=pages)) for pages in (WARM, PAGES))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def warm(self) -> bool:
        """Walk a few pages, because a first call pays for late imports. Return True if the SDK can walk."""
        self._bare.walk(self._short, shape=self.name)
        try:
            return self._sdk.walk(self._short)["items"] == WARM * PER_PAGE
        except (RuntimeError, OSError):
            return False

    def walk(self) -> dict[str, Figures]:
        """Walk with bare aiohttp and with the SDK."""
        taken = {
            f"bare {self.name}": self._bare.walk(self._long, shape=self.name),
            self.name: self._sdk.walk(self._long),
        }
        for name, figures in taken.items():
            assert figures["items"] == PAGES * PER_PAGE, f"{name} saw {figures['items']} items"
        return taken

    def walk_one_by_one(self) -> Figures:
        """Walk with the SDK alone, one page at a time."""
        return self._sdk.walk(self._long, concurrency=1)
