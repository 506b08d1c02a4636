"""One attempt over the network: a request out, a response back. With ``failures``, the only user of aiohttp."""

import asyncio
import math
import platform
from base64 import b64encode
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from ssl import SSLContext
from threading import Lock
from typing import Any, NoReturn

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpProcessingError
from aiohttp.payload import Payload
from attrs import define, field
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


@define
class Blocks:
    """The ``async with`` blocks of a loop that share its session. If it is ``due``, the last one closes the session."""

    open: int = 0
    due: bool = False


OwnSession = tuple[Session, AsyncGenerator[None]]
"""A session of the transport's own, and the generator that closes it."""


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
    """Sends requests through its own sessions, one for each event loop, or through a borrowed one."""

    base_url: URL
    token: str = field(repr=False)
    headers: Extra = field(default=(), repr=False)
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
        """The texts that no error and no log line may show."""
        own = (self.token, *secrets_of(self.headers))
        if self.proxy is None:
            return own
        user, password = self.proxy.user or "", self.proxy.password or ""
        return (*own, user, password, b64encode(f"{user}:{password}".encode()).decode())

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The transport's own sessions, one for each event loop that uses it."""
        with self._lock:
            return tuple(session for session, _ in self._own.values())

    def using(self, *, token: str | None = None, headers: Extra | None = None) -> "Transport":
        """Return a transport with another token or other headers that shares this one's connections."""
        other = Transport(
            base_url=self.base_url,
            token=self.token if token is None else token,
            headers=self.headers if headers is None else headers,
            user_agent=self.user_agent,
            session=self.session,
            proxy=self.proxy,
            ssl=self.ssl,
            max_response_bytes=self.max_response_bytes,
        )
        other._own, other._lock, other._blocks = self._own, self._lock, self._blocks
        return other

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Make one attempt within ``bounds``. Raise TransportError, or DecodeError if the answer is not HTTP."""
        url = f"{self._root}{request.path}{'?' if request.query else ''}{request.query}"
        body = None if request.body is None else Body(request.body)
        head: aiohttp.ClientResponse | None = None
        session: Session | None = None
        failure: BaseException
        try:
            session = await self._session()
            async with session.request(
                request.method,
                URL(url, encoded=True),
                data=body,
                headers=self._headers(session, request),
                timeout=_client_timeout(bounds),
                allow_redirects=False,
                raise_for_status=False,
                proxy=self.proxy,
                ssl=self.ssl,
            ) as answer:
                head = answer
                encoding = _check_head(answer, unpacked=session.auto_decompress)
                loop = asyncio.get_running_loop()
                headed = loop.time()
                with _broken_off(answer):
                    content, complete = await _read(answer.content, self.max_response_bytes)
                return Response(url, answer.status, answer.headers, content, complete, encoding, loop.time() - headed)
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

    async def enter(self) -> None:
        """Begin a block: make this loop's session now, so that the first call need not."""
        await self._session()
        with self._lock:
            self._blocks.setdefault(asyncio.get_running_loop(), Blocks()).open += 1

    async def leave(self, *, owner: bool) -> None:
        """End a block. The last block of a loop closes the loop's own session if an ``owner`` was among the blocks."""
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
        """Close this loop's own session now, if there is one. A borrowed session stays open."""
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


def _client_timeout(bounds: Bounds) -> aiohttp.ClientTimeout:
    """Return the bounds as a timeout of aiohttp that does not round them up to whole seconds."""
    return aiohttp.ClientTimeout(
        total=bounds.total,
        connect=bounds.connect,
        sock_connect=bounds.connect,
        sock_read=bounds.read,
        ceil_threshold=math.inf,
    )


def check_trust(ssl: Any) -> Trust:
    """Check the ``ssl`` of a caller."""
    if not isinstance(ssl, SSLContext | aiohttp.Fingerprint | bool):
        raise wrong("ssl", "an SSLContext, an aiohttp Fingerprint or a bool", ssl)
    return ssl


async def _keep(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Close the session when this generator is closed. An event loop closes the generators that are left at its end."""
    try:
        yield
    finally:
        await session.close()


async def _read(content: aiohttp.StreamReader, bound: int) -> tuple[bytes, bool]:
    """Read a body up to ``bound`` bytes. Return the bytes, and True if they are the whole body."""
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        chunks.append(chunk)
        if size > bound:
            return b"".join(chunks)[:bound], False
    return b"".join(chunks), True


@contextmanager
def _broken_off(answer: aiohttp.ClientResponse) -> Generator[None]:
    """End the reading of a body whose bytes break HTTP's rules.

    If such bytes come after the head, aiohttp closes the connection without an error for the reader, which would wait
    until the call's time is up. It does report a connection that breaks.
    """
    protocol = answer.connection.protocol if answer.connection else None
    closed: asyncio.Future[None] | None = getattr(protocol, "closed", None)  # not public before aiohttp 3.12
    if closed is None or answer.content.is_eof():
        yield
        return

    def end(_: "asyncio.Future[None]") -> None:
        if not answer.content.is_eof() and answer.content.exception() is None:
            answer.content.set_exception(HttpProcessingError(message="its body is malformed"))

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


def _check_head(answer: aiohttp.ClientResponse, *, unpacked: bool) -> str:
    """Return the coding that aiohttp leaves on the body, or an empty string if there is none.

    Raises:
        HttpProcessingError: If the answer has two lengths, which the pure-Python parser of aiohttp accepts.
    """
    lengths = set(answer.headers.getall("Content-Length", ()))
    if len(lengths) > 1:
        raise HttpProcessingError(message=f"two lengths, {' and '.join(sorted(lengths))}")
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    return "" if encoding == "identity" or (unpacked and encoding in UNPACKED) else encoding
