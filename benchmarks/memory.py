"""How much memory an item takes that is held: by what Python allocates, and by what a process grows."""

import asyncio
import gc
import sys
import tracemalloc
from pathlib import Path
from typing import Any

from benchmarks.processes import Walker, serving
from mihu_async import MihuClient

FEW, MANY, ROUNDS = 100, 1_000, 3


def measure() -> dict[str, Any]:
    """Collect; gives the bytes an item that were allocated, and the peaks of processes that held few and many."""
    taken: list[dict[str, float]] = []
    with serving(pages=FEW) as few, serving(pages=MANY) as many:
        allocated = asyncio.run(traced(few))
        for _ in range(ROUNDS):
            for base_url in (few, many):
                with Walker(Path(sys.executable), "mihu") as walker:
                    taken.append(walker.walk(base_url, keep=True, on_drift="ignore"))
    return {"allocated": allocated, "few": taken[::2], "many": taken[1::2]}


async def traced(base_url: str) -> float:
    """Give the bytes that are allocated for an item while all are held."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        await mihu.numbers.list()  # what is made once is not an item's
        tracemalloc.start()
        items = await mihu.numbers.list().with_options(on_drift="ignore").collect()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        return size / len(items)
