"""The workspace that the hosts work for: a sandbox that the environment names, as it does for their users."""

import pytest

from mihu_async import MihuClient, RetryPolicy
from tests.internals import transport_of


@pytest.fixture(autouse=True)
def workspace(mihu_sandbox, monkeypatch, tmp_path):
    """Point the environment at a sandbox, and at a ledger that is new."""
    monkeypatch.setenv("LEDGER", str(tmp_path / "purchases.db"))
    monkeypatch.setenv("MIHU_API_TOKEN", mihu_sandbox.token)
    monkeypatch.setenv("MIHU_BASE_URL", mihu_sandbox.base_url)
    return mihu_sandbox


@pytest.fixture
def _clients(monkeypatch):
    """See that a host closes the clients that it makes in this process, which try again without a wait."""
    made: list[MihuClient] = []
    initialize = MihuClient.__init__

    def make(self, *args, **kwargs) -> None:
        initialize(self, *args, retries=RetryPolicy(base_delay=0), **kwargs)
        made.append(self)

    monkeypatch.setattr(MihuClient, "__init__", make)
    yield

    assert made
    assert [] == [client for client in made if transport_of(client).sessions.own]
