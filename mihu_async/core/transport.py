"""One attempt over the network: a request out, a response back. The only user of aiohttp; decides nothing."""

import asyncio
import math
import platform
from base64 import b64encode
from collections.abc import AsyncGenerator
from ssl import SSLContext
from threading import Lock
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
        try:
            session = await self._session()
            async with session.request(
                request.method,
                URL(url, encoded=True),
                data=body,
                headers=self._headers(session, body) | ({"Cache-Control": "no-cache"} if request.uncached else {}),
                timeout=_client_timeout(bounds),
                allow_redirects=False,
                raise_for_status=False,
                proxy=self.proxy,
                ssl=self.ssl,
            ) as answer:
                loop = asyncio.get_running_loop()
                headed = loop.time()
                content, complete = await _read(answer.content, self.max_response_bytes)
                return Response(url, answer.status, answer.headers, content, complete, loop.time() - headed)
        except (*NETWORK, *MISUSE) as error:
            failure = translate(error, request, url, mask, sent=None if body is None else body.sent)
        except asyncio.CancelledError:
            if cancellation.is_ours():
                raise
            closed = aiohttp.ClientConnectionError("the session was closed")
            failure = translate(closed, request, url, mask, sent=None if body is None else body.sent)
        raise failure  # here, out of the except block: the cause's repr can hold the request's headers

    async def open(self) -> None:
        """Make this loop's session now, and not with the first call."""
        await self._session()

    async def aclose(self) -> None:
        """Close this loop's own session, if there is one; a borrowed session stays open."""
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
    error: BaseException, request: Request[Any], url: str, mask: Mask, *, sent: bool | None
) -> TransportError | UsageError:
    """Tell what a failure means; ``sent`` says whether the body began to leave, and is None where there was none."""
    if isinstance(error, BrokenError):
        error = error.broken
    told = f"{type(error).__name__}: {error}".removesuffix(": ")
    if not sent and not isinstance(error, NETWORK):
        return UsageError(mask(f"The session cannot be used ({told}). Nothing was sent."), argument="session")
    kind = error_class(error, sent=sent)
    if issubclass(kind, ConnectError):
        effect = "Nothing was sent."
    else:
        effect = "" if request.method == "GET" else "It may have been carried out."
    message = f"{request.method} {mask.name(request.path)} got no whole answer ({mask(told)}). {effect}"
    return kind(message.rstrip(), method=request.method, url=mask.name(url))


def error_class(error: BaseException, *, sent: bool | None) -> type[TransportError]:
    """Choose the class of a failure. What began to leave may have been carried out, whatever the failure is called."""
    never = isinstance(error, NEVER_CONNECTED) if sent is None else not sent
    if isinstance(error, TimeoutError):
        return ConnectTimeoutError if never else RequestTimeoutError
    return ConnectError if never else ConnectionLostError
