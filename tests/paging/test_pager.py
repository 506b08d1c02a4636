import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import Page, Pager, Pagination, PaginationError, UsageError


def page(items: Sequence[Any], number: int, last: int, **fields: Any) -> Page[Any]:
    """Make a page of a listing of so many."""
    given = {"current_page": number, "per_page": 3, "total": 0, "last_page": last, "has_more": number < last}
    return Page(items=tuple(items), pagination=Pagination(**given | fields))


def flat(splits: Sequence[Sequence[Any]]) -> list[Any]:
    """Join the items of all pages."""
    return [*itertools.chain.from_iterable(splits)]


async def keep(items: list[Any], pager: Pager[Any]) -> None:
    """Walk, and keep what came before an error."""
    async for item in pager:
        items.append(item)  # noqa: PERF401 - a comprehension would lose what came before the error


class Listing:
    """A listing in memory, which counts what is asked of it."""

    def __init__(self, *pages: Page[Any]) -> None:
        self.pages = pages
        self.asked: list[int] = []

    async def fetch(self, number: int) -> Page[Any]:
        self.asked.append(number)
        await asyncio.sleep(0)
        return self.pages[number - 1]

    @classmethod
    def of(cls, *items: Sequence[Any]) -> "Listing":
        return cls(*(page(some, number, len(items)) for number, some in enumerate(items, start=1)))


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=6))
async def test_a_walk_gives_every_item_once_however_the_pages_are_cut(splits):
    """Items come in order, from every page, also after an empty one; each page costs one request."""
    listing = Listing.of(*splits)
    pager = Pager(listing.fetch)

    assert flat(splits) == [item async for item in pager]
    assert list(range(1, len(splits) + 1)) == listing.asked
    assert flat(splits) == await pager.collect()
    assert splits == [list(some.items) async for some in pager.pages()]


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=6), st.integers(0, 20))
async def test_collect_asks_for_no_page_past_its_limit(splits, limit):
    """The first items cost only the pages that they stand on."""
    listing = Listing.of(*splits)

    assert flat(splits)[:limit] == await Pager(listing.fetch).collect(limit=limit)
    needed = next((n for n in range(len(splits) + 1) if len(flat(splits[:n])) >= limit), len(splits))
    assert needed == len(listing.asked)


@pytest.mark.parametrize("limit", [-1, 1.0, True, "3"], ids=repr)
async def test_a_limit_that_cannot_be_is_refused(limit):
    """Nothing is asked for."""
    listing = Listing.of([1])
    with pytest.raises(UsageError, match="limit"):
        await Pager(listing.fetch).collect(limit=limit)

    assert [] == listing.asked


async def test_first_is_an_item_or_none():
    """The first item may stand behind an empty page."""
    assert 1 == await Pager(Listing.of([1, 2], [3]).fetch).first()
    assert 7 == await Pager(Listing.of([], [7]).fetch).first()
    assert await Pager(Listing.of([]).fetch).first() is None


async def test_awaiting_gives_the_first_page():
    """Nothing is sent before, and each use reads anew."""
    listing = Listing.of([1], [2])
    pager = Pager(listing.fetch)

    assert [] == listing.asked
    assert (1,) == (await pager).items
    assert (1,) == (await pager).items
    assert [1, 1] == listing.asked


async def test_a_walk_can_begin_at_a_later_page():
    """The pages before are not asked for."""
    listing = Listing.of([1], [2], [3])

    assert [2, 3] == await Pager(listing.fetch, start=2).collect()
    assert (2,) == (await Pager(listing.fetch, start=2)).items
    assert [2, 3, 2] == listing.asked


async def test_breaking_out_asks_for_nothing_more():
    """A loop that ends on page one costs one request."""
    listing = Listing.of([1, 2], [3])
    async with Pager(listing.fetch) as pager:
        async for item in pager:
            assert 1 == item
            break

    assert [1] == listing.asked


async def test_a_block_ends_its_walks():
    """A walk that was left by break is over at the end of the block."""
    async with Pager(Listing.of([1, 2], [3]).fetch) as pager:
        items, pages = aiter(pager), pager.pages()
        assert 1 == await anext(items)
        assert (1, 2) == (await anext(pages)).items

    for walk in (items, pages):
        with pytest.raises(StopAsyncIteration):
            await anext(walk)


async def test_a_pager_can_be_used_after_its_block():
    """The block bounds the walks, not the pager."""
    async with Pager(Listing.of([1]).fetch) as pager:
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
        await keep(items, Pager(Listing(*pages).fetch))

    assert given_before == items
    assert (requested, received) == (caught.value.requested, caught.value.received)
    assert f"Page {requested} " in str(caught.value)


async def test_awaiting_a_page_checks_it_too():
    """A page that is not the one that was asked for is never taken for it."""
    with pytest.raises(PaginationError):
        await Pager(Listing(page([1], 5, 9)).fetch)


async def test_has_more_goes_before_last_page():
    """Items past a last_page that is too small are not lost."""
    pages = [page([1], 1, 1, has_more=True), page([2], 2, 1, has_more=True), page([3], 3, 1, has_more=False)]

    assert [1, 2, 3] == await Pager(Listing(*pages).fetch).collect()


async def test_many_empty_pages_are_no_recursion():
    """Two thousand of them are walked like any others."""
    listing = Listing.of(*[[]] * 2000, [1])

    assert [1] == await Pager(listing.fetch).collect()
