from typing import Any
from uuid import UUID

import pytest
from yarl import URL

from mihu_async import Direction, SipCredentials, TrunkChannel, UsageError
from tests.doubles import client

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
TRUNKS = "https://acme.mihu.ai/api/v1/phone-numbers/trunks"
SNAPSHOT = {"success": True, "message": "Done", "data": {"number": "+12345678901", "channels": {}}}
PAGE = {"items": [], "pagination": {"current_page": 1, "per_page": 100, "total": 0, "last_page": 1, "has_more": False}}
TRUNK: dict[str, Any] = {"phone_number": "+12345678901", "agent_uuid": AGENT, "channel": "call"}


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, "per_page=100&page=1"),
        ({"search": "555"}, "search=555&per_page=100&page=1"),
        ({"channel": TrunkChannel.CALL}, "channel=call&per_page=100&page=1"),
        (
            {"channel": "whatsapp", "agent_uuid": UUID(AGENT)},
            f"channel=whatsapp&agent_uuid={AGENT}&per_page=100&page=1",
        ),
    ],
)
async def test_list_sends_its_filters(wire, filters, query):
    """Each filter is sent under the API's own name, and what is None is not sent."""
    wire.get(URL(f"{TRUNKS}?{query}", encoded=True), payload={"success": True, "data": PAGE})
    async with client() as mihu:
        assert [] == await mihu.trunks.list(**filters).collect()

    assert query == wire.sent[0][1].raw_query_string


@pytest.mark.parametrize(
    ("filters", "argument"),
    [
        ({"page": -1}, "page"),
        ({"per_page": 101}, "per_page"),
        ({"search": 5}, "search"),
        ({"channel": "sms"}, "channel"),
        ({"agent_uuid": ""}, "agent_uuid"),
    ],
)
async def test_a_filter_that_can_never_match_is_refused_at_once(wire, filters, argument):
    """The error names the argument, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be "):
            mihu.trunks.list(**filters)

    assert [] == wire.sent


async def test_register_sends_what_was_given(wire):
    """The body has the API's own names, and no key that was not given."""
    wire.post(TRUNKS, status=201, payload=SNAPSHOT, repeat=True)
    async with client() as mihu:
        snapshot = await mihu.trunks.register(**TRUNK)
        await mihu.trunks.register(
            **TRUNK,
            name="Front desk",
            direction=Direction.BOTH,
            sip=SipCredentials(gateway="sip.acme.com", port=5060, username="user", password="hunter22"),
            additional_settings={"ani_format": "e164"},
        )

    assert "+12345678901" == snapshot.number
    start = b'{"phone_number":"+12345678901","agent_uuid":"3c90c3cc-0d44-4b50-8888-8dd25736052a","channel":"call"'
    assert [
        start + b"}",
        start + b',"name":"Front desk","direction":"both",'
        b'"sip":{"gateway":"sip.acme.com","port":5060,"username":"user","password":"hunter22"},'
        b'"additional_settings":{"ani_format":"e164"}}',
    ] == [sent["data"] for _, _, sent in wire.sent]


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"phone_number": "12345678901"}, "phone_number"),
        ({"agent_uuid": ""}, "agent_uuid"),
        ({"agent_uuid": None}, "agent_uuid"),
        ({"channel": "sms"}, "channel"),
        ({"channel": None}, "channel"),
        ({"name": 5}, "name"),
        ({"direction": "up"}, "direction"),
        ({"sip": {"password": "hunter22"}}, "sip"),
        ({"additional_settings": "hunter22"}, "additional_settings"),
    ],
)
async def test_a_trunk_that_can_never_be_is_refused(wire, changes, argument):
    """The error names the argument and why, shows no credentials, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be .*Nothing was sent") as caught:
            await mihu.trunks.register(**TRUNK | changes)

    assert "hunter22" not in str(caught.value)
    assert [] == wire.sent


async def test_assign_sends_the_row_and_the_agent(wire):
    """A trunk is named by its number and channel in the body."""
    wire.put(f"{TRUNKS}/assign", payload=SNAPSHOT)
    async with client() as mihu:
        await mihu.trunks.assign(phone_number="+12345678901", channel=TrunkChannel.WHATSAPP, agent_uuid=UUID(AGENT))

    ((method, url, sent),) = wire.sent
    assert ("PUT", "/api/v1/phone-numbers/trunks/assign") == (method, url.path)
    assert (
        b'{"phone_number":"+12345678901","channel":"whatsapp","agent_uuid":"3c90c3cc-0d44-4b50-8888-8dd25736052a"}'
        == sent["data"]
    )


@pytest.mark.parametrize("changes", [{"phone_number": ""}, {"channel": "fax"}, {"agent_uuid": 7}], ids=repr)
async def test_an_assignment_that_can_never_be_is_refused(wire, changes):
    """Nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="must be"):
            await mihu.trunks.assign(**TRUNK | changes)

    assert [] == wire.sent
