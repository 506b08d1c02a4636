"""The memory of a held item, as Python allocates it and as a process grows; and the memory that a call leaves."""

import asyncio
import gc
import sys
import tracemalloc
from contextvars import copy_context
from pathlib import Path
from typing import Any

from benchmarks.processes import Walker, serving
from mihu_async import MihuClient

FEW, MANY, ROUNDS = 100, 1_000, 3
CALLS = 50
"""The number of ended calls that are measured."""


def measure() -> dict[str, Any]:
    """Return the bytes of an item and of an ended call, and the peaks of processes that held few and many items."""
    taken: list[dict[str, float]] = []
    with serving(pages=FEW) as few, serving(pages=MANY) as many:
        allocated, kept = asyncio.run(traced(few)), asyncio.run(left(few))
        for _ in range(ROUNDS):
            for base_url in (few, many):
                with Walker(Path(sys.executable), "mihu") as walker:
                    taken.append(walker.walk(base_url, keep=True, on_drift="ignore"))
    return {"allocated": allocated, "kept": kept, "few": taken[::2], "many": taken[1::2]}


async def traced(base_url: str) -> float:
    """Return the bytes that are allocated for an item while all are held."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        await mihu.numbers.list()  # what is made once is not an item's
        tracemalloc.start()
        items = await mihu.numbers.list().with_options(on_drift="ignore").collect()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size / len(items)


async def left(base_url: str) -> float:
    """Return the bytes that an ended call leaves. Each call has a context, and so a ``last_call``, of its own."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        await mihu.numbers.list()
        contexts = [copy_context() for _ in range(CALLS)]
        tracemalloc.start()
        for context in contexts:
            await asyncio.create_task(_call(mihu), context=context)
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size / CALLS


async def _call(mihu: MihuClient) -> None:
    await mihu.numbers.list()
