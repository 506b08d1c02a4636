"""Hosts as their users run them, and how they are told to stop."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientConnectorError, ClientSession
from aiohttp.test_utils import TestServer
from aiohttp.web import Application, RouteDef
from attrs import frozen

EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = (sys.executable, "-W", "error")


def raise_fees(body: Any) -> None:
    """Raise the fees of a search above the bound that the hosts have by default."""
    for row in body["data"]["items"]:
        row["monthly_fee"] = 5.01


@frozen
class Server:
    """A server in a process of its own."""

    url: str
    process: asyncio.subprocess.Process

    async def stop(self) -> tuple[int, str]:
        """Ask it to stop, as an init system does, and give its exit code and what it had to say."""
        self.process.terminate()
        said, _ = await self.process.communicate()
        return self.process.returncode or 0, said.decode()


class Platform:
    """A messaging service on loopback."""

    def __init__(self, *routes: RouteDef) -> None:
        app = Application()
        app.add_routes(routes)
        self._server = TestServer(app, handler_cancellation=True)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.close()

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return str(self._server.make_url(path))


@asynccontextmanager
async def server(*command: str) -> AsyncGenerator[Server]:
    """Run a server with Python, on the port that stands in PORT and for {port} in the command, until it answers."""
    port = free_port()
    words = [word.format(port=port) for word in command]
    process = await asyncio.create_subprocess_exec(
        *PYTHON,
        *words,
        env=environment(PORT=str(port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        async with ClientSession() as session:
            await until(lambda: answers(session, url, process))
        yield Server(url, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def answers(session: ClientSession, url: str, process: asyncio.subprocess.Process) -> bool:
    """Tell whether a server answers yet; it must not have ended."""
    assert process.returncode is None, (await process.communicate())[0].decode()
    try:
        async with session.get(url):
            return True
    except ClientConnectorError:
        return False


async def until(holds: Callable[[], bool | Coroutine[Any, Any, bool]]) -> None:
    """Wait until something holds."""
    while True:
        held = holds()
        if held is True or (isinstance(held, Coroutine) and await held):
            return
        await asyncio.sleep(0.005)


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a host in its own process, where Python's development mode would only take time."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDEVMODE"} | more


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def terminate() -> None:
    """Ask the host in this process to stop, as an init system does; never where nothing would catch it."""
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    signal.raise_signal(signal.SIGTERM)


@asynccontextmanager
async def bot(main: Coroutine[Any, Any, None], connected: asyncio.Event) -> AsyncGenerator[asyncio.Task[None]]:
    """Run a bot from its connection until it was asked to stop."""
    task = asyncio.create_task(main)
    await until(lambda: connected.is_set() or task.done())
    try:
        yield task
    finally:
        if not task.done():
            terminate()
        await task
