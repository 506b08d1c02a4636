import asyncio
import json
import socket
from contextlib import suppress

import aiohttp
import pytest

from mihu_async.sandbox import (
    Answer,
    Delay,
    Hang,
    OversizeBody,
    Redirect,
    Reset,
    SlowBody,
    Status,
    Truncate,
    WrongContentType,
)

PURCHASE = {"number": "+390790080041", "country_code": "IT", "type": "local"}


async def until(condition) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def give_up(sandbox, sending) -> None:
    """Send a request, and leave when it has met its fault."""
    client = asyncio.create_task(sending)
    await until(lambda: sandbox.journal and sandbox.journal[0].fault)
    client.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client


def is_bought(sandbox) -> bool:
    """Tell whether the purchase of these tests was applied."""
    return PURCHASE["number"] in {row["number"] for row in sandbox.inventory.numbers}


async def test_status_has_the_documented_shape(sandbox, call):
    """A status comes in the envelope of a failure and nothing is applied."""
    sandbox.faults.add(Status(503))
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert (503, False, "SERVICE_UNAVAILABLE") == (reply.status, reply.json["success"], reply.code)
    assert not is_bought(sandbox)
    assert (503, "Status") == (sandbox.journal[0].status, sandbox.journal[0].fault)


async def test_status_after_applying(sandbox, call):
    """With `after`, the request is applied and only the answer says otherwise."""
    sandbox.faults.add(Status(500, after=True))
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert 500 == reply.status
    assert is_bought(sandbox)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Status(429), None, id="none"),
        pytest.param(Status(429, retry_after=7), "7", id="seconds"),
        pytest.param(Status(429, 0), "0", id="no seconds"),
        pytest.param(Status(503, "Wed, 21 Oct 2026 07:28:00 GMT"), "Wed, 21 Oct 2026 07:28:00 GMT", id="date"),
        pytest.param(Status(503, retry_after="soon"), "soon", id="nonsense"),
    ],
)
async def test_retry_after(sandbox, call, fault, expected):
    """The Retry-After header is seconds, or any text, or not there."""
    sandbox.faults.add(fault)
    reply = await call("GET", "/phone-numbers")

    assert expected == reply.headers.get("Retry-After")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"errors": {"a": ["b"]}}, b'{"errors":{"a":["b"]}}', id="value"),
        pytest.param("Bad gateway", b"Bad gateway", id="text"),
        pytest.param(b"\xff\x00", b"\xff\x00", id="bytes"),
        pytest.param("", b"", id="nothing"),
    ],
)
async def test_body_of_a_status(sandbox, call, body, expected):
    """A status can have any body."""
    sandbox.faults.add(Status(502, body=body))
    reply = await call("GET", "/phone-numbers")

    assert (502, expected) == (reply.status, reply.body)


async def test_headers_of_a_status(sandbox, call):
    """A status can have any headers, instead of the usual ones too."""
    sandbox.faults.add(Status(500, headers={"X-Request-Id": "edge-1", "Content-Type": "text/plain"}))
    reply = await call("GET", "/phone-numbers")

    assert ("edge-1", "text/plain") == (reply.headers["X-Request-Id"], reply.headers["Content-Type"])


async def test_status_without_a_body(sandbox, call):
    """204 has no body."""
    sandbox.faults.add(Status(204))
    reply = await call("GET", "/phone-numbers")

    assert (204, b"") == (reply.status, reply.body)


async def test_status_that_nobody_knows(sandbox, call):
    """A status that HTTP does not name still comes in the envelope."""
    sandbox.faults.add(Status(599))
    reply = await call("GET", "/phone-numbers")

    assert (599, "INTERNAL_SERVER_ERROR") == (reply.status, reply.code)


async def test_endpoint_that_is_not_built(sandbox, call):
    """A fault plays any path, so an endpoint that the sandbox does not know can be made up."""
    sandbox.faults.add(Status(200, body={"success": True, "data": []}), path="/phone-numbers/search")
    reply = await call("GET", "/phone-numbers/search?country_code=IT")

    assert (200, []) == (reply.status, reply.json["data"])


async def test_redirect(sandbox, call):
    """A redirect has the location, applies nothing and has no body."""
    sandbox.faults.add(Redirect("https://elsewhere.example/", status=307))
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert (307, "https://elsewhere.example/", b"") == (reply.status, reply.headers["Location"], reply.body)
    assert not is_bought(sandbox)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_wrong_content_type(sandbox, call, after):
    """A page comes with 200, in place of applying or on top of it."""
    sandbox.faults.add(WrongContentType(after=after))
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert (200, "text/html", True) == (
        reply.status,
        reply.headers["Content-Type"],
        reply.body.startswith(b"<html>"),
    )
    assert after is is_bought(sandbox)


async def test_delay(sandbox, call):
    """A delayed request is answered truly, no sooner than it should."""
    sandbox.faults.add(Delay(0.02))
    clock = asyncio.get_running_loop().time
    begun = clock()
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert (201, True) == (reply.status, clock() - begun >= 0.02)


async def test_delayed_change_comes_late(sandbox, call):
    """A client that gives up does not stop a delayed change; its journal entry never gets a status."""
    sandbox.faults.add(Delay(0.1))
    await give_up(sandbox, call("POST", "/phone-numbers", json=PURCHASE))

    assert not is_bought(sandbox)
    await until(lambda: is_bought(sandbox))
    await asyncio.sleep(0)
    assert (None, "Delay") == (sandbox.journal[0].status, sandbox.journal[0].fault)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_hang(sandbox, call, after):
    """A hanging request gets no answer, applied or not, and ends when its client leaves."""
    sandbox.faults.add(Hang(after=after))
    await give_up(sandbox, call("POST", "/phone-numbers", json=PURCHASE))

    assert after is is_bought(sandbox)
    assert (None, "Hang") == (sandbox.journal[0].status, sandbox.journal[0].fault)
    await until(lambda: not sandbox.under_way)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_reset(sandbox, call, after):
    """A reset breaks the connection without an answer, before or after applying."""
    sandbox.faults.add(Reset(after=after))
    with pytest.raises(aiohttp.ClientConnectionError):
        await call("POST", "/phone-numbers", json=PURCHASE)

    assert after is is_bought(sandbox)
    assert (None, "Reset") == (sandbox.journal[0].status, sandbox.journal[0].fault)


async def test_reset_is_a_tcp_reset(sandbox):
    """On the wire it is a reset, not an end."""
    sandbox.faults.add(Reset())
    port = int(sandbox.base_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {sandbox.token}\r\n\r\n".encode())

    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    with suppress(ConnectionResetError):
        await writer.wait_closed()


async def test_truncated_body(sandbox):
    """A truncated answer promises the whole body, sends half of it and ends; the request was applied."""
    sandbox.faults.add(Truncate())
    port = int(sandbox.base_url.rpartition(":")[2])
    body = json.dumps(PURCHASE)
    head = f"Host: a\r\nAuthorization: Bearer {sandbox.token}\r\nContent-Type: application/json\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /api/v1/phone-numbers HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    received = await reader.read()
    writer.close()
    await writer.wait_closed()

    promised, sent = received.split(b"\r\n\r\n")
    length = next(int(line.split()[1]) for line in promised.splitlines() if line.startswith(b"Content-Length"))
    assert length // 2 == len(sent)
    assert is_bought(sandbox)
    assert (201, "Truncate") == (sandbox.journal[0].status, sandbox.journal[0].fault)


async def test_truncated_body_is_an_error_to_a_client(sandbox, call):
    """A client that reads a truncated body sees that it is not whole."""
    sandbox.faults.add(Truncate())

    with pytest.raises(aiohttp.ClientPayloadError):
        await call("GET", "/phone-numbers")


async def test_slow_body(sandbox, call):
    """A slow body is the true one, and takes the time it should."""
    sandbox.faults.add(SlowBody(0.02, chunks=4))
    clock = asyncio.get_running_loop().time
    begun = clock()
    reply = await call("GET", "/phone-numbers")

    assert list(sandbox.inventory.numbers) == reply.json["data"]["items"]
    assert clock() - begun >= 0.015


async def test_slow_body_whose_client_leaves(sandbox, call):
    """A client that leaves in the middle of a slow body ends it."""
    sandbox.faults.add(SlowBody(0.05, chunks=50))
    with pytest.raises(TimeoutError):
        await call("GET", "/phone-numbers", timeout=aiohttp.ClientTimeout(total=0.02))

    await until(lambda: not sandbox.under_way)
    assert "SlowBody" == sandbox.journal[0].fault


async def test_oversize_body(sandbox, call):
    """An oversize body has its size and still decodes to the true answer."""
    sandbox.faults.add(OversizeBody(100_000))
    reply = await call("GET", "/phone-numbers")

    assert (100_000, list(sandbox.inventory.numbers)) == (len(reply.body), reply.json["data"]["items"])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(body=b"abcdefghij", chunks=3), [b"abcd", b"efgh", b"ij"], id="chunks"),
        pytest.param(Answer(body=b"ab", chunks=5), [b"a", b"b"], id="more chunks than bytes"),
        pytest.param(Answer(body=b"abcd", cut=3), [b"abc"], id="cut"),
        pytest.param(Answer(body=b"abcd", cut=0), [], id="cut to nothing"),
        pytest.param(Answer(chunks=4), [], id="nothing"),
    ],
)
def test_pieces_of_an_answer(answer, expected):
    """The pieces of an answer are what leaves, none of them empty."""
    assert expected == list(answer.pieces())


async def test_fault_of_your_own(sandbox, call):
    """A class with the one method is a fault: this one applies a request twice and answers the first time's."""

    class Twice:
        async def around(self, exchange):
            first = await exchange.apply()
            self.second = await exchange.apply()
            return first

    sandbox.faults.add(twice := Twice())
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert (201, 409) == (reply.status, twice.second.status)
    assert "Twice" == sandbox.journal[0].fault


async def test_fault_that_fails_itself(sandbox, call, caplog):
    """A fault whose own code fails is a 500 and in the log."""

    class Broken:
        async def around(self, exchange):
            raise LookupError("of my own")

    sandbox.faults.add(Broken())
    reply = await call("GET", "/phone-numbers")

    assert (500, 500) == (reply.status, sandbox.journal[0].status)
    assert "of my own" in caplog.text


async def test_client_that_leaves_before_its_body_is_whole(sandbox):
    """A client that leaves in the middle of its own request leaves no journal entry and nothing under way."""
    port = int(sandbox.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /api/v1/phone-numbers HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
        await until(lambda: sandbox.under_way)

    await until(lambda: not sandbox.under_way)
    assert [] == list(sandbox.journal)
