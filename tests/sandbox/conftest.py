"""A sandbox that serves in the test's loop, and a caller that knows nothing of the SDK."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import attrs
import pytest
from yarl import URL

from mihu_async.sandbox import Sandbox

API = "/api/v1"


@attrs.frozen
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a failure."""
        return str(self.json["error"]["code"])


@attrs.frozen
class Caller:
    """Sends a request to a sandbox, each on a new connection; without other headers, the API gets its token."""

    sandbox: Sandbox
    root: str = API

    async def __call__(self, method: str, path: str, **options: Any) -> Reply:
        """Send to a path below the root and read the answer whole."""
        if self.root == API:
            options.setdefault("headers", {"Authorization": f"Bearer {self.sandbox.token}"})
        url = URL(f"{self.sandbox.base_url}{self.root}{path}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, allow_redirects=False, **options) as response,
        ):
            return Reply(response.status, response.headers, await response.read())


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Serve a small sandbox in the test's loop."""
    async with Sandbox(numbers=12, trunks=4) as sandbox:
        yield sandbox


@pytest.fixture
def call(sandbox: Sandbox) -> Caller:
    """Return a caller for the small sandbox."""
    return Caller(sandbox)


@pytest.fixture
def caller_of() -> type[Caller]:
    """Return what makes a caller for a test's own sandbox."""
    return Caller
