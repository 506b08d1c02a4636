"""A number is found in the inventory, and waited for, on a clock and a network of the test's own."""

from typing import Any

import pytest

from mihu_async import (
    AuthenticationError,
    ConnectionLostError,
    MihuError,
    NumberStatus,
    PhoneNumber,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    Timeout,
    UsageError,
    WaitError,
    WaitTimeoutError,
)
from mihu_async.core.response import Response
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.waiting import why_never
from tests.doubles import FakeClock, FakeSender, Outcome, failed, ok, pipeline, response

NUMBER = "+390790080041"
ONCE = RetryPolicy(max_attempts=1)


def row(status: str | None = "active", *, number: str = NUMBER, external: bool = False, uuid: str = "u") -> Any:
    """Make a row of a listing, as an answer holds it."""
    return {"phone_number_uuid": uuid, "number": number, "is_external": external, "status": status}


def page(*rows: Any, total: int | None = None) -> Response:
    """Make the answer of a listing that fits on one page; another ``total`` contradicts it."""
    count = len(rows) if total is None else total
    pagination = {"current_page": 1, "per_page": 100, "total": count, "last_page": 1, "has_more": False}
    return ok({"items": list(rows), "pagination": pagination})


def numbers(*answers: Outcome, took: float = 0.0) -> tuple[Numbers, FakeSender]:
    """Make the resource over a network that answers so, and give both."""
    network = FakeSender(FakeClock(), answers, took)
    return Numbers(pipeline(network, retries=ONCE), concurrency=1), network


def uuid_of(found: PhoneNumber | None) -> str | None:
    """Return what a row is known by."""
    return found.phone_number_uuid if found else None


async def test_a_number_is_found_by_a_narrowed_listing():
    """One request is enough for an active number; it asks for external rows too."""
    resource, network = numbers(page(row()))
    found = await resource.find(NUMBER)

    assert "u" == uuid_of(found)
    assert ["include_external=true&search=390790080041&per_page=100&page=1"] == [sent.query for sent in network.sent]


@pytest.mark.parametrize("written", ["+39 079 0080041", "+39-079-0080041", "0039 (079) 0080041", "390790080041"])
async def test_a_number_is_known_by_its_digits(written):
    """However the inventory writes it, a whole walk finds it where the filter does not."""
    resource, _ = numbers(page(), page(row(number="+390790080042", uuid="other"), row(number=written)))

    assert "u" == uuid_of(await resource.find(NUMBER))


async def test_a_narrowed_row_without_a_readable_number_may_be_the_one():
    """It is not passed over in silence."""
    resource, _ = numbers(page(row() | {"number": 5}))

    with pytest.raises(MihuError, match="the number of a row cannot be read"):
        await resource.find(NUMBER)


async def test_a_service_that_ignores_the_filter_is_walked():
    """A second page of a narrowed listing shows it; the walk ends with the first active row."""
    begun = {"current_page": 1, "per_page": 100, "total": 101, "last_page": 2, "has_more": True}
    ignored = ok({"items": [row(number="+390790080042", uuid="other")], "pagination": begun})
    resource, network = numbers(ignored, page(row()))

    assert "u" == uuid_of(await resource.find(NUMBER))
    assert ["search" in sent.query for sent in network.sent] == [True, False]


@pytest.mark.parametrize(
    ("narrowed", "whole", "expected"),
    [
        ([row("inactive", uuid="old"), row("active", uuid="new")], None, "new"),
        ([row("pending", uuid="begun"), row("active", uuid="new")], None, "new"),
        ([row("inactive", uuid="old"), row("pending", uuid="begun")], None, "begun"),
        ([row(None, uuid="unknown")], None, "unknown"),
        ([row("inactive", uuid="old")], [row("active", uuid="new", number="0039790080041")], "old"),
        ([row("inactive", uuid="old")], [row("active", uuid="new", number="00390790080041")], "new"),
        ([row("active", external=True, uuid="trunk"), row("inactive", uuid="old")], [], "old"),
        ([row(None, external=True, uuid="trunk")], [row(None, external=True, uuid="trunk")], "trunk"),
        ([], [row(None, external=True, uuid="call"), row(None, external=True, uuid="whatsapp")], "call"),
    ],
)
async def test_the_row_in_use_is_preferred(narrowed, whole, expected):
    """An active purchase goes before one that is pending, inactive or external; only the last two need a whole walk."""
    resource, network = numbers(page(*narrowed), *([] if whole is None else [page(*whole)]))

    assert expected == uuid_of(await resource.find(NUMBER))
    assert [] == network.outcomes


async def test_a_filter_that_the_service_refuses_is_left_out():
    """The whole listing is walked instead."""
    resource, network = numbers(failed(422), page(row()))

    assert "u" == uuid_of(await resource.find(NUMBER))
    assert "include_external=true&per_page=100&page=1" == network.sent[-1].query


async def test_none_is_proved():
    """It comes from a complete walk of the whole listing."""
    other = row(number="+390790080042")
    resource, network = numbers(page(), page(other))

    assert None is await resource.find(NUMBER)
    assert 2 == len(network.sent)


async def test_a_walk_that_is_not_complete_proves_nothing():
    """The number may be in an unread part of the listing, so this is an error and not None."""
    other = row(number="+390790080042")
    resource, _ = numbers(page(), *[page(other, total=2)] * 9)

    with pytest.raises(MihuError, match=r"it may contain \+390790080041") as caught:
        await resource.find(NUMBER)

    assert MihuError is type(caught.value)


async def test_a_number_is_waited_for_until_it_is_active():
    """It is looked at every ten seconds, and given as it is then."""
    resource, network = numbers(*[page(row("pending"))] * 3, page(row("active")))
    found = await resource.wait(NUMBER)

    assert NumberStatus.ACTIVE == found.status
    assert [10.0] * 3 == network.clock.slept


async def test_a_number_that_has_the_status_is_not_waited_for():
    """One look is enough, whatever the status."""
    resource, network = numbers(page(row("pending")))

    assert "u" == uuid_of(await resource.wait(NUMBER, status=NumberStatus.PENDING))
    assert [] == network.clock.slept


async def test_a_number_that_is_not_there_yet_is_waited_for():
    """The inventory may lag behind a purchase; an old row of the number ends nothing."""
    old = page(row("inactive", uuid="old"))
    resource, network = numbers(page(), page(), old, old, page(row("pending")), page(row("active")))

    assert "u" == uuid_of(await resource.wait(NUMBER, interval=1))
    assert [1.0] * 3 == network.clock.slept


@pytest.mark.parametrize(
    ("answers", "message", "last"),
    [
        (
            [page(row("pending"))] * 3,
            "was not active within 25 s: its last known status is 'pending'",
            "pending",
        ),
        ([page(row(None))] * 3, "its last known status is not known", None),
        ([page()] * 6, "it was not seen in the inventory, after 3 lookups", None),
        ([page(row("review"))] * 3, "its last known status is 'review', after 3 lookups", "review"),
    ],
)
async def test_a_wait_has_an_end(answers, message, last):
    """The error is a TimeoutError too, and says the status that was seen last; the last look is made at the end."""
    resource, network = numbers(*answers)

    with pytest.raises(WaitTimeoutError) as caught:
        await resource.wait(NUMBER, timeout=25, interval=15)

    assert isinstance(caught.value, TimeoutError)
    assert message in str(caught.value)
    assert (NUMBER, "active", last, None) == (
        caught.value.number,
        caught.value.status,
        caught.value.last_status,
        caught.value.__cause__,
    )
    assert ([15.0, 10.0], []) == (network.clock.slept, network.outcomes)


@pytest.mark.parametrize(
    ("answers", "status", "message"),
    [
        ([page(row("pending")), page(), page()], "active", "is no longer in the inventory"),
        ([page(row("pending"))] + [page(row("inactive"))] * 2, "active", "has become inactive"),
        ([page(row("active"))] + [page(row("inactive"))] * 2, "pending", "has become inactive"),
        ([page(row(None, external=True))] * 2, "active", "is an external number, which has no status"),
    ],
)
async def test_a_number_that_will_not_come_to_a_status_is_reported_at_once(answers, status, message):
    """Nobody waits for the end of the time."""
    resource, network = numbers(*answers)

    with pytest.raises(WaitError, match=message) as caught:
        await resource.wait(NUMBER, status=status)

    assert not isinstance(caught.value, TimeoutError)
    assert len(network.clock.slept) <= 1
    assert [] == network.outcomes


async def test_a_number_that_becomes_inactive_can_be_waited_for():
    """It is what was asked for."""
    resource, _ = numbers(page(row("active")), page(row("inactive")), page(row("inactive")))

    assert NumberStatus.INACTIVE == (await resource.wait(NUMBER, status="inactive")).status


@pytest.mark.parametrize(
    "failure",
    [
        failed(500),
        failed(408),
        failed(429),
        RequestTimeoutError("late", method="GET", url="/"),
        response(body=b"<html>"),
    ],
    ids=["500", "408", "429", "timeout", "no JSON"],
)
async def test_a_look_that_fails_does_not_end_the_wait(failure):
    """The next one may succeed."""
    resource, network = numbers(page(row("pending")), failure, page(row("active")))

    assert "u" == uuid_of(await resource.wait(NUMBER))
    assert [10.0, 10.0] == network.clock.slept


async def test_a_wait_keeps_the_pause_that_the_service_asks_for():
    """It is longer than the interval and than what a call would wait for."""
    resource, network = numbers(failed(429, Retry_After="90"), page(row("active")))

    assert "u" == uuid_of(await resource.wait(NUMBER))
    assert [90.0] == network.clock.slept


async def test_the_end_of_a_wait_tells_of_the_look_that_failed():
    """Its error is the cause, and the status that was seen before it is kept."""
    resource, _ = numbers(page(row("pending")), failed(500))

    with pytest.raises(
        WaitTimeoutError, match=r"'pending', after 2 lookups\..* that failed: GET .* with 500"
    ) as caught:
        await resource.wait(NUMBER, timeout=5)

    assert isinstance(caught.value.__cause__, ServerError)


async def test_a_look_has_its_calls_time_and_no_more():
    """What hangs at the end of the time takes one ``Timeout.total`` more, however many calls it needs."""
    network = FakeSender(FakeClock(), [page(), *[failed(429, Retry_After="4")] * 9], took=2.0)
    resource = Numbers(pipeline(network, timeout=Timeout(total=5)), concurrency=1)
    began = network.clock.seconds

    with pytest.raises(WaitTimeoutError) as caught:
        await resource.wait(NUMBER, timeout=3, interval=3)

    assert isinstance(caught.value.__cause__, RateLimitError)
    assert network.clock.seconds - began <= 3 + 5 + network.took


async def test_a_failure_that_every_look_would_meet_ends_the_wait():
    """Such as a certificate that is not trusted, or a client that was closed: no connection is opened again."""
    cut_off = ConnectionLostError("The client was closed.", method="GET", url="/")
    cut_off.is_permanent = True
    resource, network = numbers(page(row("pending")), cut_off)

    with pytest.raises(ConnectionLostError):
        await resource.wait(NUMBER)

    assert [10.0] == network.clock.slept


async def test_a_refusal_ends_the_wait():
    """A token that is refused now is refused later."""
    resource, network = numbers(page(row("pending")), failed(401))

    with pytest.raises(AuthenticationError):
        await resource.wait(NUMBER)

    assert [10.0] == network.clock.slept


@pytest.mark.parametrize(
    ("number", "options", "argument"),
    [
        ("390790080041", {}, "number"),
        (NUMBER, {"status": "ready"}, "status"),
        (NUMBER, {"status": None}, "status"),
        (NUMBER, {"timeout": 0}, "timeout"),
        (NUMBER, {"timeout": None}, "timeout"),
        (NUMBER, {"interval": -1}, "interval"),
    ],
)
async def test_what_can_never_come_is_refused(number, options, argument):
    """Nothing is sent."""
    resource, network = numbers()

    with pytest.raises(UsageError) as caught:
        await resource.wait(number, **options)

    assert argument == caught.value.argument
    assert [] == network.sent


async def test_a_number_to_find_is_checked():
    """Nothing is sent for one that is not E.164."""
    resource, network = numbers()

    with pytest.raises(UsageError, match="number must be a number in"):
        await resource.find("00390790080041")

    assert [] == network.sent


def test_an_old_row_ends_no_wait():
    """Only a change to inactive does, and not for who waits for that."""
    old = PhoneNumber(phone_number_uuid="u", number=NUMBER, is_external=False, status=NumberStatus.INACTIVE)

    assert None is why_never(old, seen=None, wanted=NumberStatus.ACTIVE)
    assert None is why_never(old, seen=old, wanted=NumberStatus.ACTIVE)
    assert None is why_never(None, seen=None, wanted=NumberStatus.ACTIVE)
