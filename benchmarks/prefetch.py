"""How near a walk comes to what its window allows, when each page takes 50 ms.

The ideal is computed, not measured: all pages of the window in flight all the time, its ramp counted in, and nothing
that takes time but the service. The ratio to it is what means something on another machine.
"""

import asyncio
import time
from statistics import median

from benchmarks.serving import serving
from mihu_async import MihuClient

PAGES, PER_PAGE, DELAY, ROUNDS = 400, 100, 0.05, 3


def ideal(pages: int, concurrency: int, delay: float) -> float:
    """Give the seconds of a walk that costs nothing but waiting: page one alone, then a window that doubles."""
    answered: list[float] = []
    width, begun, now = 1, 0, 0.0
    for number in range(pages):
        while begun < min(pages, number + width):
            answered.append(now + delay)
            begun += 1
        now = max(now, answered[number])
        width = min(concurrency, width * 2)
    return now


async def walk(base_url: str, concurrency: int) -> float:
    """Walk once, and give the seconds."""
    async with MihuClient("benchmark", base_url=base_url) as mihu:
        await mihu.numbers.list()  # the first call pays for the connection and for what is imported late
        began = time.perf_counter()
        seen = 0
        async for _ in mihu.numbers.list(per_page=PER_PAGE).with_options(concurrency=concurrency):
            seen += 1
        assert seen == PAGES * PER_PAGE, f"{seen} items came"
        return time.perf_counter() - began


def main() -> None:
    """Print a line for each width."""
    print(f"{PAGES} pages of {PER_PAGE} items, {DELAY * 1000:.0f} ms a page, {ROUNDS} rounds")
    print(f"{'concurrency':>12}{'seconds':>10}{'ideal':>8}{'x ideal':>20}")
    with serving(PAGES, PER_PAGE, DELAY) as base_url:
        for concurrency in (4, 8, 16, 32):
            best = ideal(PAGES, concurrency, DELAY)
            taken = [asyncio.run(walk(base_url, concurrency)) for _ in range(ROUNDS)]
            ratios = [seconds / best for seconds in taken]
            spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
            print(f"{concurrency:>12}{median(taken):>10.2f}{best:>8.2f}{spread:>20}")


if __name__ == "__main__":
    main()
