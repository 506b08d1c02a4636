"""A caller that holds the event loop up with synchronous code: time is moved on while the loop is blocked."""

import asyncio
import logging
import re
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from attrs import define, field, frozen

from mihu_async import (
    MihuClient,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
)
from mihu_async.core.clock import Pulse
from mihu_async.core.options import Bounds
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.sandbox import Sandbox
from tests.internals import with_pipeline
from tests.limited import FixedWindow, Service, Timeless, client_of, run
from tests.virtual import VirtualClock, VirtualLoop


@frozen
class BeatingClock(VirtualClock):
    """The loop's time, with a pulse that beats."""

    beats: Pulse = field(factory=Pulse)

    def pulse(self) -> Pulse:
        return self.beats


@define
class Bounded:
    """A network that keeps the bounds of an attempt, with timers, as aiohttp does."""

    service: Service
    sent: list[str] = field(factory=list[str])

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        self.sent.append(request.method)
        try:
            async with asyncio.timeout(min(bounds.read, bounds.total)):
                return await self.service.send(request, bounds, redact)
        except TimeoutError:
            raise RequestTimeoutError("It took too long.", method=request.method, url=request.path) from None


def blocked_client(*, latency=0.5, **options) -> tuple[MihuClient, Bounded, Timeless]:
    """Make a client of a service that answers in a while, with 120 pages of one item."""
    loop = Timeless()
    service = Service(BeatingClock(loop), FixedWindow(1000), pages=120, latency=latency)
    mihu = client_of(service, **options)
    network = Bounded(service)
    return with_pipeline(mihu, sender=network), network, loop


@pytest.mark.parametrize("attempts", [1, 4])
def test_a_walk_goes_on_whose_items_are_handled_by_code_that_blocks(attempts, caplog):
    """For longer than a call may take: no page fails, and what timed out only for that is asked for again."""
    mihu, network, loop = blocked_client(retries=RetryPolicy(max_attempts=attempts))

    async def main() -> int:
        count = 0
        async for _ in mihu.numbers.list(per_page=1):
            count += 1
            loop.skip(90)
        return count

    assert 120 == run(main(), loop)
    assert len(network.sent) <= 2 * 120
    assert {"mihu_async"} == {name for name, _, text in caplog.record_tuples if not text.startswith("Executing <")}
    assert re.search(
        r"The event loop was blocked for (89\.9|90\.0) s, so GET /api/v1/phone-numbers failed", caplog.text
    )
    assert "Run the code that blocks it in a thread" in caplog.text


def test_what_timed_out_for_that_is_asked_for_again_when_its_turn_comes():
    """Not sooner: while the caller blocks again and again, nothing would come of it."""
    mihu, network, loop = blocked_client(concurrency=8)

    async def main() -> list[int]:
        sent = []
        async for _ in mihu.numbers.list(per_page=1):
            before = len(network.sent)
            loop.skip(90)
            await asyncio.sleep(0.1)
            loop.skip(90)
            await asyncio.sleep(0.1)
            sent.append(len(network.sent) - before)
        return sent

    assert [0] * 120 == run(main(), loop)


def test_a_page_that_is_slow_by_itself_fails_as_ever():
    """A blocked loop excuses no more than itself."""
    mihu, network, loop = blocked_client(latency=100.0, timeout=Timeout(read=30), retries=RetryPolicy(max_attempts=1))

    async def main() -> None:
        call = asyncio.ensure_future(mihu.request("GET", "/phone-numbers"))
        await asyncio.sleep(29.5)
        loop.skip(5)
        with pytest.raises(RequestTimeoutError):
            await call

    run(main(), loop)

    assert ["GET"] * 2 == network.sent  # once more, for at that moment nobody can tell


def test_a_call_is_sent_again_once_for_a_standstill_and_then_it_costs_an_attempt():
    """It still ends."""
    mihu, network, loop = blocked_client(retries=RetryPolicy(max_attempts=2))

    async def main() -> None:
        call = asyncio.ensure_future(mihu.request("GET", "/phone-numbers"))
        while not call.done():
            await asyncio.sleep(0.2)
            loop.skip(90)
        with pytest.raises(RequestTimeoutError, match="Not tried again: max_attempts=2"):
            await call

    run(main(), loop)

    assert 3 == len(network.sent)


def test_an_answer_that_refuses_is_no_failure_of_the_loop():
    """However long it stood still."""
    mihu, network, loop = blocked_client(retries=RetryPolicy(max_attempts=1))
    network.service.limit = FixedWindow(0)

    async def main() -> None:
        call = asyncio.ensure_future(mihu.request("GET", "/phone-numbers"))
        await asyncio.sleep(0.2)
        loop.skip(5)
        with pytest.raises(RateLimitError):
            await call

    run(main(), loop)

    assert ["GET"] == network.sent


def test_a_single_read_goes_on_after_a_standstill_with_the_time_it_had():
    """The seconds in which nothing could be read are none of its time."""
    mihu, network, loop = blocked_client(timeout=Timeout(total=10), retries=RetryPolicy(max_attempts=1))

    async def main() -> Any:
        call = asyncio.ensure_future(mihu.request("GET", "/phone-numbers"))
        await asyncio.sleep(0.2)
        loop.skip(90)
        return await call

    assert run(main(), loop)["items"]
    assert 2 == len(network.sent)


def test_a_purchase_whose_answer_was_lost_to_a_standstill_is_looked_up():
    """It is never just sent again, and has the time that it had."""
    mihu, network, loop = blocked_client(timeout=Timeout(total=10))

    async def main() -> str:
        call = asyncio.ensure_future(mihu.numbers.buy(number="+390790080041", country_code="IT", type="local"))
        await asyncio.sleep(0.4)
        loop.skip(90)
        return (await call).number

    assert "+390790080041" == run(main(), loop)
    assert ["POST", "GET"] == network.sent


def test_a_write_without_a_look_up_is_not_sent_again_for_a_standstill():
    """Its outcome is unknown, as after any lost answer."""
    mihu, network, loop = blocked_client()

    async def main() -> None:
        call = asyncio.ensure_future(mihu.request("POST", "/x", json={"number": "+390790080041"}))
        await asyncio.sleep(0.2)
        loop.skip(90)
        with pytest.raises(OutcomeUnknownError):
            await call

    run(main(), loop)

    assert ["POST"] == network.sent


def test_over_real_connections_no_page_fails_either(caplog):
    """What has arrived in the meantime is not read yet when the timers go off."""
    caplog.set_level(logging.WARNING, "mihu_async")
    loop = VirtualLoop()

    async def main() -> list[str]:
        numbers = []
        async with Sandbox(numbers=120, trunks=0) as sandbox, client_over(sandbox) as mihu:
            async for number in mihu.numbers.list(per_page=10):
                numbers.append(number.number)
                loop.skip(90)
        return numbers

    def client_over(sandbox: Sandbox) -> AbstractAsyncContextManager[MihuClient]:
        @asynccontextmanager
        async def opened():
            async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
                yield with_pipeline(mihu, clock=BeatingClock(loop))

        return opened()

    assert 120 == len(set(run(main(), loop)))
    assert "The event loop was blocked for" in caplog.text
