"""Fixtures that several test folders share."""

import logging
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import ClientResponse
from aioresponses import aioresponses
from hypothesis import settings

from mihu_async import MihuClient, RetryPolicy
from mihu_async.core.transport import Body
from mihu_async.sandbox import Sandbox

# jsonschema would make 38 parsers of it for formats that no test uses, which takes each worker a second
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # it may be missing

pytest_plugins = ["pytester"]
settings.register_profile("any machine", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("any machine")
logging.getLogger("asyncio").setLevel(
    logging.ERROR
)  # in development mode it warns of slow callbacks: of a busy machine


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the test against the contract where slow tests are left out: to collect it, all its cases are made."""
    return (collection_path.name == "test_openapi.py" and config.option.markexpr == "not slow") or None


class _CompatibleResponse(ClientResponse):
    """The response that aioresponses makes, with the argument that aiohttp needs since 3.14."""

    def __init__(self, *args, **kwargs) -> None:
        try:
            super().__init__(*args, stream_writer=Mock(output_size=0), **kwargs)
        except TypeError:  # aiohttp before 3.14
            super().__init__(*args, **kwargs)


class Wire(aioresponses):
    """aioresponses for the current aiohttp; ``sent`` holds (method, URL, keyword arguments) as they came."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []

    def add(self, *args, **kwargs) -> None:
        kwargs.setdefault("response_class", _CompatibleResponse)
        super().add(*args, **kwargs)

    async def _request_mock(self, orig_self, method, url, *args: Any, **kwargs: Any) -> ClientResponse:
        body = kwargs["data"]
        self.sent.append((method, url, kwargs | {"data": body.decode().encode() if isinstance(body, Body) else body}))
        return await super()._request_mock(orig_self, method, url, *args, **kwargs)


@pytest.fixture
def wire():
    """Answers what the client sends, without a network."""
    with Wire() as mocked:
        yield mocked


@pytest.fixture
async def sandbox():
    """A workspace of a page."""
    async with Sandbox(numbers=3, trunks=2) as served:
        yield served


@pytest.fixture
async def mihu(sandbox):
    """Its client, which does not wait between attempts."""
    async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(base_delay=0)) as connected:
        yield connected


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    """Keep what the developer's shell says about Mihu and proxies out of the tests."""
    for name in (
        "MIHU_API_TOKEN",
        "MIHU_TENANT",
        "MIHU_BASE_URL",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def redis_url(tmp_path):
    """Run a Redis server of our own on loopback."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {"--port": port, "--bind": "127.0.0.1", "--save": "", "--dir": tmp_path}
    command = [program, *[str(word) for option in options.items() for word in option]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert any("Ready to accept connections" in line for line in server.stdout), "redis-server did not start"
        yield f"redis://127.0.0.1:{port}"
        server.kill()
