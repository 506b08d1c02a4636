import traceback
from datetime import UTC, datetime
from typing import Any

import pytest

from mihu_async import DryRun, OutcomeUnknownError, SipConnection, UsageError
from mihu_async.resources.sip_connections import SipConnections
from tests.doubles import FakeClock, FakeSender, client, failed, ok, pipeline

URL = "https://acme.mihu.ai/api/v1/channels/sip-trunk/connections"
WANTED: dict[str, Any] = {
    "name": "Front desk",
    "phone_number": "+12345678901",
    "gateway": "sip.acme.com",
    "username": "acme-user",
    "password": "hunter22",
}
CREATED: dict[str, Any] = {
    "uuid": "1b4e28ba-2fa1-4d2b-883f-0016d3cca427",
    "name": "Front desk",
    "phone_number": "+12345678901",
    "gateway": "sip.acme.com",
    "secondary_gateway": None,
    "status": "active",
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:05Z",
}
NEVER = ["acme-user", "hunter22"]


async def test_a_connection_is_created(wire):
    """What is not given is not sent, and the answer holds no credentials."""
    wire.post(URL, status=201, payload={"success": True, "data": CREATED})
    async with client() as mihu:
        created = await mihu.sip_connections.create(**WANTED)

    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert SipConnection(**CREATED | {"created_at": moment, "updated_at": moment}) == created
    ((_, _, sent),) = wire.sent
    assert (
        b'{"name":"Front desk","phone_number":"+12345678901","gateway":"sip.acme.com",'
        b'"username":"acme-user","password":"hunter22"}'
    ) == sent["data"]


async def test_an_echoed_password_is_not_kept(wire):
    """The model has no place for it."""
    wire.post(URL, payload={"success": True, "data": CREATED | {"username": "acme-user", "password": "hunter22"}})
    async with client() as mihu:
        created = await mihu.sip_connections.create(**WANTED, secondary_gateway="sip2.acme.com")

    assert [] == [word for word in NEVER if word in repr(created)]
    assert b'"secondary_gateway":"sip2.acme.com"' in wire.sent[0][2]["data"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "n" * 256},
        {"phone_number": " "},
        {"phone_number": "1" * 33},
        {"phone_number": 12345678901},
        {"gateway": ""},
        {"gateway": "sip:sip.acme.com"},
        {"gateway": "https://sip.acme.com"},
        {"gateway": "acme-user:hunter22@sip.acme.com"},
        {"gateway": None},
        {"username": ""},
        {"username": None},
        {"password": " "},
        {"password": b"hunter22"},
        {"secondary_gateway": ""},
        {"secondary_gateway": "g" * 256},
    ],
    ids=repr,
)
async def test_what_can_never_be_accepted_is_refused(wire, given):
    """Nothing is sent, and the error shows no credentials."""
    (argument,) = given
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be") as caught:
            await mihu.sip_connections.create(**WANTED | given)

    assert argument == caught.value.argument
    assert [] == wire.sent
    assert [] == [word for word in NEVER if word in str(caught.value)]


async def test_a_refusal_leaves_no_credentials_in_variables(wire):
    """A report that prints the locals of every frame of the SDK prints none."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="name must be text") as caught:
            await mihu.sip_connections.create(**WANTED | {"name": ""})

    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in trace.stack if "mihu_async" in frame.filename]
    assert {"create", "check"} <= {frame.name for frame in frames}
    assert [] == [word for word in NEVER if word in repr([frame.locals for frame in frames])]
    assert [] == wire.sent


async def test_a_dry_run_hides_the_credentials(wire):
    """It shows the request, with asterisks in their place."""
    async with client(dry_run=True) as mihu:
        with pytest.raises(DryRun) as caught:
            await mihu.sip_connections.create(**WANTED)

    assert WANTED | {"username": "***", "password": "***"} == caught.value.json
    assert [] == [word for word in NEVER if word in caught.value.curl]
    assert [] == wire.sent


async def test_the_longest_that_is_documented_is_sent(wire):
    """A limit is itself allowed, and so is an IP address."""
    wire.post(URL, payload={"success": True, "data": CREATED})
    longest = {"name": "n" * 255, "phone_number": "1" * 32, "gateway": "2001:db8::1", "secondary_gateway": "g" * 255}
    async with client() as mihu:
        await mihu.sip_connections.create(**WANTED | longest)

    assert 1 == len(wire.sent)


@pytest.mark.parametrize("lost", [failed(500), failed(504), ok({"name": "Front desk"})])
async def test_a_lost_answer_is_unknown(lost):
    """It is sent once, says how to look by hand, and shows no credentials."""
    sender = FakeSender(FakeClock(), [lost])
    with pytest.raises(OutcomeUnknownError, match="Look for it among the workspace's SIP connections") as caught:
        await SipConnections(pipeline(sender)).create(**WANTED)
    with pytest.raises(UsageError, match="There is no lookup for this call"):
        await caught.value.check()

    assert "mihu.request('GET', '/channels/sip-trunk/connections')" in caught.value.how_to_check
    trace = "".join(traceback.format_exception(caught.value))
    assert [] == [word for word in NEVER if word in trace]


async def test_a_connection_is_sent_again_where_nothing_was_made():
    """A 429 says that the request was not processed."""
    sender = FakeSender(FakeClock(), [failed(429), ok(CREATED)])
    created = await SipConnections(pipeline(sender)).create(**WANTED)

    assert CREATED["uuid"] == created.uuid
    assert 2 == len(sender.sent)
