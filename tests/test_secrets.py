"""The token and the SIP credentials show in nothing that leaves the SDK."""

import asyncio
import logging
import pickle
import traceback

import pytest

from mihu_async import MihuClient, MihuError, RetryPolicy, SipCredentials, SipUpdate, Timeout
from mihu_async.sandbox import Hang, Reset, Sandbox, Status, Truncate, WrongContentType
from tests.internals import pipeline_of, transport_of

TOKEN = "sandbox-token/e7f3a9c"
PASSWORD = "hunter/22&<x>"
USERNAME = "Acme-User-1"
HEADER = "k3y-0f-a-gateway"
PARTS = (TOKEN, PASSWORD, USERNAME, HEADER, "e7f3a9c", "hunter", "Acme-User")

ECHO = f"<pre>Bearer {TOKEN} {PASSWORD} {USERNAME} {HEADER}</pre>"
ESCAPED = {"message": f"{TOKEN} {PASSWORD}", "errors": {USERNAME: [PASSWORD, TOKEN]}}
ECHOING = [
    Status(500, body=ECHO, headers={"Content-Type": "text/html", "X-Request-Id": TOKEN}),
    Status(422, body=ESCAPED),
    Status(409, body={"success": False, "message": TOKEN, "error": {"code": PASSWORD, "details": USERNAME}}),
    Status(429, body=ESCAPED, retry_after=TOKEN),
    Status(200, body={"success": True, "data": [TOKEN, {TOKEN: PASSWORD}]}),
    Status(200, body={"success": False, "message": TOKEN}),
    Status(200, body=f'{{"success": true, "{TOKEN}": "{PASSWORD}', headers={"Content-Type": "application/json"}),
    Status(500, body=ECHO, headers={"Content-Type": "text/html", "X-Echo": HEADER, "Set-Cookie": f"a={HEADER}"}),
    WrongContentType(body=ECHO),
    WrongContentType(content_type=f"text/{USERNAME}", body=ECHO * 1000),
]
SILENT = [Status(500), Status(422), Status(403), Reset(), Truncate(), Hang()]


async def register(mihu: MihuClient, agent: str) -> None:
    """Make the call that knows all the secrets."""
    sip = SipCredentials(gateway="sip.acme.com", username=USERNAME, password=PASSWORD)
    mihu = mihu.with_options(headers={"X-Auth": f"Basic {HEADER}"})
    await mihu.trunks.register(phone_number="+12345678901", agent_uuid=agent, channel="call", sip=sip)


async def update(mihu: MihuClient, _: str) -> None:
    """Make the other call that knows all the secrets."""
    sip = SipUpdate(gateway="sip.acme.com", username=USERNAME, password=PASSWORD)
    mihu = mihu.with_options(headers={"X-Auth": f"Basic {HEADER}"})
    await mihu.trunks.update(phone_number="+12345678901", channel="call", sip=sip)


async def create(mihu: MihuClient, _: str) -> None:
    """Make a third call that knows all the secrets."""
    mihu = mihu.with_options(headers={"X-Auth": f"Basic {HEADER}"})
    await mihu.sip_connections.create(
        name="Desk", phone_number="+12345678901", gateway="sip.acme.com", username=USERNAME, password=PASSWORD
    )


async def failure(fault, attempts=2, call=register) -> MihuError:
    """Have the call fail, and give what was raised."""
    async with Sandbox(numbers=0, trunks=0, token=TOKEN) as sandbox:
        sandbox.faults.add(fault, times=None)
        policy = RetryPolicy(max_attempts=attempts, base_delay=0)
        bounds = Timeout(read=0.05)
        async with MihuClient(TOKEN, base_url=sandbox.base_url, retries=policy, timeout=bounds) as mihu:
            with pytest.raises(MihuError) as caught:
                await call(mihu, sandbox.inventory.free_agents("call")[0])
    return caught.value


def assert_clean(text: str) -> None:
    """Search a text for every secret, whole or in part."""
    assert [] == [part for part in PARTS if part.lower() in text.lower()]


@pytest.mark.parametrize("fault", ECHOING + SILENT, ids=lambda fault: f"{type(fault).__name__}-{vars_of(fault)}")
@pytest.mark.parametrize("call", [register, update, create])
async def test_no_error_carries_a_secret(fault, call, caplog):
    """Not in its text, attributes, pickle or traceback, and neither does a log line, whatever the service echoes."""
    caplog.set_level(logging.DEBUG)
    error = await failure(fault, call=call)

    assert_clean(f"{error} {error!r} {vars(error)}")
    assert_clean("".join(traceback.format_exception(error)))
    assert_clean(repr(vars(pickle.loads(pickle.dumps(error)))))
    assert [] == [part for part in PARTS if part.encode() in pickle.dumps(error)]
    assert_clean(" ".join(record.getMessage() for record in caplog.records if record.name == "mihu_async"))


def vars_of(fault) -> str:
    """Tell a fault by its status, where it has one."""
    return str(getattr(fault, "status", ""))


@pytest.mark.parametrize("call", [register, update, create])
@pytest.mark.parametrize("fault", SILENT, ids=lambda fault: type(fault).__name__)
async def test_no_variable_on_the_way_shows_a_secret(fault, call):
    """A report that prints the locals of every frame of the SDK prints none."""
    error = await failure(fault, call=call)
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in trace.stack if "mihu_async" in frame.filename]

    assert {call.__name__, "run"} <= {frame.name for frame in frames}
    assert_clean(repr([frame.locals for frame in frames]))


@pytest.mark.parametrize("call", [register, update, create])
async def test_no_variable_shows_a_secret_where_the_caller_gave_up(call):
    """The error of the caller's own timeout has the frames of the cancelled request behind it."""
    async with Sandbox(numbers=0, trunks=0, token=TOKEN) as sandbox:
        sandbox.faults.add(Hang(), times=None)
        async with MihuClient(TOKEN, base_url=sandbox.base_url) as mihu:
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.1):
                    await call(mihu, sandbox.inventory.free_agents("call")[0])
    cause = traceback.TracebackException.from_exception(caught.value, capture_locals=True).__cause__

    assert cause
    assert_clean(repr([frame.locals for frame in cause.stack if frame.filename != __file__]))
    assert "aiohttp" not in repr([frame.filename for frame in cause.stack])


async def test_a_pickled_error_is_the_same_error():
    """It crosses processes with its class, its text, its journal and its attributes."""
    error = await failure(Status(403))
    again = pickle.loads(pickle.dumps(error))

    assert type(error) is type(again)
    assert (str(error), vars(error)) == (str(again), vars(again))
    assert 403 == vars(again)["status"]


async def test_no_repr_of_the_parts_shows_a_secret():
    """Every object that a debugger may show is safe."""
    proxy = f"http://{USERNAME}:hunter22@127.0.0.1:1"
    mihu = MihuClient(TOKEN, base_url="http://127.0.0.1:1", proxy=proxy, headers={"X-Api-Key": HEADER})

    assert_clean(repr((mihu, transport_of(mihu), pipeline_of(mihu), mihu.numbers, mihu.trunks)))
