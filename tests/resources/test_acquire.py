"""The whole way to a number: what is asked, which offer is bought, and what is bound to it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from mihu_async import (
    Address,
    APIError,
    BindingError,
    ConflictError,
    MihuClient,
    MihuError,
    NoOfferError,
    NotFoundError,
    PurchaseLimitError,
    RequirementValue,
    RetryPolicy,
    UsageError,
    ValidationError,
)
from mihu_async.ledger import SqliteLedger
from mihu_async.ledger.database import Database
from mihu_async.resources.acquire import MOST_OFFERS, was_taken
from mihu_async.sandbox import Sandbox, Status

KEY = "chat-7"
ANSWERS = {"proof_of_address": "document-1", "business_name": "ACME Ltd"}
ADDRESS = Address(street_address="1 High Street", locality="London", country_code="GB")


@pytest.fixture
async def sandbox():
    """A workspace with numbers for sale."""
    async with Sandbox(numbers=2, trunks=1) as served:
        yield served


@pytest.fixture
async def ledger(tmp_path):
    """The client's ledger."""
    async with SqliteLedger(tmp_path / "purchases.db") as opened:
        yield opened


@pytest.fixture
async def mihu(sandbox, ledger):
    """An impatient client with a ledger."""
    async with connect(sandbox, ledger) as connected:
        yield connected


def connect(sandbox, ledger) -> MihuClient:
    """Make an impatient client."""
    retries = RetryPolicy(base_delay=0, max_attempts=2)
    return MihuClient(sandbox.token, base_url=sandbox.base_url, ledger=ledger, retries=retries)


def posts(sandbox, path="/api/v1/phone-numbers") -> int:
    """Count the requests that bought or bound something."""
    return sum(entry.method == "POST" and entry.path == path for entry in sandbox.journal)


def offers(sandbox, country_code, kind) -> list[str]:
    """Return what is for sale, in the order of the search."""
    return [
        one["number"] for one in sandbox.inventory.offers if (country_code, kind) == (one["country_code"], one["type"])
    ]


async def test_the_first_offer_is_bought_and_bound(sandbox, mihu):
    """A number of the country and type is the workspace's, and the agent answers its calls."""
    agent = sandbox.inventory.free_agents("call")[0]
    first = offers(sandbox, "US", "local")[0]
    number = await mihu.numbers.acquire("US", "local", agent_uuid=agent, max_monthly_fee=100)
    channels = await mihu.numbers.channels(number.phone_number_uuid)

    assert first == number.number
    assert channels.call_agent
    assert agent == channels.call_agent.agent_uuid
    assert 1 == posts(sandbox)


async def test_requirements_are_answered_by_their_type(sandbox, mihu):
    """A text is a document's id where a document is asked for; an address answers those that ask for one."""
    answers = ANSWERS | {"nobody_asks": "this"}
    number = await mihu.numbers.acquire("DE", type="local", answers=answers, address=ADDRESS)

    assert number.compliance
    assert "completed" == number.compliance.status


async def test_a_requirement_value_is_sent_as_it_is(sandbox, mihu):
    """Whoever knows better than the type says which part is the answer."""
    answers = {"business_name": RequirementValue(key="business_name", value="ACME Ltd")}
    number = await mihu.numbers.acquire("GB", "national", answers=answers)

    assert number.compliance
    assert "completed" == number.compliance.status


async def test_what_is_not_answered_is_named_before_anything_is_bought(sandbox, mihu):
    """All that is missing is told at once."""
    message = r"'business_name' \(textual\), 'registered_address' \(address\).*Nothing was bought"
    with pytest.raises(UsageError, match=message) as refused:
        await mihu.numbers.acquire("DE", "local", answers={"proof_of_address": "document-1"})

    assert "answers" == refused.value.argument
    assert "'proof_of_address'" not in str(refused.value)
    assert 0 == posts(sandbox)


async def test_the_next_offer_is_tried_where_somebody_was_faster(sandbox, mihu):
    """A refusal that says that the number is gone costs one request."""
    third = offers(sandbox, "US", "local")[2]
    sandbox.faults.add(Status(409), method="POST")
    sandbox.faults.add(Status(404), method="POST")
    number = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)
    again = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert third == number.number == again.number
    assert 3 == posts(sandbox)


async def test_offers_are_tried_up_to_a_bound(sandbox, mihu):
    """Where everybody is faster each time, it ends, and says how many were tried."""
    sandbox.faults.add(Status(409), method="POST", times=None)
    with pytest.raises(NoOfferError, match="10 offers fitted and were no longer for sale") as nothing:
        await mihu.numbers.acquire("US", "local")

    assert (MOST_OFFERS, MOST_OFFERS) == (nothing.value.offers, nothing.value.refused)
    assert isinstance(nothing.value.__cause__, ConflictError)
    assert MOST_OFFERS == posts(sandbox)


async def test_an_offer_must_fit(sandbox, mihu):
    """What costs more than the bound, is of another kind or is not chosen is passed over."""
    wanted = offers(sandbox, "US", "local")[3]
    seen = []

    def choose(offer):
        seen.append(offer.number)
        return offer.number == wanted

    number = await mihu.numbers.acquire("US", "local", choose=choose)
    with pytest.raises(NoOfferError, match=r"None of the \d+ offers fits \(max_monthly_fee=0.01\)") as dear:
        await mihu.numbers.acquire("US", "local", max_monthly_fee=0.01)
    with pytest.raises(NoOfferError, match=r"None of the \d+ offers fits, so"):
        await mihu.numbers.acquire("US", "local", choose=lambda _: False)

    assert wanted == number.number
    assert offers(sandbox, "US", "local")[:3] == [one for one in seen if one != wanted]
    assert dear.value.offers > 0
    assert 0 == dear.value.refused


@pytest.mark.parametrize("future", [False, True])
async def test_a_choice_that_would_have_to_be_awaited_buys_nothing(sandbox, mihu, future):
    """A coroutine counts as True, so each offer would be bought, whatever it returns."""

    async def choose(_):
        raise AssertionError

    choice = (lambda _: asyncio.get_running_loop().create_future()) if future else choose
    with pytest.raises(UsageError, match=r"without await\. Nothing was bought"):
        await mihu.numbers.acquire("US", "local", choose=choice)

    assert 0 == posts(sandbox)


@pytest.mark.parametrize("number", ["0790080042", "+39 0790 080042", "", None])
async def test_an_offer_that_cannot_be_bought_takes_no_other_with_it(sandbox, mihu, number):
    """A number that is written in another form, or not at all, is passed over."""
    document = {"success": True, "data": [{"number": number}, {"number": "+390790080041"}]}
    sandbox.faults.add(Status(200, body=document), method="GET", path="/phone-numbers/search")

    assert "+390790080041" == (await mihu.numbers.acquire("IT", "local")).number
    assert 1 == posts(sandbox)


@pytest.mark.parametrize(
    ("offer", "fits"),
    [
        ({"number": "+390790080041"}, False),
        ({"number": "+390790080041", "monthly_fee": "2"}, True),
        ({"number": "+390790080041", "monthly_fee": "2", "country_code": "FR"}, False),
        ({"number": "+390790080041", "monthly_fee": "2", "type": "mobile"}, False),
        ({"number": "+390790080041", "monthly_fee": "6"}, False),
    ],
    ids=["no-fee", "fits", "country", "type", "dear"],
)
async def test_what_a_search_leaves_out_is_the_call_s(sandbox, mihu, offer, fits):
    """An offer without country or type is of those that were asked for; one without a fee is above every bound."""
    document = {"success": True, "data": [offer]}
    sandbox.faults.add(Status(200, body=document), method="GET", path="/phone-numbers/search")
    acquiring = mihu.numbers.acquire("IT", "local", max_monthly_fee=5)
    if fits:
        assert "+390790080041" == (await acquiring).number
    else:
        with pytest.raises(NoOfferError):
            await acquiring


async def test_nothing_for_sale_is_told(sandbox, mihu):
    """A search that finds nothing is no purchase, and frees its key."""
    with pytest.raises(NoOfferError, match="The search found nothing, so no mobile number of IT was bought"):
        await mihu.numbers.acquire("IT", "mobile", idempotency_key=KEY)
    number = await mihu.numbers.acquire("IT", "local", idempotency_key=KEY)

    assert "+390790080041" == number.number


async def test_a_refusal_of_another_kind_ends_it(sandbox, mihu):
    """A purchase limit is not about the offer, so no other one is tried."""
    sandbox.inventory.purchase_limit = 2
    with pytest.raises(PurchaseLimitError):
        await mihu.numbers.acquire("US", "local")

    assert 1 == posts(sandbox)


# With a key


async def test_the_same_key_is_one_number(sandbox, mihu):
    """The same call again gives the same number, and asks neither for offers nor for requirements."""
    first = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)
    before = len(sandbox.journal)
    again = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)
    paths = {entry.path for entry in sandbox.journal[before:]}

    assert first.phone_number_uuid == again.phone_number_uuid
    assert {"/api/v1/phone-numbers"} == paths
    assert 1 == posts(sandbox)


async def test_jobs_that_run_together_acquire_one_number(sandbox, mihu):
    """A queue that hands a job out several times buys once."""
    calls = [mihu.numbers.acquire("US", "local", idempotency_key=KEY) for _ in range(4)]
    numbers = await asyncio.gather(*calls)

    assert 1 == len({number.phone_number_uuid for number in numbers})
    assert 1 == posts(sandbox)
    assert 3 == len(sandbox.inventory.numbers)


async def test_a_key_names_one_acquisition(mihu):
    """Another country, type, bound, answer or address under the key is another request."""
    await mihu.numbers.acquire("GB", "national", answers=ANSWERS, idempotency_key=KEY)
    for other in (
        mihu.numbers.acquire("US", "local", idempotency_key=KEY),
        mihu.numbers.acquire("GB", "national", answers={"business_name": "B"}, idempotency_key=KEY),
        mihu.numbers.acquire("GB", "national", answers=ANSWERS, address=ADDRESS, idempotency_key=KEY),
        mihu.numbers.acquire("GB", "national", answers=ANSWERS, max_monthly_fee=1, idempotency_key=KEY),
        mihu.numbers.buy(number="+390790080041", country_code="IT", type="local", idempotency_key=KEY),
    ):
        with pytest.raises(UsageError, match="with another request"):
            await other


@pytest.fixture
async def number(mihu, ledger, tmp_path):
    """The number of an acquisition that died after its entry was written."""
    await mihu.numbers.acquire("US", "local", idempotency_key=KEY)
    entry = await ledger.find(KEY)
    began = datetime.now(UTC) - timedelta(hours=1)
    undo = "UPDATE entries SET state = 'begun', phone_number_uuid = NULL, began = ? WHERE key = ?"
    file = Database(tmp_path / "purchases.db")
    await file.run(lambda connection: connection.execute(undo, (began.isoformat(), KEY)))
    file.close()
    return entry.number


async def test_what_a_dead_process_acquired_is_found(sandbox, mihu, number):
    """Its number is looked up, and no other offer is bought."""
    again = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert number == again.number
    assert 1 == posts(sandbox)


async def test_what_a_dead_process_began_is_bought(sandbox, mihu, number):
    """The number that it was about is bought, whatever the search says now, without the fee of another offer."""
    row = next(row for row in sandbox.inventory.numbers if row["number"] == number)
    sandbox.inventory.delete(row["phone_number_uuid"])
    again = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert number == again.number
    assert 2 == posts(sandbox)


async def test_where_what_a_dead_process_began_is_taken_another_offer_is_bought(sandbox, mihu, number):
    """A number that turns out to be somebody else's frees the key for the next offer."""
    row = next(row for row in sandbox.inventory.numbers if row["number"] == number)
    sandbox.inventory.update(row["phone_number_uuid"], purchased_at=datetime(2025, 1, 1, tzinfo=UTC))
    again = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert number != again.number
    assert 2 == posts(sandbox)


async def test_what_fails_for_what_a_dead_process_began_is_raised(sandbox, mihu, ledger):
    """Only a number that is gone is given up for another one; a settled one that is gone is told."""
    await mihu.numbers.acquire("US", "local", idempotency_key=KEY)
    entry = await ledger.find(KEY)
    sandbox.inventory.delete(entry.phone_number_uuid)
    with pytest.raises(NotFoundError, match="no longer in the inventory"):
        await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert 1 == posts(sandbox)


async def test_an_error_that_says_nothing_of_the_number_is_raised(sandbox, mihu, number):
    """Where the requirements cannot be read, nothing is bought for a key that was begun."""
    sandbox.faults.add(Status(403), method="GET", path="/phone-numbers", times=None)
    with pytest.raises(MihuError):
        await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert 1 == posts(sandbox)


# Binding


async def test_a_binding_that_fails_says_that_the_number_is_bought(sandbox, mihu):
    """The error carries the number, and the same call with a right agent binds it and buys nothing."""
    wrong, right = str(uuid4()), sandbox.inventory.free_agents("call")[0]
    with pytest.raises(BindingError, match=r"was bought .*not bound to the agent") as unbound:
        await mihu.numbers.acquire("US", "local", agent_uuid=wrong, idempotency_key=KEY)
    number = await mihu.numbers.acquire("US", "local", agent_uuid=right, idempotency_key=KEY)
    channels = await mihu.numbers.channels(number.phone_number_uuid)

    assert isinstance(unbound.value.__cause__, NotFoundError)
    assert number.phone_number_uuid == unbound.value.number.phone_number_uuid
    assert (wrong, number.number in str(unbound.value)) == (unbound.value.agent_uuid, True)
    assert channels.call_agent
    assert right == channels.call_agent.agent_uuid
    assert 1 == posts(sandbox)


@pytest.mark.parametrize(
    ("status", "keyed", "cure"),
    [
        (404, True, r"agents.list\(\) shows the agents.*make the same call again with the same idempotency_key"),
        (409, False, "the agent or number is taken.*do not make the same call again"),
        (403, True, r"Bind it with agents.provision_call\(.*, or make the same call again with the same"),
    ],
)
async def test_a_binding_that_fails_says_what_can_work(sandbox, mihu, status, keyed, cure):
    """The same agent again is advised only where that may succeed, and a key only where there was one."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.faults.add(Status(status), method="POST", path="/agents/*")
    with pytest.raises(BindingError, match=cure):
        await mihu.numbers.acquire("US", "local", agent_uuid=agent, idempotency_key=KEY if keyed else None)


async def test_the_number_shows_who_answers_it(sandbox, mihu):
    """As the binding's own answer said."""
    agent = sandbox.inventory.free_agents("call")[0]
    number = await mihu.numbers.acquire("US", "local", agent_uuid=agent)

    assert number.bindings
    assert number.bindings.call
    assert (True, agent) == (number.bindings.call.bound, number.bindings.call.agent_uuid)


@pytest.mark.parametrize("key", [KEY, None])
async def test_a_conflict_after_a_lost_answer_buys_no_second_number(sandbox, mihu, key):
    """The number may be this call's own, so that the next offer is not bought in its place."""
    first = offers(sandbox, "US", "local")[0]

    class Sold(Status):
        async def around(self, exchange):
            sandbox.inventory.insert(number=first, purchased_at=datetime.now(UTC) - timedelta(days=2))
            return await super().around(exchange)

    sandbox.faults.add(Sold(502), method="POST", path="/phone-numbers")
    with pytest.raises(ConflictError) as caught:
        await mihu.numbers.acquire("US", "local", idempotency_key=key)

    assert caught.value.may_have_changed
    assert 3 == len(sandbox.inventory.numbers)


async def test_what_is_bound_is_not_bound_again(sandbox, mihu):
    """The same call again sends no write at all."""
    agent = sandbox.inventory.free_agents("call")[0]
    for _ in range(2):
        number = await mihu.numbers.acquire("US", "local", agent_uuid=agent, idempotency_key=KEY)

    assert number.bindings
    assert number.bindings.call
    assert agent == number.bindings.call.agent_uuid
    assert 2 == sum(entry.method == "POST" for entry in sandbox.journal)


# Arguments


@pytest.mark.parametrize(
    ("wrong", "argument"),
    [
        ({"country_code": "us"}, "country_code"),
        ({"type": "fixed"}, "type"),
        ({"max_monthly_fee": -1}, "max_monthly_fee"),
        ({"agent_uuid": ""}, "agent_uuid"),
        ({"answers": [("a", "b")]}, "answers"),
        ({"answers": {"a": 1}}, "answers"),
        ({"answers": {1: "a"}}, "answers"),
        ({"address": "1 High Street"}, "address"),
        ({"choose": "cheapest"}, "choose"),
        ({"idempotency_key": ""}, "idempotency_key"),
    ],
    ids=str,
)
async def test_an_argument_that_can_never_be_accepted_is_refused(sandbox, mihu, wrong, argument):
    """Nothing is sent, and the error names the argument."""
    with pytest.raises(UsageError) as refused:
        await mihu.numbers.acquire(**{"country_code": "US", "type": "local"} | wrong)

    assert argument == refused.value.argument
    assert 0 == len(sandbox.journal)


REFUSAL: dict[str, Any] = {"method": "POST", "url": "/", "status": 422}


@pytest.mark.parametrize(
    ("error", "taken"),
    [
        (ConflictError("", **REFUSAL), True),
        (NotFoundError("", **REFUSAL), True),
        (APIError("", **REFUSAL | {"status": 410}), True),
        (APIError("", **REFUSAL), False),
        (ValidationError("", fields={"number": ("taken",)}, **REFUSAL), True),
        (ValidationError("", fields={}, field="number", **REFUSAL), True),
        (ValidationError("", fields={"address": ("missing",)}, **REFUSAL), False),
    ],
    ids=["409", "404", "410", "422-other", "fields", "field", "other-field"],
)
def test_which_refusals_say_that_a_number_is_gone(error, taken):
    """Its status is not documented, so those about the number itself count."""
    assert taken == was_taken(error)


async def test_a_call_that_comes_too_late_for_the_only_offer_gets_the_number_of_its_key(sandbox, tmp_path):
    """Another process bought it with the same key after this call had looked the key up."""
    ledger = SqliteLedger(tmp_path / "purchases.db")
    only = offers(sandbox, "IT", "local")[0]

    async with connect(sandbox, ledger) as mihu, connect(sandbox, ledger) as other:
        request: dict[str, Any] = {"choose": lambda offer: offer.number == only, "idempotency_key": KEY}

        class Overtaken(Status):
            async def around(self, exchange):
                await other.numbers.acquire("IT", "local", **request)
                return await exchange.apply()

        sandbox.faults.add(Overtaken(200), method="GET", path="/phone-numbers/search")
        number = await mihu.numbers.acquire("IT", "local", **request)
    ledger.close()

    assert only == number.number
    assert 1 == posts(sandbox)
