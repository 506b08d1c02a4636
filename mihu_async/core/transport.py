"""One attempt over the network: a request out, a response back. With ``failures``, the only user of aiohttp."""

import asyncio
import math
import platform
from asyncio import AbstractEventLoop
from base64 import b64encode
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, nullcontext
from ssl import SSLContext
from threading import Lock
from typing import Any, NoReturn

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError
from aiohttp.payload import Payload
from attrs import Factory, define, field
from yarl import URL

from mihu_async._version import __version__
from mihu_async.core.clock import is_cancelled
from mihu_async.core.failures import NETWORK, NEVER_CONNECTED, BrokenError, translate
from mihu_async.core.headers import Extra, combined, secrets_of
from mihu_async.core.options import Bounds
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.validation import wrong
from mihu_async.value import State

USER_AGENT = f"mihu-async/{__version__} Python/{platform.python_version()} aiohttp/{aiohttp.__version__}"

Session = aiohttp.ClientSession
"""A session that a caller may lend."""
Trust = SSLContext | aiohttp.Fingerprint | bool
"""The values of ``ssl``, which decide how the service's certificate is checked."""

UNPACKED = frozenset({"gzip", "deflate", "br", "zstd"})
"""The codings that aiohttp decodes, or rejects if it cannot."""
MISUSE = (RuntimeError, TypeError, ValueError)
"""The errors that aiohttp raises for an unusable session: closed, of another loop, or with credentials of its own."""


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from silently sending a GET, PUT or DELETE twice within one attempt. This is a client middleware."""
    try:
        return await handler(request)
    except NEVER_CONNECTED:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise BrokenError(error) from None


class _Blocks(State):
    """The ``async with`` blocks of a loop that share its session. If it is ``due``, the last one closes the session."""

    open: int = 0
    due: bool = False


class Sessions:
    """The sessions of one client: a borrowed one, or one of its own for each event loop, made when it is needed.

    Args:
        borrowed: The session that the caller lends; None if there is none.
    """

    def __init__(self, borrowed: Session | None = None) -> None:
        self.borrowed: Session | None = borrowed
        self._own: dict[AbstractEventLoop, tuple[Session, AsyncGenerator[None]]] = {}
        self._blocks: dict[AbstractEventLoop, _Blocks] = {}
        self._lock = Lock()

    @property
    def own(self) -> tuple[Session, ...]:
        """The client's own sessions, one for each event loop that uses it."""
        with self._lock:
            return tuple(session for session, _ in self._own.values())

    async def get(self) -> Session:
        """Return the borrowed session, or the one of this loop."""
        if self.borrowed is not None:
            return self.borrowed
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

    async def enter(self) -> None:
        """Begin a block: make this loop's session now, so that the first call need not."""
        await self.get()
        with self._lock:
            self._blocks.setdefault(asyncio.get_running_loop(), _Blocks()).open += 1

    async def leave(self, *, owner: bool) -> None:
        """End a block. The last block of a loop closes the loop's own session if an ``owner`` was among the blocks."""
        loop = asyncio.get_running_loop()
        with self._lock:
            blocks = self._blocks.get(loop, _Blocks(open=1))  # a block that was begun under another loop counts alone
            blocks.open -= 1
            blocks.due |= owner
            if blocks.open:
                return
            self._blocks.pop(loop, None)
        if blocks.due:
            await self.close()

    async def close(self) -> None:
        """Close this loop's own session now, if there is one. A borrowed session stays open."""
        with self._lock:
            _, keeper = self._own.pop(asyncio.get_running_loop(), (None, None))
        if keeper is not None:
            await keeper.aclose()


async def _keep(session: Session) -> AsyncGenerator[None]:
    """Close the session when this generator is closed. An event loop closes the generators that are left at its end."""
    try:
        yield
    finally:
        await session.close()


class Body(Payload):
    """A JSON body; ``sent`` is True once the network has begun to take it."""

    def __init__(self, value: bytes) -> None:
        super().__init__(value, content_type="application/json")
        self._size = len(value)
        self.sent: bool = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the body as text, for the middlewares of aiohttp."""
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the body to the network."""
        self.sent = True
        await writer.write(self._value)


@define
class Transport:
    """Sends requests through the sessions of a client. Transports with other tokens or headers may share them."""

    base_url: URL
    token: str = field(repr=False)
    headers: Extra = field(default=(), repr=False)
    user_agent: str = USER_AGENT
    sessions: Sessions = field(factory=Sessions, repr=False)
    proxy: URL | None = field(default=None, repr=False)
    ssl: Trust = True
    max_response_bytes: int = 64 * 2**20
    _root: str = field(init=False, repr=False, default=Factory(lambda self: str(self.base_url), takes_self=True))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no error and no log line may show."""
        own = (self.token, *secrets_of(self.headers))
        if self.proxy is None:
            return own
        user, password = self.proxy.user or "", self.proxy.password or ""
        return (*own, user, password, b64encode(f"{user}:{password}".encode()).decode())

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Make one attempt within ``bounds``. Raise TransportError, or DecodeError if the answer is not HTTP."""
        url = f"{self._root}{request.path}{'?' if request.query else ''}{request.query}"
        body = None if request.body is None else Body(request.body)
        head: aiohttp.ClientResponse | None = None
        session: Session | None = None
        failure: BaseException
        try:
            session = await self.sessions.get()
            async with session.request(
                request.method,
                URL(url, encoded=True),
                data=body,
                headers=self._headers(session, request),
                timeout=aiohttp.ClientTimeout(
                    total=bounds.total,
                    connect=bounds.connect,
                    sock_connect=bounds.connect,
                    sock_read=bounds.read,
                    ceil_threshold=math.inf,  # else the bounds are rounded up to whole seconds
                ),
                allow_redirects=False,
                raise_for_status=False,
                proxy=self.proxy,
                ssl=self.ssl,
            ) as head:
                return await _read(head, url, self.max_response_bytes, unpacked=session.auto_decompress)
        except (*NETWORK, *MISUSE, HttpProcessingError) as error:
            sent = None if body is None else body.sent
            failure = translate(error, request, url, redact, sent=sent, head=head, session=session)
        except asyncio.CancelledError as cancelled:
            if is_cancelled():
                failure = asyncio.CancelledError(*cancelled.args)
            else:
                closed = aiohttp.ClientConnectionError("the session was closed")
                sent = None if body is None else body.sent
                failure = translate(closed, request, url, redact, sent=sent, session=session)
        # here, out of the except block: the cause's repr and the variables of its frames can hold the request's headers
        raise failure

    def _headers(self, session: Session, request: Request[Any]) -> dict[str, str]:
        headers = dict(combined(self.headers, request.headers)) if self.headers or request.headers else {}
        headers["Authorization"] = f"Bearer {request.token or self.token}"
        headers["Accept"] = "application/json"
        headers["User-Agent"] = self.user_agent
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.uncached:
            headers["Cache-Control"] = "no-cache"
        if not session.auto_decompress:
            headers["Accept-Encoding"] = "identity"
        return headers

    def __reduce__(self) -> NoReturn:
        raise TypeError("A transport cannot be pickled or copied: it holds a token and connections.")


def check_trust(ssl: Any) -> Trust:
    """Check the ``ssl`` of a caller."""
    if not isinstance(ssl, SSLContext | aiohttp.Fingerprint | bool):
        raise wrong("ssl", "an SSLContext, an aiohttp Fingerprint or a bool", ssl)
    return ssl


async def _read(answer: aiohttp.ClientResponse, url: str, bound: int, *, unpacked: bool) -> Response:
    """Read an answer, of its body at most ``bound`` bytes.

    Args:
        answer: The answer, of which aiohttp read the head.
        url: The address that was asked.
        bound: The most bytes of the body to keep.
        unpacked: True if aiohttp decodes the body.

    Raises:
        HttpProcessingError: If the answer has two lengths, which the pure-Python parser of aiohttp accepts.
    """
    clock, content = asyncio.get_running_loop().time, answer.content
    headed = clock()
    lengths = set(answer.headers.getall("Content-Length", ()))
    if len(lengths) > 1:
        raise HttpProcessingError(message=f"two lengths, {' and '.join(sorted(lengths))}")
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding == "identity" or (unpacked and encoding in UNPACKED):
        encoding = ""
    chunks: list[bytes] = []
    size = 0
    protocol = answer.connection.protocol if answer.connection else None  # no connection once the whole body is there
    closed = None if protocol is None else protocol.closed
    with _broken_off(content, closed) if closed else nullcontext():
        while size <= bound and (chunk := await content.readany()):
            size += len(chunk)
            chunks.append(chunk)
    body = b"".join(chunks)[:bound]
    return Response(url, answer.status, answer.headers, body, size <= bound, encoding, clock() - headed)


@contextmanager
def _broken_off(content: aiohttp.StreamReader, closed: "asyncio.Future[None]") -> Generator[None]:
    """End the reading of a body whose bytes break HTTP's rules.

    If such bytes come after the head, aiohttp closes the connection without an error for the reader, which would wait
    until the call's time is up. It does report a connection that breaks.
    """

    def end(_: "asyncio.Future[None]") -> None:
        if not content.is_eof() and content.exception() is None:
            content.set_exception(HttpProcessingError(message="its body is malformed"))

    closed.remove_done_callback(_retrieve)  # it is added once, however many answers a connection brings
    closed.add_done_callback(_retrieve)
    closed.add_done_callback(end)
    try:
        yield
    finally:
        closed.remove_done_callback(end)


def _retrieve(closed: "asyncio.Future[None]") -> None:
    """Read the error of a connection that broke, so that asyncio does not log that nobody did."""
    if not closed.cancelled():
        closed.exception()
