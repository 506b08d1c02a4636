import asyncio
import gc
import json
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from threading import Thread, active_count
from typing import Any

import aiohttp
import pytest
import trustme

from mihu_async.sandbox import Hang, Sandbox, SlowBody

SCRIPT = """
import asyncio, socket
from mihu_async.sandbox import Hang, Sandbox

def connect(sandbox):
    client = socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])))
    client.sendall(f"GET / HTTP/1.1\\r\\nHost: a\\r\\nAuthorization: Bearer {sandbox.token}\\r\\n\\r\\n".encode())
    return client

async def main():
    async with Sandbox(numbers=3, trunks=1) as sandbox:
        sandbox.faults.add(Hang())
        client = connect(sandbox)
        while not sandbox.journal:
            await asyncio.sleep(0.001)
    client.close()

asyncio.run(main())
with Sandbox(numbers=3, trunks=1) as sandbox:
    sandbox.faults.add(Hang())
    hanging, idle = connect(sandbox), connect(sandbox)
    assert idle.recv(10)
hanging.close()
idle.close()
print("done")
"""


def fetch(sandbox, context=None) -> Any:
    """Get the listing of numbers without an event loop."""
    request = urllib.request.Request(  # noqa: S310 (the scheme is the sandbox's)
        f"{sandbox.base_url}/api/v1/phone-numbers", headers={"Authorization": f"Bearer {sandbox.token}"}
    )
    with urllib.request.urlopen(request, context=context) as response:  # noqa: S310 (same)
        return json.load(response)["data"]


async def until(condition) -> None:
    """Let the loop run until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def authority():
    """Return a certificate authority for this machine's own address."""
    return trustme.CA()


@pytest.fixture
def server_context(authority):
    """Return what a server on loopback needs for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def client_context(authority):
    """Return what a client of that server needs."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_serves_in_the_running_loop(caller_of):
    """`async with` serves without a thread."""
    threads = active_count()
    async with Sandbox(3, 0) as sandbox:
        reply = await caller_of(sandbox)("GET", "/phone-numbers")

        assert (200, threads) == (reply.status, active_count())


@pytest.mark.parametrize("rounds", range(5))
async def test_a_connection_that_comes_with_the_end_is_closed(rounds):
    """However far the loop has got with it: a socket that is left open would warn when it is collected."""
    async with Sandbox(1, 0) as sandbox:
        with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]))) as client:
            for _ in range(rounds):
                await asyncio.sleep(0)
            await sandbox.stop()
            for _ in range(3):
                gc.collect()
                await asyncio.sleep(0)

            client.settimeout(5)
            with suppress(ConnectionResetError):
                assert b"" == client.recv(1)


def test_serves_from_a_thread():
    """`with` serves a program that has no loop, and ends its thread."""
    threads = active_count()
    with Sandbox(3, 0) as sandbox:
        assert 3 == fetch(sandbox)["pagination"]["total"]

    assert threads == active_count()


def test_address_and_token():
    """A sandbox is on loopback, on a free port, with a token of its seed; two do not meet."""
    with Sandbox(1, 0) as first, Sandbox(1, 0) as second, Sandbox(1, 0, seed=1, token="mine") as third:
        assert first.base_url.startswith("http://127.0.0.1:")
        assert 3 == len({sandbox.base_url for sandbox in (first, second, third)})
        assert (True, "mine") == (first.token == second.token, third.token)


def test_no_address_before_the_start():
    """A sandbox that was never started has no address, and says so in its repr."""
    sandbox = Sandbox(2, 1)

    assert "<Sandbox stopped Inventory(numbers=2, trunks=1)>" == repr(sandbox)
    with pytest.raises(RuntimeError, match="no address"):
        _ = sandbox.base_url


def test_repr_while_serving():
    """The repr of a serving sandbox shows its address and not its token."""
    with Sandbox(2, 1) as sandbox:
        assert f"<Sandbox {sandbox.base_url} Inventory(numbers=2, trunks=1)>" == repr(sandbox)


def test_sandbox_of_ipv6(unused_ipv6):
    """An IPv6 address stands in brackets."""
    with Sandbox(1, 0, host=unused_ipv6) as sandbox:
        assert sandbox.base_url.startswith("http://[::1]:")
        assert 1 == fetch(sandbox)["pagination"]["total"]


@pytest.fixture
def unused_ipv6():
    """Return the IPv6 loopback, where there is one."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
    return "::1"


async def test_starts_again_where_it_was(caller_of):
    """A sandbox that is stopped refuses connections; started again it has its address and its state."""
    sandbox = Sandbox(2, 0)
    call = caller_of(sandbox)
    await sandbox.start()
    address = sandbox.base_url
    sandbox.inventory.insert()
    await sandbox.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await call("GET", "/phone-numbers")
    await sandbox.start()

    assert (address, 3) == (sandbox.base_url, (await call("GET", "/phone-numbers")).json["data"]["pagination"]["total"])
    await sandbox.stop()


async def test_stopping_twice(sandbox):
    """Stopping a sandbox that does not serve does nothing."""
    await sandbox.stop()
    await sandbox.stop()

    assert "stopped" in repr(sandbox)


async def test_starting_twice(sandbox, call):
    """A sandbox that serves cannot be started, in its loop or in a thread, and serves on."""
    with pytest.raises(RuntimeError, match="already"):
        await sandbox.start()
    with pytest.raises(RuntimeError, match="already"), sandbox:
        pytest.fail("it was entered twice")

    assert 200 == (await call("GET", "/phone-numbers")).status


def test_port_that_is_taken():
    """A port that is taken is an OSError, from a thread too, and leaves nothing behind."""
    threads = active_count()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="in use"), Sandbox(1, 0, port=taken.getsockname()[1]):
            pytest.fail("it took the port")

    assert threads == active_count()


def test_leaving_what_was_not_entered():
    """Leaving a sandbox that was not entered does nothing."""
    sandbox = Sandbox(1, 0)
    sandbox.__exit__(None, None, None)

    assert "stopped" in repr(sandbox)


async def test_thread_is_stopped_and_started_from_another_loop(caller_of):
    """A sandbox in a thread can be stopped and started by a test that has a loop of its own."""
    with Sandbox(2, 0) as sandbox:
        call = caller_of(sandbox)
        await sandbox.stop()
        with pytest.raises(aiohttp.ClientConnectorError):
            await call("GET", "/phone-numbers")
        await sandbox.start()

        assert 200 == (await call("GET", "/phone-numbers")).status


@pytest.mark.parametrize("fault", [Hang(), SlowBody(60, chunks=2)], ids=["hang", "slow body"])
async def test_stops_at_once(caller_of, fault):
    """Stopping breaks what hangs, without waiting for it."""
    clock = asyncio.get_running_loop().time
    async with Sandbox(3, 0) as sandbox:
        sandbox.faults.add(fault, times=None)
        pending = asyncio.create_task(caller_of(sandbox)("GET", "/phone-numbers"))
        await until(lambda: sandbox.journal and sandbox.journal[0].fault)
        begun = clock()

    assert clock() - begun < 1
    with pytest.raises(aiohttp.ClientError):
        await pending


async def test_stops_while_clients_are_connected():
    """Connections that are kept alive are closed, without waiting for their clients."""
    clock = asyncio.get_running_loop().time
    async with aiohttp.ClientSession() as session:
        async with Sandbox(3, 0) as sandbox:
            async with session.get(sandbox.base_url) as response:
                await response.read()
            begun = clock()

        assert clock() - begun < 1


async def test_stops_while_a_client_does_not_read():
    """An answer that nobody reads does not hold the sandbox up."""
    clock = asyncio.get_running_loop().time
    async with Sandbox(2000, 0) as sandbox:
        request = (
            "GET /api/v1/phone-numbers?per_page=100 HTTP/1.1\r\nHost: a\r\n"
            f"Authorization: Bearer {sandbox.token}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2]))) as client:
            client.sendall(request.encode() * 200)
            await until(lambda: sandbox.journal)
            begun = clock()
            await sandbox.stop()

            assert clock() - begun < 1


async def test_https(caller_of, server_context, client_context):
    """With a server's context it speaks HTTPS, and its address says so."""
    async with Sandbox(2, 0, ssl=server_context) as sandbox:
        reply = await caller_of(sandbox)("GET", "/phone-numbers", ssl=client_context)

        assert (200, "https") == (reply.status, sandbox.base_url.partition(":")[0])


def test_https_from_a_thread(server_context, client_context):
    """HTTPS is served from a thread too, and stops with a client that hangs."""
    with Sandbox(2, 0, ssl=server_context) as sandbox:
        assert 2 == fetch(sandbox, context=client_context)["pagination"]["total"]
        sandbox.faults.add(Hang())
        failures = []

        def hang():
            try:
                fetch(sandbox, context=client_context)
            except OSError as error:
                failures.append(error)

        client = Thread(target=hang)
        client.start()
        while len(sandbox.journal) < 2 and client.is_alive():
            time.sleep(0.001)
    client.join(5)

    assert 1 == len(failures)


def test_state_changes_from_another_thread():
    """A test changes the state of a sandbox in a thread while it serves, and sees it at once."""
    with Sandbox(2, 0) as sandbox:
        inserted = sandbox.inventory.insert(at=0)
        assert inserted == fetch(sandbox)["items"][0]

        sandbox.inventory.delete(inserted["phone_number_uuid"])
        assert list(sandbox.inventory.numbers) == fetch(sandbox)["items"]


def test_leaves_nothing_open():
    """In development mode, with warnings as errors, a sandbox with hanging and idle clients ends without a word."""
    finished = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ("done\n", "", 0) == (finished.stdout, finished.stderr, finished.returncode)


def test_variables_are_those_of_a_client():
    """The variables are what a client, and a program that binds agents, read from their environment."""
    with Sandbox(1, 0) as sandbox:
        named = ["MIHU_BASE_URL", "MIHU_API_TOKEN", "AGENT", "OTHER_AGENT", "CALLS_AGENT"]

        assert (
            dict(zip(named, (sandbox.base_url, sandbox.token, *sandbox.inventory.free_agents("call")), strict=False))
            == sandbox.variables
        )
