"""Facts about the connection to the service, before any judgement. Pure values."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from mihu_async.core.options import RetryPolicy, Timeout
from mihu_async.errors import MihuError


@frozen
class Failure:
    """The reason why a probe failed; ``certificate`` is True if the service's certificate was not trusted."""

    reason: str
    certificate: bool = False


@frozen
class Addresses:
    """The addresses to which a name resolves."""

    found: tuple[str, ...]


@frozen
class Handshake:
    """A TLS connection: its version, and the expiry of the certificate, which is None if it was not checked."""

    version: str
    expires: datetime | None = None


@frozen(kw_only=True)
class Way:
    """The address of the service, and the route to it.

    ``proxy`` is the proxy in use, and ``unused`` a proxy that the environment names and the client ignores; both are
    without credentials. ``checked`` is True if the certificate is checked, and ``pinned`` if a fingerprint checks it.
    """

    address: str
    host: str
    secure: bool
    proxy: str | None = None
    proxy_host: str | None = None
    unused: str | None = None
    checked: bool = True
    pinned: bool = False


@frozen(kw_only=True)
class Call:
    """The outcome of one safe call.

    ``error`` is the error that it raised, None if it succeeded. ``skew`` is the service's clock minus ours, and
    ``blur`` is the most by which ``skew`` may be too low; both are None if no answer had a date.
    """

    elapsed: float
    error: MihuError | None = None
    skew: timedelta | None = None
    blur: timedelta = timedelta()


@frozen(kw_only=True)
class Limits:
    """The bounds of the client's calls."""

    timeout: Timeout
    retries: RetryPolicy
    concurrency: int
    limited: bool
    max_response_bytes: int
    affordable: bool
    held: float


@frozen(kw_only=True)
class Facts:
    """Everything that the probes observed; ``tls`` is None if there was no separate TLS probe."""

    way: Way
    names: Addresses | Failure
    tls: Handshake | Failure | None
    call: Call
    now: datetime
    versions: Mapping[str, str]
    limits: Limits
