"""Faults of the network and of what stands before the service.

Whether a fault strikes before or after the request is applied is whether it awaited `exchange.apply()` first; those
that can do both take `after`.
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
    """Answer with a status; nothing is applied, or with `after=True` everything is and only the answer lies."""

    status: int
    """The HTTP status."""
    retry_after: int | str | None = None
    """The header's value: a number is seconds, a string is sent as it is."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], kw_only=True)
    """What else the head says."""
    body: Any = attrs.field(default=None, kw_only=True)
    """Bytes, text or a value for JSON; left out, a documented failure with a made-up code."""
    after: bool = attrs.field(default=False, kw_only=True)
    """Whether the request is applied first."""

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
    """Send the client elsewhere; nothing is applied."""

    location: str
    """Where to, as the header says it."""
    status: int = HTTPStatus.FOUND
    """The HTTP status."""

    async def around(self, exchange: Exchange) -> Answer:  # noqa: ARG002 (a fault's signature)
        """Answer with the location and no body."""
        return Answer(status=self.status, headers={"Location": self.location})


@attrs.frozen
class WrongContentType:
    """Answer 200 with a page that is no JSON, as a captive portal or a sign-in wall does."""

    content_type: str = "text/html"
    """What the head says that it is."""
    body: str = HTML
    """The page."""
    after: bool = attrs.field(default=False, kw_only=True)
    """Whether the request is applied first."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the page."""
        await _apply_if(exchange, wanted=self.after)
        return Answer(body=self.body.encode(), headers={"Content-Type": self.content_type})


@attrs.frozen
class Delay:
    """Wait, then apply and answer truly; a client that gives up meanwhile does not stop the change."""

    seconds: float
    """How long."""

    async def around(self, exchange: Exchange) -> Answer:
        """Wait and answer."""
        await asyncio.sleep(self.seconds)
        return await exchange.apply()


@attrs.frozen(kw_only=True)
class Hang:
    """Never answer. The connection stands until the client leaves or the sandbox stops."""

    after: bool = False
    """Whether the request is applied first."""

    async def around(self, exchange: Exchange) -> None:
        """Wait until nobody waits for the answer."""
        await _apply_if(exchange, wanted=self.after)
        await exchange.closing.wait()


@attrs.frozen(kw_only=True)
class Reset:
    """Break the connection with a TCP reset, without a byte of an answer.

    On a connection that served a request before, a bare aiohttp session sends an idempotent request again by itself,
    once, and no error shows.
    """

    after: bool = False
    """Whether the request is applied first."""

    async def around(self, exchange: Exchange) -> None:
        """Apply or not, and have the connection broken."""
        await _apply_if(exchange, wanted=self.after)


@attrs.frozen
class Truncate:
    """Apply, then send half of the body that the Content-Length promises, and close the connection."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer truly, cut in the middle."""
        answer = await exchange.apply()
        return attrs.evolve(answer, cut=len(answer.body) // 2)


@attrs.frozen
class SlowBody:
    """Apply, then send the true body over a time, piece by piece; the head comes at once."""

    seconds: float
    """How long it takes in all."""
    chunks: int = 10
    """In how many pieces it leaves."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer truly, slowly."""
        return attrs.evolve(await exchange.apply(), chunks=self.chunks, pause=self.seconds / self.chunks)


@attrs.frozen
class OversizeBody:
    """Apply, then send the true JSON filled up with blanks; it still decodes."""

    size: int
    """How many bytes the body has at the least."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer truly, at length."""
        answer = await exchange.apply()
        return attrs.evolve(answer, body=answer.body.ljust(self.size))


def _refusal(status: int) -> Answer:
    if status in BODILESS:
        return Answer(headers={})
    meaning = next((known for known in HTTPStatus if known == status), HTTPStatus.INTERNAL_SERVER_ERROR)
    details = "A fault of the sandbox's script."
    return failure(RefusedError(status=status, code=meaning.name, message=meaning.phrase, details=details))
