import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from mihu_async import (
    UNSET,
    Address,
    Capabilities,
    InboundSettings,
    InboundUpdate,
    NumberStatus,
    NumberType,
    OutboundSettings,
    OutboundUpdate,
    Price,
    Rate,
    RequirementValue,
    UsageError,
)
from mihu_async.resources.numbers import Numbers, value_of
from tests.doubles import FakeClock, FakeSender, client, ok, pipeline

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


limits = st.integers(0, 1000) | st.none()
inbound_fields = {"enabled": st.booleans(), "channel_limit": limits}
outbound_fields = inbound_fields | {"whitelisted_destinations": st.lists(st.text(max_size=2), max_size=3)}
subset_of_outbound = st.fixed_dictionaries({}, optional=outbound_fields).filter(bool)
subset_of_inbound = st.fixed_dictionaries({}, optional=inbound_fields).filter(bool)
subset_of_settings = st.fixed_dictionaries(
    {}, optional={"voice": subset_of_outbound, "sms": subset_of_outbound, "inbound": subset_of_inbound}
).filter(bool)


@given(subset_of_settings, st.booleans())
async def test_an_update_sends_what_was_given_and_nothing_else(settings, as_mappings):
    """Any subset of channels and of their fields makes exactly those keys, None as null; the rest is not sent."""
    sender = FakeSender(FakeClock(), [ok(NUMBER)])
    kinds: dict[str, Any] = {"voice": OutboundUpdate, "sms": OutboundUpdate, "inbound": InboundUpdate}
    arguments = settings if as_mappings else {name: kinds[name](**fields) for name, fields in settings.items()}
    await Numbers(pipeline(sender), 1).update(UUID(AGENT), **arguments)

    (request,) = sender.sent
    assert ("PATCH", f"/api/v1/phone-numbers/{AGENT}", "") == (request.method, request.path, request.query)
    assert {"channel_settings": settings} == json.loads(request.body or b"")


async def test_settings_as_an_answer_holds_them_can_be_sent_back(wire):
    """What is None in them was not there or does not apply, so it is not sent."""
    wire.patch(f"{NUMBERS}/{AGENT}", payload={"success": True, "data": NUMBER})
    async with client() as mihu:
        number = await mihu.numbers.update(
            AGENT,
            voice=OutboundSettings(enabled=True, whitelisted_destinations=("US",)),
            sms=UNSET,
            inbound=InboundSettings(channel_limit=3),
        )

    assert "+390790080041" == number.number
    voice = b'"voice":{"enabled":true,"whitelisted_destinations":["US"]}'
    assert b'{"channel_settings":{' + voice + b',"inbound":{"channel_limit":3}}}' == wire.sent[0][2]["data"]


@pytest.mark.parametrize(
    ("arguments", "argument", "why"),
    [
        ({}, None, "pass voice or sms or inbound"),
        ({"voice": UNSET}, None, "There is nothing to change"),
        ({"voice": OutboundUpdate()}, "voice", "voice holds nothing to change"),
        ({"sms": {}}, "sms", "sms holds nothing to change"),
        ({"inbound": InboundSettings(), "voice": {"enabled": True}}, "inbound", "inbound holds nothing to change"),
        ({"voice": None}, "voice", r"OutboundUpdate\(…\) or OutboundSettings\(…\) or a mapping, not NoneType"),
        ({"inbound": OutboundUpdate(enabled=True)}, "inbound", "must be InboundUpdate"),
        ({"voice": InboundSettings(enabled=True)}, "voice", "must be OutboundUpdate"),
        ({"voice": True}, "voice", "not bool"),
        ({"voice": {"chanel_limit": 3}}, "voice", "must hold enabled, channel_limit, whitelisted_destinations and no"),
        ({"inbound": {"whitelisted_destinations": []}}, "inbound", "must hold enabled, channel_limit and no"),
    ],
)
async def test_an_update_that_changes_nothing_or_cannot_be_is_refused(wire, arguments, argument, why):
    """The error names the argument and why, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=why) as caught:
            await mihu.numbers.update(AGENT, **arguments)

    assert argument == caught.value.argument
    assert str(caught.value).endswith("Nothing was sent.")
    assert [] == wire.sent


async def test_a_wrong_value_in_a_mapping_is_named_as_in_the_update(wire):
    """A mapping is checked as the update that it stands for."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=r"OutboundUpdate\.channel_limit must be") as caught:
            await mihu.numbers.update(AGENT, voice={"channel_limit": -1})

    assert "channel_limit" == caught.value.argument
    assert [] == wire.sent


@pytest.mark.parametrize("phone_number_uuid", ["", " ", "a/b", "..", "a?b", "a%2Fb", "é", 5, None], ids=repr)
async def test_an_id_that_is_no_part_of_a_path_is_refused(wire, phone_number_uuid):
    """No id reaches another endpoint."""
    async with client() as mihu:
        for call in (
            lambda: mihu.numbers.channels(phone_number_uuid),
            lambda: mihu.numbers.update(phone_number_uuid, voice={"enabled": True}),
        ):
            with pytest.raises(UsageError, match="phone_number_uuid must be an id") as caught:
                await call()
            assert "phone_number_uuid" == caught.value.argument

    assert [] == wire.sent


async def test_channels_are_found_by_uuid_and_by_number(wire):
    """The uuid stands in the path, the number in the query with its plus encoded."""
    answer = {"success": True, "data": {"number": "+390790080041", "channels": {"inbound": {"enabled": True}}}}
    wire.get(f"{NUMBERS}/{AGENT}/channels", payload=answer)
    wire.get(URL(f"{NUMBERS}/channels?number=%2B390790080041", encoded=True), payload=answer)
    async with client() as mihu:
        by_uuid = await mihu.numbers.channels(UUID(AGENT))
        by_number = await mihu.numbers.channels_of("+390790080041")

    assert by_uuid == by_number
    assert by_uuid.channels.inbound == InboundSettings(enabled=True)
    assert "number=%2B390790080041" == wire.sent[1][1].raw_query_string


async def test_channels_of_a_number_that_cannot_be_are_not_asked_for(wire):
    """It must be E.164."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=r"^number must be a number in E\.164 form"):
            await mihu.numbers.channels_of("390790080041")

    assert [] == wire.sent


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, "per_page=200&page=1"),
        ({"country_code": "IT"}, "country_code=IT&per_page=200&page=1"),
        ({"prefix": "+39 3", "per_page": 7}, "prefix=%2B39%203&per_page=7&page=1"),
    ],
)
async def test_rates_send_their_filters(wire, filters, query):
    """As many as the service gives on a page are asked for, and what is None is not sent."""
    rate = {"country_code": "IT", "destination_prefix": "39", "price": {"amount": 0.0120, "currency": "EUR"}}
    page = {"items": [rate], "pagination": EMPTY["pagination"] | {"total": 1}}
    wire.get(URL(f"{NUMBERS}/rates?{query}", encoded=True), payload={"success": True, "data": page})
    async with client() as mihu:
        (found,) = await mihu.numbers.rates(**filters).collect()

    price = Price(amount=Decimal("0.012"), currency="EUR")
    assert Rate(country_code="IT", destination_prefix="39", price=price) == found


@pytest.mark.parametrize(
    ("filters", "argument"),
    [
        ({"page": 0}, "page"),
        ({"per_page": 201}, "per_page"),
        ({"country_code": "it"}, "country_code"),
        ({"prefix": 39}, "prefix"),
    ],
)
async def test_rates_that_can_never_be_are_refused_at_once(wire, filters, argument):
    """The error names the argument, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be "):
            mihu.numbers.rates(**filters)

    assert [] == wire.sent


def test_rates_are_told_apart_by_all_that_they_say():
    """Equal rates have one key, which is short, and any other field makes another."""
    rates = [
        Rate(destination_prefix="39"),
        Rate(destination_prefix="393"),
        Rate(destination_prefix="39", origination="EEA"),
        Rate(destination_prefix="39", price=Price(amount=Decimal("0.01"))),
        Rate(destination_prefix="39", price=Price(amount=Decimal("0.02"))),
    ]

    assert len(rates) == len({*map(value_of, rates)})
    assert value_of(Rate(destination_prefix="39")) == value_of(rates[0])
    assert {32} == {len(value_of(rate)) for rate in rates}
