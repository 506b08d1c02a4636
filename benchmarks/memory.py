"""The memory of a held item, by Python's allocations and by a process's growth, and that of a finished call."""

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
"""The number of finished calls that are measured."""


def measure() -> dict[str, Any]:
    """Return the bytes of an item and of a finished call, and the peaks of processes that held few and many items."""
    taken: list[dict[str, float]] = []
    with serving(pages=FEW) as few, serving(pages=MANY) as many:
        allocated, kept = asyncio.run(traced(few)), asyncio.run(left(few))
        for _ in range(ROUNDS):
            for base_url in (few, many):
                with Walker(Path(sys.executable), "mihu") as walker:
                    taken.append(walker.walk(base_url, keep=True, on_drift="ignore"))
    return {"allocated": allocated, "kept": kept, "few": taken[::2], "many": taken[1::2]}


async def traced(base_url: str) -> float:
    """Return the bytes that Python allocates per item while all items are held."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        await mihu.numbers.list()  # what is created once does not count
        tracemalloc.start()
        items = await mihu.numbers.list().with_options(on_drift="ignore").collect()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size / len(items)


async def left(base_url: str) -> float:
    """Return the bytes that a finished call keeps. Each call has its own context, and so its own ``last_call``."""
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
