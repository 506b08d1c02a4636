"""Explains why a proxy from the environment cannot be used. Pure: the environment is an argument."""

from collections.abc import Mapping

from attrs import frozen
from yarl import URL

SCHEMES = ("http", "https")


@frozen
class UnusableProxy:
    """A proxy from the environment that cannot be used; as text, a sentence with the reason."""

    variable: str
    """The environment variable that names the proxy."""
    reason: str
    """The reason, without the proxy's user and password."""

    def __str__(self) -> str:
        return f"{self.variable} names a proxy that cannot be used: {self.reason}."


def find_unusable(scheme: str, environment: Mapping[str, str]) -> UnusableProxy | None:
    """Return the proxy that the environment names for a scheme if it cannot be used, else None.

    The scheme's own variable takes precedence over ``ALL_PROXY``, and a lower-case variable over an upper-case one.
    """
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    variable = next((name for name in names if environment.get(name)), None)
    if variable is None:
        return None
    reason = why_unusable(environment[variable])
    return UnusableProxy(variable, reason) if reason else None


def why_unusable(proxy: str) -> str:
    """Return the reason why a proxy cannot be used, without its user and password; an empty text if it can."""
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError:
        return "it is not an address such as http://proxy.example.com:3128"
    faults = {
        f"{url.scheme}:// is not supported, only http:// and https://": url.scheme not in SCHEMES,
        "it names no host": not url.host,
        "its host is not a valid name": not _is_name(url.host or "localhost"),
        "its user contains a colon, which Basic authentication cannot send": ":" in (url.user or ""),
        "its user or password is not ASCII": not f"{url.user}{url.password}".isascii(),
    }
    return next((reason for reason, applies in faults.items() if applies), "")


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True
