"""What a ledger holds, and what it must be able to do."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, cast

from attrs import frozen

from mihu_async.errors import UsageError

LEASE = 15.0
"""Seconds for which a process holds a key without renewing its lease."""
LONGEST_KEY = 255


@frozen(kw_only=True)
class Entry:
    """What a ledger holds under a key: one purchase, begun or settled. It holds no address and no secret."""

    key: str
    """The idempotency key, which names the purchase."""
    workspace: str
    """The base URL of the workspace that the purchase was sent to."""
    number: str
    """The number that was asked for, in E.164 form."""
    fingerprint: str
    """A digest of the request, by which another request under the same key is known."""
    began: datetime | None = None
    """The moment before the request left, on the service's clock; None where that was not known."""
    state: Literal["begun", "settled"] = "begun"
    """``begun`` while nobody knows how the purchase ended, ``settled`` once the number is bought."""
    resumed: datetime | None = None
    """The moment when a later call last took the entry over, on the service's clock; None where none did."""
    phone_number_uuid: str | None = None
    """The number's id once the purchase is settled; None before."""


class Standing(StrEnum):
    """How a key stands that a call has asked a ledger for."""

    NEW = "new"
    """Nothing was there: the entry is written, and the caller holds the key."""
    RESUMED = "resumed"
    """An earlier holder's lease has ended without an outcome: the caller holds the key from now on."""
    HELD = "held"
    """Another holder's lease is alive."""
    SETTLED = "settled"
    """The purchase was made."""
    BUSY = "busy"
    """Nothing was there, and another key has begun to buy the same number: nothing is written."""
    OTHER = "other"
    """Another request stands under the key."""


@frozen
class Claim:
    """What a ledger answers to a call that asks for a key."""

    standing: Standing
    """Whether the caller holds the key now, and why or why not."""
    entry: Entry
    """What stands under the key now; where the number is busy, what stands under the other key."""


class Ledger(Protocol):
    """What remembers purchases by their key: ``SqliteLedger``, ``RedisLedger``, or one of your own.

    ``take``, ``settle`` and ``release`` each happen as a whole or not at all, whichever processes ask at the same time.
    What ``take`` has written outlives the process and the machine before ``take`` returns. Every method raises
    LedgerError where the ledger cannot be read or written.
    """

    @property
    def lease(self) -> float:
        """Return the seconds for which a key is held after it was taken or renewed."""
        ...

    async def find(self, key: str) -> Entry | None:
        """Return what stands under a key, or None."""
        ...

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Ask for a key: write the entry where there is none, or take over one that is begun and held by nobody.

        An entry is taken over only for the same workspace and fingerprint. Its number and its beginning stay the
        earlier holder's, and ``resumed`` becomes the new entry's beginning. No entry is written while another key has
        begun to buy the same number of the workspace, because a look-up could not tell which of the two bought it.
        """
        ...

    async def renew(self, key: str, owner: str) -> bool:
        """Hold a key for another lease; False where the caller does not hold it any more. It need not be durable."""
        ...

    async def settle(self, entry: Entry) -> bool:
        """Replace an entry that is begun for the same number by one that is settled; anything else is left as it is.

        False where another key has settled the same ``phone_number_uuid``: then nothing is written, for one number
        cannot be what two purchases have bought.
        """
        ...

    async def release(self, key: str, owner: str) -> None:
        """Remove an entry that is begun and that the caller holds, so that the key is free."""
        ...

    async def let_go(self, key: str, owner: str) -> None:
        """End the caller's lease and leave the entry as it is."""
        ...

    async def bought_by(self, phone_number_uuid: str) -> str | None:
        """Return the key that is settled for a number, or None."""
        ...

    async def abandoned(self) -> Sequence[Entry]:
        """Return the entries that are begun and that nobody holds."""
        ...


def check_key(argument: str, value: Any) -> str:
    """Check that a key is text from 1 to 255 characters that can be printed."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_KEY or not value.isprintable():
        shown = repr(value)[:LONGEST_KEY]
        message = (
            f"{argument} must be text of 1 to {LONGEST_KEY} printable characters, such as 'order-4711', not {shown}. "
            "Nothing was sent."
        )
        raise UsageError(message, argument=argument)
    return value


def check_lease(value: Any) -> float:
    """Check that a lease is a number of seconds above zero."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise UsageError(f"lease must be a finite number of seconds above 0, not {value!r}.", argument="lease")
    return float(value)


def check_ledger(argument: str, value: Any) -> Ledger:
    """Check that a value has a ledger's methods."""
    methods = ("lease", "take", "settle", "bought_by", "abandoned")
    if isinstance(value, type) or not all(hasattr(value, name) for name in methods):
        message = (
            f"{argument} must be a ledger, such as SqliteLedger('purchases.db') of mihu_async.ledger, not "
            f"{value.__name__ if isinstance(value, type) else type(value).__name__}."
        )
        raise UsageError(message, argument=argument)
    return cast("Ledger", value)
