"""Restricts the inspector to programs on this machine and to its own page.

No token is required, so pages of other sites must be kept out. Their `Origin` identifies them; if a site points a name
of its own at 127.0.0.1 (DNS rebinding), the `Host` does.
"""

import re
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from mihu_async.sandbox.refusals import RefusedError

HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]*))(?::[0-9]*)?")


def refusal(*, peer: str | None, host: str, origin: str | None, scheme: str) -> RefusedError | None:
    """Return the refusal of a request, or None if it is allowed.

    Args:
        peer: The client's address, None if unknown.
        host: The `Host` header, with or without a port.
        origin: The `Origin` header, None if absent, as from programs that are not browsers.
        scheme: The scheme of the sandbox, `http` or `https`.
    """
    if peer is None or not _is_loopback(peer):
        return _forbidden("only programs on the sandbox's own machine may use this")
    if not _names_loopback(host):
        return _forbidden(f"the Host {host!r} is not a name of this machine, such as 127.0.0.1 or localhost")
    if origin is not None and origin.lower() != f"{scheme}://{host}".lower():
        return _forbidden(f"the Origin {origin!r} is not the sandbox's own")
    return None


def _names_loopback(host: str) -> bool:
    found = HOST.fullmatch(host)
    name = (found[1] or found[2]) if found else ""
    return name.lower() == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _forbidden(details: str) -> RefusedError:
    return RefusedError(status=HTTPStatus.FORBIDDEN, code="FORBIDDEN", message="Forbidden.", details=details)
