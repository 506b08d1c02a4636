"""A service whose listings lag, whose clocks differ, and that has a number in several rows."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from mihu_async.sandbox import Dated, Inventory, operations
from tests.virtual import in_virtual_time

PURCHASE = {"number": "+390790080041", "country_code": "IT", "type": "local"}
PAGE = {"page": 1, "per_page": 100}


def listed(held: Inventory) -> set[str]:
    """Return the numbers of both listings."""
    rows = [*operations.list_numbers(held, PAGE)["items"], *operations.list_trunks(held, PAGE)["items"]]
    return {row["number"] for row in rows}


@in_virtual_time
async def test_what_is_made_shows_in_the_listings_after_a_time():
    """Everything else knows it at once; what was inserted shows at once."""
    held = Inventory(0, 0)
    held.lag = 2.0
    operations.buy(held, PURCHASE)
    agent = held.free_agents("call")[0]
    operations.register(held, {"phone_number": "+12345678901", "channel": "call", "agent_uuid": agent})
    held.insert(number="+390790080042")

    assert {"+390790080042"} == listed(held)
    assert PURCHASE["number"] == operations.channels_of(held, {"number": PURCHASE["number"]})["number"]
    await asyncio.sleep(2)
    assert {"+390790080041", "+390790080042", "+12345678901"} == listed(held)


async def test_the_lag_is_of_the_loops_time():
    """Outside a loop it is of the machine's, which is the same one."""
    there = operations.loop_seconds()

    assert pytest.approx(time.monotonic(), abs=5) == there


def test_the_lag_outside_a_loop():
    """The machine's time counts."""
    assert pytest.approx(time.monotonic(), abs=5) == operations.loop_seconds()


def test_a_number_may_have_several_rows():
    """Where that is asked for."""
    held = Inventory(0, 0)
    old = held.insert(number="+390790080041", status="inactive")
    with pytest.raises(ValueError, match="already in the inventory"):
        held.insert(number="+390790080041")
    new = held.insert(number="+390790080041", twice=True)

    assert [old, new] == list(held.numbers)


@pytest.mark.parametrize(
    ("fault", "ahead", "age"),
    [(Dated(), 0, None), (Dated(-60), -60, None), (Dated(3600), 3600, None), (Dated(age=300), -300, "300")],
)
async def test_an_answer_is_dated_wrongly(sandbox, call, fault, ahead, age):
    """It is applied, and answered truly but for its Date and Age."""
    sandbox.faults.add(fault)
    reply = await call("POST", "/phone-numbers", json=PURCHASE)
    date = parsedate_to_datetime(reply.headers["Date"])

    assert 201 == reply.status
    assert abs(date - datetime.now(UTC) - timedelta(seconds=ahead)) < timedelta(seconds=30)
    assert age == reply.headers.get("Age")
