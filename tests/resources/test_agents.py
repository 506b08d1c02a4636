from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from mihu_async import Binding, PermissionDeniedError, ProvisionedCall, UsageError
from mihu_async.core.reconcile import Found
from mihu_async.resources.agents import Agents
from mihu_async.resources.lookups import provision_of
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline, response

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
OTHER = "9bcb8f00-c0c5-4ee1-9b75-ad1e87a2bd8b"
NUMBER = "7d9f1c34-5b8a-4a9e-8a55-2f4f9f1c0b6d"
URL = f"https://acme.mihu.ai/api/v1/agents/{AGENT}/channels/call/provision"
DONE = ProvisionedCall(agent_uuid=AGENT, phone_number_uuid=NUMBER)


def snapshot(**call: Any) -> Any:
    """Make the answer that shows who answers the calls."""
    return ok({"number": "+390790080041", "channels": {"call": call}})


async def provision(*outcomes: Any) -> tuple[ProvisionedCall, list[str]]:
    """Provision with some answers, and give what came of it and the verbs that were sent."""
    sender = FakeSender(FakeClock(), outcomes)
    done = await Agents(pipeline(sender)).provision_call(AGENT, NUMBER)
    assert [] == sender.outcomes
    return done, [request.method for request in sender.sent]


async def test_the_agent_stands_in_the_path_and_the_number_in_the_body(wire):
    """Both may be UUIDs."""
    wire.post(URL, payload={"success": True, "data": {}})
    async with client() as mihu:
        done = await mihu.agents.provision_call(UUID(AGENT), phone_number_uuid=UUID(NUMBER))

    assert DONE == done
    assert [("POST", f'{{"phone_number_uuid":"{NUMBER}"}}'.encode())] == [
        (verb, sent["data"]) for verb, _, sent in wire.sent
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, DONE),
        ({"agent_uuid": None}, DONE),
        ({"agent_uuid": OTHER}, ProvisionedCall(agent_uuid=OTHER, phone_number_uuid=NUMBER)),
        ({"id": 5}, ProvisionedCall(agent_uuid=AGENT, phone_number_uuid=NUMBER, extra={"id": 5})),
    ],
)
async def test_what_the_answer_says_is_kept(data, expected):
    """What was asked for is filled in, and all that is not known is extra."""
    assert (expected, ["POST"]) == await provision(ok(data))


@pytest.mark.parametrize("arguments", [("", NUMBER), (AGENT, ""), ("../x", NUMBER), (AGENT, "a/b"), (None, NUMBER)])
async def test_a_binding_that_cannot_be_is_refused(wire, arguments):
    """Each id must be one part of a path, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="_uuid must be an id"):
            await mihu.agents.provision_call(*arguments)

    assert [] == wire.sent


@pytest.mark.parametrize("lost", [failed(500), response(204, body=b""), ok([1]), ok("bound"), failed(504)])
@pytest.mark.parametrize("call", [{"bound": True, "agent_uuid": AGENT}, {"agent_uuid": AGENT.upper()}])
async def test_a_binding_that_is_there_is_what_was_asked_for(lost, call):
    """Also where the answer came and cannot be read: nothing is sent again."""
    assert (DONE, ["POST", "GET"]) == await provision(lost, snapshot(**call))


@pytest.mark.parametrize("call", [{}, {"bound": False}, {"bound": True, "agent_uuid": OTHER}])
async def test_a_binding_that_is_not_there_is_asked_for_again(call):
    """Nobody answers, or another agent: the service says what it makes of it."""
    assert (DONE, ["POST", "GET", "POST"]) == await provision(failed(502), snapshot(**call), ok({}))


async def test_a_refusal_after_a_loss_is_raised_where_another_agent_answers():
    """What the service refuses in the end is not carried out."""
    other = snapshot(bound=True, agent_uuid=OTHER)
    with pytest.raises(PermissionDeniedError, match="the message"):
        await provision(failed(500), other, failed(403), other)


def test_a_binding_to_an_agent_without_a_name_decides_nothing():
    """It may be that one or another."""
    found = provision_of(AGENT, NUMBER).judge(Binding(bound=True), datetime.now(UTC))

    told = "an agent answers its calls, but the service does not say which"
    assert Found(DONE, ours=None, told=told) == found
