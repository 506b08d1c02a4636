"""How calls, walks, bulk runs and lost purchases get on with each kind of limit, on a clock that costs no time."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from mihu_async import (
    ConnectTimeoutError,
    MihuError,
    OutcomeUnknownError,
    RateLimit,
    RateLimitError,
    RetryBudget,
    RetryPolicy,
    ServerError,
    Timeout,
)
from mihu_async.core.request import RAW, describe
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline
from tests.internals import with_pipeline
from tests.limited import (
    LIMITS,
    PAGES,
    RATES,
    SAYS,
    WIDTHS,
    FixedWindow,
    Service,
    Timeless,
    TokenBucket,
    client_of,
    run,
    table,
    walked,
)
from tests.virtual import VirtualClock

PAGE = Path(__file__).parent.parent / "docs" / "limits.md"
AGENT = "c1b7a3f0-0000-4000-8000-000000000001"
GET = describe("GET", "/phone-numbers", RAW)


@pytest.mark.slow
@pytest.mark.parametrize("walks", [1, 4])
@pytest.mark.parametrize("concurrency", WIDTHS)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("kind", LIMITS)
def test_a_walk_under_an_honest_limit_ends_complete_at_its_speed(kind, says, rate, concurrency, walks):
    """With at most a third more requests than pages, whatever the limit tells, and others walk with it."""
    came = walked(kind, says, rate, concurrency, walks)

    assert came.complete
    assert came.requests <= 4 / 3
    assert came.slowness <= 2.5


@pytest.mark.parametrize("latency", [0.001, 0.3])
@pytest.mark.parametrize("concurrency", [1, 64])
@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("kind", LIMITS)
def test_so_does_a_walk_over_a_quick_or_a_slow_network(kind, says, concurrency, latency):
    """How long an answer takes changes nothing of it."""
    came = walked(kind, says, 5, concurrency, 1, latency)

    assert came.complete
    assert came.requests <= 4 / 3
    assert came.slowness <= 2.5


@pytest.mark.parametrize("concurrency", [1, 64])
@pytest.mark.parametrize("rate", [2, 20])
def test_a_reset_that_is_reported_with_each_answer_is_waited_for(rate, concurrency):
    """Hardly a request is refused."""
    came = walked("fixed window of a second", "reset", rate, concurrency)

    assert came.complete
    assert came.requests <= 1.05
    assert came.slowness <= 2.0


def test_a_limit_by_the_minute_is_waited_for():
    """A page waits longer than a call may take, as long as pages come."""
    service = Service(VirtualClock(Timeless()), FixedWindow(60, period=60.0), "retry-after", pages=200)
    mihu = client_of(service, concurrency=16)
    items = run(mihu.numbers.list(per_page=1).collect(), service.clock.loop)

    assert 200 == len(items)
    assert service.refused <= 40
    assert service.clock.loop.time() - 1000 < 200


@pytest.mark.slow
def test_the_table_of_the_page_is_what_comes_of_it():
    """``python -m tests.limited`` makes it anew."""
    shown = re.search(r"^\| limit \|.*?(?=\n\n)", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert shown
    figures = [[float(figure) for figure in re.findall(r"\d\.\d\d", text)] for text in (shown[0], table())]

    assert re.sub(r"\d\.\d\d", "#", shown[0]) == re.sub(r"\d\.\d\d", "#", table())
    assert figures[1] == pytest.approx(figures[0], abs=0.1)


@pytest.mark.parametrize("concurrency", [1, 16])
def test_many_trunks_under_a_limit_are_all_ensured(concurrency):
    """Each row is a call or two, and none of them fails for the limit."""
    service = Service(VirtualClock(Timeless()), FixedWindow(2), "retry-after")
    mihu = client_of(service)
    rows = [{"phone_number": f"+12015550{n:03}", "channel": "call", "agent_uuid": AGENT} for n in range(20)]

    async def main() -> list[Any]:
        return [result async for result in mihu.trunks.ensure_all(rows, concurrency=concurrency)]

    results = run(main(), service.clock.loop)

    assert [None] * 20 == [result.error for result in results]
    assert 20 == len(service.bought)


@pytest.mark.parametrize("says", SAYS)
def test_lost_purchases_under_a_limit_are_found(says):
    """Their lookups wait for their turn, beside a walk, and that is none of their time."""
    service = Service(VirtualClock(Timeless()), FixedWindow(2), says, lose=4)
    mihu = client_of(service, concurrency=16, timeout=Timeout(total=20))

    async def buy(number: int) -> str:
        bought = await mihu.numbers.buy(number=f"+39079008004{number}", country_code="IT", type="local")
        return bought.number

    async def main() -> list[Any]:
        return await asyncio.gather(mihu.numbers.list(per_page=1).collect(), *map(buy, range(8)))

    items, *bought = run(main(), service.clock.loop)

    assert PAGES == len(items)
    assert [f"+39079008004{number}" for number in range(8)] == bought
    assert 8 == len(service.bought)


def test_many_single_calls_wait_for_their_turn():
    """Far longer than one may take, as long as others get through."""
    service = Service(VirtualClock(Timeless()), TokenBucket(2, 2))
    mihu = client_of(service, timeout=Timeout(total=10))

    async def main() -> list[Any]:
        return await asyncio.gather(*(mihu.request("GET", "/phone-numbers") for _ in range(100)))

    assert 100 == len(run(main(), service.clock.loop))
    assert service.clock.loop.time() - 1000 > 45


class Never:
    """A limit that takes nothing, from a moment on."""

    size = 1

    def __init__(self, after: float) -> None:
        self.after = after

    def take(self, now: float) -> bool:
        return now < self.after

    def remaining(self, now: float) -> int:
        return int(self.take(now))

    def opens(self, now: float) -> float:
        return 1.0


@pytest.mark.parametrize("says", ["nothing", "retry-after"])
def test_a_service_that_only_refuses_ends_a_call_by_its_time(says):
    """The rounds and the pauses that the service asks for are counted; the error is the refusal."""
    service = Service(VirtualClock(Timeless()), Never(0.0), says)
    mihu = client_of(service, timeout=Timeout(total=20))
    with pytest.raises(RateLimitError, match="would begin after the call's total time") as caught:
        run(mihu.request("GET", "/phone-numbers"), service.clock.loop)

    assert 10 < service.clock.loop.time() - 1000 <= 20
    assert len(caught.value.attempts) == service.refused <= 20


def test_a_service_that_only_refuses_ends_calls_that_wait_for_others():
    """None of them got through for as long as one may take."""
    service = Service(VirtualClock(Timeless()), Never(0.0))
    mihu = client_of(service, timeout=Timeout(total=20))

    async def main() -> list[Any]:
        calls = [mihu.request("GET", "/phone-numbers") for _ in range(30)]
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = run(main(), service.clock.loop)

    assert {RateLimitError, ConnectTimeoutError} >= {type(error) for error in errors}
    assert service.clock.loop.time() - 1000 <= 21
    assert service.refused < 60


@pytest.mark.parametrize("after", [1000.0, 1000.3])
def test_a_service_that_only_refuses_ends_a_walk(after):
    """That is when no page came for the time of a call and the longest pause; the checkpoint is on the error."""
    service = Service(VirtualClock(Timeless()), Never(after))
    mihu = client_of(service, concurrency=4, timeout=Timeout(total=20), retries=RetryPolicy(max_retry_after=30))
    with pytest.raises(MihuError) as caught:
        run(mihu.numbers.list(per_page=1).collect(), service.clock.loop)

    assert caught.value.checkpoint
    assert isinstance(caught.value, RateLimitError | ConnectTimeoutError)
    assert 40 < service.clock.loop.time() - after < 55


def network(*outcomes) -> FakeSender:
    """Make a network that answers so."""
    return FakeSender(FakeClock(), outcomes)


async def test_a_refusal_whose_pause_was_kept_costs_neither_an_attempt_nor_the_budget():
    """What fails after it has all its attempts."""
    sent = network(*[failed(429, Retry_After="1")] * 9, failed(500), failed(429), ok(7))
    calls = pipeline(sent, retries=RetryPolicy(max_attempts=2, budget=RetryBudget(tokens=5, refill=0)))

    assert 7 == await calls.run(GET)
    assert 12 == len(sent.sent)
    assert [1.0] * 9 == sent.clock.slept[:9]
    assert not calls.throttle.affords(RetryBudget(tokens=5))
    assert calls.throttle.affords(RetryBudget(tokens=10))


async def test_a_refusal_without_a_pause_is_a_failure():
    """A policy that waits for nothing would ask without end."""
    sent = network(*[failed(429)] * 9)
    with pytest.raises(RateLimitError, match="Not tried again: max_attempts=4"):
        await pipeline(sent, retries=RetryPolicy(base_delay=0)).run(GET)

    assert 4 == len(sent.sent)


async def test_a_policy_without_retries_raises_a_refusal():
    """And its pause holds the next call."""
    sent = network(failed(429), ok(7))
    calls = pipeline(sent, retries=RetryPolicy(max_attempts=1))
    with pytest.raises(RateLimitError):
        await calls.run(GET)

    assert 7 == await calls.run(GET)
    assert [0.5] == sent.clock.slept


async def test_an_unavailable_service_holds_all_calls_and_still_costs_attempts():
    """503 is a failure, whatever it asks for."""
    sent = network(*[failed(503, Retry_After="3")] * 4, ok(7))
    calls = pipeline(sent)
    with pytest.raises(ServerError, match="max_attempts=4"):
        await calls.run(GET)

    assert [3.0] * 3 == sent.clock.slept
    assert 7 == await calls.run(GET)
    assert [3.0] * 4 == sent.clock.slept


async def test_a_write_that_was_refused_is_sent_again_as_often_as_it_takes():
    """Nothing was applied by what was refused; a lost answer after it leaves the outcome unknown as ever."""
    post = describe("POST", "/phone-numbers", RAW, how_to_check="Look by hand.")
    sent = network(*[failed(429, Retry_After="1")] * 9, ok("bought"))
    assert "bought" == await pipeline(sent).run(post)
    with pytest.raises(OutcomeUnknownError):
        await pipeline(network(failed(429), failed(502))).run(post)


async def test_what_is_left_of_a_limit_is_shown_and_heeded():
    """Where nothing is left, the next call waits for the reset and is then sent."""
    headers = {"X_RateLimit_Limit": "60", "X_RateLimit_Reset": "7"}
    sent = network(ok(1, X_RateLimit_Remaining="0", **headers), ok(2, X_RateLimit_Remaining="59", **headers), ok(3))
    mihu = with_pipeline(client(), sender=sent, clock=sent.clock)
    assert mihu.rate_limit is None
    assert 1 == await mihu.request("GET", "/x")
    assert 2 == await mihu.with_options(timeout=Timeout(total=30)).request("GET", "/x")
    assert 3 == await mihu.request("GET", "/x")

    assert [7.0] == sent.clock.slept
    assert mihu.rate_limit is not None
    assert (60, 59) == (mihu.rate_limit.limit, mihu.rate_limit.remaining)
    assert RateLimit(60, 59, mihu.rate_limit.reset) == mihu.rate_limit


@pytest.mark.parametrize("reset", ["61", None, "soon"])
async def test_a_reset_that_is_too_far_away_or_not_known_holds_nobody(reset):
    """The service says itself whether it takes the next call."""
    headers = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0"}
    sent = network(ok(1, **headers, **({"X_RateLimit_Reset": reset} if reset else {})), ok(2))
    calls = pipeline(sent)

    assert [1, 2] == [await calls.run(GET), await calls.run(GET)]
    assert [] == sent.clock.slept


async def test_garbage_in_the_headers_of_a_limit_is_ignored():
    """The call succeeds, and nothing is known."""
    calls = pipeline(network(ok(1, X_RateLimit_Limit="many", X_RateLimit_Remaining="some")))

    assert 1 == await calls.run(GET)
    assert calls.throttle.rate_limit is None
    assert calls.throttle.calm
