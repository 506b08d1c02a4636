import asyncio
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import MihuClient, Shard, UsageError
from mihu_async.paging.pager import ranges
from mihu_async.sandbox import Sandbox


@given(st.integers(1, 500), st.integers(1, 50), st.integers(1, 50))
def test_ranges_cover_every_page_once(pages, parts, begin):
    """They join without a gap, and none is more than a page longer than another."""
    cut = list(ranges(begin, begin + pages - 1, parts))
    lengths = [last - first + 1 for first, last in cut]

    assert list(range(begin, begin + pages)) == [page for first, last in cut for page in range(first, last + 1)]
    assert len(cut) == min(pages, parts)
    assert max(lengths) - min(lengths) <= 1


def export(job: tuple[str, str, bytes]) -> tuple[list[str], bool | None]:
    """Walk one shard, as a worker process does that got nothing but small values."""
    token, base_url, shard = job

    async def walk() -> tuple[list[str], bool | None]:
        async with MihuClient(token, base_url=base_url) as mihu:
            pager = mihu.numbers.shard(pickle.loads(shard))
            return [number.phone_number_uuid async for number in pager], pager.report.complete

    return asyncio.run(walk())


@pytest.mark.slow
def test_the_union_of_all_shards_is_the_listing():
    """Two processes walk it, each with values that were pickled."""
    with Sandbox(numbers=230, trunks=0) as sandbox:

        async def cut() -> list[Shard]:
            async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
                return await mihu.numbers.list(per_page=10, sort="number").split(4)

        shards = asyncio.run(cut())
        jobs = [(sandbox.token, sandbox.base_url, pickle.dumps(shard)) for shard in shards]
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
            parts = list(workers.map(export, jobs))

        expected = sorted(sandbox.inventory.numbers, key=lambda row: row["number"])
        assert [row["phone_number_uuid"] for row in expected] == [uuid for part, _ in parts for uuid in part]
        assert [True] * 4 == [complete for _, complete in parts]
        assert all(sandbox.token.encode() not in pickle.dumps(shard) for shard in shards)
        assert 1 + 23 == len(sandbox.journal)


async def test_a_shard_that_sees_the_listing_moved_does_not_promise(caplog):
    """Ranges do not know of each other, so a shift across their edge cannot be mended."""
    async with Sandbox(numbers=20, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        first, second = await mihu.numbers.list(per_page=5).split(2)
        sandbox.inventory.delete(sandbox.inventory.numbers[0]["phone_number_uuid"])
        pagers = [mihu.numbers.shard(first), mihu.numbers.shard(second)]
        for pager in pagers:
            await pager.collect()

    assert [(True, False)] * 2 == [(pager.report.drifted, pager.report.complete) for pager in pagers]
    assert "a part cannot be counted" in caplog.text


@pytest.mark.parametrize("mode", ["recover", "verify"])
async def test_a_shard_holds_still_and_is_not_counted(mode):
    """Each part of a listing that did not move says so, also where all its dates are old."""
    async with Sandbox(numbers=20, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        pagers = [mihu.numbers.shard(part).with_options(on_drift=mode) for part in await mihu.numbers.list().split(1)]
        pagers += [mihu.numbers.shard(part) for part in await mihu.numbers.list(per_page=3).split(3)]
        for pager in pagers:
            await pager.collect()

    assert ["still"] * 4 == [pager.report.proof for pager in pagers]


@pytest.mark.parametrize(("begin", "pages"), [(1, [(1, 3), (4, 6)]), (5, [(5, 5), (6, 6)]), (7, [(7, 7)])])
async def test_a_listing_is_cut_from_where_its_pager_begins(begin, pages):
    """What comes before is not in the pager either."""
    async with Sandbox(numbers=60, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        parts = await mihu.numbers.list(per_page=10, page=begin).split(2)

    assert pages == [(part.first, part.last) for part in parts]


async def test_a_part_can_be_cut_again():
    """Its parts are the part, and nothing else."""
    async with Sandbox(numbers=60, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        _, second = await mihu.numbers.list(per_page=10).split(2)
        parts = await mihu.numbers.shard(second).split(2)
        whole = await mihu.numbers.shard(second).collect()

        assert [(4, 4), (5, 6)] == [(part.first, part.last) for part in parts]
        assert whole == [number for part in parts for number in await mihu.numbers.shard(part).collect()]


async def test_a_checkpoint_of_one_part_is_none_of_another():
    """It would leave out what the other one holds."""
    async with Sandbox(numbers=60, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        first, second = map(mihu.numbers.shard, await mihu.numbers.list(per_page=10).split(2))
        await second.first()
        with pytest.raises(UsageError, match="another workspace, part"):
            first.with_options(resume=second.checkpoint())


async def test_a_shard_belongs_to_its_resource():
    """A part of the numbers is no part of the trunks, nor of another workspace's numbers."""
    async with Sandbox(numbers=3, trunks=3) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        (numbers,) = await mihu.numbers.list().split(9)
        (trunks,) = await mihu.trunks.list().split(1)

        assert 3 == len(await mihu.trunks.shard(trunks).collect())
        for wrong in (lambda: mihu.trunks.shard(numbers), lambda: mihu.numbers.shard(trunks)):
            with pytest.raises(UsageError, match="shard is a part of"):
                wrong()
        with pytest.raises(UsageError, match=r"not of https://acme\.mihu\.ai/phone-numbers\."):
            MihuClient("t", subdomain="acme").numbers.shard(numbers)
        for value in (None, {"first": 1}):
            with pytest.raises(UsageError, match="shard must be Shard"):
                mihu.numbers.shard(value)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("parts", [0, -1, 1.0, True], ids=repr)
async def test_a_listing_is_cut_into_one_part_at_least(parts):
    """Nothing is asked for."""
    async with MihuClient("t", base_url="http://127.0.0.1:1") as mihu:
        with pytest.raises(UsageError, match="parts"):
            await mihu.numbers.list().split(parts)


async def test_a_shard_that_goes_on_still_compares_its_total():
    """Its checkpoint does not hide that the listing moved since the cut."""
    async with Sandbox(numbers=20, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        (first, _) = await mihu.numbers.list(per_page=5).split(2)
        pager = mihu.numbers.shard(first)
        async with pager:
            async for _ in pager:
                if pager.report.yielded > 2:
                    break
        sandbox.inventory.delete(sandbox.inventory.numbers[-1]["phone_number_uuid"])
        resumed = mihu.numbers.shard(first).with_options(resume=pager.checkpoint())
        await resumed.collect()

    assert resumed.report.complete is False
