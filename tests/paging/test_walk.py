"""What each mode promises, held against listings that move while they are read."""

import asyncio
import logging
import random
from typing import Any
from weakref import WeakSet

import pytest
from attrs import evolve

from mihu_async import DriftError, Page, Pagination, PaginationError, Problem, WalkReport
from mihu_async.paging.checkpoint import ANCHORS
from mihu_async.paging.drift import MOST_READS, OnDrift, compact_keys
from mihu_async.paging.walk import nearest
from tests.paging.listings import Move, Scripted, Shelf, page_of, pager_of


def missing(shelf: Shelf, given: list[str]) -> list[str]:
    """Name the items that stayed from beginning to end and were not given."""
    return [item for item in shelf.stayed if item not in given]


@pytest.mark.parametrize("size", [1, 3, 7])
@pytest.mark.parametrize("concurrency", [1, 4, 16])
@pytest.mark.parametrize("mode", ["recover", "raise"])
@pytest.mark.parametrize(("dated", "proof"), [(True, "counted"), (False, "still")])
async def test_a_walk_without_drift_costs_its_pages(size, concurrency, mode, dated, proof):
    """Not one request is spent on a movement that did not happen."""
    shelf = Shelf(30, size, dated=dated)
    pager = shelf.pager(concurrency=concurrency).with_options(on_drift=mode)

    assert shelf.items == await pager.collect()
    assert list(range(1, -(-30 // size) + 1)) == sorted(shelf.asked)
    expected = WalkReport(expected=30, yielded=30, pages=len(shelf.asked), complete=True, proof=proof)
    assert expected == pager.report


@pytest.mark.parametrize("dated", [True, False])
async def test_verify_costs_the_listing_twice(dated):
    """Where nothing moved, the second pass confirms the first; nothing is called proved before."""
    shelf = Shelf(10, 3, dated=dated)
    pager = shelf.pager().with_options(on_drift="verify")
    given = [(item, pager.report.proof) async for item in pager]

    assert [(item, None) for item in shelf.started] == given
    assert [1, 2, 3, 4] * 2 == shelf.asked
    assert "confirmed" == pager.report.proof
    assert not pager.report.drifted


@pytest.mark.slow
async def test_verify_finds_what_cancelling_moves_hid():
    """A delete before and an insert after the place that is read leave every total as it was."""
    modes: tuple[OnDrift, ...] = ("recover", "verify")
    lost_by: dict[OnDrift, int] = dict.fromkeys(modes, 0)
    for seed in range(1500):
        chance = random.Random(seed)
        moves = []
        for when in sorted(chance.sample(range(1, 8), chance.randint(1, 3))):
            moves += [Move(when, "delete", 0.0), Move(when, "insert", 0.999)]
        for mode in lost_by:
            shelf = Shelf(21, 3, moves, seed=seed)
            pager = shelf.pager(concurrency=chance.randint(1, 8)).with_options(on_drift=mode)
            given = await pager.collect()
            lost_by[mode] += bool(missing(shelf, given))
            assert len(given) == len(set(given))
            if mode == "verify":
                assert pager.report.complete, seed

    assert lost_by["recover"] > 100
    assert 0 == lost_by["verify"]


@pytest.mark.parametrize(("mode", "passes"), [("recover", 3), ("verify", 5)])
async def test_a_walk_says_when_nothing_proves_it(mode, passes, caplog):
    """A listing that moves in every pass is read a bounded number of times, and the log says what was counted."""
    shelf = Shelf(9, 3, [Move(when, "insert", 0.0) for when in range(1, 400)])
    pager = shelf.pager().with_options(on_drift=mode)
    await pager.collect()

    assert (False, None) == (pager.report.complete, pager.report.proof)
    assert passes == shelf.asked.count(1)
    assert [logging.WARNING] == [record.levelno for record in caplog.records]
    assert f"items that were there when pass {passes} began are known to have been yielded" in caplog.text


@pytest.mark.parametrize(
    ("moves", "drifts"),
    [
        ([], False),
        ([Move(1, "insert", 0.999)], False),
        ([Move(when, "insert", 0.999) for when in range(1, 6)], False),
        ([Move(2, "insert", 0.0)], True),
        ([Move(2, "delete", 0.0)], True),
        ([Move(2, "delete", 0.999)], True),
        ([Move(2, "delete", 0.0), Move(2, "insert", 0.999), Move(2, "insert", 0.999)], True),
    ],
    ids=["still", "grows", "grows on", "inserted before", "deleted before", "deleted behind", "mixed"],
)
@pytest.mark.parametrize("concurrency", [1, 5])
async def test_raise_tells_of_a_shift_and_not_of_growth(moves, drifts, concurrency):
    """What comes at the far end is given too; what shifts ends the walk, with the place to go on from."""
    shelf = Shelf(15, 3, moves)
    pager = shelf.pager(concurrency=concurrency).with_options(on_drift="raise")
    if drifts:
        with pytest.raises(DriftError, match="The listing changed") as caught:
            await asyncio.create_task(pager.collect())
        assert caught.value.checkpoint is not None
        assert pager.report.complete is None
    else:
        assert shelf.stayed == [item for item in await pager.collect() if item in shelf.started]
        assert pager.report.complete
    assert 0 == shelf.under_way


async def test_ignore_gives_the_pages_as_they_come(caplog):
    """What was shifted comes twice, and the report says that it cannot promise."""
    shelf = Shelf(9, 3, [Move(1, "insert", 0.0)])
    pager = shelf.pager().with_options(on_drift="ignore")
    given = await pager.collect()

    assert 10 == len(given)
    assert given.count("item-2") == 2
    assert WalkReport(expected=10, yielded=10, pages=4, drifted=True, complete=False) == pager.report
    assert "is not proved to be complete" in caplog.text


@pytest.mark.parametrize("dated", [True, False])
async def test_ignore_proves_nothing_once_it_has_forgotten_items(dated, caplog):
    """Rows that a database sorts differently for each page come twice, and others never, while the total stays."""
    shelf = Shelf(6, 2, dated=dated)
    pager = shelf.pager().with_options(on_drift="ignore")
    walk = pager.pages()
    given = [*await anext(walk), *await anext(walk)]
    shelf.items[0], shelf.items[4] = shelf.items[4], shelf.items[0]
    async for page in walk:
        given += page

    assert 6 == len(given)
    assert 5 == len(set(given))
    assert WalkReport(expected=6, yielded=6, pages=3, complete=False) == pager.report
    assert "remembers only one page" in caplog.text


@pytest.mark.parametrize(("dated", "proof"), [(True, "counted"), (False, "still")])
async def test_ignore_proves_two_pages(dated, proof):
    """Each of two pages is compared with the other one."""
    pager = Shelf(6, 3, dated=dated).pager().with_options(on_drift="ignore")

    assert 6 == len(await pager.collect())
    assert WalkReport(expected=6, yielded=6, pages=2, complete=True, proof=proof) == pager.report


async def test_a_shift_to_the_right_costs_nothing():
    """A page that begins with what was given joins on by itself; the duplicate is dropped and counted."""
    shelf = Shelf(9, 3, [Move(1, "insert", 0.0)], dated=True)
    pager = shelf.pager()
    expected = WalkReport(expected=10, yielded=9, duplicates=1, pages=4, drifted=True, complete=True, proof="counted")

    assert list(shelf.started) == await pager.collect()
    assert [1, 2, 3, 4] == shelf.asked
    assert expected == pager.report


async def test_a_shift_to_the_left_steps_back_a_page():
    """What slipped over the edge is read where it is now, and the walk goes on from there."""
    shelf = Shelf(9, 3, [Move(1, "delete", 0.0)], dated=True)
    pager = shelf.pager()

    assert list(shelf.started) == await pager.collect()
    assert [1, 2, 1, 2, 3] == shelf.asked
    assert WalkReport(expected=8, yielded=9, pages=5, drifted=True, complete=True, proof="counted") == pager.report


async def test_what_slipped_is_counted_by_the_pass_that_gives_it():
    """The first answer's count goes on in later passes, which need not hold still for it."""
    shelf = Shelf(9, 3, [Move(1, "delete", 0.0), Move(1, "insert", 0.999), Move(5, "delete", 0.999)], dated=True)
    pager = shelf.pager()

    assert {*shelf.started, "new-1"} == {*await pager.collect()}
    assert [1, 2, 3, 1, 2, 3, 2, 3] == shelf.asked
    assert "counted" == pager.report.proof


async def test_without_dates_a_move_costs_a_second_pass():
    """Nothing but reading again tells that all was given."""
    shelf = Shelf(9, 3, [Move(1, "insert", 0.0)])
    pager = shelf.pager()

    assert [*shelf.started, "new-1"] == await pager.collect()
    assert [1, 2, 3, 4] * 3 == shelf.asked
    assert "confirmed" == pager.report.proof


async def test_all_that_was_given_may_be_gone():
    """Where no known item is left, the walk begins again and loses nothing."""
    shelf = Shelf(12, 3, [Move(2, "delete", 0.0)] * 6)

    assert list(shelf.started) == await shelf.pager().collect()


async def test_an_unstable_sort_is_not_promised(caplog):
    """A service that shuffles its listing is read to an end, and the report says no."""
    chance = random.Random(3)

    class Shuffled(Shelf):
        def _move(self) -> None:
            chance.shuffle(self.items)

    shelf = Shuffled(60, 5)
    pager = shelf.pager(concurrency=4)
    given = await pager.collect()

    assert len(given) == len(set(given)) < 60
    assert pager.report.complete is False
    assert len(shelf.asked) < 200
    assert "is not proved" in caplog.text


@pytest.mark.parametrize("kind", ["insert", "delete"])
async def test_a_listing_that_never_stops_moving_is_read_to_an_end(kind):
    """Changes at every single answer end in a bounded number of requests."""
    shelf = Shelf(200, 5, [Move(when, kind, 0.3) for when in range(2000)])
    pager = shelf.pager(concurrency=4)
    given = await pager.collect()

    assert [] == missing(shelf, given)
    assert len(shelf.asked) < 2000


async def test_a_total_that_lies_is_not_promised():
    """All that was shown is given, and does not add up."""

    async def fetch(number, ready):
        page = page_of(list("abcdef"), number, 2)
        return page.__class__(items=page.items, pagination=evolve(page.pagination, total=50))

    pager = pager_of(fetch)

    assert list("abcdef") == await pager.collect()
    assert pager.report.complete is False


async def test_metadata_without_positions_will_do():
    """From and to may be null throughout."""

    async def fetch(number, ready):
        page = page_of(list("abcdef"), number, 2)
        return evolve(page, pagination=evolve(page.pagination, from_=None, to=None))

    pager = pager_of(fetch, concurrency=2)

    assert list("abcdef") == await pager.collect()
    assert pager.report.complete


@pytest.mark.parametrize("mode", ["recover", "verify", "raise", "ignore"])
@pytest.mark.parametrize("concurrency", [1, 16])
async def test_what_was_given_is_let_go(mode, concurrency):
    """However wide the window is: what is held is a page and what a checkpoint names."""

    class Item(str):
        __slots__ = ("__weakref__",)

    held: WeakSet[Item] = WeakSet()
    most = 0

    async def fetch(number, ready):
        page = page_of([f"item-{place}" for place in range(800)], number, 20)
        await ready.wait()
        items = tuple(map(Item, page.items))
        held.update(items)
        return evolve(page, items=items)

    async for _ in pager_of(fetch, concurrency=concurrency).with_options(on_drift=mode):
        most = max(most, len(held))

    assert most <= 20 + ANCHORS


async def test_an_empty_page_in_the_middle_is_no_end():
    """The walk goes on, and says that the items it was promised did not come."""

    async def fetch(number, ready):
        page = page_of(list("abcdef"), number, 2)
        return evolve(page, items=()) if number == 2 else page

    pager = pager_of(fetch)

    assert list("abef") == await pager.collect()
    assert pager.report.complete is False


@pytest.mark.parametrize("mode", ["recover", "verify", "raise", "ignore"])
@pytest.mark.parametrize("items", [["same"], []], ids=["the same page", "empty pages"])
async def test_a_service_that_promises_more_for_ever_is_left(mode, items):
    """Though every echo is right, the walk ends after a bounded number of pages."""
    asked: list[int] = []

    async def fetch(number, ready):
        asked.append(number)
        page = page_of(["same"], 1, 1)
        moved = evolve(page.pagination, current_page=number, last_page=number + 1, has_more=True, from_=None, to=None)
        return evolve(page, items=tuple(items), pagination=moved)

    with pytest.raises(PaginationError):
        await pager_of(fetch, concurrency=4).with_options(on_drift=mode).collect()

    assert len(asked) < 200


def vast(items: list[str], asked: list[int], *, more: bool) -> Any:
    """Make a fetch of a listing whose last page is said to be absurdly far away."""

    async def fetch(number, ready):
        asked.append(number)
        page = page_of(items, 1, 3)
        place = evolve(page.pagination, current_page=number, last_page=10**30, has_more=more, from_=None, to=None)
        return evolve(page, pagination=place)

    return fetch


async def test_an_absurd_last_page_costs_nothing():
    """The pages up to it are neither listed nor asked for if nothing more is promised."""
    asked: list[int] = []
    pager = pager_of(vast(["a"], asked, more=False))

    assert ["a"] == await pager.collect()
    assert pager.report.complete
    assert [1] == asked


async def test_a_service_that_promises_an_absurd_number_of_pages_is_left():
    """Answers that bring nothing new are bounded, whatever the last page is said to be."""
    asked: list[int] = []

    with pytest.raises(PaginationError, match="brought nothing new"):
        await pager_of(vast(["a"], asked, more=True)).collect()

    assert len(asked) < 2 * MOST_READS + 100


async def test_a_search_for_the_last_item_is_bounded():
    """A walk that continues begins again if its items are not found on the nearest pages."""
    pager = pager_of(vast(["a", "b"], [], more=False))
    async for item in pager:
        if item == "b":
            break
    asked: list[int] = []
    resumed = pager_of(vast(["c"], asked, more=False)).with_options(resume=pager.checkpoint())

    assert ["c"] == await resumed.collect()
    assert [*range(1, MOST_READS + 2), 1] == asked


@pytest.mark.parametrize("page", [1, 2, 5, 9])
@pytest.mark.parametrize("last", [0, 1, 5])
def test_the_nearest_pages_come_first(page, last):
    """The page before comes before the page behind, and none beyond the last one."""
    expected = sorted({*range(1, last + 1)} - {page}, key=lambda at: (abs(at - page), at))

    assert expected == list(nearest(page, last))


@pytest.mark.parametrize("mode", ["recover", "raise"])
async def test_a_pair_of_moves_that_hides_is_found_by_the_next_pass(mode):
    """A delete before and an insert behind the second page leave its total as it was; the third page does not join."""
    listing = Scripted(*"abcdefghijkl")
    listing.waiting[2] = second = asyncio.Event()
    pager = pager_of(listing.fetch, concurrency=2).with_options(on_drift=mode)
    walk = pager.pages()
    given = [*await anext(walk)]
    listing.items.remove("a")
    listing.made[3] = page_of(listing.items, 3, 3)
    reading = asyncio.ensure_future(anext(walk))
    await asyncio.sleep(0.001)
    listing.items.append("z")
    second.set()
    given += await reading
    if mode == "raise":
        with pytest.raises(DriftError):
            [page async for page in walk]
    else:
        given += [item async for page in walk for item in page]
        assert [*"abcefghijklzd"] == given
    await walk.aclose()


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("walk", ["items", "pages"])
async def test_a_page_is_gone_when_the_next_one_is_made(walk, concurrency):
    """Its memory can serve again, though the walk remembers where it is."""
    made: WeakSet[Page[str]] = WeakSet()
    places: list[tuple[int, int]] = []

    async def fetch(number, ready):
        await ready.wait()
        places.append((len(made), pager.report.yielded))
        page = page_of([f"item-{place}" for place in range(60)], number, 20)
        made.add(page)
        return page

    pager = pager_of(fetch, concurrency=concurrency)
    async for each in pager if walk == "items" else pager.pages():
        del each

    assert [(0, 0), (0, 20), (0, 40)] == places


NO_UUIDS = ("", "item-1", "9" * 31, "g" * 32, "1_" * 16, "1 " * 16, "11 " * 10 + "11", "+" + "1" * 31, "0x" + "1" * 30)


def test_items_are_remembered_by_what_takes_little():
    """A UUID by its number, in whichever form; anything else by its text."""
    uuid = "9bcb8f00-c0c5-4ee1-9b75-000000000001"
    number = int(uuid.replace("-", ""), 16)

    assert (number,) * 3 == compact_keys((uuid, uuid.upper(), uuid.replace("-", "")))
    assert () == compact_keys(())


@pytest.mark.parametrize("text", NO_UUIDS, ids=repr)
def test_a_key_is_remembered_alike_whatever_stands_beside_it(text):
    """A text is not taken for a UUID, nor a UUID for a text, because of the other keys of its page."""
    uuid = "9bcb8f00-c0c5-4ee1-9b75-000000000001"

    assert (text,) == compact_keys((text,))
    assert (text, *compact_keys((uuid,))) == compact_keys((text, uuid))


async def test_what_could_not_be_read_is_reported_once_and_counted(caplog):
    """The log names the first fields; a walk without some fields is complete all the same."""

    async def fetch(number, ready):
        page = page_of(list("abcdef"), number, 2)
        problems = tuple(Problem(f"$.data.items[{place}].type", "must be text") for place in range(number + 1))
        return evolve(page, problems=problems, problem_count=len(problems))

    pager = pager_of(fetch)
    await pager.collect()
    (record,) = caplog.records

    assert (9, True) == (pager.report.problems, pager.report.complete)
    assert logging.WARNING == record.levelno
    assert "2 problems: $.data.items[0].type must be text; $.data.items[1].type must be text" in record.getMessage()


@pytest.mark.parametrize("mode", ["recover", "verify"])
async def test_a_row_that_is_left_out_leaves_nothing_proved(mode, caplog):
    """An item that cannot be identified was not given, and reading again would not change that."""
    asked: list[int] = []

    async def fetch(number, ready):
        asked.append(number)
        page = page_of(list("abcdef"), number, 2)
        return evolve(page, items=page.items[:1], left_out=1) if number == 2 else page

    pager = pager_of(fetch).with_options(on_drift=mode)

    assert [*"abcef"] == await pager.collect()
    assert (False, None) == (pager.report.complete, pager.report.proof)
    assert [1, 2, 3] * (2 if mode == "verify" else 1) == asked
    assert "could not be read at all" in caplog.text


async def test_an_item_near_the_first_answer_is_not_counted():
    """It may have come since, so that a second pass has to confirm it."""
    shelf = Shelf(9, 3, [Move(0, "insert", 0.5)], dated=True)
    pager = shelf.pager()

    assert shelf.items == await pager.collect() or len(shelf.items) == pager.report.yielded
    assert "confirmed" == pager.report.proof
    assert 2 == shelf.asked.count(1)


async def test_rows_that_are_equal_in_all_count_as_one(caplog):
    """Where nothing tells two items apart, one of them is given, and the walk does not promise."""
    shelf = Shelf(6, 3)
    shelf.items[4] = "item-0"
    pager = shelf.pager()

    assert [*shelf.items[:4], "item-5"] == await pager.collect()
    assert pager.report.complete is False


async def test_a_service_that_ignores_the_page_and_paginates_nothing_is_reported():
    """The same items come for every page, and nothing claims that more follow."""
    unknown: Any = dict.fromkeys(("current_page", "per_page", "total", "last_page", "has_more"))

    async def fetch(*_):
        return Page(items=("a", "b"), pagination=Pagination(**unknown))

    with pytest.raises(PaginationError, match="No page is named as the last, and the last 35 pages brought nothing"):
        await pager_of(fetch).collect()
