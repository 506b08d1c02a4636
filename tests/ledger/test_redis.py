"""The ledger in Redis: what it says when Redis cannot be used."""

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mihu_async import LedgerError, UsageError
from mihu_async.ledger import RedisLedger, Standing
from tests.ledger.entries import ENTRY


async def test_a_redis_that_does_not_answer_is_reported():
    """Where Redis cannot be reached, every step is an error that says that nothing was sent."""
    async with Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as client:
        ledger = RedisLedger(client, prefix="shop")
        for step in (ledger.take(ENTRY, "a"), ledger.find("k"), ledger.begun()):
            with pytest.raises(LedgerError, match=r"'shop'.*ConnectionError.*protects nothing"):
                await step

    assert "RedisLedger(prefix='shop')" == repr(ledger)


async def test_prefixes_keep_ledgers_apart(redis_url):
    """What stands in one ledger is not in one of another prefix, and entries never expire by themselves."""
    async with Redis.from_url(redis_url) as client:
        mine, yours = RedisLedger(client), RedisLedger(client, prefix="yours", lease=0.0001)
        claims = [await mine.take(ENTRY, "a"), await yours.take(ENTRY, "a")]
        lives = [await client.ttl("{mihu}:entry:order-4711"), await client.pttl("{mihu}:lease:order-4711")]

    assert [Standing.NEW] * 2 == [claim.standing for claim in claims]
    assert -1 == lives[0]
    assert 14_000 < lives[1] <= 15_000


def test_a_ledger_needs_a_client():
    """What cannot run a script is refused by its type."""
    with pytest.raises(UsageError, match="not str"):
        RedisLedger("redis://127.0.0.1")  # type: ignore[arg-type]  # on purpose
