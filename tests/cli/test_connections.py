import json

import pytest

from mihu_async.cli.errors import Exit

CREATE = "sip-connections create +12345678901 --name Desk --gateway sip.acme.com --secondary-gateway sip2.acme.com"


@pytest.fixture(autouse=True)
def _login(monkeypatch):
    monkeypatch.setenv("MIHU_SIP_USERNAME", "acme")
    monkeypatch.setenv("MIHU_SIP_PASSWORD", "hunter22")


def test_a_connection_is_created_and_used(command, sandbox):
    """An agent takes it, and takes it from another one where that is asked for."""
    first, second, *_ = sandbox.inventory.free_agents("call")
    created = command(f"{CREATE} --sip-login env")
    uuid = json.loads(created.out)["uuid"]
    assigned = command(f"agents assign-sip-connection {first} {uuid}")
    refused = command(f"agents assign-sip-connection {second} {uuid}")
    forced = command(f"agents assign-sip-connection {second} {uuid} --force")

    assert [Exit.DONE, Exit.DONE, Exit.REFUSED, Exit.DONE] == [
        done.code for done in (created, assigned, refused, forced)
    ]
    assert first == json.loads(assigned.out)["agent_uuid"]
    assert {
        "username": "acme",
        "password": "hunter22",
        "secondary_gateway": "sip2.acme.com",
    }.items() <= sandbox.journal[0].json.items()
    assert "hunter22" not in created.out + created.err


def test_a_connection_needs_both_parts_of_a_login(command, sandbox, monkeypatch):
    """Nothing is sent without."""
    monkeypatch.delenv("MIHU_SIP_PASSWORD")
    done = command(f"{CREATE} --sip-login env")

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert "--sip-login env contains no password." in done.err
