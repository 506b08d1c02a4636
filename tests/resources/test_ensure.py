"""How a trunk comes to serve its agent: the decision, and the way there under races and losses."""

import asyncio
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from mihu_async import (
    APIError,
    AuthenticationError,
    Binding,
    Channel,
    Channels,
    ConflictError,
    DryRun,
    Ensured,
    EnsureOutcome,
    MihuClient,
    NotFoundError,
    NumberChannels,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    SipCredentials,
    Timeout,
    UsageError,
    ValidationError,
)
from mihu_async.resources.ensure import ROUNDS, Ensure, Step, decide, may_be_otherwise
from mihu_async.sandbox import Answer, Exchange, Hang, Reset, Sandbox, Status, Truncate, WrongContentType

TRUNK = "+12345678901"
LOSSES = [Status(500), Status(502), Reset(), Status(500, after=True), Reset(after=True), Hang(after=True), Truncate()]


def snapshot(agent: str | None = None, *, external: bool | None = True, **binding: Any) -> NumberChannels:
    """Make what a look at a number shows of its calls."""
    call = Channel(bound=agent is not None, agent_uuid=agent)
    return NumberChannels(number=TRUNK, is_external=external, channels=Channels(call=attrs.evolve(call, **binding)))


def refusal(status: int, kind: type[APIError] = APIError, **more: Any) -> APIError:
    """Make a refusal."""
    return kind("refused", method="POST", url="u", status=status, **more)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (None, Step.REGISTER),
        (snapshot(), Step.REGISTER),
        (snapshot("a"), Step.KEEP),
        (snapshot("A"), Step.KEEP),
        (snapshot("b"), Step.ASSIGN),
        (snapshot("a", bound=None), Step.KEEP),
        (snapshot("a", external=None), Step.KEEP),
        (snapshot(bound=True), Step.ASSIGN),
        (snapshot("a", external=False), Step.REGISTER),
        (snapshot("b", external=False), Step.REGISTER),
    ],
)
def test_what_is_seen_decides(seen, step):
    """A trunk of the agent is kept, another one's is assigned, and what is no trunk is registered."""
    assert step is decide(seen, channel="call", agent_uuid="a")


def test_another_channel_decides_nothing():
    """A trunk is known by its number and channel together."""
    on_whatsapp = NumberChannels(number=TRUNK, channels=Channels(whatsapp=Binding(bound=True, agent_uuid="a")))

    assert Step.REGISTER is decide(on_whatsapp, channel="call", agent_uuid="a")
    assert Step.KEEP is decide(on_whatsapp, channel="whatsapp", agent_uuid="a")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, True) for status in (400, 402, 403, 404, 409, 422)),
        *((status, False) for status in (302, 401, 408, 429, 500, 503)),
    ],
)
def test_which_refusals_may_mean_that_it_is_otherwise(status, expected):
    """Those that are about the request; not those about the token, the rate or the service."""
    assert expected is may_be_otherwise(refusal(status))


class Scene:
    """Answers looks, registrations and assignments from lists, and writes down which were asked for."""

    def __init__(self, **outcomes: list[Any]) -> None:
        self.outcomes = outcomes
        self.done: list[str] = []

    def of(self, step: str) -> Callable[[], Any]:
        async def answer() -> Any:
            self.done.append(step)
            outcome = self.outcomes[step].pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return answer

    async def run(self) -> Ensured:
        return await Ensure(
            look=self.of("look"),
            register=self.of("register"),
            assign=self.of("assign"),
            channel="call",
            agent_uuid="a",
            settings=("name",),
        ).run()


NOT_FOUND = refusal(404, NotFoundError)
CONFLICT = refusal(409, ConflictError)


@pytest.mark.parametrize(
    ("outcomes", "done", "outcome"),
    [
        ({"look": [snapshot("a")]}, "look", "unchanged"),
        ({"look": [snapshot("b")], "assign": [snapshot("a")]}, "look assign", "reassigned"),
        ({"look": [NOT_FOUND], "register": [snapshot("a")]}, "look register", "created"),
        ({"look": [refusal(400)], "register": [snapshot("a")]}, "look register", "created"),
        ({"look": [NOT_FOUND, snapshot("a")], "register": [CONFLICT]}, "look register look", "unchanged"),
        ({"look": [NOT_FOUND, snapshot("a")], "register": [refusal(422)]}, "look register look", "unchanged"),
        (
            {"look": [NOT_FOUND, snapshot("b")], "register": [CONFLICT], "assign": [snapshot("a")]},
            "look register look assign",
            "reassigned",
        ),
        (
            {"look": [snapshot("b"), NOT_FOUND], "assign": [NOT_FOUND], "register": [snapshot("a")]},
            "look assign look register",
            "created",
        ),
    ],
)
async def test_the_way_to_a_trunk(outcomes, done, outcome):
    """Each refusal is looked into, and what is seen then decides; settings that were not sent are named."""
    scene = Scene(**outcomes)
    ensured = await scene.run()

    assert done == " ".join(scene.done)
    assert outcome == ensured.outcome
    assert (() if outcome == "created" else ("name",)) == ensured.unverified
    assert "a" == ensured.snapshot.call_agent.agent_uuid  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize(
    ("outcomes", "done"),
    [
        ({"look": [NOT_FOUND, NOT_FOUND], "register": [CONFLICT]}, "look register look"),
        ({"look": [snapshot("b"), snapshot("b")], "assign": [CONFLICT]}, "look assign look"),
        ({"look": [snapshot("a", external=False)] * 2, "register": [CONFLICT]}, "look register look"),
    ],
)
async def test_a_refusal_is_believed_where_nothing_else_is_seen(outcomes, done):
    """The same step is not asked for twice."""
    scene = Scene(**outcomes)
    with pytest.raises(ConflictError) as caught:
        await scene.run()

    assert CONFLICT is caught.value
    assert done == " ".join(scene.done)


@pytest.mark.parametrize(
    "error",
    [
        refusal(401, AuthenticationError),
        refusal(429, RateLimitError),
        refusal(500, ServerError),
        UsageError("wrong"),
    ],
)
@pytest.mark.parametrize("step", ["look", "register", "assign"])
async def test_what_is_not_about_the_trunk_is_raised_at_once(error, step):
    """It would not be seen by looking again."""
    seen = snapshot("b") if step == "assign" else NOT_FOUND
    scene = Scene(**{"look": [seen], step: [error]})
    with pytest.raises(type(error)) as caught:
        await scene.run()

    assert error is caught.value
    assert step == scene.done[-1]


UNKNOWN = OutcomeUnknownError("unknown", method="POST", url="u", how_to_check="")


async def test_a_trunk_whose_settings_are_not_known_is_unchanged_and_unverified():
    """It serves the agent, and whose settings it stores no answer shows."""
    scene = Scene(look=[NOT_FOUND, snapshot("a")], register=[UNKNOWN])
    ensured = await scene.run()

    assert (EnsureOutcome.UNCHANGED, ("name",)) == (ensured.outcome, ensured.unverified)
    assert ["look", "register", "look"] == scene.done


@pytest.mark.parametrize("seen", [NOT_FOUND, snapshot("b"), snapshot(), refusal(500, ServerError)])
async def test_a_registration_that_is_not_known_is_raised_where_no_trunk_serves_the_agent(seen):
    """Whatever the look after it shows, or where that fails."""
    scene = Scene(look=[NOT_FOUND, seen], register=[UNKNOWN])
    with pytest.raises(OutcomeUnknownError) as caught:
        await scene.run()

    assert UNKNOWN is caught.value
    assert ["look", "register", "look"] == scene.done


@pytest.mark.parametrize(("seen", "step"), [("b", "assign"), (None, "register")])
async def test_an_answer_about_another_agent_is_looked_into(seen, step):
    """The answer to the action may be an old one; what the look shows then counts."""
    scene = Scene(look=[snapshot(seen), snapshot("a")], **{step: [snapshot("b")]})
    ensured = await scene.run()

    assert snapshot("a") == ensured.snapshot
    assert ensured.outcome in {EnsureOutcome.REASSIGNED, EnsureOutcome.CREATED}
    assert ["look", step, "look"] == scene.done


async def test_an_answer_that_names_no_agent_is_believed():
    """No answer has to."""
    scene = Scene(look=[NOT_FOUND], register=[snapshot()])

    assert EnsureOutcome.CREATED is (await scene.run()).outcome


@pytest.mark.parametrize("unclear", [snapshot("b"), NOT_FOUND, refusal(500, ServerError)])
@pytest.mark.parametrize(
    ("seen", "step", "request_"), [("b", "assign", "PUT .*/assign"), (None, "register", "POST .*")]
)
async def test_an_action_that_is_confirmed_for_another_agent_is_not_known(seen, step, request_, unclear):
    """It is no success, whatever the service says; ``check`` looks again and sends nothing else."""
    scene = Scene(look=[snapshot(seen), unclear, snapshot("b"), snapshot("a")], **{step: [snapshot("b")]})
    with pytest.raises(OutcomeUnknownError, match=f"{request_} may or may not .* serves agent b on call") as caught:
        await scene.run()

    assert caught.value.may_have_changed
    assert await caught.value.check() is None
    assert snapshot("a") == (await caught.value.check()).snapshot
    assert ["look", step, *["look"] * 3] == scene.done


async def test_a_trunk_that_comes_and_goes_is_given_up():
    """Others may register and delete it for ever; the last refusal is raised."""
    scene = Scene(look=[NOT_FOUND, snapshot("b")] * ROUNDS, register=[CONFLICT] * ROUNDS, assign=[NOT_FOUND] * ROUNDS)
    with pytest.raises(NotFoundError):
        await scene.run()

    assert ROUNDS == sum(1 for step in scene.done if step != "look")


@pytest.fixture
async def sandbox():
    """A small workspace."""
    async with Sandbox(numbers=3, trunks=4) as served:
        yield served


@pytest.fixture
async def mihu(sandbox):
    """An impatient client."""
    bounds = Timeout(total=20, read=0.2)
    policy = RetryPolicy(base_delay=0)
    async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=policy, timeout=bounds) as connected:
        yield connected


def agents_of(sandbox: Sandbox, channel: str = "call") -> list[Any]:
    """Return who serves the trunk on a channel; one, unless something is wrong."""
    rows = [row for row in sandbox.inventory.trunks if row["number"] == TRUNK and row["bindings"][channel]["bound"]]
    return [row["bindings"][channel]["agent_uuid"] for row in rows]


def verbs(sandbox: Sandbox) -> str:
    """Return what was sent, in order."""
    return " ".join(entry.method for entry in sandbox.journal)


@pytest.mark.parametrize("channel", ["call", "whatsapp"])
async def test_a_trunk_is_created_reassigned_and_then_unchanged(mihu, sandbox, channel):
    """What is there decides, and where it is as it should be, it is only looked at."""
    one, other = sandbox.inventory.free_agents(channel)[:2]
    settings = {"name": "Front desk", "sip": SipCredentials(gateway="sip.acme.com")}
    done = [
        await mihu.trunks.ensure(phone_number=TRUNK, channel=channel, agent_uuid=agent, **settings)
        for agent in (one, other, other.upper())
    ]

    assert ["created", "reassigned", "unchanged"] == [ensured.outcome for ensured in done]
    assert [(), ("name", "sip"), ("name", "sip")] == [ensured.unverified for ensured in done]
    assert [one, other, other] == [ensured.snapshot.agent_on(channel).agent_uuid for ensured in done]
    assert [other] == agents_of(sandbox, channel)
    assert "GET POST GET PUT GET" == verbs(sandbox)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"phone_number": "12345678901"}, "phone_number"),
        ({"channel": "sms"}, "channel"),
        ({"agent_uuid": ""}, "agent_uuid"),
        ({"sip": {"password": "hunter22"}}, "sip"),
        ({"direction": "up"}, "direction"),
    ],
)
async def test_a_trunk_that_can_never_be_is_not_looked_at(mihu, sandbox, changes, argument):
    """All arguments are checked first, and nothing is sent."""
    with pytest.raises(UsageError, match=f"^{argument} must be"):
        await mihu.trunks.ensure(**{"phone_number": TRUNK, "channel": "call", "agent_uuid": "a"} | changes)

    assert [] == list(sandbox.journal)


@pytest.mark.parametrize("fault", LOSSES, ids=repr)
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("there", [True, False])
async def test_a_lost_answer_changes_nothing(mihu, sandbox, fault, verb, there):
    """The trunk is there once, serves the agent, and what was done is told."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    if there:
        sandbox.inventory.insert_trunk(number=TRUNK, agent_uuid=one)
    for _ in range(2):
        sandbox.faults.add(fault, method=verb)
    ensured = await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=other)

    assert ("reassigned" if there else "created") == ensured.outcome
    assert other == ensured.snapshot.call_agent.agent_uuid
    assert [other] == agents_of(sandbox)


async def test_a_refusal_that_lies_is_looked_into(mihu, sandbox):
    """Where the trunk is there after all, it is as it should be."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.faults.add(Status(409, after=True), method="POST")
    ensured = await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=agent)

    assert EnsureOutcome.UNCHANGED is ensured.outcome
    assert [agent] == agents_of(sandbox)


@attrs.frozen
class Overtaken:
    """A fault: someone else does something just before the request is applied."""

    act: Callable[[], Any]

    async def around(self, exchange: Exchange) -> Answer:
        """Let the other one go first."""
        self.act()
        return await exchange.apply()


@pytest.mark.parametrize("same", [True, False])
async def test_one_who_registers_faster_is_found(mihu, sandbox, same):
    """For the same agent there is nothing left to do; from another one it is taken over."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    wanted = one if same else other
    faster = Overtaken(lambda: sandbox.inventory.insert_trunk(number=TRUNK, agent_uuid=one))
    sandbox.faults.add(faster, method="POST")
    ensured = await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=wanted)

    assert ("unchanged" if same else "reassigned") == ensured.outcome
    assert [wanted] == agents_of(sandbox)


async def test_one_who_deletes_faster_is_noticed(mihu, sandbox):
    """A trunk that is gone when it is assigned is created."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    uuid = sandbox.inventory.insert_trunk(number=TRUNK, agent_uuid=one)["phone_number_uuid"]
    sandbox.faults.add(Overtaken(lambda: sandbox.inventory.delete(uuid)), method="PUT")
    ensured = await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=other)

    assert EnsureOutcome.CREATED is ensured.outcome
    assert [other] == agents_of(sandbox)


async def test_two_that_run_at_a_time_end_with_one_trunk(mihu, sandbox):
    """One of them creates it."""
    agent = sandbox.inventory.free_agents("call")[0]
    done = await asyncio.gather(
        *(mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=agent) for _ in range(5))
    )

    assert ["created", *["unchanged"] * 4] == sorted(ensured.outcome for ensured in done)
    assert [agent] == agents_of(sandbox)


async def test_a_purchased_number_is_no_trunk(mihu, sandbox):
    """The service says so, also where the agent answers its calls already."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.inventory.insert(number=TRUNK, agents={"call": agent})
    with pytest.raises(ConflictError, match="in your purchased inventory"):
        await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=agent)

    assert "GET POST GET" == verbs(sandbox)


async def test_an_agent_that_is_taken_or_unknown_is_refused(mihu, sandbox):
    """The trunk stays with the agent that it has."""
    one = sandbox.inventory.free_agents("call")[0]
    sandbox.inventory.insert_trunk(number=TRUNK, agent_uuid=one)
    taken = sandbox.inventory.insert_trunk()["bindings"]["call"]["agent_uuid"]
    with pytest.raises(ConflictError, match="already serves"):
        await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=taken)
    with pytest.raises(NotFoundError, match="there is no agent"):
        await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid="3c90c3cc-0d44-4b50-8888-8dd25736052a")

    assert [one] == agents_of(sandbox)


async def test_a_dry_run_says_what_it_would_do(mihu, sandbox):
    """It looks: what is as it should be is unchanged, and nothing is written."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    dry = mihu.with_options(dry_run=True)
    with pytest.raises(DryRun) as created:
        await dry.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=one)
    sandbox.inventory.insert_trunk(number=TRUNK, agent_uuid=one)
    with pytest.raises(DryRun) as reassigned:
        await dry.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=other)
    kept = await dry.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=one)

    assert ("POST", "PUT", "unchanged") == (created.value.method, reassigned.value.method, kept.outcome)
    assert "GET GET GET" == verbs(sandbox)


async def test_a_registration_that_cannot_be_told_can_be_checked(mihu, sandbox):
    """It is the error of the registration, and ensuring once more is as good as a check."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.faults.add(WrongContentType(after=True), method="POST")
    sandbox.faults.add(Status(500), method="GET", skip=1, times=4)
    with pytest.raises(OutcomeUnknownError) as caught:
        await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=agent)
    found = await caught.value.check()
    again = await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=agent)

    assert agent == found.call_agent.agent_uuid
    assert EnsureOutcome.UNCHANGED is again.outcome


async def test_a_value_that_the_service_refuses_is_its_refusal(mihu, sandbox):
    """It is looked into, and raised as it was."""
    sandbox.faults.add(Status(422), method="POST")
    with pytest.raises(ValidationError):
        await mihu.trunks.ensure(phone_number=TRUNK, channel="call", agent_uuid=sandbox.inventory.agents[0].uuid)
