"""How much longer a walk takes than bare aiohttp that keeps dicts: the price of models, retries and checks.

Both walk the same pages in turns, one after the other, in one process; the pages come from another one. Only the ratios
mean something on another machine.
"""

import asyncio
import platform
import time
from collections.abc import Awaitable, Callable
from statistics import median

import aiohttp
import orjson

from benchmarks.serving import serving
from mihu_async import MihuClient

PAGES, PER_PAGE, ROUNDS = 400, 100, 5
Walk = Callable[[str], Awaitable[int]]


async def bare(base_url: str) -> int:
    """Walk with aiohttp and orjson, and keep nothing."""
    seen, page, more = 0, 0, True
    async with aiohttp.ClientSession() as session:
        while more:
            page += 1
            url = f"{base_url}/api/v1/phone-numbers?per_page={PER_PAGE}&page={page}"
            async with session.get(url) as response:
                data = orjson.loads(await response.read())["data"]
            seen += len(data["items"])
            more = data["pagination"]["has_more"]
    return seen


async def ours(base_url: str) -> int:
    """Walk with the SDK."""
    seen = 0
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        async for _ in mihu.numbers.list(per_page=PER_PAGE):
            seen += 1
    return seen


def measure(walk: Walk, base_url: str) -> tuple[float, float]:
    """Give the seconds of wall and processor that one walk took."""
    wall, processor = time.perf_counter(), time.process_time()
    seen = asyncio.run(_run(walk, base_url))
    assert seen == PAGES * PER_PAGE, f"{seen} items came"
    return time.perf_counter() - wall, time.process_time() - processor


async def _run(walk: Walk, base_url: str) -> int:
    return await walk(base_url)


def main() -> None:
    """Take the rounds and print the table."""
    with serving(PAGES, PER_PAGE) as base_url:
        for walk in (bare, ours):
            measure(walk, base_url)  # warm up: the first walk pays for what is imported late
        rounds = [(measure(bare, base_url), measure(ours, base_url)) for _ in range(ROUNDS)]
    report(rounds)


def report(rounds: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Print medians, and the ratios taken round by round."""
    print(f"{PAGES} pages of {PER_PAGE} items, {ROUNDS} rounds in turns; Python {platform.python_version()}, ", end="")
    print(f"aiohttp {aiohttp.__version__}, {platform.machine()}")
    print(f"{'':24}{'items/s':>12}{'x wall':>18}{'x CPU':>18}")
    for name, place in (("bare aiohttp + orjson", 0), ("mihu_async", 1)):
        rate = PAGES * PER_PAGE / median(taken[place][0] for taken in rounds)
        ratios = [[taken[place][kind] / taken[0][kind] for taken in rounds] for kind in (0, 1)]
        spread = "".join(f"{f'{median(some):.2f} ({min(some):.2f}-{max(some):.2f})':>18}" for some in ratios)
        print(f"{name:24}{rate:>12,.0f}{spread}")


if __name__ == "__main__":
    main()
