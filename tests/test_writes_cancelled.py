"""A write that is cancelled anywhere on its way leaves nothing behind."""

import asyncio
from itertools import count
from types import TracebackType
from typing import Any, Self

import pytest
from attrs import define

from mihu_async import ConflictError, MihuClient, RetryPolicy, Timeout
from mihu_async.sandbox import Hang, Reset, Sandbox, Status, Truncate
from tests.doubles import connections_in_use
from tests.internals import transport_of, with_pipeline
from tests.virtual import VirtualClock, VirtualLoop

pytestmark = pytest.mark.slow

PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}
OTHER = PURCHASE | {"number": "+390790080042"}
SETTLED = 10.0
"""Seconds after which the sandbox has noticed that its client left."""


@define
class Turnstile:
    """A limiter that lets one attempt in at a time and takes its time for it, as one over a network does."""

    slot: asyncio.Semaphore
    inside: int = 0

    async def __aenter__(self) -> Self:
        await asyncio.sleep(0.01)
        await self.slot.acquire()
        self.inside += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.inside -= 1
        self.slot.release()
        await asyncio.sleep(0.01)


@define
class Canceller:
    """Cancels a task in one round of its loop, before or after what the network brought in that round."""

    loop: VirtualLoop
    task: asyncio.Task[Any]
    rounds: int
    before: bool
    struck: bool = False

    def __call__(self) -> None:
        self.rounds -= 1
        if self.rounds == 0 and self.before:
            self.strike()
        elif self.rounds == 0:
            self.loop.call_soon(self.strike)

    def strike(self) -> None:
        self.struck = self.task.cancel()


async def cancelled_in(rounds: int, faults: list[Any], *, before: bool) -> bool:
    """Cancel a purchase in a round of the loop, see that nothing is left, and say whether it was still under way."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    limiter = Turnstile(asyncio.Semaphore(1))
    async with (
        Sandbox(numbers=3, trunks=1) as sandbox,
        MihuClient(
            sandbox.token,
            base_url=sandbox.base_url,
            timeout=Timeout(total=5, read=0.2),
            retries=RetryPolicy(base_delay=0.1),
            limiter=limiter,
            concurrency=2,
        ) as mihu,
    ):
        with_pipeline(mihu, clock=VirtualClock(loop))
        for fault in faults:
            sandbox.faults.add(fault, method="POST")
        sandbox.faults.add(Reset(), method="GET")
        task = asyncio.create_task(mihu.numbers.buy(**PURCHASE))
        loop.turn = canceller = Canceller(loop, task, rounds, before)
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        loop.turn = None
        sandbox.faults.clear()

        assert canceller.struck == isinstance(outcome, asyncio.CancelledError)
        assert 0 == limiter.inside
        assert not limiter.slot.locked()
        await asyncio.sleep(SETTLED)
        assert {"RequestHandler.start", "cancelled_in"} >= {
            getattr(left.get_coro(), "__qualname__", "") for left in asyncio.all_tasks()
        }
        assert 0 == connections_in_use(*transport_of(mihu).sessions.own)

        bought = [row for row in sandbox.inventory.numbers if row["number"] == PURCHASE["number"]]
        if bought:
            with pytest.raises(ConflictError):
                await mihu.numbers.buy(**PURCHASE)
        else:
            await mihu.numbers.buy(**PURCHASE)
        await mihu.numbers.buy(**OTHER)
        assert 5 == len(await mihu.numbers.list(per_page=2).collect())
    assert not [generator for generator in getattr(loop, "_asyncgens", ()) if generator.ag_frame]
    return canceller.struck


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    "faults",
    [[Status(502), Reset(after=True)], [Hang(), Truncate()], [Reset(), Hang(after=True)]],
    ids=["answered", "hanging", "reset"],
)
def test_a_purchase_can_be_cancelled_anywhere(faults, before):
    """In each round of the loop, on the way through lookups and another attempt, it leaves a client that works on."""
    for rounds in count(1):
        with asyncio.Runner(loop_factory=VirtualLoop, debug=False) as runner:
            if not runner.run(cancelled_in(rounds, faults, before=before)):
                break

    assert rounds > 60
