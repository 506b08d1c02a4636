"""The time of an export by two Dask workers, each of which walks its shards, against one process alone.

A check ensures that the shards together are the listing. Each page takes 50 ms, as over a network.
"""

import asyncio
import time
from typing import Any

import distributed

from benchmarks.processes import serving
from mihu_async import MihuClient, Shard

PAGES, PER_PAGE, DELAY, WORKERS, SHARDS = 400, 100, 0.05, 2, 4


async def walk(base_url: str, shard: Shard | None) -> list[str]:
    """Walk a shard, or the whole listing, and return the numbers."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        pager = mihu.numbers.list(per_page=PER_PAGE) if shard is None else mihu.numbers.shard(shard)
        return [number.number async for number in pager]


def export(base_url: str, shard: Shard) -> list[str]:
    """Export one shard, in a worker."""
    return asyncio.run(walk(base_url, shard))


async def cut(base_url: str) -> list[Shard]:
    """Split the listing into shards."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        return await mihu.numbers.list(per_page=PER_PAGE).split(SHARDS)


def measure() -> dict[str, float]:
    """Return the seconds of both exports."""
    with serving(pages=PAGES, delay=DELAY) as base_url:
        began = time.perf_counter()
        whole = asyncio.run(walk(base_url, None))
        alone = time.perf_counter() - began
        engine: Any = distributed
        cluster = engine.LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None)
        with cluster, engine.Client(cluster) as dask:
            dask.run(lambda: __import__("mihu_async"))  # imports are not measured
            began = time.perf_counter()
            shards = asyncio.run(cut(base_url))
            parts = dask.gather(dask.map(export, [base_url] * len(shards), shards))
            together = time.perf_counter() - began
    assert whole == [number for part in parts for number in part], "the shards together are not the listing"
    return {"alone": alone, "together": together}
