"""Facts about the way to the service, before anyone judges them. Pure values."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import frozen

from mihu_async.core.options import RetryPolicy, Timeout
from mihu_async.errors import MihuError


@frozen
class Failure:
    """Why a look showed nothing; ``certificate`` says that the service's certificate was not trusted."""

    told: str
    certificate: bool = False


@frozen
class Addresses:
    """The addresses to which a name resolves."""

    found: tuple[str, ...]


@frozen
class Handshake:
    """A TLS connection: its version, and until when the certificate holds; None where that was not checked."""

    version: str
    expires: datetime | None = None


@frozen(kw_only=True)
class Way:
    """The address of the service, and the way to it.

    ``proxy`` is the one that is used, and ``unused`` one that the environment names and the client does not use; both
    without credentials. ``checked`` says whether the certificate is checked, and ``pinned`` that a fingerprint does it.
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

    ``error`` is what it raised, and None where it succeeded; ``skew`` is the service's clock against ours, and
    ``blur`` how much too low that may be; None where no answer had a date.
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
    """All that was seen; ``tls`` is None where no look of its own was taken."""

    way: Way
    names: Addresses | Failure
    tls: Handshake | Failure | None
    call: Call
    now: datetime
    versions: Mapping[str, str]
    limits: Limits
