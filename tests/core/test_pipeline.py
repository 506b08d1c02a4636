import asyncio
import logging
from typing import Any, Literal

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from mihu_async import (
    APIError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DecodeError,
    MihuError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RetryBudget,
    RetryPolicy,
    ServerError,
    Timeout,
)
from mihu_async.core.admission import Prefetch, Progress
from mihu_async.core.clock import Deadline
from mihu_async.core.request import RAW, describe
from tests.doubles import TOKEN, URL, FakeClock, FakeSender, Still, failed, ok, pipeline, response

GET = describe("GET", "/phone-numbers", RAW)
POST = describe("POST", "/phone-numbers", RAW, json={"password": "hunter22"}, how_to_check="Look in the inventory.")
WHERE: dict[str, Any] = {"method": "GET", "url": URL}


def sender(*outcomes, took=0.0) -> FakeSender:
    """Make a network that answers so, on a clock of its own."""
    return FakeSender(FakeClock(), outcomes, took)


async def raised(call, request=GET) -> MihuError:
    """Make a call that fails, and give what was raised."""
    with pytest.raises(MihuError) as caught:
        await call.run(request)
    return caught.value


async def test_a_success_is_one_attempt():
    """Nothing is sent twice that was answered once."""
    network = sender(ok({"a": 1}))

    assert {"a": 1} == await pipeline(network).run(GET)
    assert [GET] == network.sent
    assert [] == network.clock.slept


async def test_a_failure_is_repeated_after_growing_waits():
    """Each wait is twice the one before, and the last answer counts."""
    network = sender(failed(503), ConnectionLostError("lost", **WHERE), response(body=b"<"), ok(7))

    assert 7 == await pipeline(network).run(GET)
    assert [0.5, 1.0, 2.0] == network.clock.slept


async def test_the_error_carries_the_journal():
    """It says what was tried, when, why each attempt ended, and how long was waited."""
    network = sender(failed(503), RequestTimeoutError("late", **WHERE), failed(500), failed(502), took=2.0)
    error = await raised(pipeline(network))

    assert isinstance(error, ServerError)
    assert [1, 2, 3, 4] == [attempt.number for attempt in error.attempts]
    assert [503, None, 500, 502] == [attempt.status for attempt in error.attempts]
    assert [0.5, 1.0, 2.0, None] == [attempt.wait for attempt in error.attempts]
    assert [2.0, 2.0, 2.0, 2.0] == [attempt.elapsed for attempt in error.attempts]
    assert [0.0, 2.5, 5.5, 9.5] == [
        (attempt.started_at - error.attempts[0].started_at).total_seconds() for attempt in error.attempts
    ]
    assert "RequestTimeoutError: late" == error.attempts[1].outcome
    assert str(error).endswith("Tried 4 times. Not tried again: max_attempts=4.")


async def test_a_refusal_is_raised_at_once():
    """An answer that would be the same again is not asked for again."""
    network = sender(failed(409))
    error = await raised(pipeline(network))

    assert isinstance(error, ConflictError)
    assert 1 == len(error.attempts)
    assert "" == error.stopped


@pytest.mark.parametrize(
    "outcome",
    [
        failed(500),
        failed(504),
        failed(408),
        RequestTimeoutError("late", **WHERE),
        ConnectionLostError("lost", **WHERE),
        response(200, body=b"<html>", Content_Type="text/html"),
        response(201, body=b'{"success": true'),
    ],
    ids=["500", "504", "408", "timeout", "loss", "html", "cut"],
)
async def test_a_write_whose_answer_was_lost_is_not_sent_again(outcome):
    """It may have been applied: the error says so, says how to check, and keeps the cause."""
    network = sender(outcome)
    error = await raised(pipeline(network), POST)

    assert isinstance(error, OutcomeUnknownError)
    assert 1 == len(network.sent)
    assert isinstance(error.__cause__, APIError | DecodeError | ConnectionLostError | RequestTimeoutError)
    assert "Look in the inventory." == error.how_to_check
    assert "POST /api/v1/phone-numbers may or may not have been applied" in str(error)
    assert "It was not sent again. Look in the inventory." in str(error)
    assert 1 == len(error.attempts)


@pytest.mark.parametrize("outcome", [ConnectError("no way", **WHERE), failed(429)], ids=["connect", "429"])
async def test_a_write_that_was_not_carried_out_is_sent_again(outcome):
    """Where nothing can have happened, a purchase is tried again like a read."""
    network = sender(outcome, outcome, ok("bought"))

    assert "bought" == await pipeline(network).run(POST)
    assert 3 == len(network.sent)


async def test_a_pause_that_the_service_asks_for_is_kept():
    """Retry-After goes before our own waits, up to the cap."""
    network = sender(failed(429, Retry_After="7"), failed(503, Retry_After="3"), failed(429, Retry_After="61"))
    error = await raised(pipeline(network))

    assert [7.0, 3.0] == network.clock.slept
    assert isinstance(error, RateLimitError)
    assert 61.0 == error.retry_after
    assert "the service asks for a pause of 61 s, above max_retry_after=60" in str(error)


async def test_one_deadline_covers_attempts_and_waits():
    """Each attempt has what is left of the total, and no wait passes its end."""
    network = sender(*[failed(503)] * 4, took=4.0)
    error = await raised(pipeline(network, timeout=Timeout(total=10, connect=1, read=2)))

    assert [10.0, 5.5, 0.5] == [bounds.total for bounds in network.bounds]
    assert [0.5, 1.0] == network.clock.slept
    assert {(1, 2)} == {(bounds.connect, bounds.read) for bounds in network.bounds}
    assert "the next attempt would begin after the call's total time, of which 0 s are left" in str(error)


async def test_a_clock_that_jumps_begins_no_attempt_too_late():
    """What was waited for longer than meant is not sent after the call's time."""
    network = sender(failed(503), ok(1))
    late = pipeline(network, timeout=Timeout(total=1.0), retries=RetryPolicy(base_delay=0.9))
    network.clock.overslept = 5.0

    error = await raised(late)

    assert isinstance(error, ConnectTimeoutError)
    assert "was not sent: its time was up before" in str(error)
    assert 1 == len(network.sent)


@given(
    outcomes=st.lists(
        st.sampled_from([failed(500), failed(429), failed(429, Retry_After="2"), failed(429, Retry_After="99"), ok(1)]),
        min_size=8,
    ),
    attempts=st.integers(1, 6),
    total=st.floats(0.1, 30),
    took=st.floats(0, 5),
    jitter=st.floats(0, 1),
    method=st.sampled_from(["GET", "POST"]),
)
@example(outcomes=[failed(429)], attempts=3, total=1.0, took=0.0, jitter=0.0, method="GET")  # its turn comes too late
async def test_no_script_of_failures_breaks_the_bounds(outcomes, attempts, total, took, jitter, method):
    """Never more failures than attempts allowed, no wait above its cap, no attempt begun after the deadline."""
    network = sender(*outcomes, *[failed(500)] * 300, took=took)
    policy = RetryPolicy(max_attempts=attempts)
    call = pipeline(network, timeout=Timeout(total=total), retries=policy, jitter=jitter)
    (outcome,) = await asyncio.gather(call.run(describe(method, "/x", RAW)), return_exceptions=True)

    if isinstance(outcome, MihuError):
        assert len(network.sent) == sum("was not sent" not in attempt.outcome for attempt in outcome.attempts)
    else:
        assert 1 == outcome
    throttled = sum(attempt.status == 429 for attempt in getattr(outcome, "attempts", ()))
    assert len(network.sent) - throttled <= attempts or outcome == 1
    assert all(wait <= max(policy.max_delay, 2.0) for wait in network.clock.slept)
    assert sum(network.clock.slept) < total
    assert len(network.sent) * took + sum(network.clock.slept) < total + took


async def test_a_finished_attempt_is_one_debug_line_and_a_wait_one_warning(caplog):
    """The lines hold the allow-list and nothing else."""
    caplog.set_level(logging.DEBUG, logger="mihu_async")
    network = sender(
        ConnectError("no way", **WHERE), failed(503, X_Request_Id="r1\x1b"), ok(1, X_Request_Id=TOKEN), took=0.25
    )
    await pipeline(network).run(GET)

    assert [
        ("DEBUG", "GET /api/v1/phone-numbers -> - ConnectError in 0.250 s (attempt 1, request id -)"),
        ("WARNING", "GET /api/v1/phone-numbers failed with ConnectError (attempt 1), trying again in 0.500 s"),
        ("DEBUG", "GET /api/v1/phone-numbers -> 503 ServerError in 0.250 s (attempt 2, request id r1\\x1b)"),
        ("WARNING", "GET /api/v1/phone-numbers failed with ServerError (attempt 2), trying again in 1.000 s"),
        ("DEBUG", "GET /api/v1/phone-numbers -> 200 ok in 0.250 s (attempt 3, request id ***)"),
    ] == [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_nothing_is_logged_that_nobody_reads(caplog):
    """Above DEBUG, a call that succeeds is silent."""
    caplog.set_level(logging.INFO, logger="mihu_async")
    await pipeline(sender(ok(1))).run(GET)

    assert [] == caplog.records


def test_the_pipeline_shows_no_secret():
    """Its repr can stand in a debugger."""
    assert TOKEN not in repr(pipeline(sender()))
    assert "hunter22" not in repr(POST)


async def test_a_pause_holds_every_call_of_the_client():
    """What one call was asked for is waited for by the next one too, before it is sent."""
    network = sender(failed(429, Retry_After="7"), ok(1), ok(2))
    calls = pipeline(network, retries=RetryPolicy(max_attempts=1))
    await raised(calls)
    network.clock.seconds += 2

    assert 1 == await calls.run(GET)
    assert [5.0] == network.clock.slept
    assert 2 == await calls.run(GET)
    assert [5.0, 0.625] == network.clock.slept  # one after the other: its distance to the call before it


@pytest.mark.parametrize(
    "refusal", [failed(429, Retry_After="3600"), failed(404, Retry_After="50")], ids=["hour", "404"]
)
async def test_a_pause_for_one_call_holds_no_other(refusal):
    """An hour is no reason to hang all others, and only a 429 and a 503 are about all of them."""
    network = sender(refusal, ok(1))
    calls = pipeline(network)
    await raised(calls)

    assert 1 == await calls.run(GET)
    assert [] == network.clock.slept


@pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])
async def test_a_pause_beyond_the_calls_time_is_not_waited_for(request_):
    """Nothing was sent, and the error says for how long the service asked."""
    network = sender(failed(503, Retry_After="30"))
    calls = pipeline(network, retries=RetryPolicy(max_attempts=1), timeout=Timeout(total=10))
    await raised(calls)
    error = await raised(calls, request_)

    assert isinstance(error, ConnectError | TimeoutError)
    assert "was not sent: the service asked this client for a pause of which 30 s are left" in str(error)
    assert 1 == len(network.sent)


async def test_a_turn_that_comes_too_late_is_not_asked_for_again():
    """Another attempt's turn would come even later, so there is one attempt, at once."""
    network = sender(failed(429, Retry_After="1"), ok(1))
    calls = pipeline(network)
    await calls.run(GET)
    error = await raised(evolve(calls, timeout=Timeout(total=0.5), retries=RetryPolicy(base_delay=0.01)))

    assert "was not sent: its turn comes in" in str(error)
    assert 1 == len(error.attempts)


async def test_an_outage_is_not_multiplied():
    """Two hundred calls that fail send at most three hundred requests, and the error says why."""
    network = sender(*[failed(503)] * 1000)
    calls = pipeline(network)
    errors = [await raised(calls) for _ in range(200)]

    assert 300 == len(network.sent)
    assert "the client's retry budget is spent" == errors[-1].stopped
    assert "Not tried again: the client's retry budget is spent." in str(errors[-1])


async def test_calls_side_by_side_pay_before_they_wait():
    """While one waits for its next attempt, the others decide by what is left."""

    class Turns(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(0)
            await super().sleep(seconds)

    network = FakeSender(Turns(), [failed(503)] * 1000)
    calls = pipeline(network)
    await asyncio.gather(*(raised(calls) for _ in range(200)))

    assert 300 == len(network.sent)


class Late(asyncio.Event):
    """A caller who asks for a page after some seconds."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        super().__init__()
        self._clock, self._seconds = clock, seconds

    async def wait(self) -> Literal[True]:
        self._clock.seconds += self._seconds
        return True


async def test_the_time_that_an_answer_waits_for_its_caller_is_not_the_calls():
    """A page that was fetched ahead is tried again, however late it is read."""
    network = sender(response(200, body=b"<html>", Content_Type="text/html"), ok(7))

    assert 7 == await pipeline(network).run(GET, Prefetch(Progress(), Late(network.clock, 3600)))


async def test_no_wait_for_a_caller_outlasts_what_bounds_a_look_up():
    """It belongs to a call that has a time of its own."""
    network = sender(response(200, body=b"<html>", Content_Type="text/html"), ok(7))
    purchase = Deadline(network.clock.seconds + 10, Still())

    prefetch = Prefetch(Progress(), Late(network.clock, 10))
    with pytest.raises(DecodeError):
        await evolve(pipeline(network), outer=purchase).run(GET, prefetch)

    assert [GET.path] == [request.path for request in network.sent]


async def test_success_pays_back_what_retries_took():
    """Five successes pay for one retry, and more than the bucket holds is not saved."""
    budget = RetryBudget(tokens=10, cost=5, refill=1)
    network = sender(*[ok(1)] * 50, *[failed(503)] * 3, *[ok(1)] * 5, *[failed(503)] * 2)
    calls = pipeline(network, retries=RetryPolicy(budget=budget))
    for _ in range(50):
        await calls.run(GET)
    await raised(calls)
    assert 53 == len(network.sent)
    for _ in range(5):
        await calls.run(GET)
    await raised(calls)

    assert 60 == len(network.sent)


async def test_without_a_budget_only_attempts_are_bounded():
    """None sets no bound over the calls."""
    network = sender(*[failed(503)] * 800)
    calls = pipeline(network, retries=RetryPolicy(budget=None))
    for _ in range(200):
        await raised(calls)

    assert 800 == len(network.sent)


async def test_a_pause_that_comes_between_two_attempts_does_not_hide_the_first():
    """The error is that of what was sent, with its journal, and says that a next attempt had no time."""
    network = sender(failed(502))
    calls = pipeline(network, timeout=Timeout(total=10))
    send = network.send

    async def send_and_be_paused(*arguments):
        calls.throttle.pause(network.clock.monotonic(), 30)
        return await send(*arguments)

    network.send = send_and_be_paused  # type: ignore[method-assign]  # another call is paused meanwhile
    error = await raised(calls, describe("PUT", "/x", RAW))

    assert isinstance(error, ServerError)
    assert 1 == len(error.attempts)
    assert "the next attempt would begin after the call's total time" in error.stopped


async def test_a_retry_that_is_waiting_is_held_by_a_pause_of_another_call():
    """What the service asks of one call in the meantime holds this one too."""
    network = sender(failed(500), ok(1))
    calls = pipeline(network)
    sleep = network.clock.sleep

    async def asked_meanwhile(seconds: float) -> None:
        network.clock.sleep = sleep  # type: ignore[method-assign]  # of this clock only
        calls.throttle.pause(network.clock.seconds, seconds + 3)
        await sleep(seconds)

    network.clock.sleep = asked_meanwhile  # type: ignore[method-assign]  # of this clock only

    assert 1 == await calls.run(GET)
    assert [0.5, 3.0] == network.clock.slept
