import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from mihu_async import (
    UNSET,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    Direction,
    NotFoundError,
    SipCredentials,
    SipUpdate,
    TrunkChannel,
    UsageError,
)
from mihu_async.resources.trunks import Trunks
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline, response

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


texts = st.text(max_size=5)
subset_of_sip = st.fixed_dictionaries(
    {},
    optional={
        "gateway": texts,
        "port": st.integers(1, 65535),
        "username": texts,
        "password": texts,
        "secondary_gateway": texts,
    },
).filter(bool)
subset_of_changes = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "direction": st.sampled_from(Direction),
        "sip": subset_of_sip,
        "additional_settings": st.dictionaries(texts, st.none() | st.booleans() | st.integers(-9, 9) | texts),
    },
).filter(bool)


@given(subset_of_changes)
async def test_an_update_sends_what_was_given_and_nothing_else(changes):
    """Any subset of arguments makes exactly those keys; an empty text and an empty object are sent as they are."""
    sender = FakeSender(FakeClock(), [ok(SNAPSHOT["data"])])
    arguments = changes | {"sip": SipUpdate(**changes["sip"])} if "sip" in changes else changes
    await Trunks(pipeline(sender), 1).update(phone_number="+12345678901", channel="call", **arguments)

    (request,) = sender.sent
    assert ("PATCH", "/api/v1/phone-numbers/trunks", "") == (request.method, request.path, request.query)
    assert {"phone_number": "+12345678901", "channel": "call"} | changes == json.loads(request.body or b"")


async def test_an_update_takes_credentials_as_a_registration_does(wire):
    """What is None in them is not sent; what is given is secret."""
    wire.patch(TRUNKS, payload=SNAPSHOT)
    async with client() as mihu:
        snapshot = await mihu.trunks.update(
            phone_number="+12345678901",
            channel=TrunkChannel.CALL,
            name=UNSET,
            sip=SipCredentials(username="", password="hunter22"),
        )

    assert "+12345678901" == snapshot.number
    assert (
        b'{"phone_number":"+12345678901","channel":"call","sip":{"username":"","password":"hunter22"}}'
        == wire.sent[0][2]["data"]
    )


@pytest.mark.parametrize(
    ("changes", "argument", "why"),
    [
        ({}, None, "pass name or direction or sip or additional_settings"),
        ({"sip": SipUpdate()}, "sip", "sip holds nothing to change"),
        ({"sip": SipCredentials()}, "sip", "sip holds nothing to change"),
        ({"sip": None}, "sip", r"sip must be SipUpdate\(…\) or SipCredentials\(…\), not NoneType"),
        ({"sip": {"password": "hunter22"}}, "sip", "not dict"),
        ({"name": None}, "name", "name must be text, not None"),
        ({"direction": None}, "direction", "direction must be one of"),
        ({"direction": ""}, "direction", "direction must be one of"),
        ({"additional_settings": None}, "additional_settings", "must be a mapping, not NoneType"),
        ({"name": "x", "phone_number": "12345678901"}, "phone_number", "E.164"),
        ({"name": "x", "channel": "sms"}, "channel", "'call', 'whatsapp'"),
    ],
)
async def test_an_update_that_changes_nothing_or_cannot_be_is_refused(wire, changes, argument, why):
    """None is no way to leave something out or to clear it, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=why) as caught:
            await mihu.trunks.update(**{"phone_number": "+12345678901", "channel": "call"} | changes)

    assert argument == caught.value.argument
    assert str(caught.value).endswith("Nothing was sent.")
    assert "hunter22" not in str(caught.value)
    assert [] == wire.sent


@pytest.mark.parametrize(("phone_number", "sent"), [("+12345678901", "%2B12345678901"), ("12345678901", "12345678901")])
async def test_delete_names_the_trunk_in_the_query(wire, phone_number, sent):
    """The number goes as it was given, and there is no body."""
    query = f"phone_number={sent}&channel=whatsapp"
    wire.delete(URL(f"{TRUNKS}?{query}", encoded=True), status=204)
    async with client() as mihu:
        await mihu.trunks.delete(phone_number=phone_number, channel=TrunkChannel.WHATSAPP)

    ((method, url, options),) = wire.sent
    assert ("DELETE", query, None) == (method, url.raw_query_string, options["data"])


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"phone_number": "+0123"}, "phone_number"),
        ({"phone_number": ""}, "phone_number"),
        ({"phone_number": 12345678901}, "phone_number"),
        ({"channel": None}, "channel"),
        ({"channel": "sms"}, "channel"),
    ],
)
async def test_a_trunk_that_cannot_be_is_not_deleted(wire, changes, argument):
    """The error names the argument, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be ") as caught:
            await mihu.trunks.delete(**{"phone_number": "+12345678901", "channel": "call"} | changes)

    assert argument == caught.value.argument
    assert [] == wire.sent


def lost() -> Exception:
    """Make the failure of an attempt that may have been applied."""
    return ConnectionLostError("lost", method="DELETE", url="u")


def never() -> Exception:
    """Make the failure of an attempt that was never sent."""
    return ConnectError("never", method="DELETE", url="u")


GONE = failed(404, "NOT_FOUND")


@pytest.mark.parametrize(
    "earlier",
    [[lost()], [failed(503)], [response(body=b"{")], [failed(429), lost(), never()], [failed(500), failed(429)]],
    ids=["lost", "503", "unreadable", "lost among others", "500 and then 429"],
)
async def test_a_trunk_that_is_gone_after_a_lost_answer_is_deleted(earlier):
    """The attempt before may have removed it, and either way it is not there: what was asked for is so."""
    sender = FakeSender(FakeClock(), [*earlier, GONE])
    await Trunks(pipeline(sender), 1).delete(phone_number="+12345678901", channel="call")

    assert [] == sender.outcomes


@pytest.mark.parametrize(
    "earlier", [[], [never()], [failed(429)], [failed(429), never()]], ids=["at once", "never sent", "429", "both"]
)
async def test_a_trunk_that_never_was_there_is_not_found(earlier):
    """No attempt before can have removed it."""
    sender = FakeSender(FakeClock(), [*earlier, GONE])
    with pytest.raises(NotFoundError):
        await Trunks(pipeline(sender), 1).delete(phone_number="+12345678901", channel="call")

    assert [] == sender.outcomes


@pytest.mark.parametrize(
    ("method", "path", "call"),
    [
        ("patch", "", lambda mihu: mihu.trunks.update(phone_number="+12345678901", channel="call", name="x")),
        ("put", "/assign", lambda mihu: mihu.trunks.assign(**TRUNK)),
    ],
    ids=["update", "assign"],
)
async def test_an_answer_about_another_trunk_is_an_error(wire, method, path, call):
    """It says that the change may have been applied, and is not sent again."""
    wire.add(f"{TRUNKS}{path}", method=method, payload=SNAPSHOT | {"data": {"number": "+12345678909", "channels": {}}})
    async with client() as mihu:
        with pytest.raises(
            DecodeError, match=r"is about \+12345678909, and not about \+12345678901\. It may have been"
        ):
            await call(mihu)

    assert 1 == len(wire.sent)
