"""The fixtures `mihu_sandbox` and `mihu_client`, which pytest finds wherever the package is installed.

Both are plain fixtures, so they work under any asynchronous test plugin and in tests that are not asynchronous.
Nothing heavy is imported until one of them is asked for.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mihu_async import MihuClient
    from mihu_async.sandbox.server import Sandbox

MARKER = (
    "mihu_sandbox(**settings): set up the sandbox of a test; "
    "the keywords are those of mihu_async.sandbox.Sandbox, such as numbers=1000."
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that sets up a test's sandbox."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def mihu_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """Serve a Mihu sandbox on loopback; @pytest.mark.mihu_sandbox(numbers=…) or an override sets it up."""
    from mihu_async.sandbox.server import Sandbox  # noqa: PLC0415 (nobody else's tests pay for it)

    marker: pytest.Mark | None = request.node.get_closest_marker("mihu_sandbox")
    with Sandbox(**(marker.kwargs if marker else {})) as sandbox:
        yield sandbox


@pytest.fixture
def mihu_client(mihu_sandbox: "Sandbox") -> "MihuClient":
    """Return a MihuClient for the sandbox; it opens its session on first use and closes it with the loop."""
    from mihu_async import MihuClient  # noqa: PLC0415 (nobody else's tests pay for it)

    return MihuClient(token=mihu_sandbox.token, base_url=mihu_sandbox.base_url)
