"""The purchases whose outcome was never recorded: each is looked up, and settled or released."""

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from enum import StrEnum
from uuid import uuid4

from attrs import evolve, frozen

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request
from mihu_async.errors import ConflictError, MihuError, OutcomeUnknownError
from mihu_async.ledger import Entry, Ledger, Standing
from mihu_async.models.numbers import PhoneNumber
from mihu_async.resources.lease import Lease, current_moment, hold_key, settle, within
from mihu_async.resources.resumed import Interrupted, keyed_request, service_time


class RecoveryOutcome(StrEnum):
    """The outcome of an interrupted purchase."""

    BOUGHT = "bought"
    """This purchase bought the number; its key is settled."""
    NOT_BOUGHT = "not_bought"
    """The number is not in the inventory, or another purchase bought it; the key is free."""
    UNDER_WAY = "under_way"
    """A process holds the key, or held it less than a lease ago: recover again later."""
    UNKNOWN = "unknown"
    """The lookup was inconclusive, and the entry stays as it is: recover again later."""


@frozen(kw_only=True)
class Recovered:
    """One entry that a dead process left, and the outcome of its purchase."""

    entry: Entry
    """The entry as it was found."""
    outcome: RecoveryOutcome
    """The outcome of the purchase, as far as it is known now."""
    number: PhoneNumber | None = None
    """The number as it is now, if it was bought; None otherwise."""
    reason: str = ""
    """The reason why the outcome is not known; empty otherwise."""


async def recover(
    pipeline: Pipeline, ledger: Ledger, describe: Callable[[str], Request[PhoneNumber]]
) -> AsyncGenerator[Recovered]:
    """Look up each ``begun`` entry of this workspace that nobody holds; no purchase is sent.

    Args:
        pipeline: The pipeline of the client.
        ledger: The ledger.
        describe: Returns the request that buys a number.

    Yields:
        The outcome of each entry, in the order of the keys.
    """
    timeout = pipeline.timeout.total
    for entry in await within(timeout, ledger.begun()):
        if entry.workspace != pipeline.base_url:
            continue
        lease = Lease(ledger, entry.key, uuid4().hex, pipeline.clock, current_moment(pipeline.clock))
        standing = (await within(timeout, ledger.take(entry, lease.owner))).standing
        if standing is Standing.RESUMED:
            yield await _recovered(pipeline, lease, entry, describe(entry.number))
        elif standing is Standing.HELD:
            reason = f"A process holds the key, or held it less than {ledger.lease:g} s ago. Recover again later."
            yield Recovered(entry=entry, outcome=RecoveryOutcome.UNDER_WAY, reason=reason)


async def _recovered(pipeline: Pipeline, lease: Lease, entry: Entry, request: Request[PhoneNumber]) -> Recovered:
    try:
        async with hold_key(lease):
            number = await _bought(pipeline, lease.ledger, entry, request)
            if number is None or not await settle(lease, entry, number):
                number = None
                await within(pipeline.timeout.total, lease.ledger.release(lease.key, lease.owner))
    except MihuError as error:
        return Recovered(entry=entry, outcome=RecoveryOutcome.UNKNOWN, reason=str(error))
    outcome = RecoveryOutcome.NOT_BOUGHT if number is None else RecoveryOutcome.BOUGHT
    return Recovered(entry=entry, outcome=outcome, number=number)


async def _bought(
    pipeline: Pipeline, ledger: Ledger, entry: Entry, request: Request[PhoneNumber]
) -> PhoneNumber | None:
    """Return the number if the purchase made it, and None if it certainly did not; raise if the lookup is unclear."""
    grace = timedelta(seconds=pipeline.timeout.total)  # a write may be applied after its call has ended
    looking = evolve(
        pipeline,
        sender=Interrupted(pipeline.sender, entry.key, sends=False),
        retries=evolve(pipeline.retries, max_attempts=1),
    )
    try:
        looked = keyed_request(request, ledger, entry, resumed=True, grace=grace, was_sent=lambda: False)
        return await looking.run(looked)
    except ConflictError:
        return None
    except OutcomeUnknownError as error:
        try:
            number: PhoneNumber | None = await error.check()
        except ConflictError:
            return None
        if number is not None:
            return number
        now = await service_time(pipeline)
        if now is None or entry.ends is None or now.earliest < entry.ends + grace:
            raise
        return None
