"""Serves `/_sandbox/` with aiohttp: guards requests, answers them, and streams changes."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

import attrs
from aiohttp import web

from mihu_async.sandbox.admin import guard, routes
from mihu_async.sandbox.admin.pages import SAFETY
from mihu_async.sandbox.answers import Answer, failure
from mihu_async.sandbox.app import ADMIN_PREFIX, arrival, send
from mihu_async.sandbox.changes import PARTS, Changes

if TYPE_CHECKING:
    from mihu_async.sandbox.server import Sandbox

EVENTS = f"{ADMIN_PREFIX}/events"
TO_PAGE = Answer(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"{ADMIN_PREFIX}/"})


class Admin:
    """Answers requests about the sandbox itself; they meet no fault and are not in the journal."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or refuse it."""
        refusal = guard.refusal(
            peer=request.remote,
            host=request.host,
            origin=request.headers.get("Origin"),
            scheme=request.scheme,
        )
        if refusal is None and (request.method, request.path) == ("GET", EVENTS):
            return await stream(request, self._sandbox.changes)
        answer = failure(refusal) if refusal else await self._answer(request)
        return await send(request, attrs.evolve(answer, headers={**SAFETY, **answer.headers}))

    async def _answer(self, request: web.Request) -> Answer:
        if request.path == ADMIN_PREFIX:
            return TO_PAGE
        return routes.answer(self._sandbox, await arrival(request))


async def stream(request: web.Request, changes: Changes) -> web.StreamResponse:
    """Send the names of changed parts as server-sent events, beginning with all of them, until the client leaves."""
    response = web.StreamResponse(headers={**SAFETY, "Content-Type": "text/event-stream"})
    with changes.subscribed() as subscription:
        await response.prepare(request)
        await response.write(event(PARTS))
        while True:
            await response.write(event(await subscription.next()))


def event(parts: Iterable[str]) -> bytes:
    """Return an event that names parts of a sandbox."""
    return f"event: change\ndata: {' '.join(parts)}\n\n".encode()
