"""Remembers purchases by their idempotency key, so that a killed process or a repeated job buys nothing twice.

A ledger knows keys and leases. It does not know the service: what an entry means is decided in ``resources/keyed``.
"""

from mihu_async.ledger.entry import Claim, Entry, Ledger, Standing
from mihu_async.ledger.redis import RedisLedger
from mihu_async.ledger.sqlite import SqliteLedger

__all__ = ["Claim", "Entry", "Ledger", "RedisLedger", "SqliteLedger", "Standing"]
