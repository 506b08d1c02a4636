"""A caller of what is below `/_sandbox/`, which sends no token."""

from typing import Any

import aiohttp
import attrs
import pytest
from yarl import URL

from mihu_async.sandbox import Sandbox
from tests.sandbox.conftest import Reply


@attrs.frozen
class Visitor:
    """Sends a request to a sandbox's own pages, each on a new connection."""

    sandbox: Sandbox

    async def __call__(self, method: str, path: str, **options: Any) -> Reply:
        """Send to a path below `/_sandbox` and read the answer whole."""
        url = URL(f"{self.sandbox.base_url}/_sandbox{path}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, allow_redirects=False, **options) as response,
        ):
            return Reply(response.status, response.headers, await response.read())


@pytest.fixture
def visit(sandbox: Sandbox) -> Visitor:
    """Return a caller for the small sandbox's own pages."""
    return Visitor(sandbox)


@pytest.fixture
def visitor_of() -> type[Visitor]:
    """Return what makes a caller for a test's own sandbox."""
    return Visitor
