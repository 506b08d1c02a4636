"""A purchase under an idempotency key: claim the key, make the call, write down the outcome.

The ledger knows who holds the key; the lookup of every purchase finds the outcome of a begun one.
"""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from attrs import evolve

from mihu_async.core.admission import SHORTEST
from mihu_async.core.clock import Deadline
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request, encode_body
from mihu_async.core.retry import backoff
from mihu_async.core.sender import DryRunSender
from mihu_async.core.server_clock import Moment
from mihu_async.errors import (
    APIError,
    ConflictError,
    ConnectError,
    ConnectTimeoutError,
    LedgerError,
    MihuError,
    NotFoundError,
    UsageError,
)
from mihu_async.ledger import Claim, Entry, Ledger, Standing
from mihu_async.models.numbers import PhoneNumber
from mihu_async.resources.lease import LEDGER_TIMEOUT, Lease, Leased, current_moment, hold_key, settle, within
from mihu_async.resources.resumed import interrupted, keyed_request, prolonged, redated, service_now, service_time
from mihu_async.resources.rows import Listed
from mihu_async.value import Value

PATH = "/phone-numbers"
FOR_DISPLAY = ("monthly_fee", "capabilities", "location")
"""The fields that a purchase carries over from a search, and that a later search may spell differently."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two checks of a key that another call holds; the pause doubles from the first value to the second."""

T = TypeVar("T")

logger: logging.Logger = logging.getLogger("mihu_async")


def purchase_fingerprint(request: Request[Any]) -> str:
    """Return a digest of the purchase that a request asks for; fields that are stored for display only do not count."""
    asked: dict[str, Any] = json.loads(request.body or b"{}")
    return _digest({name: value for name, value in asked.items() if name not in FOR_DISPLAY})


def acquisition_fingerprint(asked: Mapping[str, Any]) -> str:
    """Return a digest of the arguments of an acquisition."""
    plain, _ = encode_body({"acquire": asked}, argument="answers")
    return _digest(plain)


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def changed_nothing(error: BaseException) -> bool:
    """Return True if a purchase that ended with this error has certainly bought nothing, which frees its key."""
    if isinstance(error, ConflictError | UsageError):  # a conflict comes from the service or from a lookup
        return True
    return isinstance(error, APIError | ConnectError) and not error.may_have_changed


class KeyedPurchase(Value, frozen=True, kw_only=True):
    """The terms of a purchase under a key.

    ``describe`` returns the request that buys a number: the number of the entry, if an earlier call has begun one.
    """

    pipeline: Pipeline
    ledger: Ledger
    listed: Listed
    key: str
    describe: Callable[[str], Request[PhoneNumber]]
    fingerprint: str

    async def buy(self, number: str) -> PhoneNumber:
        """Buy a number, or return the number that the key has bought or begun to buy.

        Args:
            number: The number to buy, in E.164 form.
        """
        if isinstance(self.pipeline.sender, DryRunSender):
            return await self.pipeline.run(self.describe(number))
        clock = self.pipeline.clock
        deadline = clock.monotonic() + self.pipeline.timeout.total
        outer = Deadline(deadline, clock.pulse())
        pipeline = evolve(self.pipeline, outer=outer)
        owner = uuid4().hex
        claim, own, taken = await self._claim(number, owner, deadline)
        entry = claim.entry
        if claim.standing is Standing.SETTLED:
            return await self._as_it_is_now(pipeline, entry)
        resumed = claim.standing is Standing.RESUMED
        lease = Lease(self.ledger, self.key, owner, clock, taken)
        grace = timedelta(seconds=pipeline.timeout.total)
        first = redated(entry, own, grace) if resumed else entry

        def dated() -> Entry:
            sent = leased.entry if leased.was_used else first
            return prolonged(sent, service_now(pipeline), outer.left(clock.monotonic()))

        leased = Leased(pipeline.sender, lease, entry, dated)
        request = keyed_request(
            self.describe(entry.number),
            self.ledger,
            entry,
            resumed=resumed,
            grace=grace,
            was_sent=lambda: leased.was_used,
        )
        pipeline = evolve(pipeline, sender=leased)
        if resumed:
            pipeline = interrupted(pipeline, self.key)
        async with hold_key(lease):
            try:
                bought = await pipeline.run(request)
            except MihuError as error:
                if changed_nothing(error):
                    await lease.leave(self.ledger.release)
                raise
            if not await settle(lease, leased.entry, bought):
                await self._reclaim(lease, leased.entry, bought)
            return bought

    async def _reclaim(self, lease: Lease, entry: Entry, bought: PhoneNumber) -> None:
        """Settle a key that was lost while its purchase was under way; raise if another key has bought the number."""
        try:
            buyer = await within(LEDGER_TIMEOUT, self.ledger.bought_by(entry.workspace, bought.phone_number_uuid))
            if buyer not in {None, self.key}:
                await lease.leave(self.ledger.release)
                raise self._conflict(f"{entry.number} is in the inventory, bought with another idempotency key.")
            claim = await within(LEDGER_TIMEOUT, self.ledger.take(entry, lease.owner))
        except LedgerError as failure:
            logger.warning("%s was bought, and the ledger cannot record it: %s", entry.number, failure)
            return
        if claim.entry.number != entry.number or not await settle(lease, entry, bought):
            message = "%s was bought with the idempotency key %r, which now stands for %s. Check whether you want both."
            logger.error(message, entry.number, self.key, claim.entry.number)

    async def _claim(self, number: str, owner: str, deadline: float) -> tuple[Claim, Entry, Moment]:
        """Claim the key, or wait until it is settled or free. The only request is a read of the service's time.

        Returns:
            The claim, the entry of this call alone, and a moment before the key was taken.
        """
        pipeline = self.pipeline
        outer = Deadline(deadline, pipeline.clock.pulse())
        found = await self._ask(self.ledger.find(self.key), deadline)
        is_settled = found is not None and found.state == "settled"
        now = None if is_settled else await service_time(evolve(pipeline, outer=outer))
        left = timedelta(seconds=max(0.0, deadline - pipeline.clock.monotonic()))
        entry = Entry(
            key=self.key,
            workspace=pipeline.base_url,
            number=number,
            fingerprint=self.fingerprint,
            began=None if now is None else now.earliest,
            ends=None if now is None else now.latest + left,
        )
        pause = FIRST_PAUSE
        while True:
            taken = current_moment(pipeline.clock)
            claim = await self._ask(self.ledger.take(entry, owner), deadline)
            if claim.standing is Standing.OTHER:
                raise self._other(claim.entry)
            if claim.standing is Standing.BUSY:
                raise self._conflict(
                    f"{number} was not bought: the call with the idempotency key {claim.entry.key!r} has begun to buy "
                    "it, and the outcome of that is not known. Repeat that call, or call numbers.recover()."
                )
            if claim.standing is not Standing.HELD:
                return claim, entry, taken
            remaining = deadline - pipeline.clock.monotonic()
            if remaining <= 0:
                raise self._busy()
            await pipeline.clock.sleep(min(pause, remaining))
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _ask(self, step: Awaitable[T], deadline: float) -> T:
        """Wait for a step of the ledger before anything is sent, no longer than the call may take."""
        try:
            return await within(max(SHORTEST, deadline - self.pipeline.clock.monotonic()), step)
        except LedgerError as failure:
            raise LedgerError(f"{failure} Nothing was sent.") from failure.__cause__

    def _other(self, entry: Entry) -> UsageError:
        where, advice = "with another request", "repeat the call as it was"
        if entry.workspace != self.pipeline.base_url:
            where, advice = f"in another workspace ({entry.workspace})", "a ledger of its own for each workspace"
        message = (
            f"idempotency_key {self.key!r} was used before {where}, for {entry.number}. Nothing was sent. A key names "
            f"one purchase: use another one, or {advice}."
        )
        return UsageError(message, argument="idempotency_key")

    def _conflict(self, why: str) -> ConflictError:
        return ConflictError(why, method="POST", url=PATH, status=HTTPStatus.CONFLICT)

    def _busy(self) -> ConnectTimeoutError:
        message = (
            f"POST {PATH} was not sent: another call holds the idempotency key {self.key!r}, longer than this call may "
            "take. Call again with the same key to learn how it ended."
        )
        return ConnectTimeoutError(message, method="POST", url=PATH)

    async def _as_it_is_now(self, pipeline: Pipeline, entry: Entry) -> PhoneNumber:
        """Return the row of the number that the key has bought. The inventory may lag, so look until the time is up."""
        policy = pipeline.retries

        uuid = (entry.phone_number_uuid or "").lower()

        def is_it(row: PhoneNumber) -> bool:
            return row.phone_number_uuid.lower() == uuid

        for look in range(1, policy.max_attempts + 1):
            rows = await self.listed.narrowed(pipeline, entry.number, counts=is_it)
            if not (rows and rows.items):
                rows = await self.listed.proved(pipeline, entry.number, counts=is_it)
            if rows.items:
                return rows.items[0]
            await pipeline.clock.sleep(backoff(policy, look, pipeline.jitter()))
        others = await self.listed.narrowed(pipeline, entry.number)
        advice = "To buy it again, use another key."
        if others and others.items:
            advice = f"The inventory has it under another id, {others.items[0].phone_number_uuid}: look at that first."
        message = (
            f"{entry.number} was bought with the idempotency key {self.key!r} as {entry.phone_number_uuid}, and is no "
            f"longer in the inventory under this id. Nothing was sent. {advice}"
        )
        raise NotFoundError(message, method="GET", url=PATH, status=HTTPStatus.NOT_FOUND)
