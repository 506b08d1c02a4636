"""A write whose answer was lost, on a clock and a network of the test's own."""

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mihu_async import (
    ConflictError,
    ConnectError,
    ConnectionLostError,
    MihuError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RequestTimeoutError,
    RetryBudget,
    RetryPolicy,
    Timeout,
    UsageError,
)
from mihu_async.core.journal import LATEST
from mihu_async.core.reconcile import Found, Lookup
from mihu_async.core.request import RAW, describe
from tests.doubles import TOKEN, URL, FakeClock, FakeSender, failed, ok, pipeline

WHERE: dict[str, Any] = {"method": "POST", "url": URL}
LOST = ConnectionLostError("lost", **WHERE)
NOTHING = ok([])
LOOK = describe("GET", "/phone-numbers", RAW)


async def find(over, thorough):
    """Look for the first thing that is there."""
    return next(iter(await over.run(LOOK)), None)


def judge(found, began):
    """What is there says itself whose it is."""
    return Found(("found", began), ours={"ours": True, "theirs": False}.get(found), told=f"it is {found} {TOKEN}")


BUY = describe("POST", "/phone-numbers", RAW, json={"a": 1}, check="Look by hand.", lookup=Lookup(find, judge))


def sender(*outcomes, took=0.0) -> FakeSender:
    """Make a network that answers so."""
    return FakeSender(FakeClock(), outcomes, took)


async def raised(call, request=BUY) -> MihuError:
    """Make a call that fails, and give what was raised."""
    with pytest.raises(MihuError) as caught:
        await call.run(request)
    return caught.value


def methods(network) -> list[str]:
    """Give the verbs that were sent, in order."""
    return [request.method for request in network.sent]


async def test_what_is_found_is_given_and_marked():
    """Nothing is sent again, and the journal says where the result comes from."""
    network = sender(LOST, ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)
    *_, journal = LATEST.get() or (None, None)
    report = journal.report() if journal else None

    assert "found" == result
    assert ["POST", "GET"] == methods(network)
    assert [0.5] == network.clock.slept
    assert report
    assert report.found
    assert ("POST", "/api/v1/phone-numbers") == (report.method, report.path)
    assert [(1, 0.5, True, "it is ours ***")] == [
        (attempt.number, attempt.wait, attempt.lost, attempt.looked_up) for attempt in report.attempts
    ]


@pytest.mark.parametrize("date", ["Thu, 01 Jan 2026 12:00:10 GMT", None, "nonsense"])
async def test_the_call_began_on_the_services_clock(date):
    """Its Date header less the time since; without one, it is not known when."""
    headers = {} if date is None else {"Date": date}
    network = sender(LOST, ok(["ours"], **headers), took=2.0)
    _, began = await pipeline(network).run(BUY)
    known = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC) - timedelta(seconds=4.5)

    assert (known if date and date[0] == "T" else None) == began


async def test_what_is_not_there_is_sent_again():
    """The service refuses what it has, so a second one cannot be made."""
    network = sender(LOST, NOTHING, failed(500), NOTHING, ok("bought"))

    assert "bought" == await pipeline(network).run(BUY)
    assert ["POST", "GET", "POST", "GET", "POST"] == methods(network)
    assert [0.5, 1.0] == network.clock.slept


async def test_what_is_anothers_is_a_conflict():
    """It was there before, so this call did not make it."""
    error = await raised(pipeline(sender(LOST, ok(["theirs"]))))

    assert isinstance(error, ConflictError)
    assert 409 == error.status
    assert "has not led to what was asked for: it is theirs ***." in str(error)
    assert LOST is error.__cause__
    assert 1 == len(error.attempts)


async def test_a_refusal_after_a_lost_answer_is_looked_up_before_it_is_believed():
    """The refusal may mean that the first one was carried out, whatever its status."""
    network = sender(LOST, NOTHING, failed(422), ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)

    assert "found" == result
    assert ["POST", "GET", "POST", "GET"] == methods(network)


async def test_a_refusal_is_believed_where_the_lost_attempt_had_ended():
    """After the service's own 500 nothing is applied late, so nothing there and a refusal of another kind is one."""
    network = sender(failed(500), NOTHING, failed(403), NOTHING)
    error = await raised(pipeline(network))

    assert isinstance(error, PermissionDeniedError)
    assert "An earlier attempt's answer was lost: looked up since, it is not there now." in str(error)
    assert 2 == len(error.attempts)


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_refusal_that_may_mean_a_duplicate_is_never_believed(status):
    """What is held already may be the lost attempt's, though a listing that lags does not show it."""
    network = sender(failed(500), NOTHING, failed(status), *[NOTHING] * 4)
    error = await raised(pipeline(network))

    assert isinstance(error, OutcomeUnknownError)
    assert f"was refused with {status}" in str(error)


async def test_a_refusal_is_not_believed_while_the_lost_attempt_may_be_at_work():
    """It is looked for as often as a call may be sent, and then not known."""
    network = sender(LOST, NOTHING, failed(403), NOTHING, NOTHING, ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)
    stubborn = sender(LOST, NOTHING, failed(403), *[NOTHING] * 4)
    error = await raised(pipeline(stubborn))

    assert "found" == result
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, PermissionDeniedError)
    assert "which a write that is applied late may still change" in str(error)
    assert ["POST", "GET", "POST", *["GET"] * 4] == methods(stubborn)
    assert [0.5, 1.0, 0.5, 1.0, 2.0] == stubborn.clock.slept


@pytest.mark.parametrize("last", [ConnectError("no way", **WHERE), failed(429)])
async def test_what_was_lost_once_stays_lost_when_the_rest_was_never_sent(last):
    """Attempts of which nothing arrived do not make the first one undone."""
    network = sender(LOST, NOTHING, last, last, last, ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)

    assert "found" == result
    assert ["POST", "GET", "POST", "POST", "POST", "GET"] == methods(network)


async def test_a_lookup_that_fails_leaves_it_unknown():
    """It is tried as often as any read, and what it said is in the error, with secrets masked."""
    network = sender(LOST, *[failed(503, code=TOKEN)] * 4)
    error = await raised(pipeline(network))

    assert isinstance(error, OutcomeUnknownError)
    assert "It was looked up: the look-up failed: GET /api/v1/phone-numbers was refused with 503" in str(error)
    assert ".." not in str(error)
    assert TOKEN not in f"{error} {error.attempts} {vars(error)}"
    assert ["POST", *["GET"] * 4] == methods(network)
    assert "Look by hand." == error.how_to_check


async def test_what_cannot_be_told_is_unknown():
    """Something is there, and nothing says whose."""
    error = await raised(pipeline(sender(LOST, ok(["unclear"]))))

    assert isinstance(error, OutcomeUnknownError)
    assert "It was looked up: it is unclear ***." in str(error)


async def test_without_retries_it_is_still_looked_up():
    """One attempt and one look."""
    policy = RetryPolicy(max_attempts=1)
    found, _ = await pipeline(sender(LOST, ok(["ours"])), retries=policy).run(BUY)
    network = sender(LOST, NOTHING)
    error = await raised(pipeline(network, retries=policy))

    assert "found" == found
    assert isinstance(error, OutcomeUnknownError)
    assert ["POST", "GET"] == methods(network)


async def test_a_spent_budget_sends_nothing_again():
    """Looking is not sending: it is looked for, and then unknown."""
    network = sender(LOST, *[NOTHING] * 4)
    error = await raised(pipeline(network, retries=RetryPolicy(budget=RetryBudget(tokens=0))))

    assert isinstance(error, OutcomeUnknownError)
    assert ["POST", *["GET"] * 4] == methods(network)
    assert "Not tried again: the client's retry budget is spent." in str(error)


async def test_sending_again_is_paid_from_the_budget():
    """Each time that it is sent again costs, as with any call."""
    network = sender(LOST, NOTHING, ok(1), LOST, ok(["ours"]))
    calls = pipeline(network, retries=RetryPolicy(budget=RetryBudget(tokens=9, cost=5, refill=0)))
    await calls.run(BUY)

    assert calls.pressure.affords(RetryBudget(tokens=10, cost=5))
    assert not calls.pressure.affords(RetryBudget(tokens=9, cost=5))
    assert "found" == (await calls.run(BUY))[0]


async def test_a_call_whose_time_is_up_looks_no_more():
    """The total covers the look-ups too."""
    network = sender(RequestTimeoutError("late", **WHERE), took=10.0)
    error = await raised(pipeline(network, timeout=Timeout(total=10)))

    assert isinstance(error, OutcomeUnknownError)
    assert "There was no time to look it up." in str(error)
    assert ["POST"] == methods(network)


async def test_a_lookup_has_what_is_left_of_the_calls_time():
    """It does not begin an hour of its own."""
    network = sender(LOST, NOTHING, took=8.0)
    error = await raised(pipeline(network, timeout=Timeout(total=10, connect=1, read=3)))

    assert [10.0, 1.5] == [bounds.total for bounds in network.bounds]
    assert "it is not there now, and the call's time is up" in str(error)


async def test_a_wait_that_is_too_long_is_left_out():
    """Better to look at once than not at all."""
    network = sender(LOST, ok(["ours"]), took=9.8)
    found, _ = await pipeline(network, timeout=Timeout(total=10)).run(BUY)

    assert "found" == found
    assert [0.0] == network.clock.slept


async def unknown(network) -> OutcomeUnknownError:
    """Make a call whose outcome stays unknown."""
    error = await raised(pipeline(network, retries=RetryPolicy(max_attempts=1)))
    assert isinstance(error, OutcomeUnknownError)
    return error


async def test_check_looks_again():
    """It gives what the call would have given, None where nothing is there, and raises what it cannot give."""
    network = sender(LOST, NOTHING, NOTHING, ok(["ours"]), ok(["theirs"]), ok(["unclear"]), failed(503), ok(["ours"]))
    error = await unknown(network)
    network.clock.seconds += 3600

    assert await error.check() is None
    assert "found" == (await error.check())[0]
    with pytest.raises(ConflictError):
        await error.check()
    with pytest.raises(OutcomeUnknownError, match="It was looked up again: it is unclear"):
        await error.check()
    with pytest.raises(OutcomeUnknownError, match="the look-up failed") as again:
        await error.check()
    assert "found" == (await again.value.check())[0]
    assert ["POST", *["GET"] * 7] == methods(network)
    assert 60.0 == network.bounds[-1].total


async def test_check_needs_a_way_to_look():
    """A call without one, and an error from another process, say so and how to do it by hand."""
    plain = describe("POST", "/other", RAW, check="Look by hand.")
    error = await raised(pipeline(sender(LOST)), plain)
    assert isinstance(error, OutcomeUnknownError)
    with pytest.raises(UsageError, match=r"There is no look-up for this call\. Look by hand\."):
        await error.check()
    far = pickle.loads(pickle.dumps(await unknown(sender(LOST, NOTHING))))
    with pytest.raises(UsageError, match=r"came without its client, so it cannot look up anything\. Look by hand\."):
        await far.check()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_what_may_be_repeated_is_repeated_without_a_look(method):
    """And a refusal says that an earlier attempt may have been carried out."""
    network = sender(LOST, failed(409))
    error = await raised(pipeline(network), describe(method, "/x", RAW))

    assert isinstance(error, ConflictError)
    assert [method, method] == methods(network)
    assert str(error).endswith("An earlier attempt's answer was lost: it may have been carried out.")


async def test_what_a_repeated_delete_does_not_find_is_deleted():
    """A 404 is a refusal the first time, and a success after an answer that was lost."""
    request = describe("DELETE", "/x", RAW)
    first = await raised(pipeline(sender(failed(404))), request)

    assert 404 == getattr(first, "status", None)
    assert await pipeline(sender(LOST, failed(404))).run(request) is None
    assert 404 == getattr(await raised(pipeline(sender(failed(429), failed(404))), request), "status", None)
    assert 404 == getattr(await raised(pipeline(sender(LOST, failed(404))), describe("PUT", "/x", RAW)), "status", None)
