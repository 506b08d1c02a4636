"""A worker of a queue, as a process that may be killed at any moment."""

import asyncio
import random
import warnings
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

from redis.asyncio import Redis

from mihu_async import MihuClient, MihuError, ProvisionalWarning, RetryPolicy, Timeout
from mihu_async.ledger import RedisLedger, SqliteLedger

LEASE = 0.4
TIMEOUT = Timeout(total=3, connect=2, read=0.3)
MARKETS = (("US", "local"), ("CA", "local"), ("GB", "toll_free"), ("GB", "national"))
"""Where the keys buy in turn: in each, the sandbox has some thirty numbers for sale."""
RETRIES = RetryPolicy(base_delay=0.02, budget=None)


@asynccontextmanager
async def opened(where: str):
    """Open the ledger: a file, or a Redis by its address."""
    if where.startswith("redis://"):
        async with Redis.from_url(where) as client:
            yield RedisLedger(client, lease=LEASE)
    else:
        async with SqliteLedger(where, lease=LEASE) as ledger:
            yield ledger


@asynccontextmanager
async def connected(base_url: str, token: str, where: str):
    """Connect to the sandbox, with the ledger."""
    async with (
        opened(where) as ledger,
        MihuClient(token, base_url=base_url, timeout=TIMEOUT, retries=RETRIES, ledger=ledger) as mihu,
    ):
        yield mihu


async def acquire(said: Connection, base_url: str, token: str, where: str, key: str, seed: int) -> tuple[str, str]:
    """Acquire one number for a key, whichever; a worker that knew nothing of the others would buy another one."""
    chance = random.Random(seed)
    country, type_ = MARKETS[int(key) % len(MARKETS)]
    async with connected(base_url, token, where) as mihu:
        said.send("ready")
        number = await mihu.numbers.acquire(country, type_, choose=lambda _: chance.random() < 0.5, idempotency_key=key)
    return number.number, number.phone_number_uuid


def work(said: Connection, *job: Any) -> None:
    """Do a job, and say what came of it."""
    warnings.simplefilter("ignore", ProvisionalWarning)
    try:
        said.send(asyncio.run(acquire(said, *job)))
    except MihuError as error:
        said.send(error)
