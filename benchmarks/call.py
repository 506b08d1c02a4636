"""The time of an awaited call, alone and fifty at a time, against bare aiohttp and orjson."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from benchmarks.processes import pin, serving
from benchmarks.shapes import ASSIGNMENT
from mihu_async import MihuClient

ROUNDS = 300
AT_A_TIME = 1, 50
"""The numbers of concurrent calls."""
CALLS = 10
"""The least number of calls in a turn."""
Call = Callable[[], Awaitable[object]]
Turn = dict[str, tuple[float, float]]


@asynccontextmanager
async def contestants(base_url: str) -> AsyncIterator[dict[str, dict[str, Call]]]:
    """Open both sessions, and yield the calls of each."""
    listing, put = (f"{base_url}/api/v1/phone-numbers{path}" for path in ("?per_page=1&page=1", "/trunks/assign"))
    json = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, MihuClient("benchmark", base_url=base_url) as mihu:

        async def page_bare() -> None:
            async with session.get(listing) as response:
                assert len(orjson.loads(await response.read())["data"]["items"]) == 1

        async def page_ours() -> None:
            assert len(await mihu.numbers.list(per_page=1)) == 1

        async def put_bare() -> None:
            async with session.put(put, data=orjson.dumps(ASSIGNMENT), headers=json) as response:
                assert orjson.loads(await response.read())["data"]["number"] == ASSIGNMENT["phone_number"]

        async def put_ours() -> None:
            assert (await mihu.trunks.assign(**ASSIGNMENT)).number == ASSIGNMENT["phone_number"]

        yield {"page": {"bare": page_bare, "ours": page_ours}, "put": {"bare": put_bare, "ours": put_ours}}


async def seconds(call: Call, at_a_time: int) -> tuple[float, float]:
    """Return the wall time and the CPU time of a call, in seconds."""
    times = max(1, CALLS // at_a_time)
    wall, processor = time.perf_counter(), time.process_time()
    for _ in range(times):
        if at_a_time == 1:
            await call()
        else:
            await asyncio.gather(*(call() for _ in range(at_a_time)))
    calls = times * at_a_time
    return (time.perf_counter() - wall) / calls, (time.process_time() - processor) / calls


async def rounds(base_url: str) -> list[dict[str, Any]]:
    """Return the seconds of each case. The two take turns, and the first turn does not count."""
    async with contestants(base_url) as calls:
        return [
            {"call": name, "at_a_time": at_a_time, **await _case(who, at_a_time)}
            for name, who in calls.items()
            for at_a_time in AT_A_TIME
        ]


async def _case(who: dict[str, Call], at_a_time: int) -> dict[str, list[float]]:
    turns: list[Turn] = [
        {name: await seconds(call, at_a_time) for name, call in who.items()}
        for _ in range(1 + ROUNDS * CALLS // max(CALLS, at_a_time))
    ][1:]
    return {
        f"{name} {kind}": [turn[name][place] for turn in turns]
        for name in who
        for place, kind in enumerate(("wall", "cpu"))
    }


def measure() -> list[dict[str, Any]]:
    """Return the wall and CPU seconds of each call, for both."""
    with serving(pages=1, per_page=1) as base_url:
        pin(0)
        return asyncio.run(rounds(base_url))
