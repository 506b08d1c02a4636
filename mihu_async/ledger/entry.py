"""The entries of a ledger, and the methods that a ledger must have."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol, cast

from attrs import frozen

from mihu_async.errors import UsageError
from mihu_async.validation import wrong

LEASE = 15.0
"""Seconds for which a process holds a key without renewing its lease."""
LONGEST_KEY = 255


@frozen(kw_only=True)
class Entry:
    """An entry under a key: one purchase, begun or settled. It holds no address and no secret."""

    key: str
    """The idempotency key, which names one purchase among those of all workspaces that share the ledger."""
    workspace: str
    """The base URL of the workspace that the purchase was sent to."""
    number: str
    """The number to buy, in E.164 form."""
    fingerprint: str
    """A digest of the request, which distinguishes it from another request under the same key."""
    began: datetime | None = None
    """The time just before the request was sent, on the service's clock; None if that was not known.

    If an earlier call sent the request too, and its purchase may still appear, this is the time before that earlier
    request.
    """
    state: Literal["begun", "settled"] = "begun"
    """``begun`` until the outcome of the purchase is known, ``settled`` once the number is bought."""
    ends: datetime | None = None
    """The service's time after which the latest call with this key can send nothing more; None if it is not known."""
    phone_number_uuid: str | None = None
    """The number's id once the purchase is settled; None before."""


class Standing(StrEnum):
    """The answer of a ledger to a call that asks for a key."""

    NEW = "new"
    """The key was free: the entry is written, and the caller holds the key."""
    RESUMED = "resumed"
    """The lease of an earlier holder has ended without a known outcome: the caller holds the key from now on."""
    HELD = "held"
    """Another holder's lease has not ended."""
    SETTLED = "settled"
    """The purchase was made."""
    BUSY = "busy"
    """The key is free, but the same number is being bought under another key: no entry is written."""
    OTHER = "other"
    """The key belongs to another request."""


@frozen
class Claim:
    """The result of ``Ledger.take``."""

    standing: Standing
    """The standing of the key: it says whether the caller holds the key now, and why."""
    entry: Entry
    """The entry under the key now; if the number is busy, the entry under the other key."""


class Ledger(Protocol):
    """A store that remembers purchases by their key: ``SqliteLedger``, ``RedisLedger``, or one of your own.

    ``take``, ``settle`` and ``release`` are atomic across all processes. An entry that ``take`` has written is durable
    before ``take`` returns: it outlives the process and the machine. Every method raises LedgerError if the ledger
    cannot be read or written.
    """

    @property
    def lease(self) -> float:
        """The seconds for which a key is held after it was taken or renewed."""
        ...

    async def find(self, key: str) -> Entry | None:
        """Return the entry under a key, or None.

        Args:
            key: The idempotency key.
        """
        ...

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Claim a key: write the entry if there is none, or take over a ``begun`` entry that nobody holds.

        An entry is taken over only for the same workspace and fingerprint, and stays as the earlier holder wrote it. No
        entry is written while another key has begun to buy the same number of the workspace, because a lookup could
        not tell which of the two bought it.

        Args:
            entry: The entry to write, with the state ``begun``.
            owner: A text that names the caller, unique to each call.
        """
        ...

    async def renew(self, key: str, owner: str) -> bool:
        """Hold a key for another lease. The renewal need not be durable.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.

        Returns:
            True if the caller holds the key; False if it no longer does.
        """
        ...

    async def redate(self, entry: Entry, owner: str) -> bool:
        """Write ``began`` and ``ends`` of a ``begun`` entry, and hold its key for another lease.

        A call that took an entry over does so before it sends the purchase. The times are durable before this returns.

        Args:
            entry: The entry with the times to write.
            owner: The owner that took the key.

        Returns:
            True if the caller holds the key; False if it no longer does, and nothing was written.
        """
        ...

    async def settle(self, entry: Entry) -> bool:
        """Replace a ``begun`` entry for the same number with a settled one, and leave any other entry as it is.

        Args:
            entry: The entry to write, with the state ``settled`` and a ``phone_number_uuid``.

        Returns:
            True if the key is settled for this ``phone_number_uuid`` now. False if another key has settled the same
            number of the workspace, because two purchases cannot have bought it, or if the key is free or stands for
            another number.
        """
        ...

    async def release(self, key: str, owner: str) -> None:
        """Remove a ``begun`` entry that the caller holds, so that the key is free.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.
        """
        ...

    async def let_go(self, key: str, owner: str) -> None:
        """End the caller's lease and leave the entry as it is.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.
        """
        ...

    async def bought_by(self, workspace: str, phone_number_uuid: str) -> str | None:
        """Return the key that is settled for a number of a workspace, or None.

        Args:
            workspace: The base URL of the workspace. Another workspace may give the same id to another number.
            phone_number_uuid: The number's id.
        """
        ...

    async def forget(self, key: str) -> bool:
        """Remove a ``begun`` entry that nobody holds, because a person has found out its outcome.

        Args:
            key: The idempotency key.

        Returns:
            True if there was such an entry; the key is free then.
        """
        ...

    async def begun(self) -> Sequence[Entry]:
        """Return all ``begun`` entries, held or not."""
        ...


def check_key(argument: str, value: Any) -> str:
    """Check that a key is text of 1 to 255 printable characters.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it is anything else.
    """
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_KEY or not value.isprintable():
        raise wrong(argument, f"text of 1 to {LONGEST_KEY} printable characters, such as 'order-4711'", value)
    return value


def check_ledger(argument: str, value: Any) -> Ledger:
    """Check that a value has the methods of a ledger.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it lacks one of them.
    """
    methods = ("lease", "take", "settle", "bought_by", "begun")
    if isinstance(value, type) or not all(hasattr(value, name) for name in methods):
        message = (
            f"{argument} must be a ledger, such as SqliteLedger('purchases.db') of mihu_async.ledger, not "
            f"{value.__name__ if isinstance(value, type) else type(value).__name__}."
        )
        raise UsageError(message, argument=argument)
    return cast("Ledger", value)
