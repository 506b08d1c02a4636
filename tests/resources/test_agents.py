import warnings
from typing import Any
from uuid import UUID

import pytest

from mihu_async import (
    Agent,
    APIError,
    Binding,
    ConflictError,
    DecodeError,
    MihuClient,
    OutcomeUnknownError,
    ProvisionalWarning,
    RetryPolicy,
    SipAssignment,
    UsageError,
)
from mihu_async.core.lookup import Circumstances, Found
from mihu_async.core.retry import LOOKS
from mihu_async.resources.agents import Agents
from mihu_async.resources.lookups import provision_of, sms_assignment_of
from mihu_async.resources.provisional import warn_provisional
from mihu_async.sandbox import Sandbox
from mihu_async.sandbox.server import AGENTS
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline, response

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
OTHER = "9bcb8f00-c0c5-4ee1-9b75-ad1e87a2bd8b"
NUMBER = "7d9f1c34-5b8a-4a9e-8a55-2f4f9f1c0b6d"
CONNECTION = "1b4e28ba-2fa1-4d2b-883f-0016d3cca427"
URL = f"https://acme.mihu.ai/api/v1/agents/{AGENT}/channels"
LIST = "https://acme.mihu.ai/api/v1/agents?per_page=100"
ADA: dict[str, Any] = {"agent_uuid": AGENT, "name": "Ada"}
DONE = ok({"agent": ADA})
PAGINATION = {"current_page": 1, "per_page": 1, "total": 2, "last_page": 2, "from": 1, "to": 1, "has_more": True}


@pytest.fixture
def sandbox():
    """Serve a small workspace."""
    with Sandbox(numbers=3, trunks=2) as served:
        yield served


@pytest.fixture
def _unsaid():
    """Let the process begin without its provisional warning, before and after."""
    warn_provisional.cache_clear()
    yield
    warn_provisional.cache_clear()


def client_of(sandbox: Sandbox) -> MihuClient:
    """Make a client of a sandbox that waits for nothing."""
    return MihuClient(sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(base_delay=0))


def snapshot(channel: str = "call", **binding: Any) -> Any:
    """Make the answer that shows who answers a channel."""
    return ok({"number": "+390790080041", "channels": {channel: binding}})


async def provision(*outcomes: Any) -> tuple[Agent, list[str]]:
    """Provision with some answers, and return what came of it and the verbs that were sent."""
    sender = FakeSender(FakeClock(), outcomes)
    done = await Agents(pipeline(sender), 1).provision_call(AGENT, NUMBER)
    assert [] == sender.outcomes
    return done, [request.method for request in sender.sent]


async def assign_sms(*outcomes: Any) -> list[str]:
    """Assign with some answers, and return the verbs that were sent."""
    sender = FakeSender(FakeClock(), outcomes)
    await Agents(pipeline(sender), 1).assign_sms(AGENT, NUMBER)
    assert [] == sender.outcomes
    return [request.method for request in sender.sent]


async def test_agents_are_listed_in_pages_where_the_service_has_pages(wire):
    """The first page is asked for without a number, and a page holds a hundred unless told otherwise."""
    other: dict[str, Any] = {"agent_uuid": OTHER, "name": "Grace"}
    second = PAGINATION | {"current_page": 2, "from": 2, "to": 2, "has_more": False}
    wire.get(LIST, payload={"success": True, "data": {"items": [ADA], "pagination": PAGINATION}})
    wire.get(f"{LIST}&page=2", payload={"success": True, "data": {"items": [other], "pagination": second}})
    async with client() as mihu:
        pager = mihu.agents.list()
        found = [agent async for agent in pager]

    assert [Agent(**ADA), Agent(**other)] == found
    assert pager.report.complete


@pytest.mark.parametrize("data", [[ADA], {"items": [ADA]}, {"items": [ADA], "pagination": None}])
async def test_agents_without_pagination_are_one_page(wire, data):
    """It is taken for all that there is."""
    wire.get(LIST, payload={"success": True, "data": data})
    async with client() as mihu:
        assert [Agent(**ADA)] == await mihu.agents.list().collect()


async def test_filters_of_agents_are_sent_as_they_are(wire):
    """None is not sent."""
    wire.get("https://acme.mihu.ai/api/v1/agents?per_page=5&status=active&page=3", payload={"data": {"items": []}})
    async with client() as mihu:
        assert await mihu.agents.list(page=3, per_page=5, status="active", search=None).first() is None


@pytest.mark.parametrize("arguments", [{"per_page": 0}, {"per_page": 101}, {"page": 0}, {"status": object()}])
async def test_a_listing_that_cannot_be_is_refused(wire, arguments):
    """It is said at once, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=next(iter(arguments))):
            mihu.agents.list(**arguments)

    assert [] == wire.sent


async def test_an_agent_keeps_what_its_model_does_not_know(wire):
    """Its role is on extra, and what the service leaves out is None."""
    known = {"description": "d", "language": "en", "timezone": "Europe/Rome", "status": "active"}
    other: dict[str, Any] = {"agent_uuid": OTHER, "name": "Grace"}
    rows = [ADA | known | {"role": "Sales", "settings": {}}, other]
    wire.get(LIST, payload={"success": True, "data": {"items": rows}})
    async with client() as mihu:
        first, second = await mihu.agents.list().collect()

    assert Agent(**ADA, **known, extra={"role": "Sales", "settings": {}}) == first
    assert [None] * 4 == [second.description, second.language, second.timezone, second.status]


@pytest.mark.usefixtures("_unsaid")
async def test_what_is_provisional_warns_and_names_itself(wire):
    """The listing and the SMS assignment do, each at its caller, and provisioning does not."""
    wire.post(f"{URL}/sms", payload={"success": True})
    wire.post(f"{URL}/call/provision", payload={"success": True, "data": {"agent": ADA}})
    async with client() as mihu:
        await mihu.agents.provision_call(AGENT, NUMBER)
        with pytest.warns(ProvisionalWarning, match="agents.list and agents.assign_sms") as listed:
            mihu.agents.list()
        warn_provisional.cache_clear()
        with pytest.warns(ProvisionalWarning) as assigned:
            await mihu.agents.assign_sms(AGENT, NUMBER)

    assert [__file__] * 2 == [warning.filename for warning in (*listed, *assigned)]


@pytest.mark.usefixtures("_unsaid")
async def test_an_assignment_whose_warning_is_an_error_sends_nothing(wire):
    """As with all that is provisional."""
    async with client() as mihu:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ProvisionalWarning):
                await mihu.agents.assign_sms(AGENT, NUMBER)

    assert [] == wire.sent


async def test_the_agent_stands_in_the_path_and_the_number_in_the_body(wire):
    """Both may be UUIDs, and the answer is the agent."""
    wire.post(f"{URL}/call/provision", payload={"success": True, "data": {"agent": ADA | {"role": "Sales"}}})
    wire.post(f"{URL}/sms", payload={"success": True, "data": None})
    async with client() as mihu:
        done = await mihu.agents.provision_call(UUID(AGENT), phone_number_uuid=UUID(NUMBER))
        await mihu.agents.assign_sms(UUID(AGENT), UUID(NUMBER))

    assert Agent(agent_uuid=AGENT, name="Ada", extra={"role": "Sales"}) == done
    assert [("POST", f'{{"phone_number_uuid":"{NUMBER}"}}'.encode())] * 2 == [
        (verb, sent["data"]) for verb, _, sent in wire.sent
    ]


@pytest.mark.parametrize("method", ["provision_call", "assign_sms", "assign_sip_connection"])
@pytest.mark.parametrize("arguments", [("", NUMBER), (AGENT, ""), ("../x", NUMBER), (AGENT, "a/b"), (None, NUMBER)])
async def test_a_binding_that_cannot_be_is_refused(wire, method, arguments):
    """Each id must be one part of a path, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="_uuid must be an id"):
            await getattr(mihu.agents, method)(*arguments)

    assert [] == wire.sent


async def test_an_agent_is_named_alike_everywhere(wire):
    """Its id is letters, digits, '-' and '_' wherever it is an argument, and nothing else is sent."""
    trunk: dict[str, Any] = {"phone_number": "+12345678901", "channel": "call", "agent_uuid": "not a uuid"}
    async with client() as mihu:
        with pytest.raises(UsageError, match="bound_to_agent_uuid must be an id of letters"):
            mihu.numbers.list(bound_to_agent_uuid="not a uuid")
        with pytest.raises(UsageError, match="agent_uuid must be an id of letters"):
            mihu.trunks.list(agent_uuid="not a uuid")
        for call in (mihu.trunks.register, mihu.trunks.assign, mihu.trunks.ensure):
            with pytest.raises(UsageError, match="agent_uuid must be an id of letters"):
                await call(**trunk)

    assert [] == wire.sent


LOST = [failed(500), response(204, body=b""), ok([]), ok({"agent": {"agent_uuid": 5}}), failed(504)]


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("call", [{"bound": True, "agent_uuid": AGENT}, {"agent_uuid": AGENT.upper()}])
async def test_a_binding_that_is_there_is_what_was_asked_for(lost, call):
    """Also where the answer came and cannot be read: nothing is sent again, and the lookup names the agent."""
    unnamed, named = Agent(agent_uuid=AGENT, name=""), Agent(**ADA)

    assert (unnamed, ["POST", "GET"]) == await provision(lost, snapshot(**call))
    assert (named, ["POST", "GET"]) == await provision(lost, snapshot(**call, agent_name="Ada"))


@pytest.mark.parametrize("call", [{}, {"bound": False}, {"bound": True, "agent_uuid": OTHER}])
async def test_a_binding_that_is_not_there_is_asked_for_again(call):
    """Nobody answers, or another agent: the service says what it makes of it."""
    assert (Agent(**ADA), ["POST", "GET", "POST"]) == await provision(failed(502), snapshot(**call), DONE)


async def test_a_refusal_after_a_loss_tells_nothing_where_another_agent_answers():
    """The first request may still be applied."""
    other = snapshot(bound=True, agent_uuid=OTHER)
    with pytest.raises(OutcomeUnknownError, match="the message"):
        await provision(failed(500), other, failed(403), *[other] * LOOKS)


def test_a_binding_to_an_agent_without_a_name_decides_nothing():
    """It may be that one or another."""
    known, bound = Circumstances(None), Binding(bound=True)
    calls = provision_of(AGENT, NUMBER).judge(bound, known)
    messages = sms_assignment_of(AGENT, NUMBER).judge(bound, known)

    reason = "an agent answers its {}, but the service does not say which"
    assert Found(Agent(agent_uuid=AGENT, name=""), ours=None, reason=reason.format("calls")) == calls
    assert Found(bound, ours=None, reason=reason.format("text messages")) == messages


@pytest.mark.parametrize("done", [response(204, body=b""), ok(None), ok([1]), ok({"agent": ADA}), ok("done")])
async def test_any_success_assigns_messages(done):
    """What the service answers is not known."""
    assert ["POST"] == await assign_sms(done)


@pytest.mark.parametrize("lost", [failed(500), failed(504), response(200, body=b"<html>", Content_Type="text/html")])
async def test_a_lost_assignment_of_messages_is_looked_up(lost):
    """Bound, it is done; bound to nobody or to another agent, it is sent again."""
    bound, other = snapshot("sms", bound=True, agent_uuid=AGENT), snapshot("sms", bound=True, agent_uuid=OTHER)

    assert ["POST", "GET"] == await assign_sms(lost, bound)
    assert ["POST", "GET", "POST"] == await assign_sms(lost, other, ok(None))
    assert ["POST", "GET", "POST"] == await assign_sms(lost, snapshot("sms"), ok(None))


async def test_a_later_look_tells_an_assignment_from_none():
    """It gives the binding, or None where the agent does not answer the number now."""
    bound, none = snapshot("sms", bound=True, agent_uuid=AGENT), snapshot("sms", bound=False)
    with pytest.raises(OutcomeUnknownError) as caught:
        await assign_sms(failed(504), failed(404), none, bound)

    assert await caught.value.check() is None
    assert Binding(bound=True, agent_uuid=AGENT) == await caught.value.check()
    assert f"Check numbers.channels('{NUMBER}').sms_agent before you send it again." == caught.value.how_to_check


async def test_a_later_look_gives_the_agent():
    """As the call itself would have."""
    sender = FakeSender(FakeClock(), [failed(504), failed(404), snapshot(agent_uuid=AGENT, agent_name="Ada")])
    with pytest.raises(OutcomeUnknownError) as caught:
        await Agents(pipeline(sender), 1).provision_call(AGENT, NUMBER)

    assert Agent(**ADA) == await caught.value.check()


async def test_a_connection_is_assigned(wire):
    """Without force unless told otherwise, and the answer says which number it is."""
    answer = {"agent_uuid": AGENT, "connection_uuid": CONNECTION, "phone_number": "+12345678901"}
    for _ in range(2):
        wire.post(f"{URL}/call/sip-trunk", payload={"success": True, "data": answer})
    async with client() as mihu:
        done = await mihu.agents.assign_sip_connection(UUID(AGENT), CONNECTION)
        await mihu.agents.assign_sip_connection(AGENT, UUID(CONNECTION), force=True)

    assert SipAssignment(**answer) == done
    body = '{{"connection_uuid":"{}","force":{}}}'
    assert [body.format(CONNECTION, force).encode() for force in ("false", "true")] == [
        sent["data"] for _, _, sent in wire.sent
    ]


async def test_force_is_a_bool(wire):
    """Nothing else is sent for it."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="force must be True or False"):
            await mihu.agents.assign_sip_connection(AGENT, CONNECTION, force=1)  # type: ignore[arg-type]  # the point of the test

    assert [] == wire.sent


@pytest.mark.parametrize("lost", [failed(500), failed(504), ok({"agent_uuid": AGENT})])
async def test_a_lost_assignment_of_a_connection_is_unknown(lost):
    """It is sent once, and cannot be looked up later either."""
    sender = FakeSender(FakeClock(), [lost])
    with pytest.raises(OutcomeUnknownError, match=r"It was not sent again\. Call the connection's number") as caught:
        await Agents(pipeline(sender), 1).assign_sip_connection(AGENT, CONNECTION)
    with pytest.raises(UsageError, match="There is no lookup for this call"):
        await caught.value.check()

    assert isinstance(caught.value.__cause__, APIError | DecodeError)


async def test_a_number_in_use_is_refused_unless_it_is_taken(sandbox):
    """The word is in the error's text, whatever its status is."""
    agent, other = sandbox.inventory.free_agents("call")[:2]
    async with client_of(sandbox) as mihu:
        created = await mihu.sip_connections.create(
            name="Desk", phone_number="+12345678901", gateway="sip.acme.com", username="u", password="p"
        )
        await mihu.agents.assign_sip_connection(agent, created.uuid)
        with pytest.raises(ConflictError, match="phone_in_use"):
            await mihu.agents.assign_sip_connection(other, created.uuid)
        taken = await mihu.agents.assign_sip_connection(other, created.uuid, force=True)

    assert SipAssignment(agent_uuid=other, connection_uuid=created.uuid, phone_number="+12345678901") == taken
    assert [other] == [connection["agent_uuid"] for connection in sandbox.inventory.sip_connections]


async def test_the_agents_that_a_sandbox_names_are_in_its_list(sandbox):
    """Also where the list takes more than one page."""
    named = sandbox.inventory.free_agents("call")[: len(AGENTS)]
    async with client_of(sandbox) as mihu:
        pager = mihu.agents.list(per_page=20)
        found = {agent.agent_uuid: agent async for agent in pager}

    assert set(named) < set(found)
    assert {"en"} == {agent.language for agent in found.values()}
    assert (len(sandbox.inventory.agents), True) == (len(found), pager.report.complete)
