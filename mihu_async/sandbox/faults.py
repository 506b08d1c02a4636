"""Faults of the network and of intermediaries before the service.

A fault that awaits `exchange.apply()` first takes effect after the request is applied, any other before. Faults that
can do both have the field `after`.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs

from mihu_async.sandbox.answers import Answer, failure, json_answer
from mihu_async.sandbox.exchange import Exchange
from mihu_async.sandbox.refusals import RefusedError

BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
HTML = "<html><head><title>Sign in</title></head><body><h1>Sign in</h1></body></html>"


async def _apply_if(exchange: Exchange, *, wanted: bool) -> None:
    if wanted:
        await exchange.apply()


@attrs.frozen
class Status:
    """Answers with a status.

    Nothing is applied; with `after=True`, the request is applied and only the answer is false.
    """

    status: int
    """The HTTP status of the answer."""
    retry_after: int | str | None = None
    """The `Retry-After` header: a number of seconds, or a string that is sent unchanged. None sends no header."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    """The additional headers."""
    body: Any = attrs.field(default=None, kw_only=True)
    """The body as bytes, text or a value for JSON. None sends a documented failure with a made-up code."""
    after: bool = attrs.field(default=False, kw_only=True)
    """True applies the request first."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the status."""
        await _apply_if(exchange, wanted=self.after)
        answer = self._answer()
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return attrs.evolve(answer, status=self.status, headers={**answer.headers, **wait, **self.headers})

    def _answer(self) -> Answer:
        match self.body:
            case None:
                return _refusal(self.status)
            case bytes():
                return Answer(body=self.body)
            case str():
                return Answer(body=self.body.encode())
            case _:
                return json_answer(self.body)


@attrs.frozen
class Redirect:
    """Redirects the client; nothing is applied."""

    location: str
    """The `Location` header."""
    status: int = HTTPStatus.FOUND
    """The HTTP status of the answer."""

    async def around(self, exchange: Exchange) -> Answer:  # noqa: ARG002 (a fault's signature)
        """Answer with the location and no body."""
        return Answer(status=self.status, headers={"Location": self.location})


@attrs.frozen
class WrongContentType:
    """Answers 200 with a page that is not JSON, like a captive portal or a sign-in page."""

    content_type: str = "text/html"
    """The `Content-Type` header."""
    body: str = HTML
    """The page."""
    after: bool = attrs.field(default=False, kw_only=True)
    """True applies the request first."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the page."""
        await _apply_if(exchange, wanted=self.after)
        return Answer(body=self.body.encode(), headers={"Content-Type": self.content_type})


@attrs.frozen
class Delay:
    """Waits, then applies the request and answers truthfully; a client that gives up does not stop the change."""

    seconds: float
    """The seconds to wait."""

    async def around(self, exchange: Exchange) -> Answer:
        """Wait and answer."""
        await asyncio.sleep(self.seconds)
        return await exchange.apply()


@attrs.frozen(kw_only=True)
class Hang:
    """Never answers. The connection stays open until the client leaves or the sandbox stops."""

    after: bool = False
    """True applies the request first."""

    async def around(self, exchange: Exchange) -> None:
        """Wait until nobody waits for the answer."""
        await _apply_if(exchange, wanted=self.after)
        await exchange.closing.wait()


@attrs.frozen(kw_only=True)
class Reset:
    """Breaks the connection with a TCP reset, before any byte of an answer.

    On a reused connection, a bare aiohttp session silently resends an idempotent request once.
    """

    after: bool = False
    """True applies the request first."""

    async def around(self, exchange: Exchange) -> None:
        """Apply the request if `after` is set, and break the connection."""
        await _apply_if(exchange, wanted=self.after)


@attrs.frozen
class Truncate:
    """Applies the request, sends half of the body that the Content-Length promises, and closes the connection."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the true answer, truncated in the middle."""
        answer = await exchange.apply()
        return attrs.evolve(answer, cut=len(answer.body) // 2)


@attrs.frozen
class SlowBody:
    """Applies the request, and sends the true body slowly, piece by piece; the head is sent at once."""

    seconds: float
    """The seconds that the body takes in total."""
    chunks: int = 10
    """The number of pieces in which the body is sent."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the true answer, to be sent slowly."""
        return attrs.evolve(await exchange.apply(), chunks=self.chunks, pause=self.seconds / self.chunks)


@attrs.frozen
class OversizeBody:
    """Applies the request, and sends the true JSON padded with spaces; it still decodes."""

    size: int
    """The minimum number of bytes of the body."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the true answer, padded."""
        answer = await exchange.apply()
        return attrs.evolve(answer, body=answer.body.ljust(self.size))


def _refusal(status: int) -> Answer:
    if status in BODILESS:
        return Answer(headers={})
    meaning = next((known for known in HTTPStatus if known == status), HTTPStatus.INTERNAL_SERVER_ERROR)
    details = "A fault of the sandbox's script."
    return failure(RefusedError(status=status, code=meaning.name, message=meaning.phrase, details=details))
