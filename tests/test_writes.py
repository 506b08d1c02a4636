"""What the SDK says of a write is what the sandbox holds, whatever happens to the answer."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mihu_async import (
    ConflictError,
    MihuClient,
    NotFoundError,
    OutcomeUnknownError,
    PurchaseLimitError,
    RetryPolicy,
    Timeout,
)
from mihu_async.sandbox import Delay, Hang, NullFields, Reset, Sandbox, Status, Truncate, WrongContentType, operations
from tests.virtual import in_virtual_time

NUMBER = "+390790080041"
PURCHASE: dict[str, Any] = {"number": NUMBER, "country_code": "IT", "type": "local"}
TRUNK = "+12345678901"
BOUNDS = Timeout(total=20, read=0.2)
LOSSES = [Status(500), Status(502), Status(503), Status(408), Reset(), Hang(), WrongContentType()]
APPLIED = [
    Status(500, after=True),
    Status(502, after=True),
    Status(504, after=True),
    Status(524, after=True),
    Status(408, after=True),
    Status(422, after=True),
    Reset(after=True),
    Hang(after=True),
    Truncate(),
    WrongContentType(after=True),
]
TELLING = [Status(504, after=True), Status(422, after=True), Reset(after=True), Truncate()]
"""One of each kind: a failure, a refusal that lies, no answer, half an answer."""
UNANSWERED = [fault for fault in (*APPLIED, *LOSSES) if fault != Status(422, after=True)]
"""Those that leave a call without a lookup in doubt: a refusal is believed."""


@pytest.fixture
async def sandbox():
    """A workspace of several pages."""
    async with Sandbox(numbers=230, trunks=12) as served:
        yield served


@pytest.fixture
async def mihu(sandbox):
    """An impatient client."""
    async with connect(sandbox) as connected:
        yield connected


def connect(sandbox, **policy) -> MihuClient:
    """Make an impatient client."""
    retries = RetryPolicy(base_delay=0, **policy)
    return MihuClient(sandbox.token, base_url=sandbox.base_url, retries=retries, timeout=BOUNDS)


def held(sandbox, number=NUMBER) -> list[dict[str, Any]]:
    """Return what the workspace holds under a number."""
    return [row for row in (*sandbox.inventory.numbers, *sandbox.inventory.trunks) if row["number"] == number]


def sent(sandbox, method="POST") -> int:
    """Count the requests of a verb."""
    return len(sandbox.journal.select(method=method))


@pytest.mark.parametrize("fault", LOSSES, ids=repr)
async def test_a_purchase_that_was_not_made_is_made(mihu, sandbox, fault):
    """It is looked for, not found, and asked for again: once more, and it is there once."""
    sandbox.faults.add(fault, method="POST")
    bought = await mihu.numbers.buy(**PURCHASE)

    assert [bought.phone_number_uuid] == [row["phone_number_uuid"] for row in held(sandbox)]
    assert 2 == sent(sandbox)
    assert not mihu.last_call.found
    assert [True, False] == [attempt.lost for attempt in mihu.last_call.attempts]


@pytest.mark.parametrize("fault", [fault for fault in APPLIED if fault != Status(422, after=True)], ids=repr)
async def test_a_purchase_that_was_made_is_found(mihu, sandbox, fault):
    """It is not asked for again, and the result is the number itself."""
    sandbox.faults.add(fault, method="POST")
    bought = await mihu.numbers.buy(**PURCHASE)

    assert [bought.phone_number_uuid] == [row["phone_number_uuid"] for row in held(sandbox)]
    assert 1 == sent(sandbox)
    assert mihu.last_call.found
    assert bought == await mihu.numbers.list(search=NUMBER).first()


@pytest.mark.parametrize("first", LOSSES, ids=repr)
@pytest.mark.parametrize(
    "second",
    [fault if fault in TELLING else pytest.param(fault, marks=pytest.mark.slow) for fault in APPLIED],
    ids=repr,
)
async def test_a_second_loss_changes_nothing(mihu, sandbox, first, second):
    """Also where the second answer is a refusal that lies."""
    sandbox.faults.add(first, method="POST")
    sandbox.faults.add(second, method="POST")
    bought = await mihu.numbers.buy(**PURCHASE)

    assert [bought.phone_number_uuid] == [row["phone_number_uuid"] for row in held(sandbox)]
    assert 2 == sent(sandbox)


@pytest.mark.parametrize("fault", [*APPLIED, *LOSSES], ids=repr)
async def test_a_number_that_was_held_before_is_a_conflict(mihu, sandbox, fault):
    """Nothing was bought, however the answer was lost or the refusal was put."""
    long_ago = datetime.now(UTC) - timedelta(days=30)
    sandbox.inventory.insert(number=NUMBER, country_code="IT", type="local", purchased_at=long_ago)
    sandbox.faults.add(LOSSES[0], method="POST")
    sandbox.faults.add(fault, method="POST")
    with pytest.raises(ConflictError, match="bought before this call"):
        await mihu.numbers.buy(**PURCHASE)

    assert 1 == len(held(sandbox))


@in_virtual_time
async def test_a_purchase_that_is_made_late_is_made_once():
    """Two requests are under way, the service refuses one of them, and what is there is this call's."""
    async with Sandbox(numbers=230, trunks=12) as sandbox, connect(sandbox) as mihu:
        sandbox.faults.add(Delay(0.4), method="POST")
        bought = await mihu.numbers.buy(**PURCHASE)
        await asyncio.sleep(0.4)

    assert [bought.phone_number_uuid] == [row["phone_number_uuid"] for row in held(sandbox)]


@in_virtual_time
async def test_a_purchase_that_is_made_too_late_is_unknown_and_can_be_checked():
    """The error does not claim what it cannot know, and its check tells the truth later."""
    async with Sandbox(numbers=230, trunks=12) as sandbox, connect(sandbox, max_attempts=1) as mihu:
        sandbox.faults.add(Delay(1.5), method="POST")
        with pytest.raises(OutcomeUnknownError, match="it is not there now") as caught:
            await mihu.numbers.buy(**PURCHASE)
        before = await caught.value.check()
        while not held(sandbox):
            await asyncio.sleep(0.1)
        bought = await caught.value.check()

    assert before is None
    assert [bought.phone_number_uuid] == [row["phone_number_uuid"] for row in held(sandbox)]
    assert 1 == sent(sandbox)


@pytest.mark.parametrize("look", [Status(500), Status(401), Reset(), WrongContentType()], ids=repr)
async def test_a_lookup_that_fails_leaves_the_purchase_unknown(mihu, sandbox, look):
    """It is said how to look by hand, and a later check does."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(look, method="GET", times=4)
    with pytest.raises(OutcomeUnknownError, match=r"the lookup failed: .* numbers\.channels_of\('\+39") as caught:
        await mihu.numbers.buy(**PURCHASE)
    sandbox.faults.clear()

    assert NUMBER == (await caught.value.check()).number
    assert 1 == sent(sandbox)


async def test_a_lookup_goes_through_the_pages_where_the_filter_is_not_known(mihu, sandbox):
    """A service that refuses the inferred filter, or ignores it, is read page by page."""
    sandbox.inventory.insert(number=NUMBER, country_code="IT", type="local", purchased_at=datetime.now(UTC))
    sandbox.faults.add(Reset(), method="POST")
    sandbox.faults.add(Status(422), method="GET")
    bought = await mihu.numbers.buy(**PURCHASE)
    looks = [dict(entry.query) for entry in sandbox.journal.select(method="GET")]

    assert NUMBER == bought.number
    searched, *whole = [look.get("search") for look in looks]
    assert "390790080041" == searched
    assert {None} == set(whole)
    assert ["1", "2", "3"] == [look["page"] for look in looks[1:4]]
    assert {"true"} == {look["include_external"] for look in looks}


async def test_a_purchase_without_a_date_is_not_claimed(mihu, sandbox):
    """Nothing shows whose it is, so it is unknown."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(NullFields("purchased_at"), method="GET", times=None)
    with pytest.raises(OutcomeUnknownError, match="the service does not say when it was bought"):
        await mihu.numbers.buy(**PURCHASE)


async def test_a_trunk_in_the_way_is_a_conflict(mihu, sandbox):
    """A number that is registered as a trunk cannot be bought."""
    sandbox.inventory.insert_trunk(number=NUMBER)
    sandbox.faults.add(Status(502), method="POST")
    with pytest.raises(ConflictError, match="is an external trunk"):
        await mihu.numbers.buy(**PURCHASE)


async def test_a_refusal_after_a_failure_settles_nothing():
    """It is the cause of the error, because the limit may be reached by the attempt whose answer was lost."""
    async with Sandbox(numbers=0, trunks=0, purchase_limit=0) as sandbox:
        sandbox.faults.add(Status(500), method="POST")
        policy = RetryPolicy(base_delay=0)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=policy) as mihu:
            with pytest.raises(OutcomeUnknownError, match="limit 0, current 0") as caught:
                await mihu.numbers.buy(**PURCHASE)

    assert isinstance(caught.value.__cause__, PurchaseLimitError)


async def test_a_refusal_that_may_mean_a_duplicate_leaves_the_purchase_unknown(mihu, sandbox):
    """Which status a number that is held gets is not documented; a later check tells."""
    sandbox.faults.add(Status(500), method="POST")
    sandbox.faults.add(Status(422), method="POST")
    with pytest.raises(OutcomeUnknownError, match="was refused with 422") as caught:
        await mihu.numbers.buy(**PURCHASE)

    assert await caught.value.check() is None
    assert [] == held(sandbox)


@pytest.mark.parametrize("channel", ["call", "whatsapp"])
@pytest.mark.parametrize("fault", [*APPLIED, *LOSSES], ids=repr)
async def test_a_registration_is_there_once_and_serves_its_agent(mihu, sandbox, fault, channel):
    """Made before its answer was lost or only then, its snapshot says what the service holds."""
    agent = sandbox.inventory.free_agents(channel)[0]
    sandbox.faults.add(Reset(), method="POST")
    sandbox.faults.add(fault, method="POST")
    snapshot = await mihu.trunks.register(phone_number=TRUNK, agent_uuid=agent, channel=channel)

    assert [agent] == [row["bindings"][channel]["agent_uuid"] for row in held(sandbox, TRUNK)]
    assert agent == getattr(snapshot.channels, channel).agent_uuid
    assert held(sandbox, TRUNK)[0]["phone_number_uuid"] == snapshot.phone_number_uuid


async def test_a_registration_for_another_agent_is_a_conflict(mihu, sandbox):
    """What stands there is left as it is."""
    one, other = sandbox.inventory.free_agents("call")[:2]
    sandbox.inventory.insert_trunk(number=TRUNK, channel="call", agent_uuid=one)
    sandbox.faults.add(Reset(), method="POST")
    with pytest.raises(ConflictError, match="serves another agent on call"):
        await mihu.trunks.register(phone_number=TRUNK, agent_uuid=other, channel="call")

    assert [one] == [row["bindings"]["call"]["agent_uuid"] for row in held(sandbox, TRUNK)]


async def test_a_channel_beside_the_one_that_was_asked_for_is_not_mistaken_for_it(mihu, sandbox):
    """A trunk is known by number and channel together."""
    one, other = sandbox.inventory.free_agents("call")[0], sandbox.inventory.free_agents("whatsapp")[0]
    sandbox.inventory.insert_trunk(number=TRUNK, channel="whatsapp", agent_uuid=other)
    sandbox.faults.add(Reset(), method="POST")
    await mihu.trunks.register(phone_number=TRUNK, agent_uuid=one, channel="call")

    assert 2 == sent(sandbox)


@pytest.mark.parametrize("fault", [*APPLIED, *LOSSES], ids=repr)
async def test_an_agent_is_bound_whatever_happens_to_the_answer(mihu, sandbox, fault):
    """Bound before the answer was lost or only then, the number says so, and another one is as it was."""
    agent = sandbox.inventory.free_agents("call")[0]
    uuid = sandbox.inventory.insert()["phone_number_uuid"]
    sandbox.faults.add(Reset(), method="POST")
    sandbox.faults.add(fault, method="POST")
    done = await mihu.agents.provision_call(agent, uuid)

    assert agent == done.agent_uuid
    assert dict(sandbox.inventory.agents)[agent] == done.name
    assert agent == sandbox.inventory.numbers[-1]["bindings"]["call"]["agent_uuid"]
    assert sent(sandbox) <= 3


@pytest.mark.parametrize("fault", [*APPLIED, *LOSSES], ids=repr)
async def test_an_agent_answers_messages_whatever_happens_to_the_answer(mihu, sandbox, fault):
    """Assigned before the answer was lost or only then, the number says so, and the one before is left."""
    agent = sandbox.inventory.free_agents("sms")[0]
    before, uuid = (sandbox.inventory.insert(**row)["phone_number_uuid"] for row in ({"agents": {"sms": agent}}, {}))
    sandbox.faults.add(Reset(), method="POST")
    sandbox.faults.add(fault, method="POST")
    await mihu.agents.assign_sms(agent, uuid)

    served = {row["phone_number_uuid"]: row["bindings"]["sms"]["agent_uuid"] for row in sandbox.inventory.numbers}
    assert (None, agent) == (served[before], served[uuid])
    assert sent(sandbox) <= 3


@pytest.mark.parametrize("fault", UNANSWERED, ids=repr)
async def test_a_sip_connection_is_created_once_at_most(mihu, sandbox, fault):
    """There is no lookup, so a lost answer is an unknown outcome, and nothing is sent again."""
    sandbox.faults.add(fault, method="POST")
    with pytest.raises(OutcomeUnknownError, match="Look for it among the workspace's SIP connections"):
        await mihu.sip_connections.create(
            name="Desk", phone_number=TRUNK, gateway="sip.acme.com", username="u", password="p"
        )

    assert 1 == sent(sandbox)
    assert len(sandbox.inventory.sip_connections) <= 1


@pytest.mark.parametrize("fault", UNANSWERED, ids=repr)
async def test_a_sip_connection_is_assigned_once_at_most(mihu, sandbox, fault):
    """No call shows which connection an agent uses, so a lost answer is an unknown outcome."""
    agent = sandbox.inventory.free_agents("call")[0]
    connection = operations.create_sip_connection(
        sandbox.inventory, {"name": "n", "phone_number": TRUNK, "gateway": "g"}
    )
    sandbox.faults.add(fault, method="POST")
    with pytest.raises(OutcomeUnknownError, match="before you send it again"):
        await mihu.agents.assign_sip_connection(agent, connection["uuid"])

    assert 1 == sent(sandbox)


async def test_a_replayed_removal_finds_nothing_and_is_done(mihu, sandbox):
    """404 is what a DELETE wants to hear the second time, and an error the first."""
    sandbox.faults.add(Reset(), method="DELETE")
    sandbox.faults.add(Status(404), method="DELETE", times=2)

    assert await mihu.request("DELETE", "/phone-numbers/x") is None
    with pytest.raises(NotFoundError):
        await mihu.request("DELETE", "/phone-numbers/x")
