"""A write whose answer was lost, on a clock and a network of the test's own."""

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from mihu_async import (
    APIError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    MihuError,
    OutcomeUnknownError,
    RequestTimeoutError,
    RetryBudget,
    RetryPolicy,
    Timeout,
    UsageError,
)
from mihu_async.core.journal import LATEST
from mihu_async.core.lookup import Found, Lookup
from mihu_async.core.request import RAW, describe
from mihu_async.core.server_clock import CallWindow, Moment, TimeInterval
from mihu_async.value import replace
from tests.doubles import TOKEN, URL, FakeClock, FakeSender, failed, ok, pipeline

WHERE: dict[str, Any] = {"method": "POST", "url": URL}
LOST = ConnectionLostError("lost", **WHERE)
NOTHING = ok([])
LOOK = describe("GET", "/phone-numbers", RAW)


async def find(over, thorough):
    """Look for the first thing that is there."""
    return next(iter(await over.run(LOOK)), None)


def judge(found, known):
    """What is there says itself whose it is."""
    return Found(("found", known), ours={"ours": True, "theirs": False}.get(found), reason=f"it is {found} {TOKEN}")


BUY = describe("POST", "/phone-numbers", RAW, json={"a": 1}, how_to_check="Look by hand.", lookup=Lookup(find, judge))


def sender(*outcomes, took=0.0) -> FakeSender:
    """Make a network that answers so."""
    return FakeSender(FakeClock(), outcomes, took)


async def raised(call, request=BUY) -> MihuError:
    """Make a call that fails, and give what was raised."""
    with pytest.raises(MihuError) as caught:
        await call.run(request)
    return caught.value


def methods(network) -> list[str]:
    """Return the verbs that were sent, in order."""
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
    """Its Date header less the time since, within the answer's way and a second; without one, it is not known when."""
    headers = {} if date is None else {"Date": date}
    network = sender(LOST, ok(["ours"], **headers), took=2.0)
    _, known = await pipeline(network).run(BUY)
    dated = datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC)
    began = TimeInterval(dated - timedelta(seconds=4.5), dated - timedelta(seconds=1.5))
    now = TimeInterval(dated, dated + timedelta(seconds=3))

    assert (CallWindow(began, now) if date and date[0] == "T" else None) == known.window


async def test_the_clock_is_read_as_the_head_comes():
    """However long the body takes."""
    slow = replace(ok(["ours"], Date="Thu, 01 Jan 2026 12:00:10 GMT"), body_took=6.0)
    network = sender(LOST, slow, took=6.0)
    _, known = await pipeline(network).run(BUY)

    assert timedelta(seconds=1) == known.window.now.latest - known.window.now.earliest
    assert datetime(2026, 1, 1, 12, 0, 16, tzinfo=UTC) == known.window.now.earliest


async def test_all_answers_of_a_client_tell_the_time():
    """Also those before the call, and of other calls."""
    network = sender(ok([], Date="Thu, 01 Jan 2026 12:00:10 GMT"), LOST, ok(["ours"]))
    calls = pipeline(network)
    await calls.run(LOOK)
    _, known = await evolve(calls, strict=True).run(BUY)

    assert datetime(2026, 1, 1, 12, 0, 10, tzinfo=UTC) == known.window.began.earliest


async def test_what_a_cache_answers_is_no_evidence():
    """Neither of the time, nor of what is there; the lookup asks for no such answer."""
    network = sender(LOST, ok(["ours"], Age="300", Date="Thu, 01 Jan 2026 12:00:10 GMT"))
    calls = pipeline(network)
    error = await raised(calls)

    assert isinstance(error, OutcomeUnknownError)
    assert "was answered 200, but by a cache (Age: 300) and not by the service itself" in str(error)
    assert [False, True] == [request.uncached for request in network.sent]
    assert calls.server_clock.at(Moment(0, 0)) is None


async def test_a_write_long_after_the_call_is_not_its_own():
    """A check looks for what came up to a minute after the call's time, however late it is made."""
    network = sender(LOST, ok(["unclear"], Date="Thu, 01 Jan 2026 12:00:10 GMT"), ok(["ours"]))
    error = await raised(pipeline(network))
    assert isinstance(error, OutcomeUnknownError)
    network.clock.seconds += 7200
    _, known = await error.check()

    assert timedelta(seconds=120) == known.window.now.earliest - known.window.began.earliest


@pytest.mark.parametrize("status", [302, 303, 307, 308])
async def test_a_redirect_after_a_write_is_a_lost_answer(status):
    """It may point to what was made: it is looked up, and not sent again."""
    network = sender(failed(status, Location="/api/v1/phone-numbers/1"), ok(["ours"]))
    found, _ = await pipeline(network).run(BUY)
    hopeless = sender(failed(status, Location="/login"), *[NOTHING] * 5)
    error = await raised(pipeline(hopeless))

    assert "found" == found
    assert isinstance(error, OutcomeUnknownError)
    assert "Not tried again: it was redirected." in str(error)
    assert ["POST", *["GET"] * 5] == methods(hopeless)


async def test_a_success_about_another_thing_is_a_lost_answer():
    """It is looked up, and sent again where nothing is there; the words are redacted."""
    request = describe(
        "POST",
        "/phone-numbers",
        RAW,
        lookup=Lookup(find, judge),
        contradiction=lambda it: f"the answer is about {it} {TOKEN}" if it == "other" else None,
    )
    network = sender(ok("other"), NOTHING, ok("it"))
    stubborn = sender(ok("other"), ok(["unclear"]))
    error = await raised(pipeline(stubborn), request)

    assert "it" == await pipeline(network).run(request)
    assert ["POST", "GET", "POST"] == methods(network)
    assert isinstance(error, OutcomeUnknownError)
    assert "was answered 200, but the answer is about other ***." in str(error)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([["ours"]], ["POST", "GET"]),
        ([["theirs"], ["ours"]], ["POST", "GET", "GET"]),
        ([["unclear"], ["ours"]], ["POST", "GET", "GET"]),
        ([[], "sent"], ["POST", "GET", "POST"]),
    ],
)
async def test_what_a_filter_shows_is_not_all(answers, expected):
    """Before a row that it shows is reported as another's, all rows are looked through."""
    request = describe("POST", "/phone-numbers", RAW, lookup=Lookup(find, judge, is_filtered=True))
    network = sender(LOST, *map(ok, answers))
    await pipeline(network).run(request)

    assert expected == methods(network)


async def test_a_thing_that_a_call_was_given_is_no_other_calls():
    """And its own check still gives it."""
    known: list[Any] = []

    def note(found, circumstances):
        known.append(circumstances.is_anothers("thing"))
        return judge("unclear" if known[-1] else "ours", circumstances)

    mine = describe("POST", "/phone-numbers", RAW, lookup=Lookup(find, note, identity=lambda _: "thing"))
    network = sender(LOST, ok(["it"]), LOST, ok(["it"]))
    calls = pipeline(network)
    await calls.run(mine)
    error = await raised(calls, mine)

    assert isinstance(error, OutcomeUnknownError)
    assert [False, True] == known


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
    assert "did not achieve what was asked for: it is theirs ***." in str(error)
    assert LOST is error.__cause__
    assert 1 == len(error.attempts)


async def test_a_refusal_after_a_lost_answer_is_looked_up_before_it_is_believed():
    """The refusal may mean that the first one was applied, whatever its status."""
    network = sender(LOST, NOTHING, failed(422), ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)

    assert "found" == result
    assert ["POST", "GET", "POST", "GET"] == methods(network)


@pytest.mark.parametrize("first", [500, 502, 503, 408, LOST])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 410, 412, 422, 423, 451, 501, 505])
async def test_a_refusal_after_a_lost_answer_is_never_believed(status, first):
    """It may mean that the first one was applied: it is looked for, and then the error carries the refusal."""
    first = failed(first) if isinstance(first, int) else first
    network = sender(first, NOTHING, failed(status), *[NOTHING] * 5)
    error = await raised(pipeline(network))

    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.__cause__, APIError)
    assert status == error.__cause__.status
    assert f"was refused with {status}" in str(error)
    assert "may still change" in str(error)
    assert error.may_have_changed
    assert ["POST", "GET", "POST", *["GET"] * 5] == methods(network)
    assert [0.5, 1.0, 0.5, 1.0, 2.0, 4.0] == network.clock.slept


async def test_what_shows_late_after_a_refusal_is_found():
    """A listing may lag, and a write may be applied late."""
    network = sender(failed(500), NOTHING, failed(404), NOTHING, NOTHING, NOTHING, NOTHING, ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)

    assert "found" == result


@pytest.mark.parametrize("rest", [[ConnectError("no way", **WHERE)] * 3, [failed(429, Retry_After="99")]], ids=len)
async def test_what_was_lost_once_stays_lost_when_the_rest_was_never_sent(rest):
    """Attempts of which nothing arrived do not make the first one undone."""
    network = sender(LOST, NOTHING, *rest, ok(["ours"]))
    result, _ = await pipeline(network).run(BUY)

    assert "found" == result
    assert ["POST", "GET", *["POST"] * len(rest), "GET"] == methods(network)


async def test_a_lookup_that_fails_leaves_it_unknown():
    """It is tried as often as any read, and what it said is in the error, with secrets redacted."""
    network = sender(LOST, *[failed(503, code=TOKEN)] * 4)
    error = await raised(pipeline(network))

    assert isinstance(error, OutcomeUnknownError)
    assert "It was looked up: the lookup failed: GET /api/v1/phone-numbers was refused with 503" in str(error)
    assert ".." not in str(error)
    assert TOKEN not in f"{error} {error.attempts} {vars(error)}"
    assert ["POST", *["GET"] * 4] == methods(network)
    assert "Look by hand." == error.how_to_check


async def test_what_cannot_be_judged_is_unknown():
    """Something is there, and nothing says whose."""
    error = await raised(pipeline(sender(LOST, ok(["unclear"]))))

    assert isinstance(error, OutcomeUnknownError)
    assert "It was looked up: it is unclear ***." in str(error)


async def test_without_retries_it_is_still_looked_up():
    """One attempt, and as many looks as ever."""
    policy = RetryPolicy(max_attempts=1)
    found, _ = await pipeline(sender(LOST, ok(["ours"])), retries=policy).run(BUY)
    network = sender(LOST, *[NOTHING] * 5)
    error = await raised(pipeline(network, retries=policy))

    assert "found" == found
    assert isinstance(error, OutcomeUnknownError)
    assert ["POST", *["GET"] * 5] == methods(network)


async def test_a_spent_budget_sends_nothing_again():
    """Looking is not sending: it is looked for, and then unknown."""
    network = sender(LOST, *[NOTHING] * 5)
    error = await raised(pipeline(network, retries=RetryPolicy(budget=RetryBudget(tokens=0))))

    assert isinstance(error, OutcomeUnknownError)
    assert ["POST", *["GET"] * 5] == methods(network)
    assert "Not tried again: the client's retry budget is spent." in str(error)


async def test_sending_again_is_paid_from_the_budget():
    """Each time that it is sent again costs, as with any call."""
    network = sender(LOST, NOTHING, ok(1), LOST, ok(["ours"]))
    calls = pipeline(network, retries=RetryPolicy(budget=RetryBudget(tokens=9, cost=5, refill=0)))
    await calls.run(BUY)

    assert calls.throttle.affords(RetryBudget(tokens=10, cost=5))
    assert not calls.throttle.affords(RetryBudget(tokens=9, cost=5))
    assert "found" == (await calls.run(BUY))[0]


async def test_a_call_whose_time_is_up_looks_no_more():
    """The total covers the lookups too."""
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
    network = sender(LOST, *[NOTHING] * 6, ok(["ours"]), ok(["theirs"]), ok(["unclear"]), failed(503), ok(["ours"]))
    error = await unknown(network)
    network.clock.seconds += 3600

    assert await error.check() is None
    assert "found" == (await error.check())[0]
    with pytest.raises(ConflictError):
        await error.check()
    with pytest.raises(OutcomeUnknownError, match="It was looked up again: it is unclear"):
        await error.check()
    with pytest.raises(OutcomeUnknownError, match="the lookup failed") as again:
        await error.check()
    assert "found" == (await again.value.check())[0]
    assert ["POST", *["GET"] * 11] == methods(network)
    assert 60.0 == network.bounds[-1].total


async def test_check_needs_a_way_to_look():
    """A call without one, and an error from another process, say so and how to do it by hand."""
    plain = describe("POST", "/other", RAW, how_to_check="Look by hand.")
    error = await raised(pipeline(sender(LOST)), plain)
    assert isinstance(error, OutcomeUnknownError)
    with pytest.raises(UsageError, match=r"There is no lookup for this call\. Look by hand\."):
        await error.check()
    far = pickle.loads(pickle.dumps(await unknown(sender(LOST, *[NOTHING] * 5))))
    with pytest.raises(
        UsageError, match=r"is detached from its client, so it cannot look anything up\. Look by hand\."
    ):
        await far.check()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_what_may_be_repeated_is_repeated_without_a_look(method):
    """And a refusal says that an earlier attempt may have been applied."""
    network = sender(LOST, failed(409))
    error = await raised(pipeline(network), describe(method, "/x", RAW))

    assert isinstance(error, ConflictError)
    assert [method, method] == methods(network)
    assert str(error).endswith("An earlier attempt's answer was lost: it may have been applied.")


async def test_what_a_repeated_delete_does_not_find_is_deleted():
    """A 404 is a refusal the first time, and a success after an answer that was lost."""
    request = describe("DELETE", "/x", RAW)
    first = await raised(pipeline(sender(failed(404))), request)

    assert 404 == getattr(first, "status", None)
    assert await pipeline(sender(LOST, failed(404))).run(request) is None
    assert 404 == getattr(await raised(pipeline(sender(failed(429), failed(404))), request), "status", None)
    assert 404 == getattr(await raised(pipeline(sender(LOST, failed(404))), describe("PUT", "/x", RAW)), "status", None)
