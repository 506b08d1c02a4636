"""Calls of one client that want the same thing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from attrs import evolve

from mihu_async import ConnectTimeoutError, Timeout
from mihu_async.core import reconciler
from mihu_async.core.lookup import Lookup
from mihu_async.core.request import RAW, describe
from tests.doubles import FakeClock, FakeSender, ok, pipeline


async def no_find(*_):
    """Stand for a lookup that is not made."""
    raise AssertionError


def no_judgement(*_):
    """Stand for a judgement that is not made."""
    raise AssertionError


def post(key: str):
    """Describe a write that makes a thing."""
    return describe("POST", "/things", RAW, lookup=Lookup(no_find, no_judgement, key=key))


class Doors:
    """A sender that lets attempts through one by one, and notes how many are inside."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.open = asyncio.Event()

    async def send(self, request, bounds, redact):
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.open.wait()
        self.inside -= 1
        return ok("done")


async def run_both(first: str, second: str) -> int:
    """Make two calls at a time, and return how many were under way at a time."""
    doors = Doors()
    calls = evolve(pipeline(FakeSender(FakeClock(), [])), sender=doors)
    tasks = [asyncio.create_task(calls.run(post(key))) for key in (first, second)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    doors.open.set()
    assert ["done", "done"] == await asyncio.gather(*tasks)
    assert () == calls.contention.keys
    return doors.most


async def test_calls_for_one_thing_wait_for_each_other():
    """Others do not."""
    assert 1 == await run_both("a", "a")
    assert 2 == await run_both("a", "b")
    assert 2 == await run_both("", "")


def test_calls_in_several_loops_wait_for_each_other():
    """A client may be used from several threads; the calls of each have the key one after the other."""
    shared, inside, most = reconciler.Contention(), 0, 0

    async def hold() -> None:
        nonlocal inside, most
        for _ in range(50):
            await shared.acquire("a")
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            shared.release("a")

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(asyncio.run, hold()) for _ in range(4)]:
            done.result(timeout=30)

    assert 1 == most
    assert () == shared.keys


def test_a_loop_that_is_closed_loses_its_turn():
    """The call that waited there never comes, and the next one has the key."""
    shared, gone = reconciler.Contention(), asyncio.new_event_loop()

    async def wait_there() -> None:
        await shared.acquire("a")

    async def main() -> None:
        await shared.acquire("a")
        waiting = gone.create_task(wait_there())
        gone.call_soon(gone.stop)
        await asyncio.to_thread(gone.run_forever)
        gone.close()
        with suppress(RuntimeError):  # its loop is closed, so it cannot be told
            waiting.cancel()
        here = asyncio.create_task(shared.acquire("a"))
        await asyncio.sleep(0)
        shared.release("a")
        await here
        shared.release("a")

    asyncio.run(main())
    assert () == shared.keys


async def test_a_call_that_is_cancelled_with_its_turn_hands_it_on():
    """The key was its own already when the caller gave up."""
    shared = reconciler.Contention()
    await shared.acquire("a")
    first, second = (asyncio.create_task(shared.acquire("a")) for _ in range(2))
    await asyncio.sleep(0)
    shared.release("a")
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await second
    shared.release("a")

    assert first.cancelled()
    assert () == shared.keys


async def test_a_call_that_is_cancelled_lets_the_next_one_go():
    """While it waits, and while it is under way."""
    doors = Doors()
    calls = evolve(pipeline(FakeSender(FakeClock(), [])), sender=doors)
    tasks = [asyncio.create_task(calls.run(post("a"))) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[0].cancel()
    await asyncio.gather(*tasks[:2], return_exceptions=True)
    doors.open.set()

    assert "done" == await tasks[2]
    assert () == calls.contention.keys


async def test_a_call_waits_no_longer_than_it_may_take():
    """It says that nothing was sent, and why."""
    doors = Doors()
    calls = pipeline(FakeSender(FakeClock(), []), timeout=Timeout(total=1))
    first = asyncio.create_task(evolve(calls, sender=doors).run(post("a")))
    await asyncio.sleep(0)

    class OutOfTime(FakeClock):
        def timeout(self, seconds):
            assert 1 == seconds
            return asyncio.timeout(0)

    with pytest.raises(ConnectTimeoutError, match="another call of this client for the same thing") as caught:
        await evolve(calls, sender=doors, clock=OutOfTime()).run(post("a"))
    doors.open.set()

    assert "done" == await first
    assert not caught.value.may_have_changed
    assert 1 == len(caught.value.attempts)


def test_what_was_given_to_a_call_is_no_others():
    """The latest that were given are remembered."""
    shared, one, other = reconciler.Contention(), object(), object()
    assert not shared.is_anothers("a", other)
    shared.claim("a", one)

    assert shared.is_anothers("a", other)
    assert not shared.is_anothers("a", one)
    for number in range(reconciler.KEPT - 1):
        shared.claim(str(number), one)
    assert shared.is_anothers("a", other)
    shared.claim("b", one)
    assert not shared.is_anothers("a", other)
