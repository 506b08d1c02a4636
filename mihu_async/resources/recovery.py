"""The purchases that dead processes left under their keys: each is looked up, and settled or released."""

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
from mihu_async.resources.keyed import Interrupted, hold_key, keyed_request, service_time, settle


class RecoveryOutcome(StrEnum):
    """The outcome of a purchase that nobody had written down."""

    BOUGHT = "bought"
    """This purchase bought the number; its key is settled."""
    NOT_BOUGHT = "not_bought"
    """The number is not in the inventory, or another purchase bought it; the key is free."""
    UNKNOWN = "unknown"
    """The look-up was inconclusive, and the entry stays as it is: recover again later."""


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
    """The reason why the outcome is unknown; empty otherwise."""


async def recover(
    pipeline: Pipeline, ledger: Ledger, describe: Callable[[str], Request[PhoneNumber]]
) -> AsyncGenerator[Recovered]:
    """Look up each abandoned entry of this workspace; no purchase is sent.

    Args:
        pipeline: The pipeline of the client.
        ledger: The ledger.
        describe: Returns the request that buys a number.

    Yields:
        The outcome of each entry, in the order of the keys.
    """
    for entry in await ledger.abandoned():
        if entry.workspace != pipeline.base_url:
            continue
        owner = uuid4().hex
        latest = entry.resumed or entry.began  # taking it over sends nothing, so this time stays
        if (await ledger.take(evolve(entry, began=latest), owner)).standing is not Standing.RESUMED:
            continue  # somebody else has it by now
        yield await _recovered(pipeline, ledger, entry, owner, describe(entry.number))


async def _recovered(
    pipeline: Pipeline, ledger: Ledger, entry: Entry, owner: str, request: Request[PhoneNumber]
) -> Recovered:
    try:
        async with hold_key(ledger, entry.key, owner):
            number = await _bought(pipeline, ledger, entry, request)
            if number is None or not await settle(ledger, entry, number):
                number = None
                await ledger.release(entry.key, owner)
    except MihuError as error:
        return Recovered(entry=entry, outcome=RecoveryOutcome.UNKNOWN, reason=str(error))
    outcome = RecoveryOutcome.NOT_BOUGHT if number is None else RecoveryOutcome.BOUGHT
    return Recovered(entry=entry, outcome=outcome, number=number)


async def _bought(
    pipeline: Pipeline, ledger: Ledger, entry: Entry, request: Request[PhoneNumber]
) -> PhoneNumber | None:
    """Return the number if the purchase made it, and None if it certainly did not; raise if the look-up is unclear."""
    looking = evolve(
        pipeline,
        sender=Interrupted(pipeline.sender, entry.key, sends=False),
        retries=evolve(pipeline.retries, max_attempts=1),
    )
    try:
        return await looking.run(keyed_request(request, ledger, entry, resumed=True))
    except ConflictError:
        return None
    except OutcomeUnknownError as error:
        try:
            number: PhoneNumber | None = await error.check()
        except ConflictError:
            return None
        if number is not None:
            return number
        now, latest = await service_time(pipeline), entry.resumed or entry.began
        if now is None or latest is None or now - latest < timedelta(seconds=pipeline.timeout.total):
            raise
        return None
