"""The number of durable writes of a purchase to its ledger, with an idempotency key and without one."""

import asyncio
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mihu_async import MihuClient, ProvisionalWarning
from mihu_async.ledger import Claim, Entry, SqliteLedger
from mihu_async.sandbox import Sandbox

PURCHASES = 5


class CountingLedger(SqliteLedger):
    """A ledger in a file that counts the writes for which its caller waits."""

    writes: int = 0

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Take a key, and count a write."""
        self.writes += 1
        return await super().take(entry, owner)

    async def settle(self, entry: Entry) -> bool:
        """Record the outcome of a purchase, and count a write."""
        self.writes += 1
        return await super().settle(entry)

    async def release(self, key: str, owner: str) -> None:
        """Free a key, and count a write."""
        self.writes += 1
        await super().release(key, owner)


async def writes(sandbox: Sandbox, ledger: CountingLedger, *, keyed: bool) -> list[int]:
    """Buy some numbers, and return the writes of each purchase."""
    counted: list[int] = []
    async with MihuClient(sandbox.token, base_url=sandbox.base_url, ledger=ledger) as mihu:
        for offer in await mihu.numbers.search(country_code="US").collect(PURCHASES):
            before = ledger.writes
            key: dict[str, Any] = {"idempotency_key": f"order-{offer.number}"} if keyed else {}
            await mihu.numbers.buy(number=offer.number, country_code="US", type="local", **key)
            counted.append(ledger.writes - before)
    return counted


def measure() -> dict[str, list[int]]:
    """Return the writes of each purchase with a key, and without one."""
    with TemporaryDirectory() as folder, Sandbox() as sandbox, warnings.catch_warnings():
        warnings.simplefilter("ignore", ProvisionalWarning)  # the search for offers is one that is not documented
        ledger = CountingLedger(Path(folder) / "purchases.db")
        counted = {
            "keyed": asyncio.run(writes(sandbox, ledger, keyed=True)),
            "plain": asyncio.run(writes(sandbox, ledger, keyed=False)),
        }
        ledger.close()
    return counted
