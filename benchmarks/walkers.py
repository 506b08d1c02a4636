"""Walks a listing with one SDK, as its users do, in its own process: python -m benchmarks.walkers NAME.

It reads a JSON object per line, with the ``base_url`` to walk and options, and prints the figures of each walk. The
client is created before the clock starts, and no item is kept. It needs only the SDK that it walks with, so that each
SDK can have its own environment.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.processes import pin
from benchmarks.shapes import ACCOUNT, PER_PAGE, SHAPES

KEY = "benchmark"
Walk = Callable[[], Awaitable[int]]


async def count(items: AsyncIterable[object]) -> int:
    """Walk, and return the number of items."""
    seen = 0
    async for _ in items:
        seen += 1
    return seen


@asynccontextmanager
async def bare(base_url: str, shape: str) -> AsyncIterator[Walk]:
    """Walk with aiohttp and orjson, page after page, and keep the dicts as they are."""
    loads, spelled = import_module("orjson").loads, SHAPES[shape]
    async with import_module("aiohttp").ClientSession() as session:

        async def walk() -> int:
            seen, page, more = 0, 0, True
            while more:
                page += 1
                async with session.get(base_url + spelled.path(page)) as response:
                    items, more = spelled.read(loads(await response.read()))
                seen += len(items)
            return seen

        yield walk


@asynccontextmanager
async def mihu(base_url: str, *, keep: bool = False, **options: Any) -> AsyncIterator[Walk]:
    """Walk with this SDK and options of the pager, if any; ``keep`` holds all items."""
    async with import_module("mihu_async").MihuClient(KEY, base_url=base_url) as client:

        async def walk() -> int:
            pager = client.numbers.list(per_page=PER_PAGE).with_options(**options)
            return len(await pager.collect()) if keep else await count(pager)

        yield walk


@asynccontextmanager
async def telnyx(base_url: str) -> AsyncIterator[Walk]:
    """Walk numbers with AsyncTelnyx and its pager."""
    async with import_module("telnyx").AsyncTelnyx(api_key=KEY, base_url=base_url) as client:
        yield lambda: count(client.phone_numbers.list(page_size=PER_PAGE))


@asynccontextmanager
async def retell(base_url: str) -> AsyncIterator[Walk]:
    """Walk numbers with AsyncRetell, which has no pager, by the key that each page holds for the next."""
    async with import_module("retell").AsyncRetell(api_key=KEY, base_url=base_url) as client:

        async def items() -> AsyncIterator[object]:
            page = await client.phone_number.list(limit=PER_PAGE)
            while True:
                for item in page.items:
                    yield item
                if not page.has_more:
                    return
                page = await client.phone_number.list(limit=PER_PAGE, pagination_key=page.pagination_key)

        yield lambda: count(items())


@asynccontextmanager
async def openai(base_url: str) -> AsyncIterator[Walk]:
    """Walk batches, the service's listing with the most fields, with AsyncOpenAI and its pager."""
    async with import_module("openai").AsyncOpenAI(api_key=KEY, base_url=base_url) as client:
        yield lambda: count(client.batches.list(limit=PER_PAGE))


@asynccontextmanager
async def twilio(base_url: str) -> AsyncIterator[Walk]:
    """Walk numbers with Twilio's client on aiohttp and its stream; only its domain lets us set the address."""
    async with import_module("twilio.http.async_http_client").AsyncTwilioHttpClient() as http:
        client = import_module("twilio.rest").Client(ACCOUNT, KEY, http_client=http)
        client.api.base_url = base_url

        async def walk() -> int:
            return await count(await client.incoming_phone_numbers.stream_async(page_size=PER_PAGE))

        yield walk


WALKERS = {walker.__name__: walker for walker in (bare, mihu, telnyx, retell, openai, twilio)}


async def take(name: str, base_url: str, **options: Any) -> dict[str, float]:
    """Walk once, and return the figures."""
    async with WALKERS[name](base_url, **options) as walk:
        wall, processor = time.perf_counter(), time.process_time()
        items = await walk()
        taken: dict[str, float] = {
            "wall": time.perf_counter() - wall,
            "cpu": time.process_time() - processor,
            "items": items,
        }
    return taken | {"peak": peak()}


def peak() -> int:
    """Return the peak memory of this process in bytes, without what the system counts for its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(name: str) -> None:
    """Walk once for each line of standard input."""
    for line in sys.stdin:
        print(json.dumps(asyncio.run(take(name, **json.loads(line)))), flush=True)


if __name__ == "__main__":
    pin(0)
    main(sys.argv[1])
