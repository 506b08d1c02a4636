"""Probes each part of the connection to the service, concurrently and within a deadline. The doctor's only I/O."""

import asyncio
import os
import platform
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from urllib.request import proxy_bypass

from attrs import evolve
from yarl import URL

from mihu_async._version import __version__
from mihu_async.core.address import find_proxy
from mihu_async.core.options import RetryPolicy
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.core.server_clock import Moment, ServerClock
from mihu_async.core.transport import Transport
from mihu_async.doctor.facts import Addresses, Call, Facts, Failure, Handshake, Limits, Way
from mihu_async.doctor.findings import Diagnosis, diagnose
from mihu_async.doctor.proxies import UnusableProxy, find_unusable
from mihu_async.errors import MihuError, UsageError
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page

PARTS = ("aiohttp", "attrs", "cattrs", "msgspec", "yarl")
REQUEST = describe("GET", "/phone-numbers", Page[PhoneNumber], query={"per_page": 1})
"""The safest call that needs a token."""
TICK = timedelta(seconds=1)
"""The precision of a Date header, which holds no fractions of a second."""


async def examine(transport: Transport, pipeline: Pipeline, *, concurrency: int, deadline: float) -> Diagnosis:
    """Run all probes, and return the diagnosis. Findings are never raised."""
    way = way_of(transport)
    url = transport.proxy or transport.base_url
    async with asyncio.TaskGroup() as looks:
        names = looks.create_task(resolve(url, deadline))
        tls = looks.create_task(shake_hands(transport, deadline))
        call = looks.create_task(ask(pipeline, deadline))
    throttle, retries = pipeline.throttle, pipeline.retries
    return diagnose(
        Facts(
            way=way,
            names=names.result(),
            tls=tls.result(),
            call=call.result(),
            now=pipeline.clock.now(),
            versions=versions(),
            limits=Limits(
                timeout=pipeline.timeout,
                retries=retries,
                concurrency=concurrency,
                limited=pipeline.limiter is not None,
                max_response_bytes=transport.max_response_bytes,
                affordable=throttle.affords(retries.budget),
                held=throttle.pause_left(pipeline.clock.monotonic()),
            ),
        )
    )


def way_of(transport: Transport) -> Way:
    """Return the address of the service, and the route to it."""
    base_url, proxy = transport.base_url, transport.proxy
    return Way(
        address=str(base_url),
        host=base_url.host or "",
        secure=base_url.scheme == "https",
        proxy=_without_credentials(proxy),
        proxy_host=None if proxy is None else proxy.host,
        unused=None if proxy else _named_by_environment(base_url),
        checked=transport.ssl is not False,
        pinned=not isinstance(transport.ssl, ssl.SSLContext | bool),
    )


async def resolve(url: URL, deadline: float) -> Addresses | Failure:
    """Resolve a name, as the system does."""
    try:
        async with asyncio.timeout(deadline):
            found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Failure(_said(error, deadline))
    return Addresses(tuple(dict.fromkeys(str(address[0]) for *_, address in found)))


async def shake_hands(transport: Transport, deadline: float) -> Handshake | Failure | None:
    """Open a TLS connection and close it; return None if a proxy, a fingerprint or a borrowed session is in use."""
    url = transport.base_url
    if url.scheme != "https" or transport.proxy or transport.sessions.borrowed:
        return None
    if not isinstance(transport.ssl, ssl.SSLContext | bool):
        return None
    try:
        async with asyncio.timeout(deadline):
            _, writer = await asyncio.open_connection(url.host, url.port, ssl=_context(transport.ssl))
    except ssl.SSLCertVerificationError as error:
        return Failure(error.verify_message, certificate=True)
    except OSError as error:
        return Failure(_said(error, deadline))
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    ends = (connection.getpeercert() or {}).get("notAfter")
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
    return Handshake(connection.version() or "TLS", expires)


async def ask(pipeline: Pipeline, deadline: float) -> Call:
    """Make one safe call, without retries, as the client would."""
    clock = pipeline.clock
    timeout = evolve(pipeline.timeout, total=min(pipeline.timeout.total, deadline))
    server_clock = ServerClock()
    once = evolve(
        pipeline, server_clock=server_clock, timeout=timeout, retries=RetryPolicy(max_attempts=1, budget=None)
    )
    began, error = clock.monotonic(), None
    try:
        await once.run(REQUEST)
    except MihuError as caught:
        error = caught
    ended = clock.monotonic()
    service = server_clock.at(Moment(ended, clock.now().timestamp()))
    return Call(
        elapsed=ended - began,
        error=error,
        skew=None if service is None else service.earliest - clock.now(),
        blur=TICK + timedelta(seconds=ended - began),
    )


def versions(parts: Sequence[str] = PARTS) -> dict[str, str]:
    """Return the versions of Python, the SDK and its dependencies.

    Args:
        parts: The names of the dependencies.
    """
    return {
        "mihu-async": __version__,
        "Python": platform.python_version(),
        **{name: _installed(name) for name in parts},
        "OpenSSL": ssl.OPENSSL_VERSION.partition(" ")[2],
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # installed without its metadata
        return "unknown"


def _context(trust: ssl.SSLContext | bool) -> ssl.SSLContext:
    if isinstance(trust, ssl.SSLContext):
        return trust
    context = ssl.create_default_context()
    if not trust:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _said(error: OSError, deadline: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {deadline:g} s"
    return f"{type(error).__name__}: {error.strerror or error}"


def _without_credentials(url: URL | None) -> str | None:
    return None if url is None else str(url.with_user(None))


def unusable_proxy(base_url: URL) -> UnusableProxy | None:
    """Return the proxy that the environment names for an address if it cannot be used, else None."""
    if proxy_bypass(f"{base_url.host}:{base_url.port}"):
        return None
    return find_unusable(base_url.scheme, os.environ)


def _named_by_environment(base_url: URL) -> str | None:
    try:
        return _without_credentials(find_proxy(None, base_url, trust_env=True))
    except UsageError:
        proxy = unusable_proxy(base_url)
        return "one that cannot be used" + (f" ({proxy.variable}: {proxy.reason})" if proxy else "")
