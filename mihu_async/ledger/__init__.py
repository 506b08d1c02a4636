"""Ledgers: they remember purchases by idempotency key, so that a killed process or a repeated job buys nothing twice.

A ledger knows keys and leases. It does not know the service: ``resources/keyed`` decides the meaning of an entry. The
stores are imported on first use, because a Python may be built without SQLite.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mihu_async.ledger.entry import Claim, Entry, Ledger, Standing

if TYPE_CHECKING:
    from mihu_async.ledger.redis import RedisLedger
    from mihu_async.ledger.sqlite import SqliteLedger

__all__ = ["Claim", "Entry", "Ledger", "RedisLedger", "SqliteLedger", "Standing"]

STORES = {"RedisLedger": "redis", "SqliteLedger": "sqlite"}


def __getattr__(name: str) -> Any:
    if name not in STORES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{STORES[name]}"), name)
