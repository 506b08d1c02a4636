"""No call outlives its time, whatever the network does: on a clock that only sleeping and waiting move."""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from mihu_async import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    MihuError,
    OutcomeUnknownError,
    RetryPolicy,
    Timeout,
)
from mihu_async.core.admission import SHORTEST
from mihu_async.core.options import Bounds
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import RAW, Request, describe
from mihu_async.core.response import Response
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.trunks import Trunks
from tests.doubles import FakeClock, FakeSender, Outcome, Prompt, Slow, failed, ok, pipeline, response

NUMBER, AGENT = "+390790080041", "c1b7a3f0-0000-4000-8000-000000000001"
WHERE: dict[str, Any] = {"method": "POST", "url": "/"}
NOISE = 2 * SHORTEST + 1e-6
"""Seconds by which a call may be late: what begins when its time is up, a limiter or an attempt, still has a bound."""
MANY = 1000


async def first_page(numbers: Numbers) -> Any:
    """Return the first page of a listing."""
    return await numbers.list()


CALLS: dict[str, Callable[[Pipeline], Awaitable[Any]]] = {
    "buy": lambda way: Numbers(way, 1).buy(number=NUMBER, country_code="IT", type="local"),
    "register": lambda way: Trunks(way, 1).register(phone_number=NUMBER, channel="call", agent_uuid=AGENT),
    "assign": lambda way: Trunks(way, 1).assign(phone_number=NUMBER, channel="call", agent_uuid=AGENT),
    "first page": lambda way: first_page(Numbers(way, 1)),
    **{
        method: lambda way, method=method: way.run(describe(method, "/x", RAW))  # type: ignore[misc]  # bound by value
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
    },
}


@frozen
class Split:
    """A network that answers reads from one list and writes from another."""

    reads: FakeSender
    writes: FakeSender

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        return await (self.reads if request.method == "GET" else self.writes).send(request, bounds, redact)


@frozen
class Queue:
    """A limiter that lets each attempt wait."""

    clock: FakeClock
    seconds: float

    async def __aenter__(self) -> None:
        await self.clock.sleep(self.seconds)

    async def __aexit__(self, *_: object) -> None:
        pass


def page(*items: Any, more: bool = False, last: int = 5, **headers: str) -> Prompt:
    """Return the page that was asked for; with more, there is always another one up to the last."""

    def answer(request: Request[Any]) -> Response:
        number = int(parse_qs(request.query).get("page", ["1"])[0])
        pagination = {"current_page": number, "per_page": 100, "total": last * 100, "last_page": last}
        return ok({"items": items, "pagination": pagination | {"has_more": more}}, **headers)

    return answer


ROW = {"phone_number_uuid": "1", "number": NUMBER, "is_external": False, "purchased_at": "2026-01-01T00:20:00Z"}
REFUSED = [failed(403), failed(404), failed(409), failed(422)]
FAILED: list[Prompt] = [
    *(failed(status) for status in (408, 429, 500, 502, 503, 504)),
    *(failed(status, Retry_After=seconds) for status in (429, 503) for seconds in ("0.4", "2", "99")),
    response(200, body=b"<html>", Content_Type="text/html"),
    ConnectError("no way", **WHERE),
    ConnectTimeoutError("no way", **WHERE),
    ConnectionLostError("lost", **WHERE),
]
NEVER = Slow(math.inf, failed(500))
TRICKLE = Slow(math.inf, failed(500), trickles=True)


def sometimes_slow(outcomes: list[Prompt]) -> st.SearchStrategy[Outcome]:
    """Return outcomes that take no time, some time, or all that there is."""
    prompt = st.sampled_from(outcomes)
    return st.one_of(prompt, st.builds(Slow, SECONDS, prompt, st.booleans()), st.sampled_from([NEVER, TRICKLE]))


SECONDS = st.floats(0, 3) | st.sampled_from([0.5, 1.0, 2.0])
WRITES = st.lists(sometimes_slow([ok(ROW), *REFUSED, *FAILED]), min_size=1, max_size=8)
READS = st.lists(
    sometimes_slow(
        [page(), page(ROW), page(ROW, Date="Thu, 01 Jan 2026 00:16:40 GMT"), page(more=True), *REFUSED, *FAILED]
    ),
    min_size=1,
    max_size=8,
)
POLICIES = st.builds(
    RetryPolicy, max_attempts=st.integers(1, 6), base_delay=st.sampled_from([0.0, 0.5, 3.0]), budget=st.none()
)
TIMES = st.builds(Timeout, total=st.floats(0.1, 1) | st.floats(1, 10), connect=st.just(1.0), read=st.floats(0.05, 5))


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=250, deadline=None)
@given(
    writes=WRITES,
    reads=READS,
    policy=POLICIES,
    bounds=TIMES,
    jitter=st.floats(0, 1),
    queue=st.none() | SECONDS,
)
async def test_no_call_outlives_its_time(name, writes, reads, policy, bounds, jitter, queue):
    """A call with all its attempts, waits and lookups ends in its time, and so does each lookup after it."""
    clock = FakeClock()
    network = Split(
        FakeSender(clock, [*reads, *[reads[-1]] * MANY]), FakeSender(clock, [*writes, *[writes[-1]] * MANY])
    )
    way = evolve(
        pipeline(network.writes, timeout=bounds, retries=policy, jitter=jitter),
        sender=network,
        limiter=None if queue is None else Queue(clock, queue),
    )
    began, error = clock.monotonic(), None
    try:
        await CALLS[name](way)
    except MihuError as caught:
        error = caught
    assert clock.monotonic() - began <= bounds.total + NOISE
    if isinstance(error, OutcomeUnknownError):
        began = clock.monotonic()
        with suppress(MihuError):
            await error.check()
        assert clock.monotonic() - began <= bounds.total + NOISE


async def test_a_look_up_ends_in_the_time_of_its_call():
    """However many pages there are, and however quickly they come, none is asked for after that."""
    clock, took = FakeClock(), 0.9 * SHORTEST
    network = Split(FakeSender(clock, [page(more=True, last=MANY)] * MANY, took), FakeSender(clock, [failed(502)]))
    way = evolve(
        pipeline(network.writes, timeout=Timeout(total=0.1), retries=RetryPolicy(base_delay=0)), sender=network
    )
    with pytest.raises(OutcomeUnknownError, match="was not sent"):
        await CALLS["buy"](way)

    assert 1000.1 <= clock.monotonic() <= 1000.1 + NOISE
