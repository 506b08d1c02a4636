"""Exports a listing through Dask with two worker processes, each walking its shards, against one process alone.

The union of the shards is checked to be the listing. Each page takes 50 ms, as over a network.
"""

import asyncio
import time
from typing import Any

import distributed

from benchmarks.processes import serving
from mihu_async import MihuClient, Shard

PAGES, PER_PAGE, DELAY, WORKERS, SHARDS = 400, 100, 0.05, 2, 4


async def walk(base_url: str, shard: Shard | None) -> list[str]:
    """Walk a shard, or everything, and keep the numbers."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        pager = mihu.numbers.list(per_page=PER_PAGE) if shard is None else mihu.numbers.shard(shard)
        return [number.number async for number in pager]


def export(base_url: str, shard: Shard) -> list[str]:
    """Do a worker's part."""
    return asyncio.run(walk(base_url, shard))


async def cut(base_url: str) -> list[Shard]:
    """Cut the listing."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        return await mihu.numbers.list(per_page=PER_PAGE).split(SHARDS)


def measure() -> dict[str, float]:
    """Return the seconds of both."""
    with serving(pages=PAGES, delay=DELAY) as base_url:
        began = time.perf_counter()
        whole = asyncio.run(walk(base_url, None))
        alone = time.perf_counter() - began
        engine: Any = distributed
        cluster = engine.LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None)
        with cluster, engine.Client(cluster) as dask:
            dask.run(lambda: __import__("mihu_async"))  # what a worker imports once is not the export's
            began = time.perf_counter()
            shards = asyncio.run(cut(base_url))
            parts = dask.gather(dask.map(export, [base_url] * len(shards), shards))
            together = time.perf_counter() - began
    assert whole == [number for part in parts for number in part], "the union of the shards is not the listing"
    return {"alone": alone, "together": together}
