import pytest

from mihu_async.sandbox.admin.guard import refusal


def asked(**changes):
    """Return why a request like that of the inspector's page is refused, but for some changes."""
    ordinary = {"peer": "127.0.0.1", "host": "127.0.0.1:8080", "origin": None, "scheme": "http"}
    found = refusal(**(ordinary | changes))
    return found and (found.status, found.details)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::1%lo"])
def test_programs_of_this_machine(peer):
    """Each address of loopback is let through, in IPv4, in IPv6, and IPv4 within IPv6."""
    assert asked(peer=peer) is None


@pytest.mark.parametrize("peer", ["192.0.2.7", "::ffff:192.0.2.7", "fe80::1%eth0", "nonsense", None])
def test_programs_of_other_machines(peer):
    """Whoever comes from elsewhere, or from nowhere, is refused."""
    assert (403, "only programs on the sandbox's own machine may use this") == asked(peer=peer)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080"])
def test_names_of_this_machine(host):
    """A Host that can only mean this machine is let through, with any port, so a forwarded one works."""
    assert asked(host=host) is None


@pytest.mark.parametrize("host", ["evil.example:8080", "localhost.evil.example", "192.0.2.7", "", "[::1", "[::1]x"])
def test_other_names(host):
    """A Host of another name is refused, also where that name was pointed at 127.0.0.1 (DNS rebinding)."""
    assert (403, f"the Host {host!r} is not a name of this machine, such as 127.0.0.1 or localhost") == asked(host=host)


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "http"),
        ("http://localhost:8080", "LocalHost:8080", "http"),
        ("https://[::1]:8080", "[::1]:8080", "https"),
    ],
)
def test_own_origin(origin, host, scheme):
    """The page's own requests name the address that it was read from, and are let through."""
    assert asked(origin=origin, host=host, scheme=scheme) is None


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:3000", "http://localhost:8080", "https://127.0.0.1:8080", "null"],
)
def test_other_origins(origin):
    """A page of another site, port, name or scheme is refused, and so is one without an origin of its own."""
    assert (403, f"the Origin {origin!r} is not the sandbox's own") == asked(origin=origin)
