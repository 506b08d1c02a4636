"""Serves the sandbox with aiohttp: reads a request, records it, and sends its answer or its fault."""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from urllib.parse import parse_qsl

import attrs
from aiohttp import web

from mihu_async.sandbox import routes
from mihu_async.sandbox.answers import Answer, failure
from mihu_async.sandbox.exchange import Exchange
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import Journal, JournalEntry
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.script import Faults
from mihu_async.sandbox.strictness import undocumented_fields

NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The socket option that turns closing into a reset: a linger time of zero."""
ADMIN_PREFIX = "/_sandbox"
"""The prefix of the inspector, which no documented path has."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Answers requests. Each start creates a new one; the state outlives it."""

    def __init__(
        self,
        *,
        inventory: Inventory,
        faults: Faults,
        journal: Journal,
        token: str,
        tell: Callable[[str], None] = lambda _: None,
        report: Callable[[JournalEntry], None] | None = None,
        admin: Handler | None = None,
    ) -> None:
        self._inventory = inventory
        self._faults = faults
        self._journal = journal
        self._token = token
        self._tell = tell
        self._report = report
        self._admin = admin
        self._under_way: dict[asyncio.Task[web.StreamResponse], asyncio.Event] = {}

    @property
    def under_way(self) -> int:
        """The number of requests that are not answered yet."""
        return len(self._under_way)

    def application(self) -> web.Application:
        """Return an application that passes on every request, of any method and path."""
        application = web.Application(client_max_size=0)
        if self._admin:
            application.router.add_route("*", ADMIN_PREFIX + r"{path:(/[\s\S]*)?}", self._admin)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._respond)
        return application

    async def close(self) -> None:
        """Release hanging requests, and cancel those still in progress."""
        for closing in self._under_way.values():
            closing.set()
        await asyncio.sleep(0)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        """Handle a request in a separate task, which a client that leaves does not cancel."""
        closing = asyncio.Event()
        task = asyncio.create_task(self._handle(request, closing))
        self._under_way[task] = closing
        task.add_done_callback(self._under_way.pop)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            closing.set()
            if task.cancelled():
                return break_connection(request)
            raise

    async def _handle(self, request: web.Request, closing: asyncio.Event) -> web.StreamResponse:
        entry = await arrival(request)
        serial = self._journal.record(entry)
        now = asyncio.get_running_loop().time
        begun = now()
        outcome: dict[str, object] = {}
        try:
            answer = await self._outcome(serial, entry, closing)
            if answer and not closing.is_set():
                answer = identified(answer, serial)
                outcome = {"status": answer.status, "answer": answer}
        except Exception:  # from the code of a fault; aiohttp logs it and answers 500
            outcome = {"status": HTTPStatus.INTERNAL_SERVER_ERROR.value}
            raise
        finally:
            self._finish(serial, seconds=now() - begun, **outcome)
        if answer is None or closing.is_set():
            return break_connection(request)
        return await send(request, answer)

    def _finish(self, serial: int, **outcome: object) -> None:
        self._journal.note(serial, **outcome)
        if self._report and (entry := self._journal.find(serial)):
            self._report(entry)

    async def _outcome(self, serial: int, entry: JournalEntry, closing: asyncio.Event) -> Answer | None:
        """Answer truthfully or with a fault; a request without the right token meets no fault."""
        if refusal := unauthorized(entry.headers.get("Authorization"), self._token):
            return failure(refusal)
        where = f"{entry.method} {entry.path}"
        operation = partial(routes.answer, self._inventory, tell=lambda what: self._tell(f"{where}: {what}"))
        fault = self._faults.take(entry)
        if fault is None:
            return operation(entry)
        self._journal.note(serial, fault=type(fault).__name__)
        answer = await fault.around(Exchange(entry, closing, operation))
        for field in undocumented_fields(entry, answer) if answer else ():
            self._tell(f"{where}: {field} is not a documented field of the answer")
        return answer


async def arrival(request: web.Request) -> JournalEntry:
    """Read a complete request, and keep its query as it was on the wire."""
    raw_query = request.raw_path.partition("?")[2]
    return JournalEntry(
        method=request.method,
        path=request.path,
        query=tuple(parse_qsl(raw_query, keep_blank_values=True)),
        raw_query=raw_query,
        headers=request.headers,
        body=await request.read(),
        arrived_at=datetime.now(UTC),
    )


def unauthorized(authorization: str | None, token: str) -> RefusedError | None:
    """Return the refusal of an Authorization header, or None if it is valid; both codes are documented."""
    if authorization is None:
        return _unauthorized("MISSING_AUTH_TOKEN", "The Authorization header is missing.")
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer" and given.strip() == token:
        return None
    return _unauthorized("INVALID_AUTH_TOKEN", "The token is not that of this sandbox.")


def _unauthorized(code: str, details: str) -> RefusedError:
    return RefusedError(status=HTTPStatus.UNAUTHORIZED, code=code, message="Unauthenticated.", details=details)


def identified(answer: Answer, serial: int) -> Answer:
    """Add the serial number of a request to its answer's headers. The X-Request-Id is inferred: no page names one."""
    return attrs.evolve(answer, headers={"X-Request-Id": f"sandbox-{serial:06d}", **answer.headers})


async def send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send an answer, at once if it is plain."""
    if answer.is_plain:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(request)
    for piece in answer.pieces():
        await asyncio.sleep(answer.pause)
        await response.write(piece)
    if answer.cut is not None and request.transport:
        request.transport.close()
    return response


def break_connection(request: web.Request) -> web.StreamResponse:
    """Reset the connection, so that the client sees an error and not an end; the response is never sent."""
    if transport := request.transport:
        raw: socket.socket = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
    return web.Response()
