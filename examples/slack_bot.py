"""A Slack bot with ``/numbers`` and ``/buy``, over Socket Mode: it needs no public address.

``python examples/slack_bot.py``, with MIHU_API_TOKEN, MIHU_TENANT, SLACK_BOT_TOKEN and SLACK_APP_TOKEN set. Who may use
a command is for the Slack workspace to say.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from mihu_async import (
    APIError,
    MihuClient,
    MihuError,
    OutcomeUnknownError,
    PurchaseLimitError,
    RateLimitError,
    UsageError,
)

logger = logging.getLogger(__name__)

Command = dict[str, Any]


async def numbers(mihu: MihuClient, country_code: str) -> str:
    """Answer ``/numbers`` or ``/numbers US``."""
    found = await mihu.numbers.list(country_code=country_code or None).collect(limit=50)
    return "\n".join(number.number for number in found) or "There are none."


async def buy(mihu: MihuClient, order: str) -> str:
    """Answer ``/buy +390790080041 IT local``."""
    match order.split():
        case [number, country_code, kind]:
            bought = await mihu.numbers.buy(number=number, country_code=country_code, type=kind)
            return f"Bought {bought.number}."
        case _:
            return "/buy +390790080041 IT local"


def explain(error: MihuError) -> str:
    """Say what went wrong, and what it means for who asked. No error holds a secret."""
    match error:
        case UsageError():
            return str(error)
        case PurchaseLimitError():
            return f"The workspace holds {error.current} of {error.limit} numbers."
        case RateLimitError():
            return f"Mihu is busy. Try again in {error.retry_after or 10:.0f} s."
        case OutcomeUnknownError():
            return f"It is not known whether this was done. {error.how_to_check}"
        case APIError():
            return f"Mihu refused: {error.reason or error}"
        case _:
            return "Mihu gave no usable answer. Nothing was changed."


async def answer(respond: AsyncRespond, work: Awaitable[str]) -> None:
    """Answer a command, late; what goes wrong with one must not end the others."""
    try:
        try:
            text = await work
        except MihuError as error:
            logger.warning("%s", error)
            text = explain(error)
        await respond(text)
    except Exception:
        logger.exception("A command was not answered")


def make_app(mihu: MihuClient, slack: AsyncWebClient, commands: asyncio.TaskGroup) -> AsyncApp:
    """Put the bot together. Slack waits three seconds for the acknowledgement, and the answer may come later."""
    app = AsyncApp(client=slack)

    @app.command("/numbers")
    async def _(ack: AsyncAck, respond: AsyncRespond, command: Command) -> None:
        await ack()
        commands.create_task(answer(respond, numbers(mihu, command["text"].strip())))

    @app.command("/buy")
    async def _(ack: AsyncAck, respond: AsyncRespond, command: Command) -> None:
        await ack()
        commands.create_task(answer(respond, buy(mihu, command["text"])))

    return app


async def main(slack: AsyncWebClient, app_token: str) -> None:
    """Make the client around the commands: SIGINT or SIGTERM ends the listening, then the last answer is waited for."""
    async with MihuClient() as mihu, asyncio.TaskGroup() as commands:
        bot = AsyncSocketModeHandler(make_app(mihu, slack, commands), app_token)
        listening = commands.create_task(bot.start_async())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, listening.cancel)
        await asyncio.wait([listening])
        await bot.close_async()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(AsyncWebClient(os.environ["SLACK_BOT_TOKEN"]), os.environ["SLACK_APP_TOKEN"]))
