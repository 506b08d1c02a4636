"""A call's hold on its idempotency key: renewed during the call, and checked before a write is sent.

Each step of the ledger has a bound, because a ledger that hangs must not hold a call.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from attrs import evolve

from mihu_async.core.clock import Clock, is_cancelled
from mihu_async.core.options import Bounds
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.sender import Sender
from mihu_async.core.server_clock import Moment
from mihu_async.errors import ConnectError, LedgerError
from mihu_async.ledger import Entry, Ledger
from mihu_async.models.numbers import PhoneNumber
from mihu_async.value import State

LEDGER_TIMEOUT = 2.0
"""Seconds that a ledger may take after the purchase was sent: returning the number matters more than recording it."""

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("mihu_async")


def current_moment(clock: Clock) -> Moment:
    """Return the present moment, by which leases are measured."""
    return Moment(clock.monotonic(), clock.now().timestamp())


class Lease(State):
    """The hold of a call on its key: ``since`` is a moment before it was taken or renewed last; None if it is lost."""

    ledger: Ledger
    key: str
    owner: str
    clock: Clock
    since: Moment | None

    async def renew(self) -> bool:
        """Hold the key for another lease; False if the call has lost it.

        Raises:
            LedgerError: If the ledger fails.
        """
        return await self._renewed(self.ledger.renew(self.key, self.owner))

    async def redate(self, entry: Entry) -> bool:
        """Write the times of an entry, and hold its key for another lease; False if the call has lost it.

        Args:
            entry: The entry with the times to write.

        Raises:
            LedgerError: If the ledger fails.
        """
        return await self._renewed(self.ledger.redate(entry, self.owner))

    async def _renewed(self, step: Awaitable[bool]) -> bool:
        now = current_moment(self.clock)
        held = await within(LEDGER_TIMEOUT, step)
        self.since = now if held else None
        return held

    @property
    def is_fresh(self) -> bool:
        """True if the key is held for at least half a lease from now on.

        The monotonic clock can stand still while the machine sleeps, so a jump of the calendar counts too.
        """
        if self.since is None:
            return False
        now = current_moment(self.clock)
        return now.monotonic - self.since.monotonic + now.jump_since(self.since) <= self.ledger.lease / 2

    async def leave(self, step: Callable[[str, str], Awaitable[None]]) -> None:
        """End the hold by a step of the ledger; one that fails is logged."""
        try:
            await within(LEDGER_TIMEOUT, step(self.key, self.owner))
        except LedgerError as failure:
            message = "The ledger could not release a key, whose lease will end by itself: %s"
            logger.warning(message, failure.__cause__ or failure)


class Leased(State):
    """A sender that sends a write only while its call holds the key of the purchase.

    A process that was suspended for longer than its lease may have lost the key to another one, which then buys.
    """

    sender: Sender
    lease: Lease
    entry: Entry
    """The entry of the purchase, as the ledger holds it."""
    dated: Callable[[], Entry]
    """Returns the entry with the times in which the purchase may be made if it is sent now."""
    was_used: bool = False
    """True once a write was sent."""

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Send a request.

        Args:
            request: The request.
            bounds: The bounds of the attempt.
            redact: The redactor of secrets.

        Raises:
            ConnectError: If the key is no longer held, or the ledger fails. Nothing was sent.
        """
        if request.method != "GET":
            await self._check(request)
            self.was_used = True
        return await self.sender.send(request, bounds, redact)

    async def _check(self, request: Request[Any]) -> None:
        why = "another call may hold its key, because this process was suspended for longer than its lease"
        try:
            entry = self.dated()
            if entry != self.entry and await self.lease.redate(entry):
                self.entry = entry
            for _ in range(2):  # it may stand still while it renews, too
                if self.lease.is_fresh or (await self.lease.renew() and self.lease.is_fresh):
                    return
        except LedgerError as failure:
            why = f"the lease of its key could not be renewed: {failure}".removesuffix(".")
        error = ConnectError(
            f"{request.method} {request.path} was not sent: {why}.", method=request.method, url=request.path
        )
        error.is_permanent = True
        raise error


async def within(seconds: float, step: Awaitable[T]) -> T:
    """Wait for a step of a ledger.

    Args:
        seconds: The longest that it may take.
        step: The step.

    Raises:
        LedgerError: If it fails in any way, because a ledger may be the caller's own, or takes longer.
    """
    bound = asyncio.timeout(seconds)
    try:
        async with bound:
            return await step
    except LedgerError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and is_cancelled():
            raise
        if bound.expired():
            raise LedgerError(f"The ledger did not answer within {seconds:.3g} s.") from None
        raise LedgerError(f"The ledger failed with {type(error).__name__}.") from error


@asynccontextmanager
async def hold_key(lease: Lease) -> AsyncGenerator[None]:
    """Hold a claimed key while the block runs, and release its lease to the next call if the block fails.

    Args:
        lease: The hold of the call on the key.
    """
    heartbeat = asyncio.create_task(_renew(lease))
    try:
        yield
    except BaseException:
        await lease.leave(lease.ledger.let_go)
        raise
    finally:
        heartbeat.cancel()
        await asyncio.wait([heartbeat])


async def _renew(lease: Lease) -> None:
    while True:
        await asyncio.sleep(lease.ledger.lease / 3)
        try:
            await lease.renew()
        except LedgerError as failure:
            logger.warning("The ledger could not renew the lease of a key: %s", failure.__cause__ or failure)


async def settle(lease: Lease, entry: Entry, bought: PhoneNumber) -> bool:
    """Write down that a purchase was made. If that fails, the next call with the key finds the purchase by looking.

    Args:
        lease: The hold of the call on the key.
        entry: The entry of the purchase.
        bought: The number that was bought.

    Returns:
        False if the key does not stand for the number: another key has bought it, or the call has lost the key.
    """
    settled = evolve(entry, state="settled", phone_number_uuid=bought.phone_number_uuid)
    try:
        return await within(LEDGER_TIMEOUT, lease.ledger.settle(settled))
    except LedgerError as failure:
        message = "%s was bought, and the ledger could not record it, so the next call with its key looks it up: %s"
        logger.warning(message, entry.number, failure.__cause__ or failure)
        await lease.leave(lease.ledger.let_go)
        return True
