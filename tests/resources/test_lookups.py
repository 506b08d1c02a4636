"""Whose what a lookup found is: pure judgements, and how it is found."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

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
    NumberStatus,
    OutboundSettings,
    PhoneNumber,
)
from mihu_async.core.lookup import Circumstances, Found
from mihu_async.core.server_clock import CallWindow, TimeInterval
from mihu_async.resources.lookups import (
    contradiction_of,
    judge_purchase,
    judge_registration,
    purchase_of,
    snapshot_of,
)
from mihu_async.resources.numbers import NUMBERS
from mihu_async.resources.rows import Listed, Rows
from tests.doubles import FakeClock, FakeSender, failed, ok, pipeline

NUMBER = "+390790080041"
BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
AGENT = "9b1c7a52-0000-4000-8000-00000000000a"


def number(**fields: Any) -> PhoneNumber:
    """Make a row of a listing."""
    return PhoneNumber(**{"phone_number_uuid": "u", "number": NUMBER, "is_external": False, **fields})


def circumstances(began: datetime | None = BEGAN, *anothers: str) -> Circumstances:
    """Make what is known of a call that began then and takes two seconds."""
    if began is None:
        return Circumstances(None)
    interval, later = TimeInterval(began, began + timedelta(seconds=1)), began + timedelta(seconds=2)
    window = CallWindow(interval, TimeInterval(later, later + timedelta(seconds=1)))
    return Circumstances(window, anothers.__contains__)


MINE = number(phone_number_uuid="mine", purchased_at=BEGAN + timedelta(seconds=1))
OLD = number(phone_number_uuid="old", purchased_at=BEGAN - timedelta(days=2000), status=NumberStatus.INACTIVE)
HELD = number(phone_number_uuid="held", purchased_at=BEGAN - timedelta(days=2), status=NumberStatus.ACTIVE)
OUTSIDE = number(phone_number_uuid="outside", is_external=True)
SOON = number(phone_number_uuid="soon", purchased_at=BEGAN + timedelta(hours=1))
UNDATED = number(phone_number_uuid="undated")


def judged(*rows: PhoneNumber, known: Circumstances | None = None, complete: bool = True) -> Found[PhoneNumber]:
    """Judge rows of a number."""
    return judge_purchase(NUMBER, Rows(rows, complete), known or circumstances())


@pytest.mark.parametrize(
    "others", list(permutations([OLD, OUTSIDE, HELD], 2)), ids=lambda rows: rows[0].phone_number_uuid
)
def test_all_rows_of_a_number_count(others):
    """A row that was bought during the call is this call's, whatever stands before or behind it."""
    for rows in permutations([MINE, *others]):
        assert (MINE, True) == (judged(*rows).result, judged(*rows).ours)
        assert judged(*rows, complete=False).ours
    assert judged(*others).ours is False
    assert "bought by this call (2026-01-01 12:00:01+0000)" in judged(MINE).reason


@pytest.mark.parametrize(
    ("rows", "ours", "is_final", "reason"),
    [
        ([OLD], False, False, "bought before this call (2020-07-11"),
        ([OLD, HELD], False, True, "bought before this call (2025-12-30"),
        ([HELD, OLD], False, True, "bought before this call (2025-12-30"),
        ([OUTSIDE], False, True, "is an external trunk of this workspace"),
        ([HELD, SOON], None, True, "does not show whether this call bought it, from 12:00:00 to 12:00:03"),
        ([HELD, UNDATED], None, True, "the service does not say when it was bought"),
        ([MINE, MINE], None, True, "was bought 2 times during this call"),
    ],
)
def test_it_is_a_conflict_where_all_rows_are_clearly_from_before(rows, ours, is_final, reason):
    """Nothing is known if one of them does not tell."""
    found = judged(*rows)

    assert (ours, is_final) == (found.ours, found.is_final)
    assert reason in found.reason


def test_a_listing_that_was_not_seen_whole_shows_no_conflict():
    """The listing may contain the row that matters."""
    found = judged(HELD, complete=False)

    assert found.ours is None
    assert "changed or contradicts itself, so it may contain +390790080041" in found.reason


def test_without_the_services_clock_no_date_tells():
    """A trunk is no purchase, whatever its dates."""
    found = judged(HELD, known=circumstances(None))

    assert found.ours is None
    assert "the service does not say what time it is there" in found.reason
    assert judged(OUTSIDE, known=circumstances(None)).ours is False


def test_a_row_that_is_external_and_purchased_is_judged_by_its_date():
    """The documented example says both of one number."""
    row = number(
        phone_number_uuid="mine", is_external=True, source=NumberSource.PURCHASED, purchased_at=MINE.purchased_at
    )

    assert judged(row).ours is True
    assert judged(evolve(row, source=NumberSource.EXTERNAL)).ours is False


def test_a_row_that_another_call_was_given_is_from_before():
    """Whatever its date is near to."""
    found = judged(MINE, known=circumstances(BEGAN, "mine"))

    assert found.ours is False
    assert "bought by another call" in found.reason


@pytest.mark.parametrize(
    ("bindings", "ours", "reason"),
    [
        (Bindings(call=Binding(bound=True, agent_uuid=AGENT)), True, "serves that agent on call"),
        (Bindings(call=Binding(bound=True, agent_uuid=AGENT.upper())), True, "serves that agent on call"),
        (Bindings(call=Binding(bound=True, agent_uuid="other")), False, "serves another agent on call (other)"),
        (Bindings(call=Binding(bound=True)), None, "does not say which agent it serves on call"),
        (Bindings(), None, "does not say which agent"),
        (None, None, "does not say which agent"),
    ],
)
def test_a_trunk_of_that_agent_is_what_was_asked_for(bindings, ours, reason):
    """Whoever made it; that of another agent is not."""
    row = number(is_external=True, bindings=bindings)
    found = judge_registration(NUMBER, "call", AGENT, (), Rows((row,), complete=True), circumstances())

    assert Found(snapshot_of(row), ours=ours, reason=found.reason) == found
    assert reason in found.reason


def test_all_rows_of_a_trunk_count():
    """One that serves the agent is what was asked for, whatever stands before it; a conflict needs all of them."""
    other, mine = (
        number(phone_number_uuid=agent, is_external=True, bindings=Bindings(call=Binding(bound=True, agent_uuid=agent)))
        for agent in ("other", AGENT)
    )
    found = judge_registration(NUMBER, "call", AGENT, (), Rows((other, mine), complete=False), circumstances())
    partial = judge_registration(NUMBER, "call", AGENT, (), Rows((other,), complete=False), circumstances())

    assert (AGENT, True) == (found.result.phone_number_uuid, found.ours)
    assert partial.ours is None
    assert "it may contain" in partial.reason


def test_settings_that_no_answer_shows_may_be_anothers():
    """So a trunk that serves the agent is not known to be as it was asked for."""
    row = number(is_external=True, bindings=Bindings(call=Binding(bound=True, agent_uuid=AGENT)))
    rows = Rows((row,), complete=True)
    found = judge_registration(NUMBER, "call", AGENT, ("name", "sip"), rows, circumstances())

    assert found.ours is None
    assert "no answer shows whose settings it stores (name, sip); trunks.update(…) stores yours" in found.reason


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (NUMBER, None),
        ("+39 079 0080041", None),
        ("0039-079-0080041", None),
        (None, None),
        ("", None),
        ("+390790080042", "the answer is about +390790080042, and not about +390790080041"),
    ],
)
def test_an_answer_about_another_number_is_known_by_its_digits(answered, expected):
    """An answer that names none is taken as it is."""
    assert expected == contradiction_of(NUMBER)(NumberChannels(number=answered, channels=Channels()))


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


@pytest.mark.parametrize(
    ("answers", "thorough", "found"),
    [
        ([page({"phone_number_uuid": "u", "number": "+39 079 0080041", "is_external": False})], False, "u"),
        ([page()], False, None),
        ([page({"phone_number_uuid": "u", "number": "0039-0790080041", "is_external": False})], True, "u"),
        ([failed(400), page({"phone_number_uuid": "u", "number": NUMBER, "is_external": False})], False, "u"),
    ],
)
async def test_a_look_up_knows_a_number_by_its_digits(answers, thorough, found):
    """It walks the whole listing where it is to be thorough, or where the filter is refused."""
    network = FakeSender(FakeClock(), answers)
    rows = await purchase_of(NUMBER, Listed(NUMBERS, concurrency=1)).find(pipeline(network), thorough)

    assert found == (rows and rows.items[0].phone_number_uuid)
    assert rows is None or (thorough or len(answers) > 1) == rows.complete
    assert [] == network.outcomes
