"""An aiohttp.web application that shares one client among all requests, in a cleanup context.

Run ``python examples/aiohttp_app.py`` with MIHU_API_TOKEN and MIHU_TENANT set, and PORT if 8080 is in use.
"""

import logging
import os
from collections.abc import AsyncGenerator
from json import JSONDecodeError
from math import ceil

from aiohttp import web
from aiohttp.typedefs import Handler

from mihu_async import APIError, ConflictError, MihuClient, MihuError, NotFoundError, RateLimitError, UsageError

logger = logging.getLogger(__name__)

MIHU = web.AppKey("mihu", MihuClient)


async def client(app: web.Application) -> AsyncGenerator[None]:
    """Create the client before the first request, and close it after the last response."""
    async with MihuClient() as mihu:
        app[MIHU] = mihu
        yield


async def trunks(request: web.Request) -> web.Response:
    """Return the numbers of the workspace's trunks for calls, with the agents that answer them."""
    agents: dict[str, str | None] = {}
    async for trunk in request.app[MIHU].trunks.list(channel="call"):
        agents[trunk.number] = trunk.bindings.call.agent_uuid if trunk.bindings and trunk.bindings.call else None
    return web.json_response(agents)


async def assign(request: web.Request) -> web.Response:
    """Assign a trunk to another agent."""
    try:
        agent: str = (await request.json())["agent_uuid"]
    except (JSONDecodeError, KeyError, TypeError):
        raise web.HTTPBadRequest(text='Send {"agent_uuid": "…"}.') from None
    number = request.match_info["number"]
    snapshot = await request.app[MIHU].trunks.assign(phone_number=number, channel="call", agent_uuid=agent)
    call = snapshot.channels.call
    return web.json_response({"number": number, "agent_uuid": call.agent_uuid if call else None})


@web.middleware
async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error of the SDK into a response, according to whose fault it was. No error holds a secret."""
    headers: dict[str, str] = {}
    try:
        return await handler(request)
    except UsageError as error:
        status, detail = 422, str(error)
    except NotFoundError as error:
        status, detail = 404, error.reason or str(error)
    except ConflictError as error:
        status, detail = 409, error.reason or str(error)
    except RateLimitError as error:
        status, detail = 503, f"Mihu is busy. {effect(error)}"
        headers["Retry-After"] = str(ceil(error.retry_after or 1))
    except MihuError as error:
        reason = (
            f"Mihu refused: {error.reason or error}" if isinstance(error, APIError) else "Mihu gave no usable answer."
        )
        status, detail = 502, f"{reason} {effect(error)}"
        logger.warning("%s %s failed: %s", request.method, request.path, error)
    return web.json_response({"detail": detail}, status=status, headers=headers)


def effect(error: MihuError) -> str:
    """Say whether anything may have changed. Assigning a trunk again is safe in either case."""
    return "It may have been applied." if error.may_have_changed else "Nothing was changed."


def make_app() -> web.Application:
    """Set up the application."""
    app = web.Application(middlewares=[refuse])
    app.cleanup_ctx.append(client)
    app.add_routes([web.get("/trunks", trunks), web.put("/trunks/{number}", assign)])
    return app


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    web.run_app(make_app(), host="127.0.0.1", port=int(os.environ.get("PORT", "8080")))
