"""One attempt over the network: a request out, a response back. The only user of aiohttp; decides nothing."""

import asyncio
import math
import platform
from base64 import b64encode
from collections.abc import AsyncGenerator
from http import HTTPStatus
from ssl import SSLCertVerificationError, SSLContext, SSLError
from threading import Lock
from traceback import walk_tb
from typing import Any, NoReturn

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload
from attrs import define, field
from yarl import URL

from mihu_async._version import __version__
from mihu_async.core import cancellation
from mihu_async.core.mask import Mask
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.timeout import Bounds
from mihu_async.errors import (
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    RequestTimeoutError,
    TransportError,
    UsageError,
)

USER_AGENT = f"mihu-async/{__version__} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"

Session = aiohttp.ClientSession
"""A session that a caller may lend."""
Trust = SSLContext | aiohttp.Fingerprint | bool
"""How the service's certificate is checked."""

NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
)
"""What aiohttp raises only before it has a connection to the service."""
NETWORK = (aiohttp.ClientError, OSError)
"""What the network can do to a request; a TimeoutError is an OSError."""
NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's reasons for what a server says that speaks no TLS."""
NOT_FOR_THAT_HOST = frozenset({62, 64})
"""OpenSSL's codes of a certificate that is in order, for another host or another IP address."""
PROXY_IS_BUSY = frozenset({408, 429})
"""The refusals of a proxy that may pass."""
MISUSE = (RuntimeError, TypeError, ValueError)
"""What aiohttp raises for a session that cannot be used: closed, of another loop, with credentials of its own."""


class BrokenError(aiohttp.ClientError):
    """A connection that broke under a request, in a form in which aiohttp does not send it again by itself."""

    def __init__(self, broken: Exception) -> None:
        super().__init__(broken)
        self.broken = broken


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending GET, PUT and DELETE twice unseen, as one attempt of ours: a client middleware."""
    try:
        return await handler(request)
    except NEVER_CONNECTED:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenError(error) from None


@define
class Blocks:
    """The ``async with`` blocks of a loop that share its session; ``due`` says that it is closed with the last one."""

    open: int = 0
    due: bool = False


OwnSession = tuple[Session, AsyncGenerator[None]]
"""A session that we made, and the generator that closes it."""


class Body(Payload):
    """A JSON body that knows whether the network has begun to take it."""

    def __init__(self, value: bytes) -> None:
        super().__init__(value, content_type="application/json")
        self._size = len(value)
        self.sent: bool = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Give the body as text, which is what aiohttp's middlewares ask for."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Hand the body over."""
        self.sent = True
        await writer.write(self._value)


@define
class Transport:
    """Sends requests through its own sessions, one for each event loop, or through a borrowed one."""

    base_url: URL
    token: str = field(repr=False)
    user_agent: str = USER_AGENT
    session: Session | None = None
    proxy: URL | None = field(default=None, repr=False)
    ssl: Trust = True
    max_response_bytes: int = 64 * 2**20
    _root: str = field(init=False, repr=False)
    _own: dict[asyncio.AbstractEventLoop, OwnSession] = field(factory=dict[Any, Any], init=False, repr=False)
    _blocks: dict[asyncio.AbstractEventLoop, Blocks] = field(factory=dict[Any, Any], init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._root = str(self.base_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show."""
        if self.proxy is None:
            return (self.token,)
        user, password = self.proxy.user or "", self.proxy.password or ""
        return (self.token, user, password, b64encode(f"{user}:{password}".encode()).decode())

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask) -> Response:
        """Make one attempt, within ``bounds``, or raise a TransportError."""
        url = f"{self._root}{request.path}{'?' if request.query else ''}{request.query}"
        body = None if request.body is None else Body(request.body)
        session: Session | None = None
        try:
            session = await self._session()
            async with session.request(
                request.method,
                URL(url, encoded=True),
                data=body,
                headers=self._headers(session, body),
                timeout=_client_timeout(bounds),
                allow_redirects=False,
                raise_for_status=False,
                proxy=self.proxy,
                ssl=self.ssl,
            ) as answer:
                content, complete = await _read(answer.content, self.max_response_bytes)
                return Response(url, answer.status, answer.headers, content, complete)
        except (*NETWORK, *MISUSE) as error:
            failure = translate(error, request, url, mask, sent=None if body is None else body.sent, session=session)
        except asyncio.CancelledError:
            if cancellation.is_ours():
                raise
            closed = aiohttp.ClientConnectionError("the session was closed")
            failure = translate(closed, request, url, mask, sent=None if body is None else body.sent, session=session)
        raise failure  # here, out of the except block: the cause's repr can hold the request's headers

    async def enter(self) -> None:
        """Begin a block: make this loop's session now, and not with the first call."""
        await self._session()
        with self._lock:
            self._blocks.setdefault(asyncio.get_running_loop(), Blocks()).open += 1

    async def leave(self, *, owner: bool) -> None:
        """End a block. With the last one of this loop its own session is closed, if an ``owner`` was among them."""
        loop = asyncio.get_running_loop()
        with self._lock:
            blocks = self._blocks.get(loop, Blocks(open=1))  # a block that was begun under another loop counts alone
            blocks.open -= 1
            blocks.due |= owner
            if blocks.open:
                return
            self._blocks.pop(loop, None)
        if blocks.due:
            await self.aclose()

    async def aclose(self) -> None:
        """Close this loop's own session now, if there is one; a borrowed session stays open."""
        with self._lock:
            _, keeper = self._own.pop(asyncio.get_running_loop(), (None, None))
        if keeper is not None:
            await keeper.aclose()

    async def _session(self) -> aiohttp.ClientSession:
        if self.session is not None:
            return self.session
        loop = asyncio.get_running_loop()
        with self._lock:  # a client may be used from several threads, each with a loop
            session, keeper = self._own.get(loop, (None, None))
            if session is not None and not session.closed:
                return session
            for ended in [known for known in self._own if known.is_closed()]:
                del self._own[ended]
                self._blocks.pop(ended, None)
            session = Session(cookie_jar=aiohttp.DummyCookieJar(), middlewares=(send_once,))
            keeper = _keep(session)
            self._own[loop] = session, keeper
        await anext(keeper)
        return session

    def _headers(self, session: Session, body: Body | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "User-Agent": self.user_agent}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if not session.auto_decompress:
            headers["Accept-Encoding"] = "identity"
        return headers

    def __reduce__(self) -> NoReturn:
        raise TypeError("A transport cannot be pickled or copied: it holds a token and connections.")


def _client_timeout(bounds: Bounds) -> aiohttp.ClientTimeout:
    """Give the bounds to aiohttp, which would round longer ones up to whole seconds."""
    return aiohttp.ClientTimeout(
        total=bounds.total,
        connect=bounds.connect,
        sock_connect=bounds.connect,
        sock_read=bounds.read,
        ceil_threshold=math.inf,
    )


def check_trust(ssl: Any) -> Trust:
    """Check what a caller gives for ``ssl``."""
    if not isinstance(ssl, SSLContext | aiohttp.Fingerprint | bool):
        raise UsageError(f"ssl must be an SSLContext, an aiohttp Fingerprint or a bool, not {ssl!r}.", argument="ssl")
    return ssl


async def _keep(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Close the session when this generator is closed; an ending event loop closes all that are left."""
    try:
        yield
    finally:
        await session.close()


async def _read(content: aiohttp.StreamReader, bound: int) -> tuple[bytes, bool]:
    """Read a body up to ``bound`` bytes, and say whether that was all of it."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        chunks.append(chunk)
        if size > bound:
            return b"".join(chunks)[:bound], False
    return b"".join(chunks), True


def translate(
    error: Exception,
    request: Request[Any],
    url: str,
    mask: Mask,
    *,
    sent: bool | None,
    session: Session | None = None,
) -> TransportError | UsageError:
    """Tell what a failure means; ``sent`` says whether the body began to leave, and is None where there was none."""
    if isinstance(error, BrokenError):
        error = error.broken
    told = mask(f"{type(error).__name__}: {error}".removesuffix(": "))
    if not sent and not isinstance(error, NETWORK):
        return UsageError(f"The session cannot be used ({told}). Nothing was sent.", argument="session")
    kind = error_class(error, sent=sent)
    if issubclass(kind, ConnectError):
        effect = "Nothing was sent."
    else:
        effect = "" if request.method == "GET" else "It may have been carried out."
    closed = session is not None and session.closed
    pool = session.connector if session is not None and waited_for_connection(error) else None
    if closed:
        why = "was cut off: the client was closed, or the session that it borrows, while the call was under way."
        advice = "Close it when its calls have ended."
    elif pool is not None:
        limits = f"limit={pool.limit}, limit_per_host={pool.limit_per_host}"
        why = f"got no connection: all that the session's pool may hold ({limits}) were in use ({told})."
        advice = "Give its connector a higher limit, or make fewer calls at a time."
    else:
        why, advice = f"got no whole answer ({told}).", cure(error)
    message = f"{request.method} {mask.name(request.path)} {why} {effect}".rstrip()
    failure = kind(f"{message} {advice}".rstrip(), method=request.method, url=mask.name(url))
    failure.is_permanent = closed or bool(cure(error))
    return failure


def error_class(error: BaseException, *, sent: bool | None) -> type[TransportError]:
    """Choose the class of a failure. What began to leave may have been carried out, whatever the failure is called."""
    never = (isinstance(error, NEVER_CONNECTED) or waited_for_connection(error)) if sent is None else not sent
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError if never else RequestTimeoutError
    return ConnectError if never else ConnectionLostError


def waited_for_connection(error: BaseException | None) -> bool:
    """Return True if time was up while the request waited for one of the pool's connections to become free.

    aiohttp raises the same for a pool that is full and for a host that does not answer; only where it stood tells.
    """
    if not isinstance(error, TimeoutError):
        return False
    while error is not None:
        if any(frame.f_code.co_name == "_wait_for_available_connection" for frame, _ in walk_tb(error.__traceback__)):
            return True
        error = error.__cause__ or error.__context__
    return False


def cure(error: BaseException) -> str:
    """Return what to do about a failure that every attempt would meet; empty where the next one may succeed."""
    match error:
        case aiohttp.ClientConnectorCertificateError(certificate_error=SSLCertVerificationError(verify_code=code)) if (
            code in NOT_FOR_THAT_HOST
        ):
            advice = "Its certificate is for another host: check the address (base_url=…) and the proxy."
        case aiohttp.ClientConnectorCertificateError():
            advice = "Where its authority is one of your own, name it: ssl=ssl.create_default_context(cafile=…)."
        case aiohttp.ServerFingerprintMismatch():
            advice = "Its certificate is another one than ssl=Fingerprint(…) names: find out why before you accept it."
        case aiohttp.ClientConnectorSSLError(os_error=SSLError(reason=reason)) if reason in NO_TLS:
            advice = "What listens there speaks no TLS: check the scheme and the port (base_url=…, proxy=…)."
        case aiohttp.ClientHttpProxyError(status=HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
            advice = "The proxy asks for other credentials: proxy='http://user:password@host:port'."
        case aiohttp.ClientHttpProxyError(status=status) if (
            status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in PROXY_IS_BUSY
        ):
            advice = "The proxy refuses to connect to this host: ask who runs it, or give another one (proxy=…)."
        case _:
            advice = ""
    return advice
