"""The errors that aiohttp's exceptions mean, with the fault, the effect and the remedy. Does no I/O."""

from http import HTTPStatus
from ssl import SSLCertVerificationError, SSLError
from traceback import walk_tb
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import ContentEncodingError, ContentLengthError, LineTooLong

from mihu_async.core.redaction import Redactor, escape
from mihu_async.core.request import Request
from mihu_async.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DecodeError,
    RequestTimeoutError,
    TransportError,
    UsageError,
)

NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
)
"""The exceptions that aiohttp raises only before it has a connection to the service."""
NETWORK = (aiohttp.ClientError, OSError)
"""The exceptions that the network causes; a TimeoutError is an OSError."""
NOT_ENOUGH = "Not enough data"
"""The beginning of aiohttp's message about a body that was cut off."""
NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""The reasons that OpenSSL names if a server speaks no TLS."""
NOT_FOR_THAT_HOST = frozenset({62, 64})
"""The codes of OpenSSL for a valid certificate of another host or another IP address."""
PROXY_IS_BUSY = frozenset({408, 429})
"""The refusals of a proxy that are temporary."""


class BrokenError(aiohttp.ClientError):
    """A connection that broke during a request, as an exception for which aiohttp does not send the request again."""

    def __init__(self, broken: Exception) -> None:
        super().__init__(broken)
        self.broken = broken


def translate(
    error: BaseException,
    request: Request[Any],
    url: str,
    redact: Redactor,
    *,
    sent: bool | None,
    head: aiohttp.ClientResponse | None = None,
    session: aiohttp.ClientSession | None = None,
) -> TransportError | UsageError | DecodeError:
    """Return the error that a failure means.

    Args:
        error: The exception of aiohttp or of the network.
        request: The request.
        url: The address of the request.
        redact: The redactor of the call's secrets.
        sent: True if the body began to leave, False if not, None if there is no body.
        head: The head of the answer; None if it was not read.
        session: The session of the request; None if there is none yet.
    """
    if isinstance(error, BrokenError):
        error = error.broken
    broken = _forbidden(error)
    if broken is not None and sent is not False:
        return _unreadable(broken, request, url, redact, head)
    reason = redact(f"{type(error).__name__}: {error}".removesuffix(": "))
    if not sent and not isinstance(error, (*NETWORK, HttpProcessingError)):
        return UsageError(f"The session cannot be used ({reason}). Nothing was sent.", argument="session")
    kind = error_class(error, sent=sent)
    if issubclass(kind, ConnectError):
        effect = "Nothing was sent."
    else:
        effect = "" if request.method == "GET" else "It may have been applied."
    closed = session is not None and session.closed
    pool = session.connector if session is not None and waited_for_connection(error) else None
    if closed:
        why = "was cut off: the client was closed, or the session that it borrows, while the call was under way."
        advice = "Close it after its calls have ended."
    elif pool is not None:
        limits = f"limit={pool.limit}, limit_per_host={pool.limit_per_host}"
        why = f"got no connection: all connections of the session's pool ({limits}) were in use ({reason})."
        advice = "Set a higher limit on its connector, or make fewer calls at a time."
    else:
        why, advice = f"got no complete answer ({reason}).", cure(error)
    message = f"{request.method} {redact.name(request.path)} {why} {effect}".rstrip()
    failure = kind(f"{message} {advice}".rstrip(), method=request.method, url=redact.name(url))
    failure.is_permanent = closed or bool(cure(error))
    return failure


def _forbidden(error: BaseException) -> HttpProcessingError | None:
    """Return the breach of HTTP that caused a failure, or None if the connection broke or the cause is another one."""
    found: BaseException | None = error
    breach: HttpProcessingError | None = None
    while isinstance(found, aiohttp.ClientResponseError | aiohttp.ClientPayloadError | HttpProcessingError):
        if isinstance(found, HttpProcessingError):
            breach = found
        found = found.__cause__
    if isinstance(breach, ContentLengthError) or (breach and NOT_ENOUGH in breach.message):
        return None  # the body was cut
    return breach


def _unreadable(
    breach: HttpProcessingError, request: Request[Any], url: str, redact: Redactor, head: aiohttp.ClientResponse | None
) -> DecodeError:
    why = " ".join((breach.message or type(breach).__name__).split())
    if isinstance(breach, LineTooLong):
        why = "a line that is longer than aiohttp reads"  # its quotation of the line may be half a secret
    if isinstance(breach, LineTooLong) or "Too many headers" in why:
        cure = "max_line_size=…, max_field_size=…, max_headers=…"
        cure = f"If the service means to send this, pass a session of your own: aiohttp.ClientSession({cure})."
    elif isinstance(breach, ContentEncodingError):
        cure = "A session of your own, aiohttp.ClientSession(auto_decompress=False), asks for answers without a coding."
    else:
        cure = "Check the proxies between this machine and the service: mihu.doctor() shows the way."
    effect = "" if request.method == "GET" else " It may have been applied."
    written = "" if head is None else head.headers.get("Content-Type", "")
    kind = escape(redact(written.partition(";")[0].strip()).lower())
    return DecodeError(
        f"{request.method} {redact.name(request.path)} was answered in a way that HTTP forbids "
        f"({escape(redact(why))}).{effect} {cure}",
        method=request.method,
        url=redact.name(url),
        status=None if head is None else head.status,
        content_type=kind,
        excerpt="",
    )


def error_class(error: BaseException, *, sent: bool | None) -> type[TransportError]:
    """Return the class of a failure. A request that began to leave may have been processed, whatever the failure."""
    never = (isinstance(error, NEVER_CONNECTED) or waited_for_connection(error)) if sent is None else not sent
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError if never else RequestTimeoutError
    return ConnectError if never else ConnectionLostError


def waited_for_connection(error: BaseException | None) -> bool:
    """Return True if time was up while the request waited for one of the pool's connections to become free.

    aiohttp raises the same exception for a full pool and for a host that does not answer; only the traceback differs.
    """
    if not isinstance(error, TimeoutError):
        return False
    while error is not None:
        if any(frame.f_code.co_name == "_wait_for_available_connection" for frame, _ in walk_tb(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


def cure(error: BaseException) -> str:
    """Return advice on a failure that every attempt would meet; empty if the next attempt may succeed."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=SSLCertVerificationError(verify_code=code)) if (
            code in NOT_FOR_THAT_HOST
        ):
            advice = "Its certificate is for another host: check the address (base_url=…) and the proxy."
        case aiohttp.ClientConnectorCertificateError():
            advice = "If you trust its authority, name it: ssl=ssl.create_default_context(cafile=…)."
        case aiohttp.ServerFingerprintMismatch():
            advice = "Its certificate does not match ssl=Fingerprint(…): find out why before you accept it."
        case aiohttp.ClientConnectorSSLError(os_error=SSLError(reason=reason)) if reason in NO_TLS:
            advice = "The server there speaks no TLS: check the scheme and the port (base_url=…, proxy=…)."
        case aiohttp.ClientHttpProxyError(status=HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
            advice = "The proxy asks for other credentials: proxy='http://user:password@host:port'."
        case aiohttp.ClientHttpProxyError(status=status) if (
            HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in PROXY_IS_BUSY
        ):
            advice = "The proxy refuses to connect to this host: ask its operator, or use another one (proxy=…)."
        case _:
            advice = ""
    return advice
