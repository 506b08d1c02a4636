"""The fixtures `mihu_sandbox`, `mihu_client` and `mihu_environment`, for every test where the package is installed.

All are plain fixtures, so they work under any asynchronous test plugin and in tests that are not asynchronous.
Nothing heavy is imported until one of them is asked for.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from mihu_async import MihuClient
    from mihu_async.sandbox.server import Sandbox

MARKER = (
    "mihu_sandbox(**settings): set up the sandbox of a test; "
    "the keywords are those of mihu_async.sandbox.Sandbox, such as numbers=1000."
)
STRICT = "mihu_sandbox_strict"

CLIENTS: pytest.StashKey[list["MihuClient"]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the setting that makes every test's sandbox strict, unless its marker says otherwise."""
    parser.addini(STRICT, "fail tests that send or script fields that no page documents", "bool", default=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> "Generator[None, object, object]":
    """Fail a test that is over and well where its strict sandbox met what no page documents."""
    result = yield
    sandbox: Sandbox | None = getattr(item, "funcargs", {}).get("mihu_sandbox")
    if sandbox is not None and sandbox.strict:
        sandbox.verify()
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that sets up a test's sandbox."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def mihu_sandbox(request: pytest.FixtureRequest) -> "Iterator[Sandbox]":
    """Serve a Mihu sandbox on loopback; @pytest.mark.mihu_sandbox(numbers=…) or an override sets it up."""
    from mihu_async.sandbox.server import Sandbox  # noqa: PLC0415 (nobody else's tests pay for it)

    marker: pytest.Mark | None = request.node.get_closest_marker("mihu_sandbox")
    settings = {"strict": request.config.getini(STRICT), **(marker.kwargs if marker else {})}
    with Sandbox(*(marker.args if marker else ()), **settings) as sandbox:
        yield sandbox


@pytest.fixture
def mihu_client(request: pytest.FixtureRequest, mihu_sandbox: "Sandbox") -> "MihuClient":
    """Return an impatient MihuClient for the sandbox: no waits between attempts, 3 s to read, 10 in all.

    It is as strict as the sandbox: with a strict one, what of an answer cannot be read is an error.
    """
    from mihu_async import MihuClient, RetryPolicy, Timeout  # noqa: PLC0415 (nobody else's tests pay for it)

    client = MihuClient(
        token=mihu_sandbox.token,
        base_url=mihu_sandbox.base_url,
        retries=RetryPolicy(base_delay=0),
        timeout=Timeout(total=10, read=3),
        strict=mihu_sandbox.strict,
    )
    # kept to the end of the run: a client that is dropped while its loop stands still could not close its session
    request.config.stash.setdefault(CLIENTS, []).append(client)
    return client


@pytest.fixture
def mihu_environment(mihu_sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> "Sandbox":
    """Point MIHU_API_TOKEN and MIHU_BASE_URL at the sandbox, for code that makes its own MihuClient(); give it."""
    monkeypatch.setenv("MIHU_API_TOKEN", mihu_sandbox.token)
    monkeypatch.setenv("MIHU_BASE_URL", mihu_sandbox.base_url)
    monkeypatch.delenv("MIHU_TENANT", raising=False)
    return mihu_sandbox
