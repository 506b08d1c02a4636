"""Validates the base URL, the token and the proxy, which come from arguments or the environment."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from mihu_async.core.request import ROOT
from mihu_async.errors import UsageError

TOKEN_VARIABLE = "MIHU_API_TOKEN"  # noqa: S105 - the variable's name
TENANT_VARIABLE = "MIHU_TENANT"
BASE_URL_VARIABLE = "MIHU_BASE_URL"


def find_token(token: Any, environment: Mapping[str, str]) -> str:
    """Return the token from the argument or the environment. No error shows it.

    Raises:
        UsageError: There is no token, or it cannot be sent in a header.
    """
    found = environment.get(TOKEN_VARIABLE) if token is None else token
    if not found:
        why = f"There is no token: pass token= or set {TOKEN_VARIABLE}. Without an account, mihu_async.sandbox has one."
        raise UsageError(why, argument="token")
    return check_token(found, f"it comes from token= or {TOKEN_VARIABLE}")


def check_token(token: Any, origin: str) -> str:
    """Return a token if it can be sent in a header.

    Args:
        token: The value to check.
        origin: The source of the token, which the error names.

    Raises:
        UsageError: It cannot be sent in a header.
    """
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        why = "must be visible ASCII without spaces or line ends, and without the word Bearer"
        raise UsageError(f"token {why} ({origin}).", argument="token")
    return token


def find_base_url(subdomain: Any, base_url: str | URL | None, environment: Mapping[str, str]) -> URL:
    """Return the address before ``/api/v1``.

    An argument takes precedence over the environment, and MIHU_BASE_URL over MIHU_TENANT.

    Raises:
        UsageError: There is no address, there are two, or it cannot be used.
    """
    if subdomain is not None and base_url is not None:
        raise UsageError("Pass subdomain= or base_url=, not both.", argument="base_url")
    if subdomain is None and base_url is None:
        base_url = environment.get(BASE_URL_VARIABLE) or None
        subdomain = environment.get(TENANT_VARIABLE) or None
    if base_url is not None:
        return _checked(base_url)
    if subdomain is None:
        variables = f"{TENANT_VARIABLE} or {BASE_URL_VARIABLE}"
        raise UsageError(f"There is no address: pass subdomain= or base_url=, or set {variables}.", argument="base_url")
    if not isinstance(subdomain, str) or not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", subdomain):
        why = "must be one label, such as 'acme' for https://acme.mihu.ai; a whole address goes into base_url="
        raise UsageError(f"subdomain {why}, not {subdomain!r}.", argument="subdomain")
    return URL(f"https://{subdomain.lower()}.mihu.ai")


def _checked(base_url: str | URL) -> URL:
    url = _url(base_url)
    if url is None or url.user or url.password or url.query_string or url.fragment:
        why = "must be an address such as https://acme.mihu.ai, with or without /api/v1, without credentials and query"
        raise UsageError(f"base_url {why} (it comes from base_url= or {BASE_URL_VARIABLE}).", argument="base_url")
    return url.with_path(url.raw_path.rstrip("/").removesuffix(ROOT).rstrip("/"), encoded=True)


def _url(address: str | URL) -> URL | None:
    """Return an http(s) address whose host can be resolved, or None."""
    if re.search(r"[\x00-\x1f\x7f-\x9f]", unquote(str(address))):  # yarl would silently drop some of these
        return None
    try:
        url = URL(address)
        (url.host or "").encode("idna")
    except (TypeError, ValueError):
        return None
    return url if url.scheme in {"http", "https"} and url.host and " " not in url.host else None


def find_proxy(proxy: str | URL | None, base_url: URL, *, trust_env: bool) -> URL | None:
    """Return the proxy argument or, with ``trust_env``, the proxy that the environment names for this address.

    The environment is read here, once. If aiohttp read it for each request, the loop would wait for its executor, and
    passwords would be taken from a netrc file.

    Raises:
        UsageError: The address of the proxy cannot be used.
    """
    if proxy is not None:
        return _proxy("proxy", proxy)
    if not trust_env or proxy_bypass(f"{base_url.host}:{base_url.port}"):
        return None
    proxies = getproxies()
    found = proxies.get(base_url.scheme) or proxies.get("all")
    return _proxy("trust_env", found if "://" in found else f"http://{found}") if found else None


def _proxy(argument: str, proxy: str | URL) -> URL:
    url = _url(proxy)
    if url is None or not _fits_basic_auth(url.user or "", url.password or ""):
        raise UsageError("A proxy must be http(s)://host:port, with or without credentials.", argument=argument)
    return url


def _fits_basic_auth(user: str, password: str) -> bool:
    return ":" not in user and (user + password).isascii()


def check_user_agent(user_agent: Any) -> str:
    """Return the user agent if it can be sent in a header.

    Raises:
        UsageError: It cannot be sent in a header.
    """
    if not isinstance(user_agent, str) or not re.fullmatch(r"[\x20-\x7e]+", user_agent):
        raise UsageError(f"user_agent must be visible ASCII, not {user_agent!r}.", argument="user_agent")
    return user_agent
