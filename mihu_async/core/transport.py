"""One attempt over the network: a request out, a response back. The only user of aiohttp; decides nothing."""

import asyncio
import platform
from collections.abc import AsyncGenerator
from ssl import SSLContext
from typing import Any

import aiohttp
from attrs import define, field
from yarl import URL

from mihu_async._version import __version__
from mihu_async.core.mask import Mask
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.timeout import Timeout
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

ERRORS_BY_CAUSE: tuple[tuple[type[BaseException], type[TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, ConnectTimeoutError),
    (TimeoutError, RequestTimeoutError),
    (aiohttp.ClientConnectorError, ConnectError),
    (aiohttp.ServerFingerprintMismatch, ConnectError),
    (aiohttp.ClientHttpProxyError, ConnectError),
    (aiohttp.ClientError, ConnectionLostError),
    (OSError, ConnectionLostError),
)
"""What each failure beneath us means; the first row that fits counts."""


OwnSession = tuple[Session, AsyncGenerator[None]]
"""A session that we made, and the generator that closes it."""


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
    _own: "dict[asyncio.AbstractEventLoop, OwnSession]" = field(factory=dict[Any, Any], init=False, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never show."""
        proxy = () if self.proxy is None else (self.proxy.user, self.proxy.password)
        return (self.token, *(secret for secret in proxy if secret))

    async def send(self, request: Request[Any], bounds: Timeout, mask: Mask) -> Response:
        """Make one attempt, within ``bounds``, or raise a TransportError."""
        url = self._url(request)
        try:
            async with (await self._session()).request(
                request.method,
                url,
                data=request.body,
                headers=self._headers(request),
                timeout=aiohttp.ClientTimeout(
                    total=bounds.total,
                    sock_connect=bounds.connect,
                    sock_read=bounds.read,
                    ceil_threshold=bounds.total,
                ),
                allow_redirects=False,
                raise_for_status=False,
                proxy=self.proxy,
                ssl=self.ssl,
            ) as answer:
                body, complete = await _read(answer.content, self.max_response_bytes)
                return Response(str(url), answer.status, answer.headers, body, complete)
        except (aiohttp.ClientError, OSError) as error:
            failure: UsageError | TransportError = _translate(error, request, str(url), mask)
        except RuntimeError as error:
            failure = UsageError(f"The session cannot be used: {mask(str(error))}.", argument="session")
        raise failure  # here, out of the except block: the cause's repr can hold the request's headers

    async def aclose(self) -> None:
        """Close this loop's own session, if there is one; a borrowed session stays open."""
        _, keeper = self._own.pop(asyncio.get_running_loop(), (None, None))
        if keeper is not None:
            await keeper.aclose()

    async def _session(self) -> aiohttp.ClientSession:
        if self.session is not None:
            return self.session
        loop = asyncio.get_running_loop()
        session, _ = self._own.get(loop, (None, None))
        if session is None or session.closed:
            self._own = {known: own for known, own in self._own.items() if not known.is_closed()}
            session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
            keeper = _keep(session)
            self._own[loop] = session, keeper
            await anext(keeper)
        return session

    def _url(self, request: Request[Any]) -> URL:
        query = f"?{request.query}" if request.query else ""
        return URL(f"{self.base_url}{request.path}{query}", encoded=True)

    def _headers(self, request: Request[Any]) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "User-Agent": self.user_agent,
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


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
    async for chunk in content.iter_any():
        size += len(chunk)
        chunks.append(chunk)
        if size > bound:
            return b"".join(chunks)[:bound], False
    return b"".join(chunks), True


def _translate(error: BaseException, request: Request[Any], url: str, mask: Mask) -> TransportError:
    kind = next(ours for theirs, ours in ERRORS_BY_CAUSE if isinstance(error, theirs))
    told = f"{type(error).__name__}: {error}".removesuffix(": ")
    if issubclass(kind, ConnectError):
        effect = "Nothing was sent."
    else:
        effect = "" if request.method == "GET" else "It may have been carried out."
    message = f"{request.method} {request.path} got no answer ({told}). {effect}"
    return kind(mask(message).rstrip(), method=request.method, url=mask(url))
