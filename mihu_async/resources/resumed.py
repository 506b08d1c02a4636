"""A purchase that an earlier call has begun: looked up first, with that call's time and the other keys in mind."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from attrs import evolve

from mihu_async.core.lookup import Circumstances, Found, Lookup
from mihu_async.core.options import Bounds
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request, describe
from mihu_async.core.response import Response
from mihu_async.core.sender import Sender
from mihu_async.core.server_clock import TICK, CallWindow, Moment, TimeInterval
from mihu_async.errors import ConnectionLostError
from mihu_async.ledger.entry import Entry, Ledger
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.resources.lease import LEDGER_TIMEOUT, within
from mihu_async.resources.rows import Rows
from mihu_async.value import State, replace

SLACK = timedelta(seconds=0.1)
"""The time by which a call may end later than the ledger says, because clocks are not exact."""
SOMEBODY_ELSES = timedelta(hours=15)
"""The time after a call's end from which a purchased number is not the call's, whatever the time zone of its date."""


class Interrupted(State):
    """A sender that replays the lost answer of the process that began a purchase: the first write is not sent.

    With ``sends=False`` no write is ever sent.
    """

    sender: Sender
    key: str
    sends: bool = True
    _has_replayed: bool = False

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Send a request, unless it is that write.

        Args:
            request: The request.
            bounds: The bounds of the attempt.
            redact: The redactor of secrets.

        Raises:
            ConnectionLostError: In place of sending that write.
        """
        if request.method == "GET" or (self.sends and self._has_replayed):
            return await self.sender.send(request, bounds, redact)
        self._has_replayed = True
        message = (
            f"an earlier call with the idempotency key {self.key!r} has begun this purchase and has not recorded "
            "its outcome."
        )
        raise ConnectionLostError(message, method=request.method, url=request.path)


def interrupted(pipeline: Pipeline, key: str) -> Pipeline:
    """Return a pipeline that continues the purchase of an earlier call: it looks the purchase up before it sends it.

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
    """Return a purchase's request whose lookup excludes the numbers that other keys have bought.

    Args:
        request: The request of the purchase.
        ledger: The ledger that knows the other keys.
        entry: The entry of the purchase, as the call found it.
        resumed: True if an earlier call has begun the purchase. A number that was bought during that call counts as
            its own.
        grace: The time after the earlier call's end within which its purchase may have been applied.
        was_sent: Returns True once this call has sent the purchase itself.
    """
    lookup = cast("Lookup[Rows, PhoneNumber]", request.lookup)  # every purchase has one
    ends = entry.ends and entry.ends + grace

    async def find(pipeline: Pipeline, thorough: bool) -> tuple[Rows, dict[str, str]] | None:
        rows = await lookup.find(pipeline, thorough)
        return None if rows is None else (rows, await _buyers_of(rows, ledger, entry.workspace))

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

    keyed = Lookup(
        find,
        judge,
        is_filtered=lookup.is_filtered,
        key=lookup.key,
        identity=lookup.identity,
        owner=(ledger, entry.key),
    )
    return replace(request, lookup=keyed)


async def _buyers_of(rows: Rows, ledger: Ledger, workspace: str) -> dict[str, str]:
    """Return the keys that are settled for some rows, by the ids of the rows."""
    buyers: dict[str, str] = {}
    for row in rows.items:
        buyer = await within(LEDGER_TIMEOUT, ledger.bought_by(workspace, row.phone_number_uuid))
        if buyer is not None:
            buyers[row.phone_number_uuid] = buyer
    return buyers


def redated(found: Entry, own: Entry, grace: timedelta) -> Entry:
    """Return an entry that was taken over, with the times in which the purchase may be made once this call sends it.

    This call sends it only if a lookup does not find it. So if the earlier call ended long enough ago, it bought
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
    if (now := service_now(pipeline)) is None:
        first: Request[Page[PhoneNumber]] = describe("GET", "/phone-numbers", Page[PhoneNumber], query={"per_page": 1})
        await pipeline.run(first)
        now = service_now(pipeline)
    return now


def service_now(pipeline: Pipeline) -> TimeInterval | None:
    """Return the time that it is on the service now; None if no answer has had a date yet."""
    clock = pipeline.clock
    return pipeline.server_clock.at(Moment(clock.monotonic(), clock.now().timestamp()))
