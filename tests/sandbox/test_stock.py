"""What is for sale, what is asked of who buys it, and who then answers it."""

from typing import Any

import pytest

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.stock import REQUIREMENTS, STOCK, TAKES, asked_for, make_stock, unmet

CARRIED = {"number", "country_code", "type", "monthly_fee", "capabilities", "location"}
NOBODY = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


@pytest.fixture
def inventory():
    """Return a small inventory."""
    return Inventory(6, 3)


def refusal(operation, *arguments) -> tuple[int, str]:
    """Return the status of a refusal and what it is about."""
    with pytest.raises(RefusedError) as caught:
        operation(*arguments)
    return caught.value.status, caught.value.details


def purchase(offer, **more) -> dict[str, Any]:
    """Take an offer over into a purchase."""
    return {**offer, **more}


def test_the_stock_is_the_same_for_the_same_seed():
    """It holds each number once, and another seed has another."""
    stock = list(make_stock(7))

    assert stock == list(make_stock(7))
    assert stock != list(make_stock(8))
    assert STOCK + 1 == len({offer.number for offer in stock}) == len(stock)


def test_an_offer_carries_what_a_purchase_takes_over(inventory):
    """The fields are those that the page names, and the page's own number is there."""
    assert {frozenset(CARRIED)} == {frozenset(offer) for offer in inventory.offers}
    assert "+390790080041" == inventory.offers[0]["number"]


def test_what_was_bought_is_not_for_sale(inventory):
    """Nor is what is a trunk; released, it is for sale again."""
    first, second = inventory.offers[:2]
    bought = operations.buy(inventory, purchase(first))
    inventory.insert_trunk(number=second["number"])
    left = {offer["number"] for offer in inventory.offers}
    inventory.delete(bought["phone_number_uuid"])

    assert left.isdisjoint({first["number"], second["number"]})
    assert first == inventory.offers[0]


def test_what_is_asked_is_known_by_key_and_id():
    """Both are the same wherever it is asked."""
    asked = {one.key: one.requirement_id for some in REQUIREMENTS.values() for one in some}

    assert len(asked) == len(set(asked.values()))
    assert () == asked_for("US", "local")


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ((), ["Proof of address", "Business name"]),
        (({"key": "proof_of_address", "document_id": "d"},), ["Business name"]),
        (({"key": "proof_of_address"},), ["Proof of address", "Business name"]),
        (({"key": "business_name", "value": "Acme"}, {"key": "colour", "value": "red"}), ["Proof of address"]),
        (
            tuple({"requirement_id": one.requirement_id, one.takes[0]: "v"} for one in asked_for("GB", "mobile")),
            [],
        ),
        (({"key": "proof_of_address", "value": "v"},), ["Proof of address", "Business name"]),
        (({"key": "business_name", "document_id": "d", "value": ""},), ["Proof of address", "Business name"]),
    ],
)
def test_what_is_not_answered_is_left_open(answers, left):
    """An answer names its requirement by key or id, and holds what its type takes: a text or any document's id."""
    assert left == [requirement.name for requirement in unmet("GB", "mobile", answers)]


def test_a_purchase_shows_what_it_leaves_open(inventory):
    """It is bought all the same; with all answers it is complete."""
    british = [offer for offer in inventory.offers if ("GB", "local") == (offer["country_code"], offer["type"])]
    answer = {"key": "proof_of_address", "document_id": "any"}
    pending = operations.buy(inventory, purchase(british[0]))
    complete = operations.buy(inventory, purchase(british[1], requirements=[answer]))

    assert "requirement_pending" == pending["compliance"]["status"]
    assert ["Proof of address"] == [requirement["name"] for requirement in pending["compliance"]["requirements"]]
    assert {"status": "completed", "requirements": []} == complete["compliance"]


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({}, False),
        ({"address": {}}, False),
        ({"address": {"locality": "Berlin"}}, True),
        ({"requirements": [{"key": "registered_address", "value": "Berlin"}]}, True),
        ({"requirements": [{"key": "registered_address", "document_id": "d"}]}, True),
    ],
)
def test_an_address_is_given_with_the_purchase_or_as_an_answer(inventory, changes, met):
    """Both meet a requirement of that type."""
    german = next(offer for offer in inventory.offers if "DE" == offer["country_code"])
    bought = operations.buy(inventory, purchase(german, **changes))
    left = {requirement["type"] for requirement in bought["compliance"]["requirements"]}

    assert met == ("address" not in left)


@pytest.mark.parametrize(
    ("answer", "field", "message"),
    [
        (
            {"key": "business_name", "document_id": "d"},
            "document_id",
            "has the type textual",
        ),
        (
            {"key": "proof_of_address", "value": "v"},
            "value",
            "has the type document",
        ),
    ],
)
async def test_an_answer_of_the_wrong_kind_is_refused(sandbox, call, answer, field, message):
    """With 422, before anything is bought."""
    british = [offer for offer in sandbox.inventory.offers if "GB" == offer["country_code"]]
    offer = next(offer for offer in british if "mobile" == offer["type"])
    other = {"key": "colour", "value": "red"}
    before = sandbox.inventory.numbers
    reply = await call("POST", "/phone-numbers", json=purchase(offer, requirements=[other, answer]))

    assert (422, f"requirements.1.{field}") == (reply.status, reply.json["error"]["field"])
    assert message in reply.json["error"]["details"]
    assert before == sandbox.inventory.numbers


def test_every_type_to_expect_is_asked_for():
    """Code under test meets each of them."""
    assert set(TAKES) == {one.shown.type for some in REQUIREMENTS.values() for one in some}


def test_a_provision_binds_the_agent(inventory):
    """The agent answers calls from then on, other channels stay, and another agent takes over."""
    agent, other, texter = inventory.free_agents("call")[:3]
    uuid = inventory.insert(agents={"sms": texter})["phone_number_uuid"]
    for answers in (agent, agent, other):
        bound = operations.provision_call(inventory, answers, {"phone_number_uuid": uuid})

    bindings = inventory.numbers[-1]["bindings"]
    assert (other, other, texter) == (
        bound["agent"]["agent_uuid"],
        bindings["call"]["agent_uuid"],
        bindings["sms"]["agent_uuid"],
    )
    assert agent in inventory.free_agents("call")


def test_what_cannot_be_bound_is_refused(inventory):
    """An agent or a number that is not there, a trunk, and an agent that answers another number."""
    agent = inventory.free_agents("call")[0]
    number, trunk = inventory.insert(), inventory.insert_trunk()
    taken = inventory.insert(agents={"call": (busy := inventory.free_agents("call")[1])})
    body = {"phone_number_uuid": number["phone_number_uuid"]}

    assert (404, f"there is no agent {NOBODY}") == refusal(operations.provision_call, inventory, NOBODY, body)
    assert (404, f"there is no number {NOBODY}") == refusal(
        operations.provision_call, inventory, agent, {"phone_number_uuid": NOBODY}
    )
    assert (409, f"{trunk['number']} is an external trunk") == refusal(
        operations.provision_call, inventory, agent, {"phone_number_uuid": trunk["phone_number_uuid"]}
    )
    assert (409, f"the agent already serves {taken['number']} on call") == refusal(
        operations.provision_call, inventory, busy, body
    )


async def test_a_search_is_served(sandbox, call):
    """By country and type, in pages; what is not known of the parameters is passed over."""
    every = [offer for offer in sandbox.inventory.offers if "GB" == offer["country_code"]]
    reply = await call("GET", "/phone-numbers/search?country_code=GB&locality=London&page=2")
    narrowed = await call("GET", "/phone-numbers/search?country_code=GB&type=mobile")

    assert every[25:50] == reply.json["data"]["items"]
    assert len(every) == reply.json["data"]["pagination"]["total"]
    assert {"mobile"} == {offer["type"] for offer in narrowed.json["data"]["items"]}


async def test_requirements_are_served(call):
    """As items without pagination, each with what it is known by and what it is."""
    reply = await call("GET", "/phone-numbers/search/requirements?country_code=GB&type=local&lang=en")
    (asked,) = reply.json["data"]["items"]

    assert {"items"} == set(reply.json["data"])
    assert {"key", "requirement_id", "name", "type", "description"} == set(asked)
    assert ("proof_of_address", "document") == (asked["key"], asked["type"])


async def test_a_provision_is_served(sandbox, call):
    """POST answers 200, and the number says who answers it."""
    agent, uuid = sandbox.inventory.free_agents("call")[0], sandbox.inventory.insert()["phone_number_uuid"]
    path = f"/agents/{agent}/channels/call/provision"
    reply = await call("POST", path, json={"phone_number_uuid": uuid.upper()})

    assert (200, agent) == (reply.status, reply.json["data"]["agent"]["agent_uuid"])
    assert agent == sandbox.inventory.numbers[-1]["bindings"]["call"]["agent_uuid"]


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", "/phone-numbers/search", {}, (422, "country_code")),
        ("GET", "/phone-numbers/search?country_code=gb", {}, (422, "country_code")),
        ("GET", "/phone-numbers/search?country_code=GB&type=fax", {}, (422, "type")),
        ("GET", "/phone-numbers/search/requirements?country_code=GB", {}, (422, "type")),
        (
            "GET",
            "/phone-numbers/search/requirements?country_code=GB&type=local&type=local",
            {},
            (422, "type"),
        ),
        ("POST", f"/agents/{NOBODY}/channels/call/provision", {"json": {}}, (422, "phone_number_uuid")),
        ("POST", "/agents/nobody/channels/call/provision", {"json": {"phone_number_uuid": NOBODY}}, (404, None)),
        ("POST", f"/agents/{NOBODY}/channels/whatsapp", {"json": {}}, (404, None)),
    ],
)
async def test_what_is_refused(call, method, path, options, expected):
    """What is known of the requests is checked as everywhere."""
    reply = await call(method, path, **options)

    assert expected == (reply.status, reply.json["error"]["field"])
