"""A Telegram bot that lists the workspace's numbers, buys numbers and assigns trunks, for selected chats.

Run ``python examples/aiogram_bot.py`` with MIHU_API_TOKEN, MIHU_TENANT, TELEGRAM_TOKEN and TELEGRAM_CHATS (chat ids,
separated by spaces) set. ``/buy IT local`` shows an offer with a button; its monthly fee is at most MAX_MONTHLY_FEE
(default 5). The bot buys only when the button is pressed. The chat and the message with the button form the purchase's
idempotency key, which is kept in the file that LEDGER names (``purchases.db``). So one number is bought however often
the button is pressed, even if the bot is killed in between.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher, F
from aiogram.filters import Command, CommandObject, ExceptionTypeFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, ErrorEvent, InlineKeyboardButton, InlineKeyboardMarkup, Message, TelegramObject

from mihu_async import (
    APIError,
    LedgerError,
    MihuClient,
    MihuError,
    OutcomeUnknownError,
    RateLimitError,
    UsageError,
)
from mihu_async.ledger import SqliteLedger

logger = logging.getLogger(__name__)

SHOWN = 20
MOST = Decimal(os.environ.get("MAX_MONTHLY_FEE", "5"))


class Order(CallbackData, prefix="buy"):
    """A number to buy, as the callback data of an offer's button."""

    number: str
    country_code: str
    type: str
    monthly_fee: Decimal


async def numbers(message: Message, command: CommandObject, mihu: MihuClient) -> None:
    """Answer ``/numbers`` or ``/numbers US``."""
    found = await mihu.numbers.list(country_code=command.args).collect(limit=SHOWN + 1)
    lines = [f"{number.number} {number.status or ''}" for number in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append("and more")
    await message.answer("\n".join(lines) or "No numbers found.")


async def offer(message: Message, command: CommandObject, mihu: MihuClient) -> None:
    """Answer ``/buy IT local``: show an offer and ask for confirmation."""
    match (command.args or "").split():
        case [country, kind]:
            async for found in mihu.numbers.search(country, kind):
                if found.monthly_fee is not None and found.monthly_fee <= MOST:
                    order = Order(number=found.number, country_code=country, type=kind, monthly_fee=found.monthly_fee)
                    button = InlineKeyboardButton(text="Buy", callback_data=order.pack())
                    question = f"Buy {found.number} for {found.monthly_fee} a month?"
                    await message.answer(question, reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))
                    return
            await message.answer(f"No such number is for sale for up to {MOST} a month.")
        case _:
            await message.answer("/buy IT local")


async def buy(pressed: CallbackQuery, callback_data: Order, mihu: MihuClient) -> None:
    """Buy the number of a button, once for each message with a button."""
    if pressed.message is None:  # too old for Telegram
        return
    chat, question = pressed.message.chat.id, pressed.message.message_id
    await pressed.answer()
    bought = await mihu.numbers.buy(
        number=callback_data.number,
        country_code=callback_data.country_code,
        type=callback_data.type,
        monthly_fee=callback_data.monthly_fee,
        max_monthly_fee=MOST,
        idempotency_key=f"telegram-{chat}-{question}",
    )
    await pressed.message.answer(f"Bought {bought.number}.")


async def assign(message: Message, command: CommandObject, mihu: MihuClient) -> None:
    """Answer ``/assign +12345678901 agent-uuid``."""
    match (command.args or "").split():
        case [number, agent]:
            snapshot = await mihu.trunks.assign(phone_number=number, channel="call", agent_uuid=agent)
            call = snapshot.channels.call
            await message.answer(f"{(call and call.agent_name) or agent} now answers {number}.")
        case _:
            await message.answer("/assign +12345678901 agent-uuid")


async def refuse(event: ErrorEvent) -> None:
    """Tell the chat what went wrong, and log the details. No error holds a secret."""
    match event.exception:
        case UsageError() as error:
            text = str(error)
        case RateLimitError() as error:
            text = f"Mihu is busy. Try again in {error.retry_after or 10:.0f} s."
        case OutcomeUnknownError() as error:
            text = f"The outcome is unknown. Press again to find out, or check: {error.how_to_check}"
        case LedgerError():
            text = "The purchase ledger is unavailable. Nothing was bought."
        case APIError() as error:
            text = f"Mihu refused: {error.reason or error}"
        case MihuError(may_have_changed=True):
            text = "Mihu gave no usable answer. It may have been applied; asking again is safe."
        case _:
            text = "Mihu gave no usable answer. Nothing was changed."
    logger.warning("%s", event.exception)
    pressed = event.update.callback_query
    if asked := event.update.message or (pressed and pressed.message):
        await asked.answer(text)


class UnderWay(BaseMiddleware):
    """The updates in progress: aiogram does not wait for them when it stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any] | None] = set()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Handle an update and track its task."""
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            return await handler(event, data)
        finally:
            self._tasks.discard(task)

    async def finish(self) -> None:
        """Wait for all updates in progress."""
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)


def make_dispatcher(mihu: MihuClient, chats: Collection[int]) -> Dispatcher:
    """Set up the bot; aiogram passes the client to each handler as ``mihu``. Other chats get no answer."""
    dispatcher = Dispatcher(mihu=mihu)
    dispatcher.message.filter(F.chat.id.in_(chats))
    dispatcher.message.register(numbers, Command("numbers"))
    dispatcher.message.register(offer, Command("buy"))
    dispatcher.message.register(assign, Command("assign"))
    dispatcher.callback_query.register(buy, Order.filter(), F.message.chat.id.in_(chats))
    dispatcher.errors.register(refuse, ExceptionTypeFilter(MihuError))
    dispatcher.update.outer_middleware(under_way := UnderWay())
    dispatcher.shutdown.register(under_way.finish)
    return dispatcher


async def main(bot: Bot, chats: Collection[int]) -> None:
    """Poll until SIGINT or SIGTERM, with one client that closes after the last answer."""
    path = os.environ.get("LEDGER", "purchases.db")
    async with SqliteLedger(path) as ledger, MihuClient(ledger=ledger) as mihu:
        await make_dispatcher(mihu, chats).start_polling(bot)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    allowed = {int(chat) for chat in os.environ["TELEGRAM_CHATS"].split()}
    asyncio.run(main(Bot(os.environ["TELEGRAM_TOKEN"]), allowed))
