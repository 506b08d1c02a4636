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

CLIENTS: pytest.StashKey[list["MihuClient"]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that sets up a test's sandbox."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def mihu_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """Serve a Mihu sandbox on loopback; @pytest.mark.mihu_sandbox(numbers=…) or an override sets it up."""
    from mihu_async.sandbox.server import Sandbox  # noqa: PLC0415 (nobody else's tests pay for it)

    marker: pytest.Mark | None = request.node.get_closest_marker("mihu_sandbox")
    with Sandbox(*(marker.args if marker else ()), **(marker.kwargs if marker else {})) as sandbox:
        yield sandbox


@pytest.fixture
def mihu_client(request: pytest.FixtureRequest, mihu_sandbox: "Sandbox") -> "MihuClient":
    """Return an impatient MihuClient for the sandbox: no waits between attempts, a second to read, five in all."""
    from mihu_async import MihuClient, RetryPolicy, Timeout  # noqa: PLC0415 (nobody else's tests pay for it)

    client = MihuClient(
        token=mihu_sandbox.token,
        base_url=mihu_sandbox.base_url,
        retries=RetryPolicy(base_delay=0),
        timeout=Timeout(total=5, read=1),
    )
    # kept to the end of the run: a client that is dropped while its loop stands still could not close its session
    request.config.stash.setdefault(CLIENTS, []).append(client)
    return client
