from http import HTTPStatus
from typing import Any

import pytest

from mihu_async.sandbox import Inventory, operations
from mihu_async.sandbox.refusals import RefusedError

NOBODY = "00000000-0000-4000-8000-000000000000"
CONNECTION = {
    "name": "Front desk",
    "phone_number": "+12025550123",
    "gateway": "sip.acme.com",
    "username": "u",
    "password": "hunter22",
}


@pytest.fixture
def inventory() -> Inventory:
    """Make a small inventory."""
    return Inventory(numbers=5, trunks=2)


def refusal(operation, *arguments) -> tuple[int, str, str]:
    """Return the status, the code and the details of a refusal."""
    with pytest.raises(RefusedError) as caught:
        operation(*arguments)
    return caught.value.status, caught.value.code, caught.value.details


def texter(inventory: Inventory, uuid: str) -> Any:
    """Name the agent that answers a number's messages."""
    return operations.channels(inventory, uuid)["channels"]["sms"]["agent_uuid"]


async def test_agents_are_served_in_pages(sandbox, call):
    """In the order in which they were made; what is not known of the filters is passed over."""
    first = await call("GET", "/agents")
    second = await call("GET", "/agents?per_page=10&page=2&status=gone")

    known = [(agent.uuid, agent.name) for agent in sandbox.inventory.agents]
    assert known[:25] == [(agent["agent_uuid"], agent["name"]) for agent in first.json["data"]["items"]]
    assert known[10:20] == [(agent["agent_uuid"], agent["name"]) for agent in second.json["data"]["items"]]
    assert len(known) == second.json["data"]["pagination"]["total"]


async def test_what_is_known_of_the_listing_is_checked(call):
    """A page is a number from 1, and per_page has a maximum."""
    replies = [await call("GET", f"/agents?{query}") for query in ("page=0", "per_page=101")]

    assert [(422, "page"), (422, "per_page")] == [(reply.status, reply.json["error"]["field"]) for reply in replies]


async def test_an_sms_assignment_is_served(sandbox, call):
    """The agent answers that number's messages, and leaves the number that it answered before."""
    agent = sandbox.inventory.free_agents("sms")[0]
    numbers = [sandbox.inventory.insert()["phone_number_uuid"] for _ in range(2)]
    replies = [
        await call("POST", f"/agents/{agent}/channels/sms", json={"phone_number_uuid": uuid})
        for uuid in (numbers[0], numbers[1], numbers[1])
    ]

    assert [200] * 3 == [reply.status for reply in replies]
    assert [agent] * 3 == [reply.json["data"]["agent"]["agent_uuid"] for reply in replies]
    assert [None, agent] == [texter(sandbox.inventory, uuid) for uuid in numbers]


def test_an_sms_assignment_leaves_other_channels(inventory):
    """Calls stay with their agent, and a number that another agent answers is moved."""
    caller, before, after = inventory.free_agents("call")[:3]
    uuid = inventory.insert(agents={"call": caller, "sms": before})["phone_number_uuid"]
    operations.assign_sms(inventory, after, {"phone_number_uuid": uuid})

    channels = operations.channels(inventory, uuid)["channels"]
    assert (caller, after) == (channels["call"]["agent_uuid"], channels["sms"]["agent_uuid"])
    assert before in inventory.free_agents("sms")


def test_an_sms_assignment_that_cannot_be_is_refused(inventory):
    """An agent or a number that is not there, and a trunk."""
    agent, trunk = inventory.free_agents("sms")[0], inventory.insert_trunk()
    number = {"phone_number_uuid": inventory.insert()["phone_number_uuid"]}

    assert (404, "NOT_FOUND", f"there is no agent {NOBODY}") == refusal(
        operations.assign_sms, inventory, NOBODY, number
    )
    assert (404, "NOT_FOUND", f"there is no number {NOBODY}") == refusal(
        operations.assign_sms, inventory, agent, {"phone_number_uuid": NOBODY}
    )
    assert (409, "CONFLICT", f"{trunk['number']} is an external trunk") == refusal(
        operations.assign_sms, inventory, agent, {"phone_number_uuid": trunk["phone_number_uuid"]}
    )


async def test_a_sip_connection_is_served(sandbox, call):
    """POST answers 201 with all but the credentials, which are not kept."""
    reply = await call("POST", "/channels/sip-trunk/connections", json=CONNECTION | {"secondary_gateway": None})
    (kept,) = sandbox.inventory.sip_connections

    assert (HTTPStatus.CREATED, kept | {"agent_uuid": None}) == (
        reply.status,
        reply.json["data"] | {"agent_uuid": None},
    )
    assert ("Front desk", "+12025550123", "sip.acme.com", "active") == tuple(
        reply.json["data"][name] for name in ("name", "phone_number", "gateway", "status")
    )
    assert b"hunter22" not in reply.body
    assert "hunter22" not in repr(kept)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "n" * 256},
        {"phone_number": "1" * 33},
        {"gateway": "https://sip.acme.com"},
        {"gateway": "sip:sip.acme.com"},
        {"username": ""},
        {"password": None},
        {"secondary_gateway": "g" * 256},
    ],
    ids=repr,
)
async def test_a_sip_connection_keeps_to_the_limits(sandbox, call, wrong):
    """What is documented is held."""
    reply = await call("POST", "/channels/sip-trunk/connections", json=CONNECTION | wrong)

    assert (422, next(iter(wrong))) == (reply.status, reply.json["error"]["field"])
    assert () == sandbox.inventory.sip_connections


async def test_a_connection_is_used_by_one_agent(sandbox, call):
    """Another one is refused with the documented word, unless it is forced."""
    first, second = sandbox.inventory.free_agents("call")[:2]
    created = (await call("POST", "/channels/sip-trunk/connections", json=CONNECTION)).json["data"]["uuid"]
    replies = [
        await call("POST", f"/agents/{agent}/channels/call/sip-trunk", json={"connection_uuid": created, **options})
        for agent, options in ((first, {}), (first, {}), (second, {"force": False}), (second, {"force": True}))
    ]

    assert [200, 200, 409, 200] == [reply.status for reply in replies]
    assert "phone_in_use" == replies[2].code
    assert {"agent_uuid": second, "connection_uuid": created, "phone_number": "+12025550123"} == replies[3].json["data"]
    assert [second] == [connection["agent_uuid"] for connection in sandbox.inventory.sip_connections]
    assert (first in sandbox.inventory.free_agents("call"), second in sandbox.inventory.free_agents("call")) == (
        True,
        False,
    )


def test_an_agent_uses_one_connection(inventory):
    """It leaves the one before; a connection of the same number is taken from its agent only by force."""
    agent, other = inventory.free_agents("call")[:2]
    written = ("+12025550123", "+12025550145", "12025550145")
    first, second, same = (
        operations.create_sip_connection(inventory, CONNECTION | {"phone_number": one}) for one in written
    )
    for connection in (first, second):
        operations.assign_sip_connection(inventory, agent, {"connection_uuid": connection["uuid"]})
    assert [None, agent, None] == [connection["agent_uuid"] for connection in inventory.sip_connections]

    assert (409, "phone_in_use", "another agent answers the calls of +12025550145") == refusal(
        operations.assign_sip_connection, inventory, other, {"connection_uuid": same["uuid"]}
    )
    operations.assign_sip_connection(inventory, other, {"connection_uuid": same["uuid"], "force": True})

    assert [None, None, other] == [connection["agent_uuid"] for connection in inventory.sip_connections]


@pytest.mark.parametrize("insert", ["insert", "insert_trunk"])
def test_a_number_whose_calls_are_answered_is_in_use(inventory, insert):
    """Purchased or external; by force its calls go to the agent of the connection."""
    agent, busy, other = inventory.free_agents("call")[:3]
    given: dict[str, Any] = {"agents": {"call": busy}} if insert == "insert" else {"agent_uuid": busy}
    number = getattr(inventory, insert)(**given)
    taken = inventory.insert(agents={"call": other})
    created = operations.create_sip_connection(inventory, CONNECTION | {"phone_number": number["number"]})
    body = {"connection_uuid": created["uuid"]}

    assert (409, "phone_in_use", f"another agent answers the calls of {number['number']}") == refusal(
        operations.assign_sip_connection, inventory, agent, body
    )
    assert (409, "CONFLICT", f"the agent already serves {taken['number']} on call") == refusal(
        operations.assign_sip_connection, inventory, other, body | {"force": True}
    )
    operations.assign_sip_connection(inventory, agent, body | {"force": True})
    assert agent == operations.channels(inventory, number["phone_number_uuid"])["channels"]["call"]["agent_uuid"]


def test_a_connection_or_an_agent_that_is_not_there_is_refused(inventory):
    """Both are 404."""
    agent, created = inventory.free_agents("call")[0], operations.create_sip_connection(inventory, CONNECTION)

    assert (404, "NOT_FOUND", f"there is no SIP connection {NOBODY}") == refusal(
        operations.assign_sip_connection, inventory, agent, {"connection_uuid": NOBODY}
    )
    assert (404, "NOT_FOUND", f"there is no agent {NOBODY}") == refusal(
        operations.assign_sip_connection, inventory, NOBODY, {"connection_uuid": created["uuid"]}
    )
