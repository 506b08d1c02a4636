"""Many rows at a time: results, order, errors, an end in the middle, and a report that is always true."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import attrs
import pytest

from mihu_async import (
    ConflictError,
    DryRun,
    Ensured,
    EnsureOutcome,
    EnsureReport,
    EnsureResult,
    EnsureRun,
    MihuClient,
    MihuError,
    NumberChannels,
    OutcomeUnknownError,
    RetryPolicy,
    SipCredentials,
    Timeout,
    TrunkSpec,
    UsageError,
)
from mihu_async.models.channels import Channels
from mihu_async.sandbox import (
    Answer,
    Exchange,
    Fault,
    Hang,
    Reset,
    Sandbox,
    Status,
    Truncate,
    WrongContentType,
)

Row = dict[str, Any]


def fictional(serial: int) -> str:
    """Return a number that belongs to nobody."""
    return f"+1{201 + serial // 100}55501{serial % 100:02}"


def row(serial: int, **changes: Any) -> Row:
    """Make a row about a trunk of its own, out of ranges for fiction that the sandbox does not use."""
    return {"phone_number": fictional(serial), "channel": "call", "agent_uuid": f"a{serial}"} | changes


def ensured(outcome: EnsureOutcome = EnsureOutcome.CREATED) -> Ensured:
    """Make what ensuring gives."""
    return Ensured(outcome=outcome, snapshot=NumberChannels(number="+12345678901", channels=Channels()))


class Doors:
    """Ensures a row when its door is opened, and writes down which were begun and which ended."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.cancelled: list[str] = []
        self._doors: dict[str, asyncio.Event] = {}

    def open(self, *agents: str) -> None:
        for agent in agents:
            self._doors.setdefault(agent, asyncio.Event()).set()

    async def __call__(self, *, agent_uuid: str, **_: Any) -> Ensured:
        self.begun.append(agent_uuid)
        try:
            await self._doors.setdefault(agent_uuid, asyncio.Event()).wait()
        except asyncio.CancelledError:
            self.cancelled.append(agent_uuid)
            raise
        self.ended.append(agent_uuid)
        return ensured()


async def settle() -> None:
    """Let all that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


async def extend(results: list[EnsureResult[Any]], run: EnsureRun[Any]) -> None:
    """Put the results of a run into a list as they come."""
    async for result in run:
        results.append(result)  # noqa: PERF401 - so that they are there when the run is stopped


async def ensure_now(**_: Any) -> Ensured:
    """Ensure without waiting."""
    return ensured()


async def test_each_row_has_its_result():
    """It holds the row itself and says which it was; the counts are those of the results."""
    outcomes = [EnsureOutcome.CREATED, EnsureOutcome.REASSIGNED, EnsureOutcome.UNCHANGED, EnsureOutcome.UNCHANGED]

    async def ensure(*, agent_uuid: str, **_: Any) -> Ensured:
        return ensured(outcomes[int(agent_uuid[1:])])

    rows = [row(serial) for serial in range(4)]
    run = EnsureRun(rows, ensure, 2)
    results = [result async for result in run]

    assert list(enumerate(rows)) == [(result.position, result.row) for result in results]
    assert outcomes == [result.outcome for result in results]
    assert {"+12345678901"} == {result.snapshot.number for result in results if result.snapshot}
    assert EnsureReport(created=1, reassigned=1, unchanged=2, complete=True) == run.report


async def test_results_come_as_they_are_done():
    """A row that takes long holds up none behind it."""
    doors = Doors()
    run = EnsureRun([row(serial) for serial in range(3)], doors, 3)
    results = aiter(run)
    doors.open("a2")
    first = await anext(results)
    doors.open("a0", "a1")

    assert [2, 0, 1] == [first.position, *[result.position async for result in results]]


async def test_an_error_is_a_result_and_the_others_go_on():
    """Whatever it is."""
    errors = [ConflictError("taken", method="POST", url="u", status=409), RuntimeError("limiter")]

    async def ensure(*, agent_uuid: str, **_: Any) -> Ensured:
        if agent_uuid in {"a0", "a2"}:
            raise errors[int(agent_uuid[1:]) // 2]
        return ensured()

    run = EnsureRun([row(serial) for serial in range(4)], ensure, 1)
    results = [result async for result in run]

    assert [errors[0], None, errors[1], None] == [result.error for result in results]
    assert [None, None] == [(result.outcome or result.snapshot) for result in results if result.error]
    assert EnsureReport(created=2, failed=2, complete=True) == run.report


async def test_a_row_that_is_cancelled_from_within_is_an_error_of_that_row():
    """By a limiter, say: nobody asked the run to stop, and it does not wait for that row for ever."""

    async def ensure(*, agent_uuid: str, **_: Any) -> Ensured:
        if agent_uuid == "a1":
            raise asyncio.CancelledError
        return ensured()

    run = EnsureRun([row(serial) for serial in range(4)], ensure, 1)
    results = [result async for result in run]

    assert ["", "It was cancelled from within", "", ""] == [
        str(result.error or "").partition(",")[0] for result in results
    ]
    assert EnsureReport(created=3, failed=1, complete=True) == run.report


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"phone_number": "+1", "channel": "call"}, "A row has no 'agent_uuid'"),
        (row(1, colour="red"), "must not hold 'colour', but only phone_number, channel"),
        ("+12345678901", r"A row must be TrunkSpec\(…\) or a mapping, not str"),
        (None, "not NoneType"),
    ],
)
async def test_what_is_no_row_is_an_error_of_that_row(wrong, why):
    """Nothing is sent for it, and the others are done."""
    run: EnsureRun[Any] = EnsureRun([row(0), wrong, row(2)], ensure_now, 1)
    results = [result async for result in run]

    assert [True, False, True] == [result.error is None for result in results]
    with pytest.raises(UsageError, match=why):
        raise results[1].error or AssertionError


@pytest.mark.parametrize("rows", ["+12345678901", b"x", row(1), TrunkSpec(**row(1)), None, 5], ids=repr)
async def test_one_row_is_not_several(rows):
    """It is refused before anything is sent, and not shown."""
    async with MihuClient("t", base_url="https://acme.mihu.ai") as mihu:
        with pytest.raises(UsageError, match="rows must be several rows, not ") as caught:
            mihu.trunks.ensure_all(rows)
        with pytest.raises(UsageError, match="concurrency must be a whole number from 1"):
            mihu.trunks.ensure_all([], concurrency=0)

    assert "+1201555" not in str(caught.value)


async def spread(rows: list[Row]) -> AsyncIterator[Row]:
    """Return rows with waits between them."""
    for one in rows:
        await asyncio.sleep(0)
        yield one


@pytest.mark.parametrize("kind", [list, tuple, iter, spread], ids=lambda kind: kind.__name__)
async def test_rows_may_come_from_anywhere(kind):
    """An iterable or an async one; an empty one too."""
    rows = [row(serial) for serial in range(5)]

    assert rows == [result.row async for result in EnsureRun(kind(rows), ensure_now, 2)]
    assert [] == [result async for result in EnsureRun(kind([]), ensure_now, 2)]


async def test_specs_are_rows():
    """What they hold is what ensuring is called with."""
    given: list[Any] = []

    async def ensure(**arguments: Any) -> Ensured:
        given.append(arguments)
        return ensured()

    sip = SipCredentials(password="hunter22")
    spec = TrunkSpec(**row(1), sip=sip, additional_settings={"pin": "hunter22"})
    results = [result async for result in EnsureRun([spec], ensure, 1)]

    assert [row(1) | {"sip": sip, "name": None, "direction": None, "additional_settings": {"pin": "hunter22"}}] == given
    assert spec is results[0].row
    assert "hunter22" not in repr(results)


async def test_credentials_do_not_show():
    """In no repr, whatever form the row has."""
    sip: Any = {"password": "hunter22"}  # refused, and the result shows the row
    rows: list[Any] = [row(1, sip=sip), row(2, sip=SipCredentials(password="hunter22")), TrunkSpec(**row(3), sip=sip)]
    run = EnsureRun(rows, Doors(), 2)
    begun = asyncio.ensure_future(anext(aiter(run)))
    await settle()
    shown = repr(run) + repr([result async for result in EnsureRun(rows, ensure_now, 1)])
    begun.cancel()
    await asyncio.gather(begun, return_exceptions=True)

    assert "hunter22" not in shown
    assert fictional(1) in shown


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_rows_are_under_way_than_was_said(concurrency):
    """Nor taken from the source: those that the caller has not got yet count too."""
    taken: list[int] = []

    def source() -> Iterator[Row]:
        for serial in range(10):
            taken.append(serial)
            yield row(serial)

    doors = Doors()
    doors.open(*(f"a{serial}" for serial in range(10)))
    run = EnsureRun(source(), doors, concurrency)
    results = aiter(run)
    for got in range(1, 11):
        await anext(results)
        await settle()
        assert len(taken) == min(10, got + concurrency)

    assert [] == [result async for result in results]


async def test_a_slow_source_holds_no_result_up():
    """What is done is given while the source is waited for."""
    more = asyncio.Event()

    async def source() -> AsyncIterator[Row]:
        yield row(0)
        await more.wait()
        yield row(1)

    results = aiter(EnsureRun(source(), ensure_now, 4))

    assert 0 == (await anext(results)).position
    more.set()
    assert 1 == (await anext(results)).position
    assert [] == [result async for result in results]


async def test_rows_about_the_same_trunk_are_done_in_their_order():
    """One after the other, while the others go on; the channel tells trunks apart."""
    same = [row(0, agent_uuid="x"), row(0, agent_uuid="y"), row(0, agent_uuid="z", channel="whatsapp"), row(1)]
    doors = Doors()
    run = EnsureRun(same, doors, 4)
    results = aiter(run)
    doors.open("y", "z", "a1")
    early = [(await anext(results)).position for _ in range(2)]
    await settle()
    begun = [*doors.begun]
    doors.open("x")

    assert {2, 3} == set(early)
    assert ["x", "z", "a1"] == begun
    assert [0, 1] == [result.position async for result in results]
    assert ["x", "y"] == [agent for agent in doors.ended if agent in {"x", "y"}]


async def test_a_source_that_fails_is_reported_after_what_was_done():
    """The rows that were taken are done and given, and only then the source's error is raised."""

    def source() -> Iterator[Row]:
        yield row(0)
        yield row(1)
        raise ValueError("line 3 is no row")

    doors = Doors()
    run = EnsureRun(source(), doors, 5)
    seen: list[EnsureResult[Row]] = []
    consumer = asyncio.ensure_future(extend(seen, run))
    await settle()
    doors.open("a0", "a1")
    with pytest.raises(ValueError, match="line 3 is no row"):
        await consumer

    assert [0, 1] == [result.position for result in seen]
    assert EnsureReport(created=2, complete=False) == run.report


async def test_a_source_that_is_cancelled_from_within_cancels_nobody():
    """As one that waits for something that was closed: the caller would end in silence, and the rows half done."""

    async def source() -> AsyncIterator[Row]:
        yield row(0)
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost

    run = EnsureRun(source(), ensure_now, 5)
    seen: list[EnsureResult[Row]] = []
    with pytest.raises(MihuError, match="The source of the rows was cancelled from within"):
        await extend(seen, run)

    assert [0] == [result.position for result in seen]
    assert EnsureReport(created=1, complete=False) == run.report


async def test_a_break_leaves_nothing_under_way_and_says_what_was_done():
    """What was begun is cancelled and named, and what was done without being seen is given in the report."""
    doors = Doors()
    rows = [row(serial) for serial in range(9)]
    run = EnsureRun(rows, doors, 4)
    doors.open("a0", "a2")
    async for first in run:
        assert 0 == first.position
        await settle()
        break
    await settle()

    (unseen,) = run.report.unseen
    assert 2 == unseen.position
    assert (rows[1], rows[3], rows[4]) == run.report.unfinished
    assert EnsureReport(created=2, unseen=(unseen,), unfinished=run.report.unfinished, complete=False) == run.report
    assert {"a1", "a3", "a4"} == set(doors.cancelled)
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_a_cancelled_run_says_what_was_done():
    """As a break does, and the cancellation goes on."""
    doors = Doors()
    run = EnsureRun([row(serial) for serial in range(3)], doors, 3)
    seen: list[EnsureResult[Row]] = []

    consumer = asyncio.ensure_future(extend(seen, run))
    doors.open("a1")
    await settle()
    under_way = run.report
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer

    assert [1] == [result.position for result in seen]
    assert EnsureReport(created=1, unfinished=(row(0), row(2)), complete=None) == under_way
    assert EnsureReport(created=1, unfinished=(row(0), row(2)), complete=False) == run.report
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_a_break_after_the_last_row_is_no_break():
    """All is done, whether the caller sees the end or not."""
    run = EnsureRun([row(0)], ensure_now, 2)
    async for _ in run:
        await settle()
        break
    await settle()

    assert EnsureReport(created=1, complete=True) == run.report


async def test_a_run_is_begun_once():
    """Its source may be used up, and its report is of one run."""
    run = EnsureRun([row(0)], ensure_now, 1)
    before = run.report
    assert 1 == len([result async for result in run])

    assert EnsureReport() == before
    with pytest.raises(UsageError, match="has begun already"):
        aiter(run)


FAULTS: list[Fault] = [
    Status(500),
    Status(503),
    Status(429, retry_after=0),
    Status(500, after=True),
    Status(504, after=True),
    Reset(),
    Reset(after=True),
    Truncate(),
    WrongContentType(after=True),
]


@attrs.frozen
class Often:
    """A fault that strikes about every fifth request, as one of many."""

    chance: random.Random

    async def around(self, exchange: Exchange) -> Answer | None:
        """Strike or not."""
        fault = self.chance.choice(FAULTS)
        return await (fault.around(exchange) if self.chance.random() < 0.2 else exchange.apply())


def agents_of(sandbox: Sandbox) -> dict[str, str]:
    """Return who answers the calls of each trunk."""
    rows = [trunk for trunk in sandbox.inventory.trunks if trunk["bindings"]["call"]["bound"]]
    agents = {trunk["number"]: trunk["bindings"]["call"]["agent_uuid"] for trunk in rows}
    assert len(rows) == len(agents)
    return agents


def free_agents(sandbox: Sandbox, count: int) -> list[str]:
    """Find agents that serve nothing, hiring them where there are too few."""
    spare = [sandbox.inventory.insert_trunk() for _ in range(count)]
    for trunk in spare:
        sandbox.inventory.delete(trunk["phone_number_uuid"])
    return [trunk["bindings"]["call"]["agent_uuid"] for trunk in spare]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
async def test_500_rows_with_faults_end_as_they_are_reported(seed):
    """Trunks to create, to reassign, to keep and to refuse: the report is what the sandbox holds."""
    chance = random.Random(seed)
    async with Sandbox(numbers=20, trunks=0) as sandbox:
        there = [sandbox.inventory.insert_trunk() for _ in range(300)]
        before = agents_of(sandbox)
        new = free_agents(sandbox, 325)
        owned = [number["number"] for number in sandbox.inventory.numbers[:20]]
        numbers = [fictional(serial) for serial in range(180)]
        wanted = {
            **dict(zip(numbers, new[:180], strict=True)),
            **{trunk["number"]: trunk["bindings"]["call"]["agent_uuid"] for trunk in there[:170]},
            **{trunk["number"]: agent for trunk, agent in zip(there[170:295], new[180:305], strict=True)},
            **dict.fromkeys([trunk["number"] for trunk in there[295:]], before[there[0]["number"]]),
            **dict(zip(owned, new[305:], strict=True)),
        }
        rows = [{"phone_number": number, "channel": "call", "agent_uuid": agent} for number, agent in wanted.items()]
        chance.shuffle(rows)
        sandbox.faults.add(Often(chance), times=None)
        policy = RetryPolicy(base_delay=0, max_attempts=12)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=policy) as mihu:
            run = mihu.trunks.ensure_all(spread(rows), concurrency=16)
            results = [result async for result in run]
        after = agents_of(sandbox)

    assert 500 == len(rows) == len({result.position for result in results})
    assert rows == [result.row for result in sorted(results, key=lambda result: result.position)]
    done = {result.row["phone_number"]: result.row["agent_uuid"] for result in results if result.outcome}
    assert after == before | done
    assert [wanted[number] for number in done] == [*done.values()]
    shown = [result.snapshot.call_agent for result in results if result.snapshot]
    assert [*done.values()] == [agent and agent.agent_uuid for agent in shown]
    errors = {result.row["phone_number"]: result.error for result in results if result.error}
    assert {*owned, *(trunk["number"] for trunk in there[295:])} == set(errors)
    assert {ConflictError, OutcomeUnknownError} >= {type(error) for error in errors.values()}
    assert EnsureReport(created=180, reassigned=125, unchanged=170, failed=25, complete=True) == run.report


async def test_a_run_that_is_stopped_can_be_ensured_again():
    """What was under way is named; the next run brings all to its end, and finds what the first had done."""
    async with Sandbox(numbers=0, trunks=0) as sandbox:
        agents = free_agents(sandbox, 12)
        rows = [TrunkSpec(**row(serial, agent_uuid=agent)) for serial, agent in enumerate(agents)]
        sandbox.faults.add(Hang(after=True), method="POST", skip=5)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, timeout=Timeout(read=20)) as mihu:
            run = mihu.trunks.ensure_all(rows, concurrency=1)
            stopped = asyncio.ensure_future(extend([], run))
            while len(sandbox.inventory.trunks) < 6:
                await asyncio.sleep(0.001)
            stopped.cancel()
            await asyncio.gather(stopped, return_exceptions=True)
            again = mihu.trunks.ensure_all(rows)
            async for result in again:
                assert result.error is None

    assert EnsureReport(created=5, unfinished=(rows[5],), complete=False) == run.report
    assert EnsureReport(created=6, unchanged=6, complete=True) == again.report
    assert {spec.phone_number: spec.agent_uuid for spec in rows} == agents_of(sandbox)


async def test_a_dry_run_says_for_each_row_what_it_would_do():
    """What is as it should be is unchanged, and all else is a result of its own."""
    async with Sandbox(numbers=0, trunks=0) as sandbox:
        trunk = sandbox.inventory.insert_trunk()
        kept = row(0, phone_number=trunk["number"], agent_uuid=trunk["bindings"]["call"]["agent_uuid"])
        rows = [kept, row(1, agent_uuid=free_agents(sandbox, 1)[0])]
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, dry_run=True) as mihu:
            results = [result async for result in mihu.trunks.ensure_all(rows, concurrency=1)]

    assert ["unchanged", None] == [result.outcome for result in results]
    assert isinstance(results[1].error, DryRun)
    assert isinstance(results[1].error, MihuError)
