"""What the SDK says of a write where what it sees does not tell the whole truth."""

import asyncio
from typing import Any

import pytest

from mihu_async import ConflictError, OutcomeUnknownError
from mihu_async.sandbox import Change, Hang, Status, operations
from tests.mishaps import Overtaken, Truth

PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


def leave_out(document: dict[str, Any]) -> None:
    """Show a page without the purchase, whose total still counts it."""
    data = document["data"]
    data["items"] = [row for row in data["items"] if row["number"] != PURCHASE["number"]]


def lag(document: dict[str, Any]) -> None:
    """Show the page as it was before the purchase."""
    leave_out(document)
    document["data"]["pagination"]["total"] = len(document["data"]["items"])


async def test_a_listing_that_does_not_add_up_shows_that_nothing_is_absent(mihu, sandbox):
    """A walk that cannot promise to be complete does not tell, when the answer is lost or later."""
    sandbox.faults.add(Status(500, after=True), method="POST")
    sandbox.faults.add(Change(leave_out), method="GET", times=None)
    with pytest.raises(OutcomeUnknownError, match="changed or contradicts itself") as caught:
        await mihu.numbers.buy(**PURCHASE)
    with pytest.raises(OutcomeUnknownError, match="changed or contradicts itself"):
        await caught.value.check()

    sandbox.faults.clear()

    assert 2 == len(sandbox.journal.select(method="POST"))
    assert PURCHASE["number"] == (await caught.value.check()).number


async def test_a_conflict_with_nothing_is_not_believed(mihu, sandbox):
    """The number that is held already may be the lost attempt's, which a listing that lags does not show yet."""
    sandbox.faults.add(Status(500, after=True), method="POST")
    sandbox.faults.add(Change(lag), method="GET", times=None)
    with pytest.raises(OutcomeUnknownError):
        await mihu.numbers.buy(**PURCHASE)


async def test_a_write_that_was_cancelled_says_what_was_sent(mihu, sandbox):
    """The last call names the attempt that was under way, as one that may have been applied."""
    sandbox.faults.add(Hang(after=True), method="POST")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await mihu.numbers.buy(**PURCHASE)

    assert 1 == len(sandbox.journal)
    assert [True] == [attempt.lost for attempt in mihu.last_call.attempts]


async def test_a_registration_that_others_changed_is_not_denied(mihu, sandbox):
    """It was applied, and then someone moved the trunk: the error does not say that it was not applied."""
    agent, other = sandbox.inventory.free_agents("call")[:2]
    trunk = {"phone_number": "+12345678901", "channel": "call"}

    def move() -> None:
        operations.assign(sandbox.inventory, {**trunk, "agent_uuid": other})

    sandbox.faults.add(Status(502, after=True), method="POST")
    sandbox.faults.add(Overtaken(move, Truth()), method="GET")
    with pytest.raises((ConflictError, OutcomeUnknownError)) as caught:
        await mihu.trunks.register(**trunk, agent_uuid=agent)

    assert "was not applied" not in str(caught.value)
