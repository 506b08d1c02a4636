"""A Slack bot with ``/numbers`` and ``/buy`` over Socket Mode, so it needs no public address.

Run ``python examples/slack_bot.py`` with MIHU_API_TOKEN, MIHU_TENANT, SLACK_BOT_TOKEN and SLACK_APP_TOKEN set. The
Slack workspace decides who may use a command. ``/buy IT local`` shows an offer with a button; its monthly fee is at
most MAX_MONTHLY_FEE (default 5). The bot buys only when the button is pressed. The message with the button is the
purchase's idempotency key, which is kept in the file that LEDGER names (``purchases.db``). So one number is bought
however often the button is pressed, even if the bot is killed in between.
"""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Awaitable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from mihu_async import (
    APIError,
    LedgerError,
    MihuClient,
    MihuError,
    OutcomeUnknownError,
    PurchaseLimitError,
    RateLimitError,
    UsageError,
)
from mihu_async.ledger import SqliteLedger

logger = logging.getLogger(__name__)

MOST = Decimal(os.environ.get("MAX_MONTHLY_FEE", "5"))

Json = dict[str, Any]


async def numbers(mihu: MihuClient, country_code: str) -> Json:
    """Answer ``/numbers`` or ``/numbers US``."""
    found = await mihu.numbers.list(country_code=country_code or None).collect(limit=50)
    return {"text": "\n".join(number.number for number in found) or "No numbers found."}


async def offer(mihu: MihuClient, wanted: str) -> Json:
    """Answer ``/buy IT local``: show an offer and ask for confirmation."""
    match wanted.split():
        case [country_code, kind]:
            async for found in mihu.numbers.search(country_code, kind):
                if found.monthly_fee is not None and found.monthly_fee <= MOST:
                    order = [found.number, country_code, kind, str(found.monthly_fee)]
                    return question(f"Buy {found.number} for {found.monthly_fee} a month?", json.dumps(order))
            return {"text": f"No such number is for sale for up to {MOST} a month."}
        case _:
            return {"text": "/buy IT local"}


def question(text: str, order: str) -> Json:
    """Return a message with a button below its text."""
    button = {"type": "button", "action_id": "buy", "text": {"type": "plain_text", "text": "Buy"}, "value": order}
    section = {"type": "section", "text": {"type": "plain_text", "text": text}}
    return {"text": text, "blocks": [section, {"type": "actions", "elements": [button]}]}


async def buy(mihu: MihuClient, pressed: Json) -> Json:
    """Buy the number of a button, once for each message with a button."""
    number, country_code, kind, monthly_fee = json.loads(pressed["actions"][0]["value"])
    bought = await mihu.numbers.buy(
        number=number,
        country_code=country_code,
        type=kind,
        monthly_fee=Decimal(monthly_fee),
        max_monthly_fee=MOST,
        idempotency_key=f"slack-{pressed['team']['id']}-{pressed['container']['message_ts']}",
    )
    return {"text": f"Bought {bought.number}."}


def explain(error: MihuError) -> str:
    """Say what went wrong and what the user can do. No error holds a secret."""
    match error:
        case UsageError():
            text = str(error)
        case PurchaseLimitError():
            text = f"{error.reason or 'Mihu refused.'} The workspace holds {error.current} of {error.limit} numbers."
        case RateLimitError():
            text = f"Mihu is busy. Try again in {error.retry_after or 10:.0f} s."
        case OutcomeUnknownError():
            text = f"The outcome is unknown. Press again to find out, or check: {error.how_to_check}"
        case LedgerError():
            text = "The purchase ledger is unavailable. Nothing was bought."
        case APIError():
            text = f"Mihu refused: {error.reason or error}"
        case _:
            effect = "It may have been applied." if error.may_have_changed else "Nothing was changed."
            text = f"Mihu gave no usable answer. {effect}"
    return text


async def answer(respond: AsyncRespond, work: Awaitable[Json]) -> None:
    """Answer a command after its acknowledgement; an error in one must not end the others."""
    try:
        try:
            reply: Json = await work
        except MihuError as error:
            logger.warning("%s", error)
            reply = {"text": explain(error)}
        await respond(reply["text"], blocks=reply.get("blocks"), replace_original=False)
    except Exception:
        logger.exception("A command was not answered")


def make_app(mihu: MihuClient, slack: AsyncWebClient, commands: asyncio.TaskGroup) -> AsyncApp:
    """Set up the bot. Slack waits three seconds for the acknowledgement; the answer may come later."""
    app = AsyncApp(client=slack)

    @app.command("/numbers")
    async def _(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        await ack()
        commands.create_task(answer(respond, numbers(mihu, command["text"].strip())))

    @app.command("/buy")
    async def _(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        await ack()
        commands.create_task(answer(respond, offer(mihu, command["text"])))

    @app.action("buy")
    async def _(ack: AsyncAck, respond: AsyncRespond, body: Json) -> None:
        await ack()
        commands.create_task(answer(respond, buy(mihu, body)))

    return app


async def main(slack: AsyncWebClient, app_token: str) -> None:
    """Listen until SIGINT or SIGTERM, then wait for the last answer before the client closes."""
    async with (
        SqliteLedger(os.environ.get("LEDGER", "purchases.db")) as ledger,
        MihuClient(ledger=ledger) as mihu,
        asyncio.TaskGroup() as commands,
    ):
        bot = AsyncSocketModeHandler(make_app(mihu, slack, commands), app_token)
        listening = commands.create_task(bot.start_async())
        with suppress(NotImplementedError):  # Windows has no handlers of signals; Ctrl-C cancels there
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, listening.cancel)
        await asyncio.wait([listening])
        await bot.close_async()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(AsyncWebClient(os.environ["SLACK_BOT_TOKEN"]), os.environ["SLACK_APP_TOKEN"]))
