"""Whose what a look-up found is: pure judgements, and how it is found."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mihu_async import (
    Binding,
    Bindings,
    Capabilities,
    Channel,
    Channels,
    ChannelSettings,
    InboundSettings,
    NumberChannels,
    NumberSource,
    OutboundSettings,
    Pager,
    PhoneNumber,
)
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.reconcile import TOLERANCE, Found
from mihu_async.resources.lookups import purchase_of, registration_of, snapshot_of
from mihu_async.resources.numbers import NUMBERS
from tests.doubles import FakeClock, FakeSender, failed, ok, pipeline

NUMBER = "+390790080041"
BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGENT = "9b1c7a52-0000-4000-8000-00000000000a"


def number(**fields: Any) -> PhoneNumber:
    """Make a row of a listing."""
    return PhoneNumber(**{"phone_number_uuid": "u", "number": NUMBER, "is_external": False, **fields})


def never(*_: Any) -> Any:
    """Stand for a listing that a judgement must not need."""
    raise AssertionError


@pytest.mark.parametrize(
    ("bought", "ours"),
    [
        (BEGAN + timedelta(hours=1), True),
        (BEGAN, True),
        (BEGAN - TOLERANCE, True),
        (BEGAN - TOLERANCE - timedelta(microseconds=1), False),
        (BEGAN - timedelta(days=300), False),
    ],
)
def test_a_purchase_is_the_calls_where_it_was_not_made_before(bought, ours):
    """The line is where the call began, with a tolerance of two seconds."""
    row = number(purchased_at=bought)
    found = purchase_of(NUMBER, never).judge(row, BEGAN)

    assert (row, ours) == (found.result, found.ours)
    assert f"bought {'by' if ours else 'before'} this call ({bought:%Y-%m-%d}" in found.told


@pytest.mark.parametrize(
    ("row", "began", "ours", "told"),
    [
        (number(), BEGAN, None, "the service does not say when it was bought"),
        (number(purchased_at=BEGAN), None, None, "the service does not say what time it is there"),
        (number(is_external=True, purchased_at=BEGAN), BEGAN, False, "is an external trunk of this workspace"),
        (number(is_external=True), None, False, "is an external trunk of this workspace"),
    ],
)
def test_times_that_do_not_tell_decide_nothing(row, began, ours, told):
    """And a trunk is no purchase, whatever its dates."""
    found = purchase_of(NUMBER, never).judge(row, began)

    assert ours is found.ours
    assert told in found.told


@pytest.mark.parametrize(
    ("bindings", "ours", "told"),
    [
        (Bindings(call=Binding(bound=True, agent_uuid=AGENT)), True, "serves that agent on call"),
        (Bindings(call=Binding(bound=True, agent_uuid=AGENT.upper())), True, "serves that agent on call"),
        (Bindings(call=Binding(bound=True, agent_uuid="other")), False, "serves another agent on call (other)"),
        (Bindings(call=Binding(bound=True)), None, "does not say which agent it serves on call"),
        (Bindings(), None, "does not say which agent"),
        (None, None, "does not say which agent"),
    ],
)
def test_a_trunk_of_that_agent_is_what_was_asked_for(bindings, ours, told):
    """Whoever made it; that of another agent is not."""
    row = number(is_external=True, bindings=bindings)
    found = registration_of(NUMBER, "call", AGENT, never).judge(row, None)

    assert Found(snapshot_of(row), ours=ours, told=found.told) == found
    assert told in found.told


def test_a_snapshot_is_made_from_a_row():
    """Voice in the settings is call in the channels."""
    voice = OutboundSettings(enabled=True, channel_limit=3, whitelisted_destinations=("US",))
    inbound = InboundSettings(enabled=False, channel_limit=1)
    call = Binding(bound=True, agent_uuid=AGENT, agent_name="Ada")
    row = number(
        is_external=True,
        source=NumberSource.EXTERNAL,
        capabilities=Capabilities(voice=True, sms=False),
        channel_settings=ChannelSettings(voice=voice, inbound=inbound),
        bindings=Bindings(call=call, sms=Binding(bound=False)),
    )

    assert snapshot_of(row) == NumberChannels(
        number=NUMBER,
        phone_number_uuid="u",
        is_external=True,
        source=NumberSource.EXTERNAL,
        channels=Channels(
            call=Channel(
                capable=True,
                enabled=True,
                channel_limit=3,
                whitelisted_destinations=("US",),
                bound=True,
                agent_uuid=AGENT,
                agent_name="Ada",
            ),
            sms=Channel(capable=False, bound=False),
            whatsapp=Binding(),
            inbound=inbound,
        ),
    )
    assert Channels(call=Channel(), sms=Channel(), whatsapp=Binding()) == snapshot_of(number()).channels


def page(*rows: Any) -> Any:
    """Make the answer of a listing that fits on one page."""
    pagination = {"current_page": 1, "per_page": 100, "total": len(rows), "last_page": 1, "has_more": False}
    return ok({"items": list(rows), "pagination": pagination})


def listed(over: Pipeline, filters: dict[str, Any]) -> Pager[PhoneNumber]:
    """Make the pager of a listing."""
    return NUMBERS.pager(over, 1, filters, page=1, per_page=100)


@pytest.mark.parametrize(
    ("answers", "thorough", "found"),
    [
        ([page({"phone_number_uuid": "u", "number": "+39 079 0080041", "is_external": False})], False, "u"),
        ([page()], False, None),
        ([page(), page({"phone_number_uuid": "u", "number": "0039-0790080041", "is_external": False})], True, "u"),
        ([failed(400), page({"phone_number_uuid": "u", "number": NUMBER, "is_external": False})], False, "u"),
    ],
)
async def test_a_look_up_knows_a_number_by_its_digits(answers, thorough, found):
    """It walks the whole listing where it is to be thorough, or where the filter is refused."""
    network = FakeSender(FakeClock(), answers)
    row = await purchase_of(NUMBER, listed).find(pipeline(network), thorough)

    assert found == (row and row.phone_number_uuid)
    assert [] == network.outcomes
