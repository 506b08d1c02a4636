"""What is said of a write whose answer was lost is true in the corners, too: each is a kind, with its variants."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve

from mihu_async import (
    ConflictError,
    EnsureOutcome,
    MihuClient,
    NotFoundError,
    OutcomeUnknownError,
    SipCredentials,
)
from mihu_async.sandbox import Change, Dated, Redirect, Reset, Sandbox, Status
from tests.internals import pipeline_of, with_pipeline
from tests.mishaps import Overtaken, Truth
from tests.virtual import VirtualClock, VirtualLoop

NUMBER = "+390790080041"
OTHER = "+390790080042"
PURCHASE: dict[str, Any] = {"number": NUMBER, "country_code": "IT", "type": "local"}
TRUNK = {"phone_number": "+12345678901", "channel": "call"}
SIP = SipCredentials(gateway="sip.acme.com", username="u", password="p")


def held(sandbox: Sandbox) -> list[str]:
    """Return the uuids of all rows of the number."""
    rows = (*sandbox.inventory.numbers, *sandbox.inventory.trunks)
    return [row["phone_number_uuid"] for row in rows if row["number"].replace(" ", "") == NUMBER]


def sent(sandbox: Sandbox) -> int:
    """Count the purchases and registrations."""
    return len(sandbox.journal.select(method="POST"))


async def outcome_of(call: Awaitable[Any]) -> Any:
    """Return the result of a call, or its error."""
    try:
        return await call
    except (ConflictError, OutcomeUnknownError) as error:
        return error


def on_virtual_time(scene: Callable[[Sandbox, MihuClient], Awaitable[None]]) -> None:
    """Play a scene with a client whose waits are those of its policy, on a loop that never waits for real."""

    async def play() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with Sandbox(3, 2) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            await scene(sandbox, with_pipeline(mihu, clock=VirtualClock(loop), jitter=lambda: 1.0))

    with asyncio.Runner(loop_factory=VirtualLoop, debug=False) as runner:
        runner.run(play())


# A refusal after a lost answer


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 409, 410, 412, 422, 423, 451, 501])
@pytest.mark.parametrize("lag", [1.0, 30.0])
def test_a_refusal_while_the_list_lags_denies_nothing(status, lag):
    """The purchase is found once the list shows it, and is unknown where that takes too long, with the refusal."""

    async def scene(sandbox: Sandbox, mihu: MihuClient) -> None:
        sandbox.inventory.lag = lag
        sandbox.faults.add(Status(500, after=True), method="POST")
        sandbox.faults.add(Status(status), method="POST")
        outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))
        await asyncio.sleep(lag)

        if lag == 1:
            assert [outcome.phone_number_uuid] == held(sandbox)
        else:
            assert isinstance(outcome, OutcomeUnknownError)
            assert status == getattr(outcome.__cause__, "status", None)
            assert f"was refused with {status}" in str(outcome)
            assert [(await outcome.check()).phone_number_uuid] == held(sandbox)

    on_virtual_time(scene)


@pytest.mark.parametrize("lag", [1.0, 30.0])
def test_a_limit_that_the_lost_attempt_reached_denies_nothing(lag):
    """The service counts what its list does not show yet."""

    async def scene(sandbox: Sandbox, mihu: MihuClient) -> None:
        sandbox.inventory.lag = lag
        sandbox.inventory.purchase_limit = 4
        sandbox.faults.add(Status(500, after=True), method="POST")
        sandbox.faults.add(
            Status(403, body={"success": False, "data": {"error": "purchase_limit_reached"}}), method="POST"
        )
        outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

        assert 1 == len(held(sandbox))
        assert lag == 30 or [outcome.phone_number_uuid] == held(sandbox)
        assert lag == 1 or isinstance(outcome, OutcomeUnknownError)

    on_virtual_time(scene)


@pytest.mark.parametrize("status", [302, 303, 307, 308])
@pytest.mark.parametrize("is_made", [True, False])
async def test_a_redirect_after_a_purchase_is_looked_up(mihu, sandbox, status, is_made):
    """It points to what was made, or to a sign-in wall."""

    def make() -> None:
        if is_made:
            sandbox.inventory.insert(number=NUMBER)

    sandbox.faults.add(Overtaken(make, Redirect("/elsewhere", status)), method="POST")
    outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

    assert 1 == sent(sandbox)
    assert isinstance(outcome, OutcomeUnknownError) or [outcome.phone_number_uuid] == held(sandbox)
    assert isinstance(outcome, OutcomeUnknownError) != is_made


@pytest.mark.parametrize("path", ["number", "register"])
async def test_a_success_about_another_number_is_a_lost_answer(mihu, sandbox, path):
    """It is looked up, and what is returned is what was asked for."""
    sandbox.faults.add(Change(lambda body: body["data"].update(number=OTHER)), method="POST")
    if path == "number":
        made = await mihu.numbers.buy(**PURCHASE)
        asked = NUMBER
    else:
        agent = sandbox.inventory.free_agents("call")[0]
        made = await mihu.trunks.register(**TRUNK, agent_uuid=agent)
        asked = TRUNK["phone_number"]

    assert asked == made.number
    assert mihu.last_call.found
    assert 1 == sent(sandbox)


# Clocks


@pytest.mark.parametrize("ahead", [-30, -10, 3, 10, 30, 59])
async def test_an_own_purchase_is_never_anothers_where_the_edges_clock_is_off(mihu, sandbox, ahead):
    """It is reported as the call's, or not known."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Dated(ahead), times=None)
    outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

    assert isinstance(outcome, OutcomeUnknownError)
    assert "does not show whether this call bought it" in str(outcome)
    assert 1 == len(held(sandbox)) == sent(sandbox)


@pytest.mark.parametrize("hours", [-11, -8, -5, -3.5, -1, 1, 2, 5.75, 14])
async def test_a_local_time_that_is_written_as_utc_does_not_tell(mihu, sandbox, hours):
    """An own purchase is no conflict, wherever the service writes its local time."""

    def local(body: dict[str, Any]) -> None:
        for row in body["data"]["items"]:
            if row["number"] == NUMBER:
                bought = datetime.fromisoformat(row["purchased_at"]) + timedelta(hours=hours)
                row["purchased_at"] = f"{bought:%Y-%m-%dT%H:%M:%SZ}"

    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Change(local), method="GET", times=None)
    outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

    assert isinstance(outcome, OutcomeUnknownError)


@pytest.mark.parametrize("slept", [5.0, 59.0, 600.0, 86_400.0])
def test_a_machine_that_slept_meanwhile_disowns_nothing(slept):
    """The monotonic clock stood still, and the calendar and the service went on."""

    async def scene(sandbox: Sandbox, mihu: MihuClient) -> None:
        clock = VirtualClock(pipeline_of(mihu).clock.loop)  # type: ignore[attr-defined]  # the test's own clock
        service = VirtualClock(clock.loop)

        class Sleeper(VirtualClock):
            async def sleep(self, seconds: float) -> None:
                later["s"] = slept
                await asyncio.sleep(seconds)

            def now(self) -> datetime:
                return super().now() + timedelta(seconds=later["s"])

        later = {"s": 0.0}
        sandbox.inventory.now = lambda: service.to_the_second() + timedelta(seconds=later["s"])
        with_pipeline(mihu, clock=Sleeper(clock.loop))

        class Honest:
            async def around(self, exchange: Any) -> Any:
                answer = await exchange.apply()
                at = (service.now() + timedelta(seconds=later["s"])).strftime("%a, %d %b %Y %H:%M:%S GMT")
                return evolve(answer, headers={**answer.headers, "Date": at})

        sandbox.faults.add(Reset(after=True), method="POST")
        sandbox.faults.add(Honest(), method="GET", times=None)
        outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

        assert not isinstance(outcome, ConflictError)

    on_virtual_time(scene)


@pytest.mark.parametrize(
    ("age_of_row", "dated"),
    [
        pytest.param(-3600, Dated(), id="a date in the future"),
        pytest.param(100, Dated(age=300), id="a cache"),
        pytest.param(300, Dated(age=300), id="a cache, just so"),
        pytest.param(30, Dated(-60), id="a Date that is a minute slow"),
        pytest.param(10, Dated(-20), id="a Date that is twenty seconds slow"),
        pytest.param(5, Dated(), id="a purchase just before"),
        pytest.param(59, Dated(), id="a purchase a minute before"),
    ],
)
async def test_anothers_purchase_is_never_claimed(mihu, sandbox, age_of_row, dated):
    """Where the refusal of the own one was lost, it is a conflict or not known."""
    bought = datetime.now(UTC) - timedelta(seconds=age_of_row)
    sandbox.inventory.insert(number=NUMBER, purchased_at=bought.replace(microsecond=0))
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(dated, method="GET", times=None)
    outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

    assert isinstance(outcome, ConflictError | OutcomeUnknownError)
    with pytest.raises((ConflictError, OutcomeUnknownError)):
        await outcome.check() if isinstance(outcome, OutcomeUnknownError) else await raise_conflict(outcome)


async def raise_conflict(error: ConflictError) -> None:
    """Raise a conflict again, which needs no check."""
    raise error


# Rows


OLD = datetime(2020, 5, 17, 10, tzinfo=UTC)


@pytest.mark.parametrize("written", [NUMBER, "+39 079 0080041", "+39-079-0080041", "00390790080041", "390790080041"])
@pytest.mark.parametrize("fault", [Reset(after=True), Status(500, after=True)], ids=repr)
async def test_a_number_is_found_however_the_inventory_writes_it(mihu, sandbox, written, fault):
    """Digits are compared, also where the filter does not find it."""

    def rewrite(body: dict[str, Any]) -> None:
        for row in body["data"]["items"]:
            if row["number"] == NUMBER:
                row["number"] = written

    def filtered(body: dict[str, Any]) -> None:
        rewrite(body)
        if written != NUMBER:
            body["data"].update(items=[], pagination=body["data"]["pagination"] | {"total": 0, "to": 0})

    sandbox.faults.add(fault, method="POST")
    sandbox.faults.add(Change(filtered), method="GET")
    sandbox.faults.add(Change(rewrite), method="GET", times=None)
    bought = await mihu.numbers.buy(**PURCHASE)

    assert [bought.phone_number_uuid] == held(sandbox)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"status": "inactive", "purchased_at": OLD}, id="inactive"),
        pytest.param({"status": "active", "purchased_at": OLD}, id="active"),
        pytest.param(None, id="external"),
    ],
)
@pytest.mark.parametrize("before", [True, False])
async def test_an_own_purchase_counts_beside_other_rows(mihu, sandbox, other, before):
    """Whatever stands before it."""
    at = 0 if before else None

    def buy() -> None:
        sandbox.inventory.insert(number=NUMBER, twice=True, purchased_at=datetime.now(UTC).replace(microsecond=0))

    if other is None:
        sandbox.inventory.insert_trunk(number=NUMBER)
    else:
        sandbox.inventory.insert(at=at, number=NUMBER, **other)
    there = held(sandbox)
    sandbox.faults.add(Overtaken(buy, Reset()), method="POST")
    bought = await mihu.numbers.buy(**PURCHASE)

    assert [bought.phone_number_uuid] == [row for row in held(sandbox) if row not in there]
    assert 1 == sent(sandbox)


@pytest.mark.parametrize("lag", [1.0, 5.0])
def test_an_old_row_does_not_hide_a_new_one_that_comes_late(lag):
    """A number that was given back stays listed, and the new row of it shows only after a time."""

    async def scene(sandbox: Sandbox, mihu: MihuClient) -> None:
        sandbox.inventory.insert(number=NUMBER, status="inactive", purchased_at=OLD)

        def hide(body: dict[str, Any]) -> None:
            if asyncio.get_running_loop().time() < shown:
                body["data"]["items"] = [row for row in body["data"]["items"] if row["purchased_at"][:4] != "2026"]

        def buy() -> None:
            now = pipeline_of(mihu).clock.now().replace(microsecond=0)
            sandbox.inventory.insert(number=NUMBER, twice=True, purchased_at=now)

        class Now:
            async def around(self, exchange: Any) -> Any:
                answer = await Change(hide).around(exchange)
                at = pipeline_of(mihu).clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")
                return evolve(answer, headers={**answer.headers, "Date": at})

        shown = asyncio.get_running_loop().time() + lag
        sandbox.faults.add(Overtaken(buy, Reset()), method="POST")
        sandbox.faults.add(Now(), method="GET", times=None)
        outcome = await outcome_of(mihu.numbers.buy(**PURCHASE))

        assert not isinstance(outcome, ConflictError)
        assert 1 == sent(sandbox)

    on_virtual_time(scene)


# Two tasks


@pytest.mark.parametrize("lost", [0, 1], ids=["the first loses its answer", "the second loses its refusal"])
@pytest.mark.parametrize("shared", [True, False], ids=["with_options", "one client"])
async def test_of_two_tasks_that_buy_a_number_one_succeeds(mihu, sandbox, lost, shared):
    """The other one learns that it is taken, whichever of the answers is lost."""
    sandbox.faults.add(Truth(), method="POST", times=1) if lost else None
    sandbox.faults.add(Reset(after=True), method="POST")
    second = mihu.with_options(concurrency=2) if shared else mihu
    outcomes = await asyncio.gather(
        outcome_of(mihu.numbers.buy(**PURCHASE)), outcome_of(second.numbers.buy(**PURCHASE))
    )
    made = [outcome for outcome in outcomes if not isinstance(outcome, ConflictError)]

    assert [outcome.phone_number_uuid for outcome in made] == held(sandbox)
    assert 1 == len(held(sandbox))


async def test_two_tasks_that_register_a_trunk_agree(mihu, sandbox):
    """Each learns who serves it: one made it, and the other is refused."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    sandbox.faults.add(Reset(after=True), method="POST")
    outcomes = await asyncio.gather(
        *(outcome_of(mihu.trunks.register(**TRUNK, agent_uuid=agent)) for agent in (one, other)),
    )

    assert one == outcomes[0].call_agent.agent_uuid
    assert isinstance(outcomes[1], ConflictError)


# Registrations


SETTINGS: list[dict[str, Any]] = [
    {"sip": SIP},
    {"name": "Desk"},
    {"direction": "inbound"},
    {"additional_settings": {"a": 1}},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
async def test_a_trunk_that_may_store_other_settings_is_not_claimed(mihu, sandbox, settings):
    """It was there for the same agent, and the refusal is lost: nothing was stored of what was given."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.inventory.insert_trunk(number=TRUNK["phone_number"], channel="call", agent_uuid=agent)
    sandbox.faults.add(Reset(after=True), method="POST")
    outcome = await outcome_of(mihu.trunks.register(**TRUNK, agent_uuid=agent, **settings))

    assert isinstance(outcome, OutcomeUnknownError)
    assert f"no answer shows whose settings it stores ({next(iter(settings))}); trunks.update(…) stores yours" in str(
        outcome
    )
    assert "numbers.channels_of('+12345678901').call_agent" in outcome.how_to_check
    with pytest.raises(OutcomeUnknownError, match="whose settings"):
        await outcome.check()


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: next(iter(settings)))
async def test_ensure_tells_of_settings_that_may_be_anothers(mihu, sandbox, settings):
    """Somebody was faster, for the same agent: the trunk is unchanged, and the settings are unverified."""
    agent = sandbox.inventory.free_agents("call")[0]

    def overtake() -> None:
        sandbox.inventory.insert_trunk(number=TRUNK["phone_number"], channel="call", agent_uuid=agent)

    sandbox.faults.add(Overtaken(overtake, Reset(after=True)), method="POST")
    ensured = await mihu.trunks.ensure(**TRUNK, agent_uuid=agent, **settings)

    assert (EnsureOutcome.UNCHANGED, tuple(settings)) == (ensured.outcome, ensured.unverified)


# After a purchase


async def test_an_agent_that_is_not_known_leaves_the_number_bought(mihu, sandbox):
    """The refusal is of the binding; the number is there, and binding it to another agent is all that is left to do."""
    bought = await mihu.numbers.buy(**PURCHASE)
    with pytest.raises(NotFoundError) as caught:
        await mihu.agents.provision_call("00000000-0000-4000-8000-000000000000", bought.phone_number_uuid)
    await mihu.agents.provision_call(sandbox.inventory.free_agents("call")[0], bought.phone_number_uuid)

    assert not caught.value.may_have_changed
    assert "there is no agent 00000000-0000-4000-8000-000000000000" == caught.value.reason
    assert [bought.phone_number_uuid] == held(sandbox)
