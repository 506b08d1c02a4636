from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from yarl import URL

from mihu_async import Address, Capabilities, NumberStatus, NumberType, RequirementValue, UsageError
from tests.doubles import client

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
NUMBERS = "https://acme.mihu.ai/api/v1/phone-numbers"
EMPTY: dict[str, Any] = {
    "items": [],
    "pagination": {"current_page": 1, "per_page": 100, "total": 0, "last_page": 1, "has_more": False},
}
NUMBER = {"phone_number_uuid": "u", "number": "+390790080041", "is_external": False}
PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, "per_page=100&page=1"),
        ({"page": 3, "per_page": 7}, "per_page=7&page=3"),
        ({"status": NumberStatus.ACTIVE}, "status=active&per_page=100&page=1"),
        ({"status": "pending"}, "status=pending&per_page=100&page=1"),
        ({"search": "+1208 4439178"}, "search=%2B1208%204439178&per_page=100&page=1"),
        ({"bound_to_agent_uuid": UUID(AGENT)}, f"bound_to_agent_uuid={AGENT}&per_page=100&page=1"),
        ({"include_external": True}, "include_external=true&per_page=100&page=1"),
        ({"include_external": False}, "include_external=false&per_page=100&page=1"),
        (
            {"country_code": "US", "type": NumberType.TOLL_FREE, "compliance": "completed", "sort": "monthly_fee"},
            "country_code=US&type=toll_free&compliance=completed&sort=monthly_fee&per_page=100&page=1",
        ),
    ],
)
async def test_list_sends_its_filters(wire, filters, query):
    """Each filter is sent under the API's own name, in the API's own spelling, and what is None is not sent."""
    page = {**EMPTY, "pagination": EMPTY["pagination"] | {"current_page": filters.get("page", 1)}}
    wire.get(URL(f"{NUMBERS}?{query}", encoded=True), payload={"success": True, "data": page})
    async with client() as mihu:
        await mihu.numbers.list(**filters)

    ((method, url, sent),) = wire.sent
    assert ("GET", query) == (method, url.raw_query_string)
    assert sent["data"] is None
    assert "Content-Type" not in sent["headers"]


@pytest.mark.parametrize(
    ("filters", "argument"),
    [
        ({"page": 0}, "page"),
        ({"page": True}, "page"),
        ({"per_page": 0}, "per_page"),
        ({"per_page": 101}, "per_page"),
        ({"per_page": "25"}, "per_page"),
        ({"status": "on fire"}, "status"),
        ({"status": 5}, "status"),
        ({"country_code": "us"}, "country_code"),
        ({"country_code": "USA"}, "country_code"),
        ({"country_code": 1}, "country_code"),
        ({"type": ""}, "type"),
        ({"compliance": "pending"}, "compliance"),
        ({"search": 5}, "search"),
        ({"bound_to_agent_uuid": " "}, "bound_to_agent_uuid"),
        ({"bound_to_agent_uuid": 5}, "bound_to_agent_uuid"),
        ({"sort": "-number"}, "sort"),
        ({"include_external": "true"}, "include_external"),
    ],
)
async def test_a_filter_that_can_never_match_is_refused_at_once(wire, filters, argument):
    """The error names the argument and what it must be, and nothing is sent, not even by iterating."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be .*Nothing was sent") as caught:
            mihu.numbers.list(**filters)

    assert argument == caught.value.argument
    assert [] == wire.sent


async def test_buy_sends_what_was_given(wire):
    """The body has the API's own names, money as a number to the digit, and no key that was not given."""
    wire.post(NUMBERS, status=201, payload={"success": True, "data": NUMBER}, repeat=True)
    async with client() as mihu:
        number = await mihu.numbers.buy(**PURCHASE)
        await mihu.numbers.buy(
            **PURCHASE,
            monthly_fee=Decimal("1.10"),
            capabilities=Capabilities(voice=True, sms=False),
            location="Sassari, Sardegna",
            address=Address(locality="Sassari", country_code="IT"),
            requirements=(value for value in [RequirementValue(key="proof_of_address", document_id="d")]),
        )
        await mihu.numbers.buy(**PURCHASE, capabilities={"voice": True}, monthly_fee=1.5)

    assert "+390790080041" == number.number
    start = b'{"number":"+390790080041","country_code":"IT","type":"local"'
    full = (
        b',"monthly_fee":1.10,"capabilities":{"voice":true,"sms":false},"location":"Sassari, Sardegna",'
        b'"address":{"locality":"Sassari","country_code":"IT"},'
        b'"requirements":[{"key":"proof_of_address","document_id":"d"}]}'
    )
    assert [
        start + b"}",
        start + full,
        start + b',"monthly_fee":1.5,"capabilities":{"voice":true}}',
    ] == [sent["data"] for _, _, sent in wire.sent]
    assert {"application/json"} == {sent["headers"]["Content-Type"] for _, _, sent in wire.sent}


async def test_a_type_that_the_service_gave_can_be_sent_back(wire):
    """A word that is new to us is refused as text, and taken as the member that an answer held."""
    wire.post(NUMBERS, status=201, payload={"success": True, "data": NUMBER})
    async with client() as mihu:
        await mihu.numbers.buy(**PURCHASE | {"type": NumberType("satellite")})

    assert b'"type":"satellite"' in wire.sent[0][2]["data"]


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"number": "390790080041"}, "number"),
        ({"number": "+0790080041"}, "number"),
        ({"number": "+39 079 008"}, "number"),
        ({"number": "+390790080041\n"}, "number"),
        ({"number": "+1234567890123456"}, "number"),
        ({"number": "+٣٤٥"}, "number"),
        ({"number": 390790080041}, "number"),
        ({"country_code": "it"}, "country_code"),
        ({"type": "satellite"}, "type"),
        ({"monthly_fee": -1}, "monthly_fee"),
        ({"monthly_fee": float("nan")}, "monthly_fee"),
        ({"monthly_fee": Decimal("Infinity")}, "monthly_fee"),
        ({"monthly_fee": "1.10"}, "monthly_fee"),
        ({"monthly_fee": True}, "monthly_fee"),
        ({"capabilities": ["voice"]}, "capabilities"),
        ({"location": 5}, "location"),
        ({"address": {"locality": "Sassari"}}, "address"),
        ({"requirements": [{"key": "k", "value": "v"}]}, "requirements[0]"),
        ({"requirements": "kv"}, "requirements[0]"),
        ({"requirements": RequirementValue(key="k", value="v")}, "requirements"),
        ({"requirements": False}, "requirements"),
        ({"capabilities": {"sms": "yes"}}, "capabilities['sms']"),
        ({"monthly_fee": 10**5000}, "monthly_fee"),
    ],
)
async def test_a_purchase_that_can_never_be_is_refused(wire, changes, argument):
    """The error names the argument and why, and no money is spent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="Nothing was sent") as caught:
            await mihu.numbers.buy(**PURCHASE | changes)

    assert argument == caught.value.argument
    assert str(caught.value).startswith(f"{argument} must be ")
    assert [] == wire.sent


@pytest.mark.parametrize(
    ("fees", "argument"),
    [
        ({"monthly_fee": 5, "max_monthly_fee": 4.99}, "monthly_fee"),
        ({"monthly_fee": Decimal("1.10"), "max_monthly_fee": Decimal("1.09")}, "monthly_fee"),
        ({"max_monthly_fee": 5}, "monthly_fee"),
        ({"monthly_fee": 5, "max_monthly_fee": -1}, "max_monthly_fee"),
        ({"monthly_fee": "5", "max_monthly_fee": 6}, "monthly_fee"),
    ],
)
async def test_a_number_that_costs_too_much_is_not_asked_for(wire, fees, argument):
    """The bound is held before anything is sent, and a fee that is not known is above any bound."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="Nothing was sent") as caught:
            await mihu.numbers.buy(**PURCHASE, **fees)

    assert argument == caught.value.argument
    assert [] == wire.sent


@pytest.mark.parametrize("most", [Decimal("1.1"), 1.1, 2])
async def test_a_number_within_the_bound_is_bought(wire, most):
    """The bound itself is not sent, and amounts compare as they are written."""
    wire.post(NUMBERS, payload={"success": True, "data": NUMBER})
    async with client() as mihu:
        await mihu.numbers.buy(**PURCHASE, monthly_fee=Decimal("1.10"), max_monthly_fee=most)

    assert b"max_monthly_fee" not in wire.sent[0][2]["data"]
