"""A purchase under an idempotency key: claim the key, make the call, write down the outcome.

The ledger knows who holds the key; the look-up of every purchase finds the outcome of a begun one.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, cast
from uuid import uuid4

from attrs import define, evolve, frozen

from mihu_async.core.clock import Deadline
from mihu_async.core.mask import Mask
from mihu_async.core.options import Bounds
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.reconcile import Circumstances, Found, Lookup
from mihu_async.core.request import Request, describe, encode_body
from mihu_async.core.response import Response
from mihu_async.core.retry import backoff
from mihu_async.core.sender import DryRunSender, Sender
from mihu_async.core.server_clock import TICK, CallWindow, Moment, TimeInterval
from mihu_async.errors import (
    APIError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    LedgerError,
    MihuError,
    NotFoundError,
    UsageError,
)
from mihu_async.ledger import Claim, Entry, Ledger, Standing
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.resources.lookups import Listed, Rows, narrowed_rows, proved_rows

PATH = "/phone-numbers"
FOR_DISPLAY = ("monthly_fee", "capabilities", "location")
"""The fields that a purchase carries over from a search, and that the search may word differently the next day."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two looks at a key that another call holds; the pause doubles from the first to the longest."""

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


@define
class Interrupted:
    """A sender that replays the lost answer of the process that began a purchase: the first write is not sent.

    With ``sends=False`` no write is ever sent.
    """

    sender: Sender
    key: str
    sends: bool = True
    _was_told: bool = False

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask) -> Response:
        """Send a request, unless it is that write.

        Args:
            request: The request.
            bounds: The bounds of the attempt.
            mask: The redactor of secrets.

        Raises:
            ConnectionLostError: In place of sending that write.
        """
        if request.method == "GET" or (self.sends and self._was_told):
            return await self.sender.send(request, bounds, mask)
        self._was_told = True
        message = (
            f"an earlier call with the idempotency key {self.key!r} has begun this purchase and has not recorded "
            "its outcome."
        )
        raise ConnectionLostError(message, method=request.method, url=request.path)


def interrupted(pipeline: Pipeline, key: str) -> Pipeline:
    """Return a pipeline that continues the purchase of an earlier call: it looks before it sends.

    Args:
        pipeline: The pipeline of the client.
        key: The idempotency key of the purchase.
    """
    # the replayed attempt does not count as one of the policy's
    retries = evolve(pipeline.retries, max_attempts=pipeline.retries.max_attempts + 1)
    return evolve(pipeline, sender=Interrupted(pipeline.sender, key), retries=retries)


def keyed_request(
    request: Request[PhoneNumber], ledger: Ledger, entry: Entry, *, resumed: bool
) -> Request[PhoneNumber]:
    """Return the request of a purchase whose look-up knows which numbers other keys have bought.

    Args:
        request: The request of the purchase.
        ledger: The ledger that knows the other keys.
        entry: The entry of the purchase.
        resumed: True if an earlier call has begun the purchase. Every number that was bought since then counts as its
            own.
    """
    lookup = cast("Lookup[PhoneNumber]", request.lookup)  # every purchase has one

    async def find(pipeline: Pipeline, thorough: bool) -> tuple[Rows, set[str]] | None:
        rows: Rows | None = await lookup.find(pipeline, thorough)
        if rows is None:
            return None
        buyers = {row.phone_number_uuid: await ledger.bought_by(row.phone_number_uuid) for row in rows.items}
        return rows, {uuid for uuid, key in buyers.items() if key not in {None, entry.key}}

    def judge(found: tuple[Rows, set[str]], circumstances: Circumstances) -> Found[PhoneNumber]:
        rows, anothers = found
        window, is_anothers = circumstances.window, circumstances.is_anothers
        if resumed:  # an earlier call of this client may have been given the number under this very key
            window, is_anothers = _window_since(entry.began, window), anothers.__contains__
        return lookup.judge(rows, Circumstances(window, lambda uuid: uuid in anothers or is_anothers(uuid)))

    return evolve(request, lookup=evolve(lookup, find=find, judge=judge))


def _window_since(began: datetime | None, window: CallWindow | None) -> CallWindow | None:
    """Return the time from the beginning of a purchase to the end of a call's window; None if either is not known."""
    if began is None or window is None:
        return None
    return CallWindow(TimeInterval(began, began + timedelta(seconds=TICK)), window.now)


async def service_time(pipeline: Pipeline) -> datetime | None:
    """Return the earliest time that it can be on the service now; None if its answers have no date.

    If no answer has had a date yet, a safe request is sent to get one.
    """
    if (now := _now(pipeline)) is None:
        first: Request[Page[PhoneNumber]] = describe("GET", PATH, Page[PhoneNumber], query={"per_page": 1})
        await pipeline.run(first)
        now = _now(pipeline)
    return None if now is None else now.earliest


def _now(pipeline: Pipeline) -> TimeInterval | None:
    clock = pipeline.clock
    return pipeline.server_clock.at(Moment(clock.monotonic(), clock.now().timestamp()))


def changed_nothing(error: BaseException) -> bool:
    """Return True if a purchase that ended with this error has certainly bought nothing, which frees its key."""
    if isinstance(error, ConflictError | UsageError):  # a conflict comes from the service or from a look-up
        return True
    return isinstance(error, APIError | ConnectError) and not error.may_have_changed


@frozen(kw_only=True)
class KeyedPurchase:
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
        pipeline = evolve(self.pipeline, outer=Deadline(deadline, clock.pulse()))
        owner = uuid4().hex
        claim = await self._claim(number, owner, deadline)
        entry = claim.entry
        if claim.standing is Standing.SETTLED:
            return await self._as_it_is_now(pipeline, entry)
        resumed = claim.standing is Standing.RESUMED
        request = keyed_request(self.describe(entry.number), self.ledger, entry, resumed=resumed)
        if resumed:
            pipeline = interrupted(pipeline, self.key)
        async with hold_key(self.ledger, self.key, owner):
            try:
                bought = await pipeline.run(request)
            except MihuError as error:
                if changed_nothing(error):
                    await _give_up(self.ledger.release, self.key, owner)
                raise
            if await settle(self.ledger, entry, bought):
                return bought
            await _give_up(self.ledger.release, self.key, owner)
            raise self._taken(f"{entry.number} is in the inventory, bought with another idempotency key.")

    async def _claim(self, number: str, owner: str, deadline: float) -> Claim:
        """Claim the key, or wait until it is settled or free. The only request is a read of the service's time."""
        pipeline = self.pipeline
        outer = Deadline(deadline, pipeline.clock.pulse())
        found = await self.ledger.find(self.key)
        is_settled = found is not None and found.state == "settled"
        entry = Entry(
            key=self.key,
            workspace=pipeline.base_url,
            number=number,
            fingerprint=self.fingerprint,
            began=None if is_settled else await service_time(evolve(pipeline, outer=outer)),
        )
        pause = FIRST_PAUSE
        while True:
            claim = await self.ledger.take(entry, owner)
            if claim.standing is Standing.OTHER:
                raise self._other(claim.entry)
            if claim.standing is Standing.BUSY:
                raise self._taken(
                    f"{number} was not bought: the call with the idempotency key {claim.entry.key!r} has begun to buy "
                    "it, and its outcome is not known. Repeat that call, or call numbers.recover()."
                )
            if claim.standing is not Standing.HELD:
                return claim
            left = deadline - pipeline.clock.monotonic()
            if left <= 0:
                raise self._busy()
            await pipeline.clock.sleep(min(pause, left))
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _other(self, entry: Entry) -> UsageError:
        where = "in another workspace" if entry.workspace != self.pipeline.base_url else "with another request"
        message = (
            f"idempotency_key {self.key!r} was used before {where}, for {entry.number}. Nothing was sent. A key names "
            "one purchase: use another one, or repeat the call as it was."
        )
        return UsageError(message, argument="idempotency_key")

    def _taken(self, why: str) -> ConflictError:
        return ConflictError(why, method="POST", url=PATH, status=HTTPStatus.CONFLICT)

    def _busy(self) -> ConnectTimeoutError:
        message = (
            f"POST {PATH} was not sent: another call holds the idempotency key {self.key!r}, longer than this call may "
            "take. Call again with the same key to learn how it ended."
        )
        return ConnectTimeoutError(message, method="POST", url=PATH)

    async def _as_it_is_now(self, pipeline: Pipeline, entry: Entry) -> PhoneNumber:
        """Return the row of the number that the key has bought; the inventory may lag, so look as often as allowed."""
        policy = pipeline.retries

        def is_it(row: PhoneNumber) -> bool:
            return row.phone_number_uuid == entry.phone_number_uuid

        for look in range(1, policy.max_attempts + 1):
            rows = await narrowed_rows(entry.number, lambda search: self.listed(pipeline, search), counts=is_it)
            rows = rows or await proved_rows(entry.number, self.listed(pipeline, {}), counts=is_it)
            if rows:
                return rows[0]
            await pipeline.clock.sleep(backoff(policy, look, pipeline.jitter()))
        message = (
            f"{entry.number} was bought with the idempotency key {self.key!r} as {entry.phone_number_uuid}, and is no "
            "longer in the inventory. Nothing was sent. To buy it again, use another key."
        )
        raise NotFoundError(message, method="GET", url=PATH, status=HTTPStatus.NOT_FOUND)


@asynccontextmanager
async def hold_key(ledger: Ledger, key: str, owner: str) -> AsyncGenerator[None]:
    """Hold a claimed key while the block runs, and release its lease to the next call if the block fails.

    Args:
        ledger: The ledger.
        key: The idempotency key.
        owner: The owner that claimed the key.
    """
    heartbeat = asyncio.create_task(_renew(ledger, key, owner))
    try:
        yield
    except BaseException:
        await _give_up(ledger.let_go, key, owner)
        raise
    finally:
        heartbeat.cancel()
        await asyncio.wait([heartbeat])


async def _give_up(leave: Callable[[str, str], Awaitable[None]], key: str, owner: str) -> None:
    try:
        await leave(key, owner)
    except LedgerError as failure:
        logger.warning("The ledger could not release a key, whose lease will end by itself: %s", failure.__cause__)


async def _renew(ledger: Ledger, key: str, owner: str) -> None:
    while True:
        await asyncio.sleep(ledger.lease / 3)
        try:
            await ledger.renew(key, owner)
        except LedgerError as failure:
            logger.warning("The ledger could not renew the lease of a key: %s", failure.__cause__)


async def settle(ledger: Ledger, entry: Entry, bought: PhoneNumber) -> bool:
    """Write down that a purchase was made. If that fails, the next call with the key finds the purchase by looking.

    Args:
        ledger: The ledger.
        entry: The entry of the purchase.
        bought: The number that was bought.

    Returns:
        False if another key has bought the number.
    """
    try:
        return await ledger.settle(evolve(entry, state="settled", phone_number_uuid=bought.phone_number_uuid))
    except LedgerError as failure:
        message = "%s was bought, and the ledger could not record it, so the next call with its key looks it up: %s"
        logger.warning(message, entry.number, failure.__cause__ or type(failure).__name__)
        return True
