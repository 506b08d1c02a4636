"""The pytest plugin of mihu_async: the fixtures `mihu_sandbox`, `mihu_client` and `mihu_environment`.

pytest imports this module at the start of every run in the environment, even for suites that do not use it. It is
therefore a module outside the package, and imports nothing from the package until a test requests a fixture.

The fixtures are synchronous, so they work under any asynchronous test plugin and in synchronous tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mihu_async import MihuClient
    from mihu_async.sandbox import Sandbox

MARKER = (
    "mihu_sandbox(**settings): set up the sandbox of a test; "
    "the keywords are those of mihu_async.sandbox.Sandbox, such as numbers=1000."
)
STRICT = "mihu_sandbox_strict"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that makes every test's sandbox strict, unless the test's marker overrides it."""
    parser.addini(STRICT, "fail tests that send or script fields that no page documents", "bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that configures a test's sandbox."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test that passed although its strict sandbox received or answered something undocumented.

    pytest runs the test in another implementation of this hook, and calls later implementations only if it passed.
    """
    sandbox = getattr(item, "funcargs", {}).get("mihu_sandbox")
    if getattr(sandbox, "strict", False) is True:
        from mihu_async.sandbox import Sandbox  # noqa: PLC0415 - other suites do not pay for it

        if isinstance(sandbox, Sandbox):
            sandbox.verify()


@pytest.fixture
def mihu_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Serve a Mihu sandbox on loopback; @pytest.mark.mihu_sandbox(numbers=…) or an override configures it."""
    if not hasattr(pytest, "version_tuple"):
        pytest.fail(f"The fixtures of mihu_async need pytest 7.0 or newer; this is pytest {pytest.__version__}.")
    from mihu_async.sandbox import Sandbox  # noqa: PLC0415 - other suites do not pay for it

    marker: pytest.Mark | None = request.node.get_closest_marker("mihu_sandbox")
    settings = {"strict": request.config.getini(STRICT), **(marker.kwargs if marker else {})}
    with Sandbox(*(marker.args if marker else ()), **settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def _mihu_clients() -> list[MihuClient]:
    """Keep the clients of all tests until the end of the run.

    A client that is garbage-collected while its loop is stopped cannot close its session.
    """
    return []


@pytest.fixture
def mihu_client(mihu_sandbox: Any, _mihu_clients: list[MihuClient]) -> MihuClient:
    """Return a MihuClient for the sandbox that fails fast: no waits between attempts, 3 s to read, 10 s in total.

    It is as strict as the sandbox: with a strict one, an answer that cannot be read in full is an error.
    """
    from mihu_async import MihuClient, RetryPolicy, Timeout  # noqa: PLC0415 - other suites do not pay for it

    client = MihuClient(
        token=mihu_sandbox.token,
        base_url=mihu_sandbox.base_url,
        retries=RetryPolicy(base_delay=0),
        timeout=Timeout(total=10, read=3),
        strict=getattr(mihu_sandbox, "strict", False) is True,
    )
    _mihu_clients.append(client)
    return client


@pytest.fixture
def mihu_environment(mihu_sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point MIHU_API_TOKEN and MIHU_BASE_URL at the sandbox, for code that creates its client; return the sandbox."""
    monkeypatch.setenv("MIHU_API_TOKEN", mihu_sandbox.token)
    monkeypatch.setenv("MIHU_BASE_URL", mihu_sandbox.base_url)
    monkeypatch.delenv("MIHU_TENANT", raising=False)
    return mihu_sandbox
