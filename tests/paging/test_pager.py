import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import Page, Pagination, PaginationError, UsageError, WalkReport
from tests.paging.listings import Shelf, keep, pager_of


def page(items: Sequence[Any], number: int, last: int, **fields: Any) -> Page[Any]:
    """Make a page of a listing of so many."""
    given = {"current_page": number, "per_page": 3, "total": 0, "last_page": last, "has_more": number < last}
    return Page(items=tuple(items), pagination=Pagination(**given | fields))


def flat(splits: Sequence[Sequence[Any]]) -> list[Any]:
    """Join the items of all pages."""
    return [*itertools.chain.from_iterable(splits)]


class Fixed:
    """A listing in memory, which counts what is asked of it."""

    def __init__(self, *pages: Page[Any]) -> None:
        self.pages = pages
        self.asked: list[int] = []

    async def fetch(self, number: int, ready: Any) -> Page[Any]:
        self.asked.append(number)
        await asyncio.sleep(0)
        return self.pages[number - 1]

    @classmethod
    def of(cls, *items: Sequence[Any]) -> "Fixed":
        total = len(flat(items))
        return cls(*(page(some, number, len(items), total=total) for number, some in enumerate(items, start=1)))


@st.composite
def cuts(draw) -> list[list[int]]:
    """Cut different items into pages, some of them empty."""
    items = iter(draw(st.lists(st.integers(), unique=True, max_size=18)))
    return [list(itertools.islice(items, size)) for size in draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))]


splits_of_items = cuts()


@given(splits_of_items)
async def test_a_walk_gives_every_item_once_however_the_pages_are_cut(splits):
    """Items come in order, from every page, also after an empty one; each page costs one request."""
    listing = Fixed.of(*splits)
    pager = pager_of(listing.fetch)

    assert flat(splits) == [item async for item in pager]
    assert list(range(1, len(splits) + 1)) == listing.asked
    assert flat(splits) == await pager.collect()
    assert splits == [list(some.items) async for some in pager.pages()]


@given(splits_of_items, st.integers(0, 20))
async def test_collect_asks_for_no_page_past_its_limit(splits, limit):
    """The first items cost only the pages that they stand on."""
    listing = Fixed.of(*splits)

    assert flat(splits)[:limit] == await pager_of(listing.fetch).collect(limit=limit)
    needed = next((n for n in range(len(splits) + 1) if len(flat(splits[:n])) >= limit), len(splits))
    assert needed == len(listing.asked)


@pytest.mark.parametrize("limit", [-1, 1.0, True, "3"], ids=repr)
async def test_a_limit_that_cannot_be_is_refused(limit):
    """Nothing is asked for."""
    listing = Fixed.of([1])
    with pytest.raises(UsageError, match="limit"):
        await pager_of(listing.fetch).collect(limit=limit)

    assert [] == listing.asked


async def test_first_is_an_item_or_none():
    """The first item may stand behind an empty page."""
    assert 1 == await pager_of(Fixed.of([1, 2], [3]).fetch).first()
    assert 7 == await pager_of(Fixed.of([], [7]).fetch).first()
    assert await pager_of(Fixed.of([]).fetch).first() is None


async def test_awaiting_gives_the_first_page():
    """Nothing is sent before, and each use reads anew."""
    listing = Fixed.of([1], [2])
    pager = pager_of(listing.fetch)

    assert [] == listing.asked
    assert (1,) == (await pager).items
    assert (1,) == (await pager).items
    assert [1, 1] == listing.asked


async def test_a_walk_can_begin_at_a_later_page():
    """The pages before are not asked for."""
    listing = Fixed.of([1], [2], [3])

    assert [2, 3] == await pager_of(listing.fetch, start=2).collect()
    assert (2,) == (await pager_of(listing.fetch, start=2)).items
    assert [2, 3, 2] == listing.asked


async def test_breaking_out_asks_for_nothing_more():
    """A loop that ends on page one costs one request."""
    listing = Fixed.of([1, 2], [3])
    async with pager_of(listing.fetch) as pager:
        async for item in pager:
            assert 1 == item
            break

    assert [1] == listing.asked


async def test_a_block_ends_its_walks():
    """A walk that was left by break is over at the end of the block."""
    async with pager_of(Fixed.of([1, 2], [3]).fetch) as pager:
        items, pages = aiter(pager), pager.pages()
        assert 1 == await anext(items)
        assert (1, 2) == (await anext(pages)).items

    for walk in (items, pages):
        with pytest.raises(StopAsyncIteration):
            await anext(walk)


async def test_a_pager_can_be_used_after_its_block():
    """The block bounds the walks, not the pager."""
    async with pager_of(Fixed.of([1]).fetch) as pager:
        pass

    assert [1] == [item async for item in pager]


@pytest.mark.parametrize(
    ("pages", "requested", "received", "given_before"),
    [
        ([page([1], 1, 3), page([1], 1, 3)], 2, 1, [1]),
        ([page([1], 1, 3), page([2], 3, 3)], 2, 3, [1]),
        ([page([1], 2, 3)], 1, 2, []),
        ([page([1], 1, 1, has_more=True), page([], 2, 1, has_more=True)], 2, 2, [1]),
    ],
    ids=["stuck", "skips", "starts elsewhere", "promises for ever"],
)
async def test_pages_that_contradict_themselves_end_the_walk(pages, requested, received, given_before):
    """What came before is given, then the error says what was asked and what came."""
    items: list[Any] = []
    with pytest.raises(PaginationError) as caught:
        await keep(items, pager_of(Fixed(*pages).fetch))

    assert given_before == items
    assert (requested, received) == (caught.value.requested, caught.value.received)
    assert f"Page {requested} " in str(caught.value)


async def test_awaiting_a_page_checks_it_too():
    """A page that is not the one that was asked for is never taken for it."""
    with pytest.raises(PaginationError):
        await pager_of(Fixed(page([1], 5, 9)).fetch)


async def test_has_more_goes_before_last_page():
    """Items past a last_page that is too small are not lost."""
    pages = [page([1], 1, 1, has_more=True), page([2], 2, 1, has_more=True), page([3], 3, 1, has_more=False)]

    assert [1, 2, 3] == await pager_of(Fixed(*pages).fetch).collect()


async def test_many_empty_pages_are_no_recursion():
    """Two thousand of them are walked like any others."""
    listing = Fixed.of(*[[]] * 2000, [1])

    assert [1] == await pager_of(listing.fetch).collect()


def test_a_pager_says_what_it_lists():
    """Its repr can stand in a log."""
    assert "<Pager of /shelf?per_page=3>" == repr(pager_of(Fixed.of([1]).fetch))


def test_a_walk_that_was_not_begun_has_nothing_to_report():
    """The report of an unused pager is empty."""
    assert WalkReport() == pager_of(Fixed.of([1]).fetch).report


async def test_the_report_is_true_at_every_moment():
    """It counts what the caller got, page by page and item by item."""
    pager = pager_of(Fixed.of([1, 2], [3]).fetch)
    reports = [(item, pager.report.yielded, pager.report.pages, pager.report.complete) async for item in pager]

    assert [(1, 1, 1, None), (2, 2, 1, None), (3, 3, 2, None)] == reports
    assert WalkReport(expected=3, yielded=3, pages=2, complete=True, proof="still") == pager.report


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": True}, "concurrency"),
        ({"concurrency": 2.5}, "concurrency"),
        ({"on_drift": "panic"}, "on_drift"),
        ({"on_drift": 5}, "on_drift"),
        ({"resume": "x"}, "resume"),
    ],
)
def test_options_that_cannot_be_are_refused(options, argument):
    """The error names the option."""
    with pytest.raises(UsageError) as caught:
        pager_of(Fixed.of([1]).fetch).with_options(**options)

    assert argument == caught.value.argument


async def test_options_make_another_pager():
    """The first one stays as it was, and each keeps its own report."""
    pager = pager_of(Fixed.of([1], [2]).fetch)
    other = pager.with_options(concurrency=3, on_drift="ignore").with_options()

    assert [1, 2] == await other.collect()
    assert other.report.complete
    assert WalkReport() == pager.report


async def test_a_block_is_left_though_another_task_walks():
    """The block's own error is the one that is raised."""
    shelf = Shelf(100, 1)
    walked: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    async def leave() -> None:
        async with shelf.pager() as pager:
            tasks.append(asyncio.create_task(keep(walked, pager)))
            while not walked:
                await asyncio.sleep(0)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await leave()
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert 0 == shelf.under_way


@pytest.mark.parametrize("by", ["items", "pages"])
async def test_a_block_leaves_the_walk_of_another_task_to_that_task(by):
    """A task that holds an item while the block ends gets all others, and its report is that of a whole walk."""
    shelf = Shelf(30, 3)
    pager = shelf.pager(concurrency=4)
    holds, goes_on = asyncio.Event(), asyncio.Event()

    async def read() -> list[str]:
        items: list[str] = []
        async for step in pager.pages() if by == "pages" else pager:
            items += [step] if isinstance(step, str) else step.items
            holds.set()
            await goes_on.wait()
        return items

    async with pager:
        reading = asyncio.create_task(read())
        await holds.wait()
    goes_on.set()

    assert shelf.items == await reading
    assert pager.report.complete is True
    assert 0 == shelf.under_way


async def test_a_block_ends_the_walk_of_a_task_that_has_ended():
    """A loop that such a task left by break has nothing under way at the end of the block."""
    shelf = Shelf(60, 3)
    pager = shelf.pager(concurrency=8)

    async def read_a_part() -> None:
        async for item in pager:
            if item == "item-17":
                break

    async with pager:
        await asyncio.create_task(read_a_part())
        assert shelf.under_way

    assert 0 == shelf.under_way
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_blocks_of_one_pager_leave_each_others_walks_alone():
    """Two tasks that share it, and a block in a block; the last one that ends closes what was left open."""
    listing = Fixed.of(*([number] for number in range(9)))
    pager = pager_of(listing.fetch)

    async def walk(turns: int) -> list[Any]:
        given = []
        async with pager:
            async for item in pager:
                given.append(item)
                for _ in range(turns):
                    await asyncio.sleep(0)
        return given

    assert [[*range(9)]] * 2 == [*await asyncio.gather(walk(0), walk(20))]
    async with pager:
        left = aiter(pager)
        assert 0 == await anext(left)
        assert [*range(9)] == await walk(0)
        assert 1 == await anext(left)
    with pytest.raises(StopAsyncIteration):
        await anext(left)


@pytest.mark.parametrize("by", ["items", "pages"])
def test_a_walk_that_is_held_until_its_loop_ends_is_closed_in_silence(by, caplog):
    """The loop closes all generators of the walk at once, each of which closes the one within."""
    shelf = Shelf(60, 3)
    pager = shelf.pager(concurrency=8)
    walk = pager.pages() if by == "pages" else aiter(pager)

    async def begin() -> None:
        for _ in range(12):
            await anext(walk)

    asyncio.run(begin())

    assert [] == caplog.records
    assert 0 == shelf.under_way


async def test_a_collect_that_was_cancelled_leaves_a_checkpoint_before_all_of_it():
    """Its caller got none of the items."""
    listing = Fixed.of([1], [2], [3])

    async def fetch(number, ready):
        if number == 3 and len(listing.asked) == 2:
            await asyncio.sleep(60)
        return await listing.fetch(number, ready)

    pager = pager_of(fetch)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pager.collect()

    assert [1, 2, 3] == await pager.with_options(resume=pager.checkpoint()).collect()


@pytest.mark.parametrize("ending", ["break", "error", "cancel"])
@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("taken", [1, 4, 17])
async def test_however_a_walk_ends_nothing_is_under_way(ending, concurrency, taken):
    """When control returns, every page fetched ahead is done or cancelled, and at most the window was wasted."""
    shelf = Shelf(60, 3)
    pager = shelf.pager(concurrency=concurrency)
    walked: list[str] = []

    async def walk() -> None:
        async with pager:
            async for item in pager:
                walked.append(item)
                if len(walked) == taken:
                    if ending == "error":
                        raise KeyError
                    if ending == "cancel":
                        raise asyncio.CancelledError
                    break

    (outcome,) = await asyncio.gather(asyncio.create_task(walk()), return_exceptions=True)

    assert {"break": type(None), "error": KeyError, "cancel": asyncio.CancelledError}[ending] is type(outcome)
    assert 0 == shelf.under_way
    assert len(shelf.asked) <= -(-taken // 3) + concurrency - 1
    assert len(asyncio.all_tasks()) == 1


async def test_a_walk_that_is_cancelled_in_the_middle_of_a_page_leaves_nothing():
    """At every moment of a walk its task can be cancelled."""
    for turns in range(60):
        shelf = Shelf(30, 3)
        task = asyncio.create_task(shelf.pager(concurrency=5).collect())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert 0 == shelf.under_way
        assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_a_walk_that_is_dropped_leaves_nothing():
    """Without a block, a break ends what is under way as soon as the loop turns."""
    shelf = Shelf(60, 3)
    async for item in shelf.pager(concurrency=8):
        if item == "item-7":
            break
    for _ in range(20):
        await asyncio.sleep(0)

    assert 0 == shelf.under_way


async def test_no_more_than_the_window_is_under_way():
    """Concurrency bounds the requests at a time, and is reached."""
    shelf = Shelf(200, 2)
    await shelf.pager(concurrency=6).collect()

    assert 6 == shelf.most_under_way
