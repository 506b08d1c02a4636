import asyncio
import gc
import gzip
import inspect
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import aiohttp.test_utils
import pytest
import trustme
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import TransferEncodingError
from multidict import CIMultiDict
from yarl import URL

from mihu_async import (
    APIError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DecodeError,
    MihuClient,
    MihuError,
    OutcomeUnknownError,
    RequestTimeoutError,
    RetryPolicy,
    Timeout,
    TransportError,
    UsageError,
)
from mihu_async.core import failures
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import RAW, describe
from mihu_async.sandbox import (
    Hang,
    OversizeBody,
    Redirect,
    Reset,
    Sandbox,
    SlowBody,
    Truncate,
)
from tests.doubles import client
from tests.internals import transport_of

ONCE = RetryPolicy(max_attempts=1)
GET = describe("GET", "/phone-numbers", RAW)
POST = describe("POST", "/phone-numbers", RAW, json={})
PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A small sandbox in the test's own loop."""
    async with Sandbox(numbers=5, trunks=2) as served:
        yield served


def connect(sandbox: Sandbox, **options) -> MihuClient:
    """Make a client that makes one attempt."""
    return MihuClient(sandbox.token, base_url=sandbox.base_url, **{"retries": ONCE} | options)


@asynccontextmanager
async def raw_server(answer: bytes):
    """Serve bytes that no HTTP library would send."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


THEIRS = [error for _, error in inspect.getmembers(aiohttp, inspect.isclass) if issubclass(error, aiohttp.ClientError)]
NETWORK = [*THEIRS, TimeoutError, OSError, ConnectionResetError, ssl.SSLError]


def instance(kind):
    """Make an exception without what its class asks for."""
    return kind.__new__(kind)


@pytest.mark.parametrize("kind", NETWORK)
@pytest.mark.parametrize("sent", [None, True, False])
def test_every_failure_of_the_library_beneath_has_its_meaning(kind, sent):
    """None of aiohttp's exceptions, nor a new one, is a stranger in the caller's hands."""
    assert issubclass(failures.error_class(instance(kind), sent=sent), TransportError)
    assert issubclass(kind, failures.NETWORK)


@pytest.mark.parametrize("kind", NETWORK)
def test_what_began_to_leave_may_have_been_carried_out(kind):
    """A body decides whether a purchase may be sent again, and not the name of a failure."""
    for sent, never in ((True, False), (False, True)):
        assert issubclass(failures.error_class(instance(kind), sent=sent), ConnectError) is never


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (aiohttp.ClientConnectorDNSError, ConnectError),
        (aiohttp.ClientProxyConnectionError, ConnectError),
        (aiohttp.ClientConnectorCertificateError, ConnectError),
        (aiohttp.ClientHttpProxyError, ConnectError),
        (aiohttp.ServerFingerprintMismatch, ConnectError),
        (aiohttp.ConnectionTimeoutError, ConnectTimeoutError),
        (aiohttp.SocketTimeoutError, RequestTimeoutError),
        (TimeoutError, RequestTimeoutError),
        (aiohttp.ServerDisconnectedError, ConnectionLostError),
        (aiohttp.ClientOSError, ConnectionLostError),
        (aiohttp.ClientPayloadError, ConnectionLostError),
        (aiohttp.ClientResponseError, ConnectionLostError),
        (ConnectionResetError, ConnectionLostError),
    ],
)
def test_without_a_body_the_failure_itself_tells(kind, expected):
    """A read that never had a connection is distinguished from one whose answer was lost."""
    assert expected is failures.error_class(instance(kind), sent=None)


@pytest.mark.parametrize("kind", [RuntimeError, TypeError, ValueError])
def test_what_a_session_cannot_do_is_the_callers_fault(kind):
    """Before anything left it is a UsageError, and afterwards an outcome that is not known."""
    before = failures.translate(kind("odd"), POST, "http://x", Redactor(()), sent=False)
    after = failures.translate(kind("odd"), POST, "http://x", Redactor(()), sent=True)

    assert isinstance(before, UsageError)
    assert "Nothing was sent." in str(before)
    assert isinstance(after, ConnectionLostError)
    assert "It may have been applied." in str(after)


async def test_a_hook_that_fails_after_the_answer_does_not_make_a_purchase_repeat(sandbox):
    """Though its failure says that nothing was connected, the purchase has left."""

    async def call_a_dead_collector(*_):
        async with aiohttp.ClientSession() as collector:
            await collector.post("http://127.0.0.1:1/metrics")

    hooks = aiohttp.TraceConfig()
    hooks.on_request_end.append(call_a_dead_collector)
    async with aiohttp.ClientSession(trace_configs=[hooks]) as session:
        mihu = connect(sandbox, session=session, retries=RetryPolicy(base_delay=0))
        with pytest.raises(OutcomeUnknownError):
            await mihu.numbers.buy(**PURCHASE)

    assert 1 == len(sandbox.journal.select(method="POST"))


@pytest.mark.parametrize("total", [0.05, 0.3])
async def test_the_total_is_kept_to_the_moment(sandbox, total):
    """It is not rounded up to a whole second."""
    sandbox.faults.add(Hang(), times=None)
    loop = asyncio.get_running_loop()
    async with connect(sandbox, timeout=Timeout(total=total)) as mihu:
        began = loop.time()
        with pytest.raises(RequestTimeoutError):
            await mihu.numbers.list()

    assert total <= loop.time() - began < total + 0.25


async def test_a_purchase_that_waits_for_a_connection_was_never_sent(sandbox):
    """Where all connections are taken, the request is still here when its time is up."""
    sandbox.faults.add(Hang())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        mihu = connect(sandbox, session=session)
        held = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
        while not sandbox.journal:
            await asyncio.sleep(0.001)
        for bounds in (Timeout(total=0.05), Timeout(connect=0.05)):
            with pytest.raises(ConnectTimeoutError, match="Nothing was sent"):
                await mihu.with_options(timeout=bounds).numbers.buy(**PURCHASE)
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)

    assert 1 == len(sandbox.journal)


async def test_a_look_up_that_hangs_is_bounded(monkeypatch):
    """A name that is never found takes the time of a connection, and a purchase has not left."""

    async def never(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    async with MihuClient("t", base_url="http://acme.invalid", retries=ONCE, timeout=Timeout(connect=0.05)) as mihu:
        with pytest.raises(ConnectTimeoutError):
            await mihu.numbers.buy(**PURCHASE)


@pytest.mark.filterwarnings("ignore:BasicAuth", "ignore:The 'auth' parameter")
async def test_a_session_with_credentials_of_its_own_cannot_be_borrowed(sandbox):
    """The error says why, and shows neither its password nor our token."""
    auth = aiohttp.BasicAuth("user", "hunter22")
    async with aiohttp.ClientSession(auth=auth) as session:
        with pytest.raises(UsageError, match="The session cannot be used") as caught:
            await connect(sandbox, session=session).numbers.list()

    assert "hunter22" not in str(caught.value)
    assert 0 == len(sandbox.journal)


async def test_a_session_that_does_not_unpack_is_sent_plain_answers(sandbox):
    """What it could not read is not asked for."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        assert 5 == len(await connect(sandbox, session=session).numbers.list().collect())

    assert "identity" == sandbox.journal[0].headers["Accept-Encoding"]


async def test_a_large_body_is_sent_without_a_warning(sandbox):
    """What is large is the caller's choice, and the answer is the service's."""
    agent = sandbox.inventory.free_agents("call")[0]
    async with connect(sandbox) as mihu:
        trunk = {"phone_number": "+12345678901", "agent_uuid": agent, "channel": "call"}
        await mihu.trunks.register(**trunk, additional_settings={"note": "x" * 1_100_000})

    assert len(sandbox.journal[0].body) > 1_100_000


async def test_a_middleware_may_read_the_body(sandbox):
    """A borrowed session that signs what it sends finds the JSON."""
    seen: list[str] = []

    async def sign(request, handler):
        seen.append(request.body.decode())
        return await handler(request)

    async with aiohttp.ClientSession(middlewares=[sign]) as session:
        await connect(sandbox, session=session).numbers.buy(**PURCHASE)

    assert ['{"number":"+390790080041","country_code":"IT","type":"local"}'] == seen


def test_threads_with_loops_of_their_own_share_a_client():
    """Each loop has its session, and none closes another one's."""
    with Sandbox(numbers=3, trunks=0) as sandbox, ThreadPoolExecutor(8) as threads:
        mihu = connect(sandbox)

        async def count() -> int:
            return len(await mihu.numbers.list().collect())

        counted = threads.map(lambda _: asyncio.run(count()), range(80))
        assert [3] * 80 == list(counted)


async def test_no_connection_is_a_connect_error():
    """Nothing listens there, so nothing was sent."""
    async with MihuClient("t", base_url="http://127.0.0.1:1", retries=ONCE) as mihu:
        with pytest.raises(
            ConnectError, match=r"GET /api/v1/phone-numbers got no complete answer .* Nothing was sent\."
        ) as caught:
            await mihu.numbers.list()

    assert ("GET", "http://127.0.0.1:1/api/v1/phone-numbers?per_page=100&page=1") == (
        caught.value.method,
        caught.value.url,
    )


async def test_a_connection_that_is_not_made_in_time_was_never_sent():
    """A service that never ends the handshake has not seen the request, so even a purchase is tried again."""
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        policy = RetryPolicy(max_attempts=2, base_delay=0)
        bounds = Timeout(connect=0.02)
        async with MihuClient("t", base_url=f"https://127.0.0.1:{port}", retries=policy, timeout=bounds) as mihu:
            with pytest.raises(ConnectTimeoutError, match="Nothing was sent") as caught:
                await mihu.numbers.buy(**PURCHASE)

    assert 2 == len(caught.value.attempts)
    assert isinstance(caught.value, ConnectError)
    assert isinstance(caught.value, TimeoutError)


@pytest.mark.parametrize("bounds", [Timeout(total=0.25), Timeout(read=0.05)], ids=["total", "read"])
async def test_a_service_that_hangs_is_a_timeout(sandbox, bounds):
    """Both bounds end a silence, and the error is a TimeoutError too."""
    sandbox.faults.add(Hang(), times=None)
    async with connect(sandbox, timeout=bounds) as mihu:
        with pytest.raises(RequestTimeoutError) as caught:
            await mihu.numbers.list()
        with pytest.raises(OutcomeUnknownError, match="It may have been applied"):
            await mihu.numbers.buy(**PURCHASE)

    assert isinstance(caught.value, TimeoutError)
    assert not isinstance(caught.value, ConnectError)


async def test_a_body_that_drips_ends_with_the_total(sandbox):
    """A read bound that is never reached does not keep a call alive."""
    sandbox.faults.add(SlowBody(30, chunks=3000))
    async with connect(sandbox, timeout=Timeout(total=0.1, read=30)) as mihu:
        with pytest.raises(RequestTimeoutError):
            await mihu.numbers.list()


@pytest.mark.parametrize("fault", [Reset(), Truncate()], ids=lambda fault: type(fault).__name__)
async def test_a_connection_that_breaks_is_lost(sandbox, fault):
    """A reset and a cut body are the same to a caller: no complete answer came, also on a connection that was used."""
    async with connect(sandbox) as mihu:
        await mihu.numbers.list()
        sandbox.faults.add(fault)
        with pytest.raises(ConnectionLostError):
            await mihu.numbers.list()
        assert 5 == len(await mihu.numbers.list().collect())


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DATA = b'{"success":true,"data":1}'
SIZED = b"Content-Length: 25\r\n\r\n" + DATA
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
PACKED = gzip.compress(DATA)
BROKEN = [
    pytest.param(HEAD + CHUNKED + b"19\r\n" + DATA[:10], id="cut-chunk"),
    pytest.param(HEAD + CHUNKED + b"19\r\n" + DATA + b"\r\n", id="no-last-chunk"),
    pytest.param(HEAD + SIZED[:-5], id="cut-body"),
    pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 45\r\n\r\n" + PACKED[:30], id="cut-gzip"),
    pytest.param(HEAD + b"X-A: ", id="cut-head"),
    pytest.param(b"", id="nothing"),
]
"""Answers that the connection did not bring to their end."""
AIOHTTP = tuple(map(int, aiohttp.__version__.split(".")[:2]))
FORBIDDEN = [
    pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", None, "Bad status line|Expected HTTP/", id="ssh"),
    pytest.param(b"HTTP/1.1 2xx OK\r\n\r\n", None, "tatus", id="status"),
    pytest.param(HEAD + b"Content-Length: x\r\n\r\n", None, "Content-Length", id="length"),
    pytest.param(HEAD + b"Content-Length: 24\r\n" + SIZED, None, "Content-Length|two lengths", id="two-lengths"),
    pytest.param(HEAD + b"X-A: " + b"a" * 9000 + b"\r\n" + SIZED, None, "max_field_size=", id="long-header"),
    pytest.param(b"HTTP/1.1 200 " + b"O" * 9000 + b"\r\n" + SIZED, None, "max_line_size=", id="long-status-line"),
    pytest.param(
        HEAD + b"X-A: a\r\n" * 200 + SIZED,
        None,
        "max_headers=",
        id="many-headers",
        marks=pytest.mark.skipif(AIOHTTP < (3, 14), reason="aiohttp reads any number of headers before 3.14"),
    ),
    pytest.param(HEAD + b"Bad Header\r\n" + SIZED, None, "header", id="header"),
    pytest.param(HEAD + CHUNKED + b"zz\r\n" + DATA, None, "zz", id="chunk"),
    pytest.param(HEAD + b"Content-Encoding: gzip\r\n" + SIZED, 200, "auto_decompress=False", id="broken-gzip"),
    pytest.param(HEAD + b"Content-Encoding: deflate\r\n" + SIZED, 200, "auto_decompress=False", id="broken-deflate"),
    pytest.param(HEAD + b"Content-Encoding: acme\r\n" + SIZED, 200, "'acme' was not asked for", id="unknown-encoding"),
    pytest.param(HEAD + b"Content-Encoding: gzip, br\r\n" + SIZED, 200, "was not asked for", id="two-encodings"),
]
"""Answers that HTTP forbids, the status that can be read of them, and what the error says."""


@asynccontextmanager
async def talking_to(*answer: bytes, **options):
    """Return a client of a server that answers always so, in one piece or several, and what it was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        first, *later = answer
        writer.write(first)
        for piece in later:
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(piece)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    policy = RetryPolicy(max_attempts=2, base_delay=0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, MihuClient("secret-token-x", base_url=address, **{"retries": policy} | options) as mihu:
        yield mihu, asked


@pytest.mark.parametrize("answer", BROKEN)
async def test_a_connection_that_breaks_within_an_answer_is_asked_again(answer):
    """It is the network's fault, and another attempt may mend it."""
    async with talking_to(answer) as (mihu, asked):
        with pytest.raises(ConnectionLostError):
            await mihu.request("GET", "/x")

    assert 2 == len(asked)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("answer", "status", "why"), FORBIDDEN)
async def test_what_http_forbids_cannot_be_read(answer, status, why, method):
    """It comes the same again, so it is not asked for again; no header of the request is to be found in the error."""
    async with talking_to(answer) as (mihu, asked):
        with pytest.raises(DecodeError, match=why) as caught:
            await mihu.request(method, "/x")

    assert 1 == len(asked) == len(caught.value.attempts)
    assert status == caught.value.attempts[0].status
    assert (status, False) == (caught.value.status, caught.value.transient)
    assert ("It may have been applied." in str(caught.value)) is (method != "GET" and "forbids (" in str(caught.value))
    assert "secret-token-x" not in f"{caught.value} {vars(caught.value)}"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("answer", "status", "why"), FORBIDDEN)
async def test_a_write_whose_answer_http_forbids_is_in_doubt(answer, status, why):
    """It may have been applied, so it is not sent again blindly."""
    async with talking_to(answer) as (mihu, asked):
        with pytest.raises(OutcomeUnknownError, match=why) as caught:
            await mihu.request("POST", "/x", json={})

    assert 1 == len(asked)
    assert isinstance(caught.value.__cause__, DecodeError)
    assert status == caught.value.__cause__.status


@pytest.mark.parametrize(
    "pieces",
    [(CHUNKED, b"zz\r\n" + DATA), (CHUNKED + b"5\r\n" + DATA[:5], b"no end"), (CHUNKED + b"5\r\n", DATA)],
    ids=["size", "end", "length"],
)
async def test_a_body_that_breaks_the_rules_after_its_head_is_not_waited_for(pieces):
    """The reader learns it at once, and not when the call's time is up."""
    head, *body = pieces
    async with talking_to(HEAD + head, *body, timeout=Timeout(total=5)) as (mihu, asked):
        with pytest.raises(DecodeError) as caught:
            await mihu.request("PUT", "/x")

    assert 1 == len(asked)
    assert 200 == caught.value.status
    assert "It may have been applied." in str(caught.value)


async def test_a_connection_brings_many_bodies_and_may_break_unseen():
    """The watch over one body is gone with it, and a connection that breaks between calls is reported to nobody."""
    contexts: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for _ in range(3):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD + CHUNKED)
            await asyncio.sleep(0.01)
            writer.write(b"19\r\n" + DATA + b"\r\n0\r\n\r\n")
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, MihuClient("t", base_url=address, retries=ONCE) as mihu:
        for _ in range(2):
            assert 1 == await mihu.request("GET", "/x")
        assert 1 == await mihu.request("GET", "/x")
        await asyncio.sleep(0.01)
    gc.collect()

    assert 1 == len(writers)
    assert [] == contexts


async def test_a_close_that_is_cancelled_is_no_error():
    """It gives up a connection that still has to send something, and the call on it ends."""
    contexts: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    answered, ended = asyncio.Event(), asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + CHUNKED + b"5\r\n")
        answered.set()
        await ended.wait()
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, MihuClient("t", base_url=address, retries=ONCE) as mihu:
        call = asyncio.create_task(mihu.request("POST", "/x", json="a" * 2**24))
        await answered.wait()
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(mihu.aclose())
        await asyncio.sleep(0.01)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        with pytest.raises(OutcomeUnknownError):
            await call
        ended.set()
    gc.collect()

    assert [] == contexts


async def test_a_session_of_ones_own_reads_a_long_header():
    """What the error says is the way out is one."""
    answer = HEAD + b"X-A: " + b"a" * 9000 + b"\r\n" + SIZED
    async with (
        aiohttp.ClientSession(max_field_size=20_000, max_line_size=20_000) as session,
        talking_to(answer, session=session) as (mihu, _),
    ):
        assert 1 == await mihu.request("GET", "/x")


async def test_a_refusal_is_read_whatever_its_encoding():
    """Its status says what is wrong, though its body cannot be read."""
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Encoding: acme\r\n" + SIZED
    async with talking_to(answer) as (mihu, _):
        with pytest.raises(APIError) as caught:
            await mihu.request("GET", "/x")

    assert 404 == caught.value.status


async def test_a_session_that_does_not_unpack_does_not_read_what_is_packed():
    """It asked for plain answers, so a packed one is not what it asked for."""
    answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        talking_to(answer, session=session) as (mihu, asked),
    ):
        with pytest.raises(DecodeError, match="'gzip' was not asked for"):
            await mihu.request("GET", "/x")

    assert 1 == len(asked)


async def test_a_secret_in_the_content_type_of_a_breach_is_hidden(wire):
    """It is redacted as it was written, before its capitals go."""
    headers = CIMultiDict([("Content-Length", "25"), ("Content-Length", "24"), ("Content-Type", "text/K3y-Of-Mine")])
    wire.get("https://acme.mihu.ai/api/v1/x", body=DATA, headers=headers)
    async with client(headers={"X-Api-Key": "K3y-Of-Mine"}) as mihu:
        with pytest.raises(DecodeError, match="two lengths") as caught:
            await mihu.request("GET", "/x")

    assert "text/***" == caught.value.content_type


async def test_two_lengths_are_found_without_the_parser(wire):
    """The parser of aiohttp that is written in Python lets them through."""
    headers = CIMultiDict([("Content-Length", "25"), ("Content-Length", "24"), ("Content-Type", "application/json")])
    wire.get("https://acme.mihu.ai/api/v1/x", body=DATA, headers=headers)
    async with client() as mihu:
        with pytest.raises(DecodeError, match="two lengths, 24 and 25"):
            await mihu.request("GET", "/x")


def test_what_aiohttp_raises_bare_has_its_meaning():
    """Its parser in Python raises some breaches of HTTP as they are, and some without a word."""
    for breach in (TransferEncodingError("zz"), HttpProcessingError()):
        error = failures.translate(breach, POST, "http://x", Redactor(()), sent=True)
        assert isinstance(error, DecodeError)
    cut = TransferEncodingError("Not enough data to satisfy transfer length header.")
    assert isinstance(failures.translate(cut, GET, "http://x", Redactor(()), sent=None), ConnectionLostError)


def test_a_proxy_that_does_not_speak_http_has_sent_nothing():
    """Where the body has not begun to leave, whatever was said came from somebody on the way."""
    error = failures.translate(TransferEncodingError("zz"), POST, "http://x", Redactor(()), sent=False)

    assert isinstance(error, ConnectError)


async def test_an_answer_that_is_too_large_is_not_asked_for_again(sandbox):
    """It would be as large again."""
    sandbox.faults.add(OversizeBody(100_000), times=None)
    async with connect(sandbox, max_response_bytes=50_000, retries=RetryPolicy(base_delay=0)) as mihu:
        with pytest.raises(DecodeError, match="larger than max_response_bytes"):
            await mihu.numbers.list()

    assert 1 == len(sandbox.journal)


@pytest.mark.parametrize("location", ["other", "/api/v1/phone-numbers/trunks"])
async def test_a_redirect_is_not_followed(sandbox, location):
    """The token goes nowhere else, and a write is not made twice."""
    async with Sandbox(numbers=0, trunks=0) as other:
        sandbox.faults.add(Redirect(other.base_url if location == "other" else location), times=None)
        async with connect(sandbox) as mihu:
            with pytest.raises(APIError, match=r"A redirect to .* is not followed") as caught:
                await mihu.numbers.list()
            with pytest.raises(OutcomeUnknownError, match=r"A redirect to .* is not followed") as lost:
                await mihu.numbers.buy(**PURCHASE)

        assert 302 == caught.value.status
        assert 302 == getattr(lost.value.__cause__, "status", None)
        assert 0 == len(other.journal)
    assert ["GET", "POST", "GET"] == [entry.method for entry in sandbox.journal]


async def test_a_look_up_asks_for_no_cached_answer(sandbox):
    """Nothing else does."""
    sandbox.faults.play("lost-purchase")
    async with connect(sandbox) as mihu:
        await mihu.numbers.list()
        await mihu.numbers.buy(**PURCHASE)
    asked = [(entry.method, entry.headers.get("Cache-Control")) for entry in sandbox.journal]

    assert [("GET", None), ("POST", None), ("GET", "no-cache")] == asked


@pytest.mark.parametrize(("bound", "fits"), [(100_000, True), (99_999, False)])
async def test_a_body_above_the_bound_is_refused(sandbox, bound, fits):
    """It is not read to its end, and the connection is not kept."""
    sandbox.faults.add(OversizeBody(100_000))
    async with connect(sandbox, max_response_bytes=bound) as mihu:
        if fits:
            assert 5 == len((await mihu.numbers.list()).items)
        else:
            with pytest.raises(DecodeError, match="larger than max_response_bytes"):
                await mihu.numbers.list()


async def test_a_compressed_body_is_bounded_by_what_it_unpacks_to():
    """A small answer cannot become a large one."""
    packed = gzip.compress(b" " * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % len(packed) + packed
    async with raw_server(answer) as base_url:
        mihu = MihuClient("t", base_url=base_url, retries=ONCE, max_response_bytes=1_000_000)
        with pytest.raises(DecodeError, match="larger than max_response_bytes"):
            await mihu.numbers.list()


async def test_a_borrowed_session_stays_open_and_its_habits_do_not_matter(sandbox):
    """A session with an address, headers and rules of its own is only a way to send."""
    habits: dict[str, Any] = {
        "raise_for_status": True,
        "base_url": "http://127.0.0.1:1/",
        "headers": {"Authorization": "Bearer other"},
    }
    async with aiohttp.ClientSession(**habits) as session:
        async with connect(sandbox, session=session) as mihu:
            assert 5 == len(await mihu.numbers.list().collect())
            with pytest.raises(APIError):
                await mihu.request("GET", "/nothing")

        assert not session.closed


async def test_a_borrowed_session_that_was_closed_is_the_callers_fault(sandbox):
    """The error says so, and nothing was sent."""
    session = aiohttp.ClientSession()
    await session.close()
    with pytest.raises(UsageError, match=r"The session cannot be used \(RuntimeError: Session is closed\)") as caught:
        await connect(sandbox, session=session).numbers.list()

    assert "session" == caught.value.argument


def test_a_client_outlives_its_event_loop():
    """A client at module level works under one asyncio.run after the other, and each leaves nothing open."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        mihu = connect(sandbox)

        async def count() -> int:
            return len(await mihu.numbers.list().collect())

        assert [3, 3] == [asyncio.run(count()), asyncio.run(count())]
        gc.collect()  # a session that was left open would warn, and a warning fails the test


def test_a_closed_client_can_be_used_again():
    """Closing ends the connections, in any loop, as often as one likes."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        mihu = connect(sandbox)

        async def count() -> int:
            async with mihu:
                first = len(await mihu.numbers.list().collect())
            await mihu.aclose()
            return first + len(await mihu.numbers.list().collect())

        assert [6, 6] == [asyncio.run(count()), asyncio.run(count())]


async def test_a_client_that_is_dropped_leaves_nothing_open(sandbox):
    """Its session is closed by the loop when nobody holds it any more."""
    mihu = connect(sandbox)
    await mihu.numbers.list()
    (session,) = transport_of(mihu).sessions.own
    del mihu
    gc.collect()
    await asyncio.sleep(0.01)

    assert session.closed


async def test_a_client_with_other_options_shares_the_connections(sandbox):
    """Closing it leaves them open; closing the first one does not."""
    async with connect(sandbox) as mihu:
        async with mihu.with_options(timeout=Timeout(total=5)) as other:
            await other.numbers.list()
        session, *none = transport_of(mihu).sessions.own
        assert [] == none
        assert not session.closed
        await mihu.numbers.list()
    assert session.closed


async def test_cancelled_calls_leave_the_pool_usable(sandbox):
    """After two hundred of them every connection can be had, and none is waited for."""
    sandbox.faults.add(Hang(), times=200)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=10))
    async with session:
        mihu = connect(sandbox, session=session, timeout=Timeout(total=5))
        tasks = [asyncio.create_task(mihu.numbers.list().collect()) for _ in range(200)]
        while len(sandbox.journal) < 10:
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        sandbox.faults.clear()

        assert {asyncio.CancelledError} == {type(outcome) for outcome in outcomes}
        assert [5] * 50 == [
            len(some) for some in await asyncio.gather(*(mihu.numbers.list().collect() for _ in range(50)))
        ]


async def test_a_proxy_carries_the_calls(sandbox, monkeypatch):
    """The proxy given, or the environment's where it is trusted, gets the request with the service's whole address."""
    seen: list[str] = []

    async def proxy(request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        seen.append(f"{request.raw_path} {request.headers.get('Proxy-Authorization')}")
        return aiohttp.web.json_response({"success": True, "data": "through the proxy"})

    server = aiohttp.test_utils.RawTestServer(proxy)
    async with server:
        address = f"http://user:hunter22@127.0.0.1:{server.port}"
        monkeypatch.setenv("HTTP_PROXY", address)
        for options in ({"proxy": address}, {"trust_env": True}):
            async with MihuClient("t", base_url="http://acme.invalid", **options) as mihu:
                assert "through the proxy" == await mihu.request("GET", "/x")
        async with connect(sandbox) as direct:
            await direct.numbers.list()

    assert 2 == len(seen)
    assert {"http://acme.invalid/api/v1/x Basic dXNlcjpodW50ZXIyMg=="} == set(seen)
    assert "hunter22" not in repr(transport_of(mihu))


async def test_a_proxy_that_refuses_shows_no_password():
    """No connection was made, and the error can be shown to anyone."""
    async with MihuClient(
        "t", base_url="http://acme.invalid", proxy="http://user:hunter22@127.0.0.1:1", retries=ONCE
    ) as mihu:
        with pytest.raises(ConnectError) as caught:
            await mihu.numbers.list()

    assert "hunter22" not in f"{caught.value} {caught.value.attempts}"


async def test_certificates_are_checked_as_asked():
    """An unknown authority is refused, a given context or no check lets it in."""
    authority = trustme.CA()
    serving, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(trusting)
    async with Sandbox(numbers=1, trunks=0, ssl=serving) as sandbox:
        assert "https" == URL(sandbox.base_url).scheme
        async with connect(sandbox) as strict:
            with pytest.raises(ConnectError, match=r"certificate verify failed.*Nothing was sent"):
                await strict.numbers.list()
        for trust in (trusting, False):
            async with connect(sandbox, ssl=trust) as mihu:
                assert 1 == len(await mihu.numbers.list().collect())


@pytest.fixture
def authority() -> trustme.CA:
    """An authority that no machine knows."""
    return trustme.CA()


def serving(authority: trustme.CA, host: str) -> ssl.SSLContext:
    """Make a server's context, with a certificate for ``host``."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Make a client's context that knows the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("host", ["acme.mihu.ai", "192.0.2.7"])
async def test_a_certificate_of_another_host_fails_at_once(authority, host):
    """The next attempt would meet it again, and the error says where to look."""
    async with (
        Sandbox(numbers=1, trunks=0, ssl=serving(authority, host)) as sandbox,
        connect(sandbox, ssl=trusting(authority), retries=RetryPolicy()) as mihu,
    ):
        with pytest.raises(ConnectError, match=r"Nothing was sent\. Its certificate is for another host") as caught:
            await mihu.numbers.buy(**PURCHASE)

    assert (1, True, "") == (len(caught.value.attempts), caught.value.is_permanent, caught.value.stopped)


async def test_a_certificate_that_is_not_trusted_fails_at_once(authority):
    """The error says how an authority of one's own is named."""
    async with (
        Sandbox(numbers=1, trunks=0, ssl=serving(authority, "127.0.0.1")) as sandbox,
        connect(sandbox, retries=RetryPolicy()) as mihu,
    ):
        with pytest.raises(ConnectError, match=r"ssl=ssl\.create_default_context\(cafile=…\)") as caught:
            await mihu.numbers.buy(**PURCHASE)

    assert 1 == len(caught.value.attempts)


async def test_another_fingerprint_fails_at_once(authority):
    """A certificate that was changed is no passing failure."""
    async with (
        Sandbox(numbers=1, trunks=0, ssl=serving(authority, "127.0.0.1")) as sandbox,
        connect(sandbox, ssl=aiohttp.Fingerprint(bytes(32)), retries=RetryPolicy()) as mihu,
    ):
        with pytest.raises(ConnectError, match="find out why before you accept it") as caught:
            await mihu.numbers.list()

    assert 1 == len(caught.value.attempts)


async def test_a_server_without_tls_fails_at_once(sandbox):
    """An https address of a plain port is a mistake that no attempt mends."""
    plain = URL(sandbox.base_url).with_scheme("https")
    async with MihuClient("t", base_url=plain) as mihu:
        with pytest.raises(ConnectError, match="The server there speaks no TLS") as caught:
            await mihu.numbers.list()

    assert 1 == len(caught.value.attempts)


async def test_a_handshake_that_breaks_is_tried_again():
    """A server that hangs up in the middle of it may do better next time."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        policy = RetryPolicy(max_attempts=2, base_delay=0)
        async with MihuClient("t", base_url=address, retries=policy) as mihu:
            with pytest.raises(ConnectError) as caught:
                await mihu.numbers.list()

    assert (2, False) == (len(caught.value.attempts), caught.value.is_permanent)


@pytest.mark.parametrize(
    ("status", "attempts", "advice"),
    [
        (407, 1, "The proxy asks for other credentials: proxy='http://user:password@host:port'."),
        (403, 1, "The proxy refuses to connect to this host"),
        (502, 2, ""),
        (429, 2, ""),
        (302, 2, ""),
    ],
)
async def test_a_proxy_that_refuses_a_tunnel_is_asked_once(status, attempts, advice):
    """Its credentials and its rules stay as they are; that it is busy may pass."""
    async with raw_server(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status) as proxy:
        policy = RetryPolicy(max_attempts=2, base_delay=0)
        async with MihuClient("t", base_url="https://acme.invalid", proxy=proxy, retries=policy) as mihu:
            with pytest.raises(ConnectError, match="Nothing was sent") as caught:
                await mihu.numbers.buy(**PURCHASE)

    assert attempts == len(caught.value.attempts)
    assert advice in str(caught.value)


@pytest.mark.parametrize("bounds", [Timeout(total=0.05), Timeout(connect=0.05)], ids=["total", "connect"])
@pytest.mark.parametrize(("limit", "per_host"), [(1, 0), (0, 1)])
async def test_a_pool_that_is_full_is_reported_as_such(sandbox, bounds, limit, per_host):
    """The host is well; it is the session that has no connection to lend, and a read was not sent either."""
    sandbox.faults.add(Hang())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit, limit_per_host=per_host)) as session:
        mihu = connect(sandbox, session=session)
        held = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
        while not sandbox.journal:
            await asyncio.sleep(0.001)
        said = f"limit={limit}, limit_per_host={per_host}"
        with pytest.raises(
            ConnectTimeoutError, match=rf"all connections .* \({said}\) were in use .* Nothing was sent\. Set"
        ) as caught:
            await mihu.with_options(timeout=bounds).numbers.list()
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)

    assert not caught.value.is_permanent


async def test_the_last_block_that_ends_closes_the_connections(sandbox):
    """Two tasks share a client, and the one that ends first cuts off nothing of the other."""
    mihu = connect(sandbox)
    async with mihu:
        session, *_ = transport_of(mihu).sessions.own
        async with mihu:
            await mihu.numbers.list()
        assert not session.closed
        assert 5 == len(await mihu.numbers.list().collect())

    assert session.closed
    async with mihu:
        session, *_ = transport_of(mihu).sessions.own
    assert session.closed


async def test_a_block_of_other_options_outlasts_the_clients_own(sandbox):
    """The connections are closed when it ends too, and by no such block alone."""
    mihu = connect(sandbox)
    other = mihu.with_options(timeout=Timeout(total=5))
    async with other:
        async with mihu:
            session, *_ = transport_of(mihu).sessions.own
        assert not session.closed
        await other.numbers.list()
    assert session.closed

    async with other:
        await other.numbers.list()
    session, *_ = transport_of(mihu).sessions.own
    assert not session.closed
    await other.aclose()
    assert not session.closed
    await mihu.aclose()


def test_blocks_are_counted_by_event_loop():
    """A block that an ended loop left open holds nobody's connections."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        mihu = connect(sandbox)

        async def enter() -> None:
            await mihu.__aenter__()

        async def use() -> bool:
            async with mihu:
                session, *none = transport_of(mihu).sessions.own
                assert [] == none
            return session.closed

        asyncio.run(enter())
        assert asyncio.run(use())
        asyncio.run(mihu.__aexit__(None, None, None))  # as a fixture does whose loop is another one


@pytest.mark.parametrize("borrowed", [False, True], ids=["own", "borrowed"])
async def test_a_call_that_closing_cut_off_says_so(sandbox, borrowed):
    """The server is not blamed, and nobody opens the connections again."""
    sandbox.faults.add(Hang(), times=None)
    session = aiohttp.ClientSession() if borrowed else None
    mihu = connect(sandbox, session=session, retries=RetryPolicy())
    async with mihu:
        call = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
        while not sandbox.journal:
            await asyncio.sleep(0.001)
        await (session.close() if session else mihu.aclose())
        with pytest.raises(ConnectionLostError, match="was cut off: the client was closed") as caught:
            await call

    assert (1, True) == (len(caught.value.attempts), caught.value.is_permanent)
    assert 1 == len(sandbox.journal)


async def test_a_purchase_that_closing_cut_off_is_looked_up(sandbox):
    """What was bought is given to the task that still waits for it."""
    sandbox.faults.add(Hang(after=True), method="POST")
    mihu = connect(sandbox, retries=RetryPolicy(base_delay=0))
    call = asyncio.create_task(mihu.numbers.buy(**PURCHASE))
    while PURCHASE["number"] not in {row["number"] for row in sandbox.inventory.numbers}:
        await asyncio.sleep(0.001)
    await mihu.aclose()

    assert PURCHASE["number"] == (await call).number
    assert 1 == len(sandbox.journal.select(method="POST"))
    await mihu.aclose()


async def test_cookies_are_not_kept(sandbox):
    """A session cookie of the service does not travel with the next call."""
    async with connect(sandbox) as mihu:
        sandbox.faults.add(OversizeBody(1000))
        await mihu.numbers.list()
        session, *_ = transport_of(mihu).sessions.own

    assert isinstance(session.cookie_jar, aiohttp.DummyCookieJar)


async def test_many_calls_at_once_share_one_session(sandbox):
    """First uses that come together do not each make a session."""
    async with connect(sandbox) as mihu:
        await asyncio.gather(*(mihu.numbers.list().collect() for _ in range(20)))
        assert 1 == len(transport_of(mihu).sessions.own)


async def test_errors_of_the_sandbox_are_mihu_errors(sandbox):
    """Whatever goes wrong, one except clause is enough."""
    async with connect(sandbox).with_options() as mihu:
        with pytest.raises(MihuError):
            await mihu.request("GET", "/nothing")
    await mihu.aclose()
