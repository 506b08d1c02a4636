"""Random faults over random writes: what the SDK says is what the service holds."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

import pytest
from attrs import frozen
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mihu_async import (
    APIError,
    CallReport,
    ConflictError,
    ConnectError,
    MihuClient,
    MihuError,
    NumberChannels,
    OutcomeUnknownError,
    PhoneNumber,
    RetryBudget,
    RetryPolicy,
    Timeout,
)
from mihu_async.core import pipeline, reconciler, retry, server_clock
from mihu_async.core.journal import Journal
from mihu_async.core.reconciler import Contention
from mihu_async.core.retry import Ambiguous, Conflict, GiveUp, LookAgain, decide, settle
from mihu_async.core.server_clock import Dating
from mihu_async.errors import is_ambiguous
from mihu_async.resources import lookups
from mihu_async.resources.trunks import Trunks
from mihu_async.sandbox import (
    Delay,
    Fault,
    Hang,
    JournalEntry,
    NullFields,
    Reset,
    Sandbox,
    Status,
    Truncate,
    WrongContentType,
    operations,
)
from tests.doubles import connections_in_use
from tests.internals import transport_of, with_pipeline
from tests.mishaps import Behind, Edge, Late, Overtaken, Truth, Written
from tests.virtual import VirtualClock, VirtualLoop
from tests.witness import Witness

pytestmark = pytest.mark.slow

TIMEOUT = Timeout(total=2, connect=1, read=0.2)
NOISE = 0.01
"""Seconds by which a call may outlive its time: an attempt that begins when that is up still has a bound."""
APART = 3.0
"""Seconds between what someone else did and the call: so much is told apart by date."""
SETTLED = 10.0
"""Seconds after which nothing comes late any more."""

NUMBERS = ("+390790080041", "+390790080042", "+390790080043")
CHANNELS = ("call", "whatsapp")
AGENTS = range(3)
PURCHASES, TRUNKS = "/phone-numbers", "/phone-numbers/trunks"

APPLIED = [
    Hang(after=True),
    Reset(after=True),
    Truncate(),
    WrongContentType(after=True),
    *(Status(status, after=True) for status in (408, 500, 502, 503, 504)),
    Late(0.1, Status(500, after=True)),
]
NOT_APPLIED = [Hang(), Reset(), WrongContentType(), *(Status(status) for status in (408, 500, 502, 503, 504))]
APPLIED_LATE = [
    *(Delay(seconds) for seconds in (0.1, 0.3, 0.5, 1.1, 3)),
    *(Behind(status, seconds) for status in (502, 504) for seconds in (0.1, 0.3, 1.1, 3)),
    Late(0.3, Reset(after=True)),
]
REFUSED = [Status(403), Status(422), Late(0.1, Status(403)), Late(0.3, Status(403)), Late(0.3, Status(409))]
PUT_OFF = [Status(429), Status(429, retry_after=1), Status(503, retry_after=1), Status(429, retry_after=99)]
UNREAD = [
    *(Status(status) for status in (403, 404, 422, 429, 500, 503)),
    Hang(),
    Reset(),
    Truncate(),
    WrongContentType(),
    Delay(0.1),
    Delay(0.5),
    NullFields("purchased_at"),
    NullFields("bindings"),
    *(Written(form) for form in ("+{} {} {}", "00{}-{}-{}", "{}{}{}")),
]

ANY = [Truth(), *APPLIED, *NOT_APPLIED, *APPLIED_LATE, *REFUSED, *PUT_OFF]
WRITES = st.one_of(
    st.lists(st.sampled_from(ANY), max_size=5),
    st.sampled_from([[fault] * 5 for fault in ANY]),
    st.tuples(st.sampled_from(APPLIED_LATE), st.sampled_from(REFUSED)).map(list),
)
ANY_READ = st.sampled_from([*UNREAD, *[Truth()] * len(UNREAD)])
DOWN: list[Fault] = [Status(503)] * 40
READS = st.one_of(st.lists(ANY_READ, max_size=2), st.lists(ANY_READ, max_size=8), st.sampled_from([[], [], DOWN]))
RIVALS = st.sampled_from([None, None, 0, 0, 1, 2])
NUMBER, CHANNEL, AGENT = st.sampled_from(NUMBERS), st.sampled_from(CHANNELS), st.sampled_from(AGENTS)
WHICH = st.integers(0, 11)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.sampled_from([4, 5, 3, 2, 1]),
    base_delay=st.just(0) | st.just(0.1),
    budget=st.none() | st.just(RetryBudget(tokens=20)),
)
SKEWS = st.sampled_from([timedelta(), timedelta(hours=-1), timedelta(days=400)])
EDGES = st.sampled_from(
    [timedelta(), timedelta(), timedelta(seconds=5), timedelta(seconds=50), timedelta(seconds=-600)]
)
"""The time by which the clock of the edge, which dates answers, is ahead of that of the service, which dates rows.

Where it is behind by as much as a row is older than a call, nothing tells them apart, so it is more than a run takes.
"""
LAGS = st.sampled_from([0.0, 0.0, 0.0, 0.3, 1.0, 5.0])
AGES = st.sampled_from([timedelta(seconds=APART), timedelta(days=400)])


@frozen
class Outcome:
    """The outcome that a call reported."""

    result: Any
    error: MihuError | None
    report: CallReport | None


class Writes(RuleBasedStateMachine):
    """A workspace, its client, and others who change it too."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop, debug=False)
        loop = self.runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop

    @initialize(policy=POLICIES, ahead=SKEWS, edge=EDGES)
    def open(self, policy: RetryPolicy, ahead: timedelta, edge: timedelta) -> None:
        """Open the workspace, on a service whose clocks may be wrong."""
        self.policy = policy
        self.service = VirtualClock(self.loop, ahead)
        at_the_edge = VirtualClock(self.loop, ahead + edge)
        self.sandbox = Sandbox(0, 0)
        self.sandbox.faults = Edge(at_the_edge.header)
        self.sandbox.inventory = self.inventory = Witness(self.service.to_the_second)
        self.agents = self.inventory.free_agents("call")[: len(AGENTS) + 1]
        self.runner.run(self.sandbox.start())
        self.mihu = MihuClient(
            self.sandbox.token, base_url=self.sandbox.base_url, timeout=TIMEOUT, retries=policy, concurrency=2
        )
        with_pipeline(self.mihu, clock=VirtualClock(self.loop), jitter=lambda: 0.5)

    def teardown(self) -> None:
        """Leave, and see that nothing stays."""
        try:
            if hasattr(self, "mihu"):
                self.runner.run(self.mihu.aclose())
                self.runner.run(self.sandbox.stop())
                assert not asyncio.all_tasks(self.loop)
        finally:
            self.runner.close()

    # What the client does

    @rule(number=NUMBER, free=st.booleans(), writes=WRITES, reads=READS, rival=RIVALS, age=AGES, lag=LAGS)
    def buy(
        self,
        number: str,
        free: bool,
        writes: list[Fault],
        reads: list[Fault],
        rival: int | None,
        age: timedelta,
        lag: float,
    ) -> None:
        """Buy a number, which someone else may turn out to have bought before."""
        if free:
            self.release(number)
        self.inventory.lag = lag

        def overtake() -> None:
            with suppress(ValueError):
                self.inventory.insert(number=number, purchased_at=self.began - age)

        outcome = self.call(
            lambda: self.mihu.numbers.buy(number=number, country_code="IT", type="local"),
            ("POST", PURCHASES),
            overtaken(writes, rival, overtake),
            reads,
        )
        there, made = self.inventory.in_force(number), self.inventory.made
        assert len(made) <= 1
        match outcome:
            case Outcome(PhoneNumber() as bought):
                assert [bought.phone_number_uuid] == made == there
            case Outcome(error=OutcomeUnknownError() as error):
                self.check_purchase(error, number)
            case _:
                assert not made
                self.check_refusal(outcome, conflict=bool(self.inventory.rows_of(number)))

    def check_purchase(self, error: OutcomeUnknownError, number: str) -> None:
        """Check a purchase that is not known: it is found, or still not known, and never anyone else's."""
        there, made = self.inventory.rows_of(number), self.inventory.made
        match self.checked(error):
            case PhoneNumber() as seen:
                assert [seen.phone_number_uuid] == made
            case None:
                assert not there
            case ConflictError():
                assert there
                assert not made
            case _:
                assert there

    @rule(number=NUMBER, writes=WRITES, reads=READS, lag=LAGS)
    def buy_in_two_tasks(self, number: str, writes: list[Fault], reads: list[Fault], lag: float) -> None:
        """Buy one number twice at a time: it is bought once, and one task at most gets it."""
        self.release(number)
        self.inventory.lag = lag
        purchase: dict[str, Any] = {"number": number, "country_code": "IT", "type": "local"}

        async def one() -> Any:
            try:
                return await self.mihu.numbers.buy(**purchase)
            except MihuError as error:
                return error

        async def both() -> Any:
            return await asyncio.gather(one(), one())

        outcomes = self.call(both, ("POST", PURCHASES), writes, reads, is_one=False).result
        made = self.inventory.made
        given = [outcome.phone_number_uuid for outcome in outcomes if isinstance(outcome, PhoneNumber)]
        unknown = [outcome for outcome in outcomes if isinstance(outcome, OutcomeUnknownError)]
        assert len(made) <= 1
        assert given in ([], made)
        assert given or unknown or not made
        if given:
            for error in unknown:
                assert not isinstance(self.checked(error), PhoneNumber)
        elif len(unknown) == 1:
            self.check_purchase(unknown[0], number)
        else:
            found = [self.checked(error) for error in unknown]
            assert sum(isinstance(one, PhoneNumber) for one in found) <= 1

    @rule(
        number=NUMBER,
        channel=CHANNEL,
        agent=AGENT,
        free=st.booleans(),
        writes=WRITES,
        reads=READS,
        rival=RIVALS,
        lag=LAGS,
    )
    def register(
        self,
        number: str,
        channel: str,
        agent: int,
        free: bool,
        writes: list[Fault],
        reads: list[Fault],
        rival: int | None,
        lag: float,
    ) -> None:
        """Register a trunk, which someone else may register for another agent meanwhile."""
        if free:
            self.release(number)
        self.inventory.lag = lag
        wanted, other = self.agents[agent], self.agents[-1]

        def overtake() -> None:
            with suppress(ValueError):
                self.inventory.insert_trunk(number=number, channel=channel, agent_uuid=other)

        outcome = self.call(
            lambda: self.mihu.trunks.register(phone_number=number, channel=channel, agent_uuid=wanted),
            ("POST", TRUNKS),
            overtaken(writes, rival, overtake),
            reads,
        )
        row, serves = self.inventory.trunk(number, channel), self.inventory.agent_of(number, channel)
        made = self.inventory.made
        assert len(made) <= 1
        assert not made or (row is not None and [row["phone_number_uuid"]] == made)
        match outcome:
            case Outcome(NumberChannels() as registered):
                assert row is not None
                assert (wanted, row["phone_number_uuid"]) == (serves, registered.phone_number_uuid)
                assert wanted == agent_in(registered, channel)
                assert made or (outcome.report and outcome.report.found)
            case Outcome(error=OutcomeUnknownError() as error):
                seen = self.checked(error)
                if wanted == serves:
                    assert wanted == agent_in(seen, channel)
                else:
                    assert seen is None if serves is None else isinstance(seen, ConflictError)
            case _:
                assert not made
                self.check_refusal(
                    outcome, conflict=bool(self.inventory.rows_of(number) or self.is_busy(wanted, channel))
                )

    @rule(which=WHICH, agent=AGENT, writes=WRITES)
    def assign(self, which: int, agent: int, writes: list[Fault]) -> None:
        """Move a trunk to another agent."""
        number, channel = self.one_of_the_trunks(which)
        wanted, before = self.agents[agent], self.inventory.agent_of(number, channel)
        outcome = self.call(
            lambda: self.mihu.trunks.assign(phone_number=number, channel=channel, agent_uuid=wanted),
            ("PUT", f"{TRUNKS}/assign"),
            writes,
        )
        serves = self.inventory.agent_of(number, channel)
        if outcome.error is None:
            assert wanted == serves == agent_in(outcome.result, channel)
        else:
            assert serves in ({before, wanted} if before and was_lost(outcome) else {before})

    @precondition(lambda _: hasattr(Trunks, "delete"))
    @rule(which=WHICH, writes=WRITES)
    def delete(self, which: int, writes: list[Fault]) -> None:
        """Remove a trunk."""
        number, channel = self.one_of_the_trunks(which)
        before, trunks = self.inventory.agent_of(number, channel), self.mihu.trunks
        outcome = self.call(lambda: trunks.delete(phone_number=number, channel=channel), ("DELETE", TRUNKS), writes)
        after = self.inventory.agent_of(number, channel)
        if outcome.error is None:
            assert after is None
            assert before or was_lost(outcome)
        else:
            assert after in ({before, None} if was_lost(outcome) else {before})

    @precondition(lambda _: hasattr(Trunks, "update"))
    @rule(which=WHICH, name=st.sampled_from("abc"), writes=WRITES)
    def update(self, which: int, name: str, writes: list[Fault]) -> None:
        """Rename a trunk."""
        number, channel = self.one_of_the_trunks(which)
        before, trunks = self.name_of(number, channel), self.mihu.trunks
        outcome = self.call(
            lambda: trunks.update(phone_number=number, channel=channel, name=name), ("PATCH", TRUNKS), writes
        )
        after = self.name_of(number, channel)
        if outcome.error is None:
            assert name == after
        else:
            assert after in ({before, name} if before and was_lost(outcome) else {before})

    @rule(reads=READS)
    def list(self, reads: list[Fault]) -> None:
        """Walk all there is: whole, or an error."""
        outcome = self.call(lambda: self.mihu.numbers.list(include_external=True).collect(), ("GET", "*"), reads)
        if outcome.error is None:
            held = (*self.inventory.numbers, *self.inventory.trunks)
            assert [row["phone_number_uuid"] for row in held] == [found.phone_number_uuid for found in outcome.result]

    # What others do

    @rule(
        number=NUMBER,
        channel=CHANNEL,
        agent=st.integers(0, len(AGENTS)),
        age=AGES,
        what=st.sampled_from(["bought", "given back", "registered", "limited"]),
        more=st.none() | st.integers(0, 1),
    )
    def someone(self, number: str, channel: str, agent: int, age: timedelta, what: str, more: int | None) -> None:
        """A colleague bought a number a while ago, or registered a trunk, or set the limit of numbers."""
        inventory, serves = self.inventory, self.agents[agent]
        with suppress(ValueError):
            if what == "bought":
                inventory.insert(number=number, purchased_at=self.service.now() - age)
            elif what == "given back":
                inventory.insert(number=number, status="inactive", purchased_at=self.service.now() - age, twice=True)
            elif what == "limited":
                inventory.purchase_limit = None if more is None else len(inventory.numbers) + more
            elif not self.is_busy(serves, channel):
                inventory.insert_trunk(number=number, channel=channel, agent_uuid=serves)

    def release(self, number: str) -> None:
        """A colleague gave a number back."""
        for row in self.inventory.rows_of(number):
            self.inventory.delete(row["phone_number_uuid"])

    def one_of_the_trunks(self, which: int) -> tuple[str, str]:
        """Return the number and the channel of a trunk that is there, or perhaps of one that is not."""
        bound = [
            (row["number"], channel)
            for row in self.inventory.trunks
            for channel, binding in row["bindings"].items()
            if binding["bound"]
        ]
        return [*bound, (NUMBERS[0], "call")][which % (len(bound) + 1)]

    # What holds always

    @invariant()
    def nothing_is_there_twice(self) -> None:
        """A number is bought once, and a trunk registered once for each channel."""
        if hasattr(self, "inventory"):
            bought = [row["number"] for row in self.inventory.numbers if row["status"] != "inactive"]
            trunks = [
                (row["number"], channel)
                for row in self.inventory.trunks
                for channel, binding in row["bindings"].items()
                if binding["bound"]
            ]
            assert sorted(set(bought)) == sorted(bought)
            assert sorted(set(trunks)) == sorted(trunks)

    @invariant()
    def nothing_is_under_way(self) -> None:
        """No connection is out and no task is left between calls."""
        if hasattr(self, "mihu"):
            tasks = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks(self.loop)}
            assert tasks <= {"RequestHandler.start"}
            assert 0 == connections_in_use(*transport_of(self.mihu).sessions.own)

    # How a call is made and looked at

    def call(
        self,
        call: Callable[[], Awaitable[Any]],
        endpoint: tuple[str, str],
        faults: Sequence[Fault],
        reads: Sequence[Fault] = (),
        *,
        is_one: bool = True,
    ) -> Outcome:
        """Make a call under faults, and compare what it says of its attempts with what arrived."""
        return self.runner.run(self._call(call, endpoint, faults, reads, is_one=is_one))

    async def _call(
        self,
        call: Callable[[], Awaitable[Any]],
        endpoint: tuple[str, str],
        faults: Sequence[Fault],
        reads: Sequence[Fault],
        *,
        is_one: bool,
    ) -> Outcome:
        method, path = endpoint
        sandbox = self.sandbox
        await asyncio.sleep(APART)
        sandbox.journal.clear()
        self.inventory.made.clear()
        for fault in faults:
            sandbox.faults.add(fault, method=method, path=path)
        for fault in reads:
            sandbox.faults.add(fault, method="GET")
        result, error, began = None, None, self.loop.time()
        self.began = self.service.now()
        try:
            result = await call()
        except MihuError as caught:
            error = caught
        if method != "GET":
            assert self.loop.time() - began <= TIMEOUT.total + NOISE
        report = self.mihu.last_call
        arrived = sandbox.journal.select(method=method, path=path)
        sandbox.faults.clear()
        await asyncio.sleep(SETTLED)
        outcome = Outcome(result, error, report)
        if method != "GET" and is_one:
            self.check_report(outcome, arrived)
        return outcome

    def check_report(self, outcome: Outcome, arrived: Sequence[JournalEntry]) -> None:
        """No more was sent than allowed, and what is said of it is what arrived."""
        assert outcome.report is not None
        attempts = outcome.report.attempts
        assert outcome.error is None or outcome.error.attempts == attempts
        throttled = [entry for entry in arrived if entry.status == HTTPStatus.TOO_MANY_REQUESTS]  # they cost nothing
        assert len(arrived) - len(throttled) <= self.policy.max_attempts
        assert list(range(1, len(attempts) + 1)) == [attempt.number for attempt in attempts]
        sent = [attempt for attempt in attempts if "was not sent: its turn" not in attempt.outcome]
        for attempt, entry in zip(sent, arrived, strict=True):
            assert attempt.status in {None, entry.status}
        answered = bool(attempts) and "ok" == attempts[-1].outcome
        if outcome.error is None:
            assert answered or outcome.report.found or outcome.report.method == "DELETE"
        else:
            assert not answered
            assert not outcome.report.found

    def checked(self, error: OutcomeUnknownError) -> Any:
        """Look again, when all has settled and nothing goes wrong; gives an error as a value."""

        async def check() -> Any:
            try:
                return await error.check()
            except (ConflictError, OutcomeUnknownError) as raised:
                return raised

        return self.runner.run(check())

    def check_refusal(self, outcome: Outcome, *, conflict: bool) -> None:
        """An error that says no: the service's own, or that nothing was sent."""
        match outcome.error:
            case ConnectError():
                assert not was_lost(outcome)
            case ConflictError(code=None):
                assert conflict
            case APIError(status=status):
                assert not is_ambiguous(status)
            case error:
                raise AssertionError(f"a write ended with {error!r}")

    def is_busy(self, agent: str, channel: str) -> bool:
        return agent not in self.inventory.free_agents(channel)

    def name_of(self, number: str, channel: str) -> str | None:
        """Return the name of a trunk, which no answer shows, or None where there is no such trunk."""
        with self.inventory.opened() as ledger:
            row = ledger.trunk_row(number, channel)
        return row.trunk.name if row and row.trunk else None


def overtaken(faults: list[Fault], rival: int | None, change: Callable[[], None]) -> list[Fault]:
    """Let someone else be quicker than one of the attempts."""
    if rival is None:
        return faults
    padded = [*faults, *[Truth()] * (rival + 1 - len(faults))]
    return [*padded[:rival], Overtaken(change, padded[rival]), *padded[rival + 1 :]]


def was_lost(outcome: Outcome) -> bool:
    """True if the call says that an attempt may have been applied."""
    return outcome.report is not None and any(attempt.lost for attempt in outcome.report.attempts)


def agent_in(snapshot: Any, channel: str) -> str | None:
    """Return the agent that a snapshot names on a channel."""
    assert isinstance(snapshot, NumberChannels)
    return cast("str | None", getattr(snapshot.channels, channel).agent_uuid)


COMMON = settings(derandomize=True, deadline=None, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow])


def test_what_is_said_of_a_write_is_what_happened():
    """Under random faults, every purchase is returned, refused or unknown, and none is made twice or lost."""
    run_state_machine_as_test(Writes, settings=settings(COMMON, max_examples=60))


def take_a_glance_for_all(result, **given):
    """Settle as if nothing could come late: what is not there is a conflict with what was refused."""
    settled = settle(result, **given)
    return Conflict("it is not there") if isinstance(settled, LookAgain) else settled


def never_look_up(error, **given):
    """Decide to raise what looks like a refusal."""
    verdict = decide(error, **given)
    return GiveUp() if isinstance(verdict, Ambiguous) else verdict


@pytest.mark.parametrize(
    ("owner", "name", "broken"),
    [
        (reconciler, "settle", take_a_glance_for_all),
        (pipeline, "decide", never_look_up),
        (Journal, "lost", False),
        (retry, "REPEATABLE", {"GET", "POST", "PUT", "PATCH", "DELETE"}),
        (server_clock, "NEAR", timedelta(seconds=1)),
        (lookups, "date_against", lambda *_: Dating.DURING),
        (lookups, "date_against", lambda *_: Dating.BEFORE),
        (Contention, "is_anothers", lambda *_: False),
        (operations, "refuse_purchase", lambda *_: None),
        (operations, "refuse_registration", lambda *_: None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_broken_is_found(monkeypatch, owner, name, broken):
    """The test above fails where a decision is wrong, or where the service takes what it already has."""
    monkeypatch.setattr(owner, name, broken)  # the fault is in the code itself, so nothing passed in can make it
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Writes, settings=settings(COMMON, max_examples=200, phases=[Phase.generate]))
