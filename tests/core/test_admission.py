import asyncio
import logging
import threading
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiolimiter import AsyncLimiter
from attrs import evolve

from mihu_async import (
    ConnectError,
    ConnectTimeoutError,
    MihuClient,
    OutcomeUnknownError,
    RetryPolicy,
    ServerError,
    Timeout,
    UsageError,
)
from mihu_async.core.clock import SystemClock
from mihu_async.core.lookup import Lookup
from mihu_async.core.request import RAW, describe
from mihu_async.sandbox import Hang, Sandbox, Status
from mihu_async.value import replace
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline
from tests.internals import pipeline_of

GET = describe("GET", "/phone-numbers", RAW)
POST = describe("POST", "/phone-numbers", RAW, how_to_check="Look in the inventory.")
METHODS = pytest.mark.parametrize("request_", [GET, POST], ids=["GET", "POST"])


class Turnstile:
    """A limiter that notes who passes, and with what each one leaves; entering and leaving take their seconds."""

    def __init__(self, clock=None, *, entering=(), leaving=0.0, swallow=False) -> None:
        self.clock = clock
        self.entering = list(entering)
        self.leaving = leaving
        self.swallow = swallow
        self.passed: list[Any] = []
        self.inside = 0

    async def __aenter__(self):
        step = self.entering.pop(0) if self.entering else 0
        if isinstance(step, BaseException):
            raise step
        if step:
            await self.clock.sleep(step)
        self.passed.append("in")
        self.inside += 1

    async def __aexit__(self, kind, error, traceback):
        self.passed.append(kind)
        self.inside -= 1
        if isinstance(self.leaving, BaseException):
            raise self.leaving
        if self.leaving:
            await self.clock.sleep(self.leaving)
        return self.swallow


class Network(FakeSender):
    """A network that notes whether the limiter let each attempt through."""

    def __init__(self, *outcomes, took=0.0) -> None:
        super().__init__(FakeClock(), outcomes, took)
        self.limiter = Turnstile()

    async def send(self, request, bounds, redact):
        self.limiter.passed.append("sent")
        return await super().send(request, bounds, redact)


def limited(network, limiter, **options):
    """Make a call path on a network, through a limiter."""
    network.limiter = limiter
    limiter.clock = network.clock
    return evolve(pipeline(network, **options), limiter=limiter)


async def test_a_limiter_is_entered_before_an_attempt_and_left_after_it():
    """It gets no error where there was none."""
    turnstile = Turnstile()

    assert 7 == await limited(Network(ok(7)), turnstile).run(GET)
    assert ["in", "sent", None] == turnstile.passed


async def test_each_attempt_enters_again():
    """The wait between two attempts is spent outside."""
    network, turnstile = Network(failed(503), failed(429, Retry_After="7"), ok(7)), Turnstile()
    inside = []
    sleep = network.clock.sleep

    async def sleep_and_look(seconds):
        inside.append(turnstile.inside)
        await sleep(seconds)

    network.clock.sleep = sleep_and_look  # type: ignore[method-assign]  # only to look while it sleeps

    assert 7 == await limited(network, turnstile).run(GET)
    assert ["in", "sent", None] * 3 == turnstile.passed
    assert [0, 0] == inside


@pytest.mark.parametrize("swallow", [False, True])
async def test_a_limiter_swallows_nothing(swallow):
    """An attempt that fails leaves it with its error, and is then tried again and raised as without a limiter."""
    lost = ConnectError("no way", method="GET", url="/x")
    turnstile = Turnstile(swallow=swallow)
    with pytest.raises(ConnectError) as caught:
        await limited(Network(lost, lost), turnstile, retries=RetryPolicy(max_attempts=2)).run(GET)

    assert lost is caught.value
    assert ["in", "sent", ConnectError] * 2 == turnstile.passed


async def test_a_limiter_is_not_told_of_an_error_that_the_caller_is_handling():
    """It gets the attempt's own."""
    turnstile = Turnstile()
    try:
        int("no number")
    except ValueError:
        await limited(Network(ok(7)), turnstile).run(GET)

    assert ["in", "sent", None] == turnstile.passed


@pytest.mark.parametrize("swallow", [False, True])
async def test_a_cancelled_call_leaves_its_limiter(swallow):
    """Nothing stays taken, and the call is cancelled all the same."""
    turnstile = Turnstile(swallow=swallow)
    with Sandbox() as sandbox:
        sandbox.faults.add(Hang())
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, limiter=turnstile) as mihu:
            call = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
            while not sandbox.journal:
                await asyncio.sleep(0.001)
            call.cancel()
            await asyncio.wait([call])

    assert call.cancelled()
    assert ["in", asyncio.CancelledError] == turnstile.passed


async def test_a_call_that_is_cancelled_before_it_is_let_through_is_not_sent():
    """It waits in the limiter as anywhere else."""
    network, semaphore = Network(), asyncio.Semaphore(0)
    call = asyncio.create_task(evolve(pipeline(network), limiter=semaphore).run(GET))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])

    assert call.cancelled()
    assert [] == network.sent


@METHODS
async def test_a_limiter_that_never_lets_through_ends_the_call_by_its_deadline(request_):
    """The error says that nothing was sent, and for what reason."""
    network, turnstile = Network(), Turnstile(entering=[3600])
    with pytest.raises(ConnectTimeoutError, match="was not sent: the limiter did not admit it") as caught:
        await limited(network, turnstile, timeout=Timeout(total=10)).run(request_)

    assert 1010 == network.clock.seconds
    assert [] == turnstile.passed
    assert 1 == len(caught.value.attempts)


async def test_the_machines_own_clock_bounds_a_limiter_too():
    """A client gives up after its own time."""
    async with client(timeout=Timeout(total=0.02), limiter=asyncio.Semaphore(0)) as mihu:
        with pytest.raises(ConnectTimeoutError, match="GET /api/v1/x was not sent"):
            await mihu.request("GET", "/x")


async def test_what_a_limiter_took_is_gone_from_the_calls_time():
    """The attempt has what is left of the total."""
    network = Network(ok(7))
    await limited(network, Turnstile(entering=[4]), timeout=Timeout(total=10)).run(GET)

    assert [6.0] == [bounds.total for bounds in network.bounds]


@pytest.mark.parametrize("entering", [[0, 3600], [0, *[RuntimeError("broken")] * 3]], ids=["shut", "broken"])
async def test_a_limiter_does_not_hide_that_a_write_may_have_been_carried_out(entering):
    """When the answer was lost before, the error is the same as without a limiter."""

    async def find(_, thorough):
        return None

    network = Network(failed(502))
    request = replace(POST, lookup=Lookup(find=find, judge=lambda *_: pytest.fail("there is nothing to judge")))
    with pytest.raises(OutcomeUnknownError) as caught:
        await limited(network, Turnstile(entering=entering), timeout=Timeout(total=10)).run(request)

    assert 1 == len(network.sent)
    assert caught.value.attempts[0].lost


@METHODS
async def test_a_limiter_that_fails_counts_as_no_connection(request_):
    """Nothing was sent, so the call is tried again."""
    network, turnstile = Network(ok(7)), Turnstile(entering=[OSError("no Redis"), TimeoutError("no Redis in time")])

    assert 7 == await limited(network, turnstile).run(request_)
    assert ["in", "sent", None] == turnstile.passed
    assert [0.5, 1.0] == network.clock.slept


@pytest.mark.parametrize(
    "broken", [OSError("no Redis"), TimeoutError("no Redis in time"), asyncio.CancelledError()], ids=repr
)
async def test_a_limiter_that_goes_on_failing_is_reported(broken):
    """The error names what failed, and has it as its cause."""
    network = Network()
    with pytest.raises(ConnectError, match=f"was not sent: its limiter failed with {type(broken).__name__}") as caught:
        await limited(network, Turnstile(entering=[broken] * 4)).run(GET)

    assert not isinstance(caught.value, TimeoutError)
    assert broken is caught.value.__cause__
    assert 4 == len(caught.value.attempts)
    assert [] == network.sent


@pytest.mark.parametrize(
    "leaving", [OSError("secret"), asyncio.CancelledError("secret"), 3600], ids=["fails", "is cancelled", "hangs"]
)
async def test_a_limiter_that_cannot_be_left_costs_no_answer(leaving, caplog):
    """What was bought is given to the caller; the log says that the limiter is at fault, soon."""
    network, turnstile = Network(ok("bought")), Turnstile(leaving=leaving)

    assert "bought" == await limited(network, turnstile, timeout=Timeout(total=10)).run(POST)
    assert ["in", "sent", None] == turnstile.passed
    assert network.clock.seconds <= 1010
    (record,) = caplog.records
    assert ("mihu_async", logging.WARNING) == (record.name, record.levelno)
    assert record.getMessage().startswith("POST /api/v1/phone-numbers could not leave its limiter: ")
    assert "secret" not in record.getMessage()


async def test_a_call_that_is_cancelled_while_it_leaves_its_limiter_is_cancelled():
    """The cancellation is the caller's."""
    async with Sandbox() as sandbox:
        turnstile = Turnstile(SystemClock(), leaving=60)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, limiter=turnstile) as mihu:
            call = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
            while None not in turnstile.passed:
                await asyncio.sleep(0.001)
            call.cancel()
            await asyncio.wait([call])

    assert call.cancelled()


async def test_a_limiter_that_cannot_be_left_hides_no_error():
    """The attempt's own error is raised."""
    network = Network(ConnectError("no way", method="GET", url="/x"))
    with pytest.raises(ConnectError, match="no way"):
        await limited(network, Turnstile(leaving=OSError()), retries=RetryPolicy(max_attempts=1)).run(GET)


async def test_an_attempt_that_took_all_its_time_can_still_leave():
    """A limiter has a second to take note, or its place would stay taken."""
    network, turnstile = Network(ok(7), took=10.0), Turnstile(leaving=0.9)

    assert 7 == await limited(network, turnstile, timeout=Timeout(total=10)).run(GET)
    assert [0.9] == network.clock.slept


def paused_at_the_limiter(network, seconds, **options):
    """Make a call path that waits at its limiter for five seconds, at whose end the service asks for a pause."""
    calls = limited(network, Turnstile(entering=[5]), **options)
    sleep = network.clock.sleep

    async def sleep_and_be_paused(wait):
        await sleep(wait)
        if wait == 5:
            calls.throttle.pause(network.clock.monotonic(), seconds)

    network.clock.sleep = sleep_and_be_paused
    return calls


async def test_a_pause_holds_the_calls_that_wait_at_a_limiter():
    """What the service asked for meanwhile is waited for outside, and the limiter is entered anew."""
    network = Network(ok(7))

    assert 7 == await paused_at_the_limiter(network, 7).run(GET)
    assert [5, 7] == network.clock.slept
    assert ["in", None, "in", "sent", None] == network.limiter.passed


async def test_a_pause_beyond_the_calls_time_ends_a_call_that_waits_at_a_limiter():
    """Nothing was sent, and no place stays taken."""
    network = Network()
    with pytest.raises(ConnectTimeoutError, match="a pause of which 30 s are left"):
        await paused_at_the_limiter(network, 30, timeout=Timeout(total=10)).run(GET)

    assert ["in", None] == network.limiter.passed


@pytest.mark.parametrize(
    "limiter",
    [10, "10/second", threading.Lock(), AsyncLimiter, asynccontextmanager(aiter), [asyncio.Semaphore()]],
    ids=["number", "text", "lock", "class", "function", "list"],
)
def test_what_is_no_async_context_manager_is_refused(limiter):
    """A client that would fail on its first call is not made."""
    mihu = client()
    with pytest.raises(UsageError, match="limiter must be an async context manager, not ") as made:
        client(limiter=limiter)
    with pytest.raises(UsageError, match="limiter must be an async context manager, not ") as changed:
        mihu.with_options(limiter=limiter)

    assert ["limiter", "limiter"] == [made.value.argument, changed.value.argument]


@pytest.mark.parametrize(
    "limiter", [AsyncLimiter(1), asyncio.Semaphore(), asyncio.Lock(), Turnstile()], ids=lambda it: type(it).__name__
)
def test_any_async_context_manager_is_taken(limiter):
    """It need not be of a class of ours."""
    mihu = client(limiter=limiter).with_options(limiter=limiter)

    assert limiter is pipeline_of(mihu).limiter


async def test_the_pages_of_a_walk_go_through_the_limiter():
    """Each is let through, also those that are fetched ahead; what waits to be read holds no place."""
    turnstile, one = Turnstile(), asyncio.Semaphore(1)
    with Sandbox(numbers=100) as sandbox:
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, limiter=turnstile) as mihu:
            assert 100 == len(await mihu.numbers.list(per_page=10).collect())
            assert 100 == len(await mihu.with_options(limiter=one).numbers.list(per_page=10).collect())

        assert ["in"] * 10 == [step for step in turnstile.passed if step == "in"]
        assert 20 == len(sandbox.journal)
        assert 0 == turnstile.inside


async def test_a_look_up_goes_through_the_limiter():
    """The attempt whose answer was lost has left it by then, so a limiter of one place lets it through."""
    turnstile = Turnstile()
    with Sandbox() as sandbox:
        sandbox.faults.add(Status(504, after=True), method="POST")
        retries = RetryPolicy(base_delay=0)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, limiter=turnstile, retries=retries) as mihu:
            one = mihu.with_options(limiter=asyncio.Semaphore(1))
            await mihu.numbers.buy(number="+390790080043", country_code="IT", type="local")
            sent = len(sandbox.journal)
            sandbox.faults.add(Status(504, after=True), method="POST")
            await one.numbers.buy(number="+390790080044", country_code="IT", type="local")

    assert sent > 1
    assert ["in", None] * sent == turnstile.passed


async def test_with_options_changes_the_limiter_for_its_own_calls(wire):
    """The client that it was asked of keeps its own, and None keeps what there is."""
    wire.get("https://acme.mihu.ai/api/v1/x", payload={"success": True, "data": 1}, repeat=True)
    first, second = Turnstile(), Turnstile()
    async with client(limiter=first) as mihu:
        other = mihu.with_options(limiter=second)
        await other.request("GET", "/x")
        assert ([], ["in", None]) == (first.passed, second.passed)
        await other.with_options(timeout=Timeout(total=5)).request("GET", "/x")
        await mihu.request("GET", "/x")

    assert (["in", None], ["in", None] * 2) == (first.passed, second.passed)


async def test_a_refusal_is_no_error_to_the_limiter():
    """Like every answer, it is read after the limiter was left."""
    turnstile = Turnstile()
    with pytest.raises(ServerError):
        await limited(Network(failed(500)), turnstile, retries=RetryPolicy(max_attempts=1)).run(GET)

    assert ["in", "sent", None] == turnstile.passed
