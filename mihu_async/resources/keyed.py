"""A purchase under an idempotency key: claim the key, make the call, write down the outcome.

The ledger knows who holds the key; the look-up of every purchase finds the outcome of a begun one.
"""

import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar, cast
from uuid import uuid4

from attrs import define, evolve, frozen

from mihu_async.core.admission import SHORTEST
from mihu_async.core.body import encode_body
from mihu_async.core.clock import Deadline
from mihu_async.core.options import Bounds
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.reconcile import Circumstances, Found, Lookup
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request, describe
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
from mihu_async.resources.lease import LEDGER_TIMEOUT, Lease, Leased, hold_key, settle, within
from mihu_async.resources.lookups import Listed, Rows, narrowed_rows, proved_rows
from mihu_async.value import replace

PATH = "/phone-numbers"
FOR_DISPLAY = ("monthly_fee", "capabilities", "location")
"""The fields that a purchase carries over from a search, and that the search may word differently the next day."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two looks at a key that another call holds; the pause doubles from the first to the longest."""

SLACK = timedelta(seconds=0.1)
"""A call may end so much later than the ledger says, because clocks are not exact."""
SOMEBODY_ELSES = timedelta(hours=15)
"""A number that was bought so long after a call had ended is not the call's, whichever time zone its date is in."""

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


@define
class Interrupted:
    """A sender that replays the lost answer of the process that began a purchase: the first write is not sent.

    With ``sends=False`` no write is ever sent.
    """

    sender: Sender
    key: str
    sends: bool = True
    _was_told: bool = False

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Send a request, unless it is that write.

        Args:
            request: The request.
            bounds: The bounds of the attempt.
            redact: The redactor of secrets.

        Raises:
            ConnectionLostError: In place of sending that write.
        """
        if request.method == "GET" or (self.sends and self._was_told):
            return await self.sender.send(request, bounds, redact)
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
    request: Request[PhoneNumber],
    ledger: Ledger,
    entry: Entry,
    *,
    resumed: bool,
    grace: timedelta,
    was_sent: Callable[[], bool],
) -> Request[PhoneNumber]:
    """Return the request of a purchase whose look-up knows which numbers other keys have bought.

    Args:
        request: The request of the purchase.
        ledger: The ledger that knows the other keys.
        entry: The entry of the purchase, as the call found it.
        resumed: True if an earlier call has begun the purchase. A number that was bought during that call counts as
            its own.
        grace: The time after the earlier call's end within which its purchase may have been applied.
        was_sent: Returns True once this call has sent the purchase itself.
    """
    lookup = cast("Lookup[PhoneNumber]", request.lookup)  # every purchase has one
    ends = entry.ends and entry.ends + grace

    async def find(pipeline: Pipeline, thorough: bool) -> tuple[Rows, dict[str, str]] | None:
        rows: Rows | None = await lookup.find(pipeline, thorough)
        return None if rows is None else (rows, await _buyers_of(rows, ledger))

    def judge(found: tuple[Rows, dict[str, str]], circumstances: Circumstances) -> Found[PhoneNumber]:
        rows, buyers = found
        mine = [row for row in rows.items if buyers.get(row.phone_number_uuid) == entry.key]
        if mine:  # another call with this key may have settled it meanwhile
            return Found(mine[0], ours=True, reason=f"{entry.number} was bought with the idempotency key {entry.key!r}")
        ids = {row.phone_number_uuid for row in rows.items}
        anothers = {uuid for uuid in ids if uuid in buyers or circumstances.is_anothers(uuid)}
        if not resumed:
            return lookup.judge(rows, Circumstances(circumstances.window, anothers.__contains__))
        late = {row.phone_number_uuid for row in rows.items if _is_much_later(row, ends)}
        earlier = lookup.judge(
            rows, Circumstances(_window(entry.began, ends, circumstances.window), (anothers | late).__contains__)
        )
        if earlier.ours or not was_sent():
            return earlier
        own = lookup.judge(rows, Circumstances(circumstances.window, anothers.__contains__))
        return own if own.ours or (own.ours is None and earlier.ours is False) else earlier

    return replace(request, lookup=evolve(lookup, find=find, judge=judge, owner=(ledger, entry.key)))


async def _buyers_of(rows: Rows, ledger: Ledger) -> dict[str, str]:
    """Return the keys that are settled for some of the rows, by the ids of these."""
    buyers: dict[str, str] = {}
    for row in rows.items:
        buyer = await within(LEDGER_TIMEOUT, ledger.bought_by(row.phone_number_uuid))
        if buyer is not None:
            buyers[row.phone_number_uuid] = buyer
    return buyers


def redated(found: Entry, own: Entry, grace: timedelta) -> Entry:
    """Return an entry that was taken over, with the times in which the purchase may be made once this call sends it.

    This call sends it only if a look-up does not find it. So if the earlier call ended long enough ago, it bought
    nothing, and the time between the two calls is left out: a number that was bought then is somebody else's.

    Args:
        found: The entry as the call found it.
        own: The entry that the call would have written.
        grace: The time after the earlier call's end within which its purchase may have been applied.
    """
    if found.ends and own.began and own.began > found.ends + grace:
        return evolve(found, began=own.began, ends=own.ends)
    latest = found.ends and own.ends and max(found.ends, own.ends)
    return evolve(found, ends=latest or own.ends)


def prolonged(entry: Entry, now: TimeInterval | None, left: float) -> Entry:
    """Return an entry whose call ends later if it had to wait: the time of other calls, for one, is not its own.

    Args:
        entry: The entry.
        now: The present moment on the service's clock; None if that is not known.
        left: The rest of the call's time, in seconds.
    """
    if now is None or entry.ends is None:
        return entry
    ends = now.latest + timedelta(seconds=max(0.0, left))
    return evolve(entry, ends=ends) if ends > entry.ends + SLACK else entry


def _is_much_later(row: PhoneNumber, ends: datetime | None) -> bool:
    return ends is not None and row.purchased_at is not None and row.purchased_at > ends + SOMEBODY_ELSES


def _window(began: datetime | None, ends: datetime | None, window: CallWindow | None) -> CallWindow | None:
    """Return the time from the beginning of a purchase to its end; None if it is not known."""
    if began is None or window is None:
        return None
    now = window.now
    if ends is not None and ends < now.latest:
        now = TimeInterval(min(now.earliest, ends), ends)
    return CallWindow(TimeInterval(began, began + timedelta(seconds=TICK)), now)


async def service_time(pipeline: Pipeline) -> TimeInterval | None:
    """Return the time that it is on the service now; None if its answers have no date.

    If no answer has had a date yet, a safe request is sent to get one.
    """
    if (now := _now(pipeline)) is None:
        first: Request[Page[PhoneNumber]] = describe("GET", PATH, Page[PhoneNumber], query={"per_page": 1})
        await pipeline.run(first)
        now = _now(pipeline)
    return now


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
        outer = Deadline(deadline, clock.pulse())
        pipeline = evolve(self.pipeline, outer=outer)
        owner = uuid4().hex
        claim, own, taken = await self._claim(number, owner, deadline)
        entry = claim.entry
        if claim.standing is Standing.SETTLED:
            return await self._as_it_is_now(pipeline, entry)
        resumed = claim.standing is Standing.RESUMED
        lease = Lease(self.ledger, self.key, owner, taken)
        grace = timedelta(seconds=pipeline.timeout.total)
        first = redated(entry, own, grace) if resumed else entry

        def dated() -> Entry:
            sent = leased.entry if leased.was_used else first
            return prolonged(sent, _now(pipeline), outer.left(clock.monotonic()))

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
            buyer = await within(LEDGER_TIMEOUT, self.ledger.bought_by(bought.phone_number_uuid))
            if buyer not in {None, self.key}:
                await lease.leave(self.ledger.release)
                raise self._taken(f"{entry.number} is in the inventory, bought with another idempotency key.")
            claim = await within(LEDGER_TIMEOUT, self.ledger.take(entry, lease.owner))
        except LedgerError as failure:
            logger.warning("%s was bought, and the ledger cannot record it: %s", entry.number, failure)
            return
        if claim.entry.number != entry.number or not await settle(lease, entry, bought):
            message = "%s was bought with the idempotency key %r, which stands for %s by now. Check if both are wanted."
            logger.error(message, entry.number, self.key, claim.entry.number)

    async def _claim(self, number: str, owner: str, deadline: float) -> tuple[Claim, Entry, float]:
        """Claim the key, or wait until it is settled or free. The only request is a read of the service's time.

        Returns:
            The claim, the entry of this call alone, and the monotonic time before the key was taken.
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
            taken = time.monotonic()
            claim = await self._ask(self.ledger.take(entry, owner), deadline)
            if claim.standing is Standing.OTHER:
                raise self._other(claim.entry)
            if claim.standing is Standing.BUSY:
                raise self._taken(
                    f"{number} was not bought: the call with the idempotency key {claim.entry.key!r} has begun to buy "
                    "it, and its outcome is not known. Repeat that call, or call numbers.recover()."
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

        uuid = (entry.phone_number_uuid or "").lower()

        def is_it(row: PhoneNumber) -> bool:
            return row.phone_number_uuid.lower() == uuid

        for look in range(1, policy.max_attempts + 1):
            rows = await narrowed_rows(entry.number, lambda search: self.listed(pipeline, search), counts=is_it)
            rows = rows or await proved_rows(entry.number, self.listed(pipeline, {}), counts=is_it)
            if rows:
                return rows[0]
            await pipeline.clock.sleep(backoff(policy, look, pipeline.jitter()))
        others = await narrowed_rows(entry.number, lambda search: self.listed(pipeline, search))
        advice = "To buy it again, use another key."
        if others:
            advice = f"The inventory has it under another id, {others[0].phone_number_uuid}: look at that first."
        message = (
            f"{entry.number} was bought with the idempotency key {self.key!r} as {entry.phone_number_uuid}, and is no "
            f"longer in the inventory under this id. Nothing was sent. {advice}"
        )
        raise NotFoundError(message, method="GET", url=PATH, status=HTTPStatus.NOT_FOUND)
