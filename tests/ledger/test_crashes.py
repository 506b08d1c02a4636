"""Workers that are killed at random moments: one purchase a key, and nothing is left open."""

import asyncio
import multiprocessing
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock
from typing import Any

import pytest
from attrs import define, field

from mihu_async.sandbox import Delay, Fault, Hang, Reset, Sandbox, Status, Truncate
from tests.ledger.worker import connected, opened, work
from tests.mishaps import Behind, Late, Truth
from tests.platforms import posix_only

pytestmark = posix_only("has no forkserver, without which starting the workers takes too long")

KEYS = 32
"""How many keys are fought for."""
GENERATIONS = 4
"""How many pairs of workers are killed for a key, one after the other."""
AT_MOST = 0.3
"""Seconds after which a worker that is ready is killed at the latest: some have sent nothing, and some have ended."""
LONGEST = 60.0
WEATHER: list[Fault] = [
    *[Truth()] * 4,
    Delay(0.1),
    Delay(0.6),
    Reset(),
    Reset(after=True),
    Truncate(),
    Hang(after=True),
    Status(500),
    Status(500, after=True),
    Status(409),
    Status(404),
    Behind(502, 0.1),
    Behind(504, 0.5),
    Late(0.2, Reset(after=True)),
]


class Weather:
    """A fault that is another one each time, and none once it is over."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.is_over = False

    async def around(self, exchange):
        fault = Truth() if self.is_over else self._chance.choice(WEATHER)
        return await fault.around(exchange)


@define
class Fleet:
    """Starts workers for keys, kills them, and notes what those said that were not killed in time."""

    sandbox: Sandbox
    where: str
    said: dict[str, set[tuple[str, str]]] = field(factory=dict)
    kills: int = 0
    _seeds: Iterator[int] = field(factory=count)
    _lock: Lock = field(factory=Lock)

    def start(self, key: str):
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe(duplex=False)
        job = (self.sandbox.base_url, self.sandbox.token, self.where, key, next(self._seeds))
        worker = context.Process(target=work, args=(theirs, *job), daemon=True)
        worker.start()
        theirs.close()
        return worker, ours

    def end(self, key: str, worker, ours, seconds: float) -> bool:
        """Wait for what a worker says, and kill it where that takes too long; True where it named a number."""
        answer: Any = "ready"
        try:
            while answer == "ready" and ours.poll(seconds):
                answer = ours.recv()
        except EOFError:
            answer = None
        if answer == "ready":
            worker.kill()
            with self._lock:
                self.kills += 1
        worker.join(LONGEST)
        ours.close()
        if not isinstance(answer, tuple):
            return False
        with self._lock:
            self.said.setdefault(key, set()).add(answer)
        return True

    def kill_pairs(self, key: str) -> None:
        """Start two workers at a time, and kill each of them at a moment of its own."""
        chance = random.Random(key)
        for _ in range(GENERATIONS):
            pair = [self.start(key) for _ in range(2)]
            assert all(ours.poll(LONGEST) for _, ours in pair)
            began = time.monotonic()
            moments = sorted(chance.uniform(0, AT_MOST) for _ in pair)
            for (worker, ours), moment in zip(pair, moments, strict=True):
                self.end(key, worker, ours, max(0.0, began + moment - time.monotonic()))

    def finish(self, key: str) -> None:
        """Have two workers live, until one of them has named the number."""
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            pair = [self.start(key) for _ in range(2)]
            named = [self.end(key, worker, ours, LONGEST) for worker, ours in pair]
            if any(named):
                return


@pytest.fixture(params=["sqlite", "redis"])
def fleet(request, tmp_path):
    """A sandbox in bad weather, and workers that share a ledger."""
    where = str(tmp_path / "purchases.db") if request.param == "sqlite" else request.getfixturevalue("redis_url")
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.ledger.worker"])
    with Sandbox(numbers=0, trunks=0) as sandbox:
        yield Fleet(sandbox, where)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_workers_that_are_killed_buy_one_number_for_a_key(fleet, request):
    """Whoever lives names the same number, it is the only one of its key, and recovery leaves nothing open."""
    keys = [str(n) for n in range(KEYS if fleet.where.startswith("/") else KEYS // 3)]
    weather = Weather(seed=len(keys))
    fleet.sandbox.faults.add(weather, method="POST", path="/phone-numbers", times=None)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fleet.kill_pairs, keys))
    finished, left = keys[::2], keys[1::2]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fleet.finish, finished))
    weather.is_over = True
    entries = asyncio.run(recovered(fleet))
    settled = {key for key in keys if entries[key] is not None}
    held = {row["phone_number_uuid"] for row in fleet.sandbox.inventory.numbers}

    assert fleet.kills > 2 * len(keys)
    assert set(finished) <= set(fleet.said)
    assert {key: {(entry.number, entry.phone_number_uuid)} for key, entry in entries.items() if key in fleet.said} == (
        fleet.said
    )
    assert held == {entries[key].phone_number_uuid for key in settled}
    assert len(settled) == len(held)
    assert left


async def recovered(fleet):
    """Recover until nothing is open, and return what stands under each key."""
    async with (
        connected(fleet.sandbox.base_url, fleet.sandbox.token, fleet.where) as mihu,
        opened(fleet.where) as ledger,
    ):
        until = time.monotonic() + LONGEST
        while time.monotonic() < until:
            unknown = {found.entry.key: found.reason async for found in mihu.numbers.recover() if found.reason}
            entries = {str(n): await ledger.find(str(n)) for n in range(KEYS)}
            if all(entry is None or entry.state == "settled" for entry in entries.values()):
                break
            await asyncio.sleep(0.2)
        assert not await ledger.begun(), unknown
    return entries
