"""How long one awaited call takes, a page of one number, against bare aiohttp and orjson on a session of their own."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import orjson

from benchmarks.processes import pin, serving
from mihu_async import MihuClient

ROUNDS, CALLS = 500, 10
Call = Callable[[], Awaitable[int]]


async def seconds(call: Call) -> tuple[float, float]:
    """Give the seconds of wall and of processor that a call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        assert await call() == 1
    return (time.perf_counter() - wall) / CALLS, (time.process_time() - processor) / CALLS


async def rounds(base_url: str) -> list[list[tuple[float, float]]]:
    """Call in turns."""
    url = f"{base_url}/api/v1/phone-numbers?per_page=1&page=1"
    async with aiohttp.ClientSession() as session, MihuClient("benchmark", base_url=base_url) as mihu:

        async def bare() -> int:
            async with session.get(url) as response:
                return len(orjson.loads(await response.read())["data"]["items"])

        async def ours() -> int:
            return len(await mihu.numbers.list(per_page=1))

        return [[await seconds(bare), await seconds(ours)] for _ in range(ROUNDS + 1)][1:]


def measure() -> dict[str, list[float]]:
    """Give the seconds of a call, of wall and of processor, for both."""
    with serving(pages=1, per_page=1) as base_url:
        pin(0)
        taken = asyncio.run(rounds(base_url))
    return {
        f"{who} {kind}": [turn[place][which] for turn in taken]
        for place, who in enumerate(("bare", "ours"))
        for which, kind in enumerate(("wall", "cpu"))
    }
