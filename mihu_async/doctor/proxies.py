"""Why a proxy that the environment names cannot be used. Pure: the environment is handed in."""

from collections.abc import Mapping

from attrs import frozen
from yarl import URL

SCHEMES = ("http", "https")


@frozen
class UnusableProxy:
    """A proxy that the environment names and that cannot be used; as text it is a sentence that says why."""

    variable: str
    """The variable that names it."""
    reason: str
    """The reason, without the proxy's user and password."""

    def __str__(self) -> str:
        return f"{self.variable} names a proxy that cannot be used: {self.reason}."


def find_unusable(scheme: str, environment: Mapping[str, str]) -> UnusableProxy | None:
    """Return the proxy that is named for addresses of a scheme, where it cannot be used, or None.

    The scheme's own variable counts before ``ALL_PROXY``, and one in small letters before one in capitals.
    """
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    variable = next((name for name in names if environment.get(name)), None)
    if variable is None:
        return None
    reason = why_unusable(environment[variable])
    return UnusableProxy(variable, reason) if reason else None


def why_unusable(proxy: str) -> str:
    """Return why a proxy cannot be used, without its user and password; empty where it can be."""
    try:
        url = URL(proxy if "://" in proxy else f"http://{proxy}")
    except ValueError:
        return "it is no address such as http://proxy.example.com:3128"
    faults = {
        f"{url.scheme}:// is not supported, only http:// and https://": url.scheme not in SCHEMES,
        "it names no host": not url.host,
        "its host is no name that can be looked up": not _is_name(url.host or "localhost"),
        "its user holds a colon, which Basic authentication cannot send": ":" in (url.user or ""),
        "its user or password is not ASCII": not f"{url.user}{url.password}".isascii(),
    }
    return next((reason for reason, applies in faults.items() if applies), "")


def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True
