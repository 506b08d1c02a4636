"""Thousands of listings that move while they are walked, in three worlds: dates tell, changes tell, nothing tells."""

import asyncio
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from mihu_async import DriftError
from mihu_async.paging import drift, proof, walk
from tests.paging.listings import Move, Shelf, keep, page_of, pager_of
from tests.paging.test_walk import missing

WORLDS = {"dates": "insert delete", "changes": "insert delete enter enter touch", "nothing": "insert delete"}
"""What moves in each world; where changes tell, old items enter a filter, some of which had left it."""


def storm(seed: int, world: str, kinds: str) -> tuple[Shelf, int]:
    """Make a listing that moves at short notice, and the concurrency to walk it with."""
    chance = random.Random(f"{seed}-{world}-{kinds}")
    often = chance.choice([0.05, 0.1, 0.3, 0.5])
    moves = [
        Move(when, chance.choice(kinds.split()), chance.choice([0.0, 0.2, 0.4, 0.999, chance.random()]))
        for when in range(1, chance.randint(3, 40))
        for _ in range(chance.randint(1, 3) if chance.random() < often else 0)
    ]
    shelf = Shelf(
        chance.randint(0, 40),
        chance.randint(1, 7),
        moves,
        seed=seed,
        dated=world != "nothing",
        pace=chance.choice([0.01, 0.1, 0.3, 1.0]),
    )
    return shelf, chance.randint(1, 8)


def storms(count: int, world: str, kinds: str = "") -> Iterator[tuple[int, Shelf, int]]:
    """Make so many storms."""
    for seed in range(count):
        yield seed, *storm(seed, world, kinds or WORLDS[world])


def in_order(shelf: Shelf, given: list[str]) -> bool:
    """Tell whether the items that stayed were given in the listing's order."""
    stayed = set(shelf.stayed)
    places = [shelf.started.index(item) for item in given if item in stayed]
    return all(before < after for before, after in pairwise(places))


@pytest.mark.parametrize("world", WORLDS)
async def test_what_a_walk_says_is_proved(world):
    """Where a walk is complete, none was lost; but without dates, where all answers look as if nothing moved."""
    proved = 0
    for seed, shelf, concurrency in storms(1200, world):
        pager = shelf.pager(concurrency=concurrency)
        given = await pager.collect()
        report = pager.report
        proved += report.complete is True

        assert len(given) == len(set(given)), seed
        assert not (report.complete and missing(shelf, given)) or (world, report.proof) == ("nothing", "still"), seed
        assert len(given) == report.yielded, seed
        assert shelf.under_way == 0

    assert proved > {"dates": 1130, "changes": 1120, "nothing": 1000}[world]


@pytest.mark.parametrize("world", ["dates", "nothing"])
@pytest.mark.parametrize("kinds", ["delete", "insert"])
async def test_moves_of_one_kind_lose_nothing_and_keep_the_order(world, kinds):
    """Inserts alone are counted, and cost no second pass where dates tell."""
    for seed, shelf, concurrency in storms(500, world, kinds):
        pager = shelf.pager(concurrency=concurrency)
        given = await pager.collect()

        assert [] == missing(shelf, given), seed
        assert in_order(shelf, given), seed
        if (world, kinds) == ("dates", "insert"):
            assert "counted" == pager.report.proof, seed


BROKEN: dict[str, tuple[Any, str, Callable[..., Any], str]] = {
    "counted, but for one": (
        proof,
        "counted",
        lambda told: told.nth == 1 and told.there >= (told.total or 0) - 1,
        "dates",
    ),
    "counted by what was shown": (proof, "counted", lambda told: told.nth == 1 and told.shown == told.total, "dates"),
    "still, though dates tell": (proof, "still", lambda told: not told.moved and told.shown == told.total, "dates"),
    "still, though it moved": (proof, "still", lambda told: told.shown == told.total, "nothing"),
    "confirmed by any pass": (proof, "confirmed", lambda told: told.nth > 1, "nothing"),
    "confirmed by what was shown": (proof, "confirmed", lambda t: t.nth > 1 and t.shown == t.total, "nothing"),
    "any date is old": (drift, "older", lambda items, *_: len([*items]), "dates"),
    "bought is old, whatever changed": (
        drift,
        "older",
        lambda items, _, since: sum(item.bought < since.earliest for item in items),
        "changes",
    ),
    "no date came since": (drift, "came_since", lambda *_: False, "changes"),
    "one pass will do": (walk, "certificate", lambda told: "counted", "dates"),
}
"""Certificates that are each broken in one way, and the world in which that shows."""


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_certificate_is_caught(broken, monkeypatch):
    """The same storms find a loss that is called complete."""
    module, name, instead, world = BROKEN[broken]
    monkeypatch.setattr(module, name, instead)
    lost = 0
    for _, shelf, concurrency in storms(3000, world):
        pager = shelf.pager(concurrency=concurrency)
        given = await pager.collect()
        still = (world, pager.report.proof) == ("nothing", "still") and "still" not in broken
        lost += bool(pager.report.complete and missing(shelf, given) and not still)
        if lost:
            break

    assert lost
