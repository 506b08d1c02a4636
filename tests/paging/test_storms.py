"""Thousands of listings that move while they are walked, in three worlds: dates tell, changes tell, nothing tells."""

import asyncio
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from mihu_async import DriftError
from mihu_async.paging import drift, proof, walk
from tests.paging.listings import Move, Scripted, Shelf, keep, page_of, pager_of
from tests.paging.test_walk import missing

pytestmark = pytest.mark.slow

WORLDS = {"dates": "insert delete", "changes": "insert delete enter enter touch", "nothing": "insert delete"}
"""What moves in each world; where changes tell, old items enter a filter, some of which had left it."""


def storm(seed: int, world: str, kinds: str) -> tuple[Shelf, int]:
    """Make a listing that moves at short notice, and the concurrency to walk it with.

    Where it moves both ways, some moves are pairs that no total shows: one goes in front, and one comes at the end.
    """
    chance = random.Random(f"{seed}-{world}-{kinds}")
    often, hidden = chance.choice([0.05, 0.1, 0.3, 0.5]), chance.choice([0.0, 0.3, 0.9]) * (" " in kinds)
    moves: list[Move] = []
    for when in range(1, chance.randint(3, 40)):
        if chance.random() > often:
            continue
        if chance.random() < hidden:
            moves += [Move(when, "delete", 0.0), Move(when, "insert", 0.999)]
            continue
        for _ in range(chance.randint(1, 3)):
            where = chance.choice([0.0, 0.2, 0.4, 0.999, chance.random()])
            moves.append(Move(when, chance.choice(kinds.split()), where))
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
    proved, count = 0, 1500
    for seed, shelf, concurrency in storms(count, world):
        pager = shelf.pager(concurrency=concurrency)
        given = await pager.collect()
        report = pager.report
        proved += report.complete is True

        assert len(given) == len(set(given)), seed
        assert not (report.complete and missing(shelf, given)) or (world, report.proof) == ("nothing", "still"), seed
        assert len(given) == report.yielded, seed
        assert shelf.under_way == 0

    assert proved > count * (10 if world == "nothing" else 11) // 12


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


BROKEN: dict[str, tuple[dict[Any, Any], str, Callable[..., Any], str]] = {
    "counted, but for one": (
        proof.CERTIFICATES,
        "counted",
        lambda evidence: evidence.old >= (evidence.first or 0) - 1,
        "dates",
    ),
    "counted by what was shown": (
        proof.CERTIFICATES,
        "counted",
        lambda evidence: evidence.nth == 1 and evidence.shown == evidence.total,
        "dates",
    ),
    "still, though dates tell": (
        proof.CERTIFICATES,
        "still",
        lambda evidence: not evidence.moved and evidence.shown == evidence.total,
        "dates",
    ),
    "still, though it moved": (
        proof.CERTIFICATES,
        "still",
        lambda evidence: evidence.shown == evidence.total,
        "nothing",
    ),
    "confirmed by any pass": (proof.CERTIFICATES, "confirmed", lambda evidence: evidence.nth > 1, "nothing"),
    "confirmed by what was shown": (
        proof.CERTIFICATES,
        "confirmed",
        lambda t: t.nth > 1 and t.shown == t.total,
        "nothing",
    ),
    "any date is old": (drift.__dict__, "older", lambda items, *_: len([*items]), "dates"),
    "bought is old, whatever changed": (
        drift.__dict__,
        "older",
        lambda items, _, since: sum(item.bought < since.earliest for item in items),
        "changes",
    ),
    "one pass will do": (walk.__dict__, "certificate", lambda evidence: "counted", "dates"),
}
"""Certificates that are each broken in one way, and the world in which that shows."""


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_certificate_is_caught(broken, monkeypatch):
    """The same storms find a loss that is called complete."""
    namespace, name, instead, world = BROKEN[broken]
    monkeypatch.setitem(namespace, name, instead)
    lost = 0
    for _, shelf, concurrency in storms(3000, world):
        pager = shelf.pager(concurrency=concurrency)
        given = await pager.collect()
        still = (world, pager.report.proof) == ("nothing", "still") and "still" not in broken
        lost += bool(pager.report.complete and missing(shelf, given) and not still)
        if lost:
            break

    assert lost


@pytest.mark.parametrize("dated", [True, False])
async def test_moves_that_each_answer_shows_lose_nothing_read_one_by_one(dated):
    """Inserted behind page 2, again behind it, deleted before it, and inserted behind page 4: an item slipped once."""
    for places in ((0.999, 0.999, 0.999), (0.5, 0.999, 0.999), (0.2, 0.7, 0.999), (0.0, 0.0, 0.999)):
        first, second, last = (Move(when, "insert", where) for when, where in zip((2, 3, 5), places, strict=True))
        shelf = Shelf(13, 3, [first, second, Move(4, "delete", 0.1), last], dated=dated)
        pager = shelf.pager()
        given = await pager.collect()

        assert [] == missing(shelf, given)
        assert pager.report.complete


async def test_moves_that_overtaken_answers_show_lose_nothing():
    """At concurrency 2, the third page is answered before the second, and is the younger of the two."""
    listing = Scripted(*(f"i{number}" for number in range(8)))
    pager = pager_of(listing.fetch, concurrency=2)
    pages = pager.pages()
    given = [*await anext(pages)]
    listing.waiting[2] = second = asyncio.Event()
    listing.items.insert(1, "x")
    listing.made[2] = page_of(listing.items, 2, 3)
    listing.items.remove("i3")
    listing.made[3] = page_of(listing.items, 3, 3)
    listing.items.append("y")
    reading = asyncio.ensure_future(anext(pages))
    await asyncio.sleep(0)
    second.set()
    given += await reading
    given += [item async for page in pages for item in page]

    assert [f"i{number}" for number in range(8)] == [item for item in given if item.startswith("i")]
    assert "confirmed" == pager.report.proof


@pytest.mark.parametrize("kind", ["delete", "insert"])
async def test_raise_misses_nothing_before_it_raises(kind):
    """Every item that stayed up to there was given once, and a silent end is a whole walk."""
    for seed, shelf, concurrency in storms(600, "nothing", kind):
        given: list[str] = []
        raised = False
        try:
            await keep(given, shelf.pager(concurrency=concurrency).with_options(on_drift="raise"))
        except DriftError:
            raised = True
        old = [item for item in given if item in shelf.started]
        upto = shelf.started.index(old[-1]) + 1 if old and raised else 0 if raised else len(shelf.started)

        assert len(given) == len(set(given)), seed
        assert set(shelf.stayed) & set(shelf.started[:upto]) <= set(given), seed


@pytest.mark.parametrize("world", ["dates", "changes"])
async def test_a_walk_that_goes_on_counts_on(world):
    """What two walks gave together is called complete only where it is, and some of it is."""
    counted = 0
    for seed, shelf, concurrency in storms(800, world):
        first = shelf.pager(concurrency=concurrency)
        taken = random.Random(seed).randint(1, 40)
        given: list[str] = []
        async with first:
            async for item in first:
                if len(given) == taken:
                    break
                given.append(item)
        second = shelf.pager(concurrency=concurrency).with_options(resume=first.checkpoint())
        given += await second.collect()
        counted += second.report.proof == "counted"

        assert not (second.report.complete and missing(shelf, given)), seed

    assert counted > 400


COSTS = {
    ("recover", "insert"): {"dates": 1.2, "nothing": 2.6},
    ("recover", "delete"): {"dates": 1.7, "nothing": 1.9},
    ("recover", "insert delete"): {"dates": 2.1, "nothing": 2.2},
    ("verify", "insert"): {"dates": 2.1, "nothing": 3.2},
    ("verify", "delete"): {"dates": 2.1, "nothing": 2.3},
    ("verify", "insert delete"): {"dates": 2.6, "nothing": 3.2},
}
"""How many requests a page a walk costs in storms, by mode, kinds and world: the table of docs/walks.md."""


@pytest.mark.parametrize("world", ["dates", "nothing"])
@pytest.mark.parametrize(("mode", "kinds"), COSTS)
async def test_a_walk_costs_in_storms_what_the_documentation_says(mode, kinds, world):
    """Requests for each page that the listing had at the most."""
    asked = pages = 0
    for _, shelf, concurrency in storms(300, world, kinds):
        most = len(shelf.items)
        pager = shelf.pager(concurrency=concurrency).with_options(on_drift=mode)
        await pager.collect()
        asked += len(shelf.asked)
        pages += max(1, -(-max(most, len(shelf.items)) // shelf.size))

    assert COSTS[mode, kinds][world] == pytest.approx(asked / pages, abs=0.1)
