"""A Telegram bot that lists the workspace's numbers, buys some and assigns its trunks, for the chats that may.

``python examples/aiogram_bot.py``, with MIHU_API_TOKEN, MIHU_TENANT, TELEGRAM_TOKEN and TELEGRAM_CHATS (ids, with
spaces between) set. ``/buy IT local`` shows an offer that costs no more a month than MAX_MONTHLY_FEE (5 where it is not
set), with a button; nothing is bought before the button is pressed. The chat and the message with the button are the
purchase's idempotency key, kept in the file that LEDGER names (``purchases.db``): however often it is pressed, one
number is bought, also where the bot is killed meanwhile.
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
    """A number to buy: what the button below an offer carries."""

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
    await message.answer("\n".join(lines) or "There are none.")


async def offer(message: Message, command: CommandObject, mihu: MihuClient) -> None:
    """Answer ``/buy IT local``: show an offer, and ask before it is bought."""
    match (command.args or "").split():
        case [country, kind]:
            async for found in mihu.numbers.search(country, kind):
                if found.monthly_fee is not None and found.monthly_fee <= MOST:
                    order = Order(number=found.number, country_code=country, type=kind, monthly_fee=found.monthly_fee)
                    button = InlineKeyboardButton(text="Buy", callback_data=order.pack())
                    question = f"Buy {found.number} for {found.monthly_fee} a month?"
                    await message.answer(question, reply_markup=InlineKeyboardMarkup(inline_keyboard=[[button]]))
                    return
            await message.answer(f"Nothing of that kind is for sale for up to {MOST} a month.")
        case _:
            await message.answer("/buy IT local")


async def buy(pressed: CallbackQuery, callback_data: Order, mihu: MihuClient) -> None:
    """Buy what a button offers, once for each message with a button."""
    if pressed.message is None:  # Telegram no longer knows it
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
            await message.answer(f"{number} is answered by {(call and call.agent_name) or agent} now.")
        case _:
            await message.answer("/assign +12345678901 agent-uuid")


async def refuse(event: ErrorEvent) -> None:
    """Tell the chat what went wrong; the details are for the log. No error holds a secret."""
    match event.exception:
        case UsageError() as error:
            told = str(error)
        case RateLimitError() as error:
            told = f"Mihu is busy. Try again in {error.retry_after or 10:.0f} s."
        case OutcomeUnknownError() as error:
            told = f"It is not known whether this was done. Press again to find out, or: {error.how_to_check}"
        case LedgerError():
            told = "The ledger of purchases cannot be used. Nothing was bought."
        case APIError() as error:
            told = f"Mihu refused: {error.reason or error}"
        case MihuError(may_have_changed=True):
            told = "Mihu gave no usable answer. It may have been done all the same; to ask for it again is safe."
        case _:
            told = "Mihu gave no usable answer. Nothing was changed."
    logger.warning("%s", event.exception)
    pressed = event.update.callback_query
    if asked := event.update.message or (pressed and pressed.message):
        await asked.answer(told)


class UnderWay(BaseMiddleware):
    """The updates that are being handled: aiogram does not wait for them when it stops."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any] | None] = set()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        """Handle an update."""
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            return await handler(event, data)
        finally:
            self._tasks.discard(task)

    async def finish(self) -> None:
        """Wait for them."""
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)


def make_dispatcher(mihu: MihuClient, chats: Collection[int]) -> Dispatcher:
    """Put the bot together; each handler that names ``mihu`` gets the client. Other chats get no answer."""
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
    """Make the client around the polling, which ends with SIGINT or SIGTERM, and close it after the last answer."""
    path = os.environ.get("LEDGER", "purchases.db")
    async with SqliteLedger(path) as ledger, MihuClient(ledger=ledger) as mihu:
        await make_dispatcher(mihu, chats).start_polling(bot)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    allowed = {int(chat) for chat in os.environ["TELEGRAM_CHATS"].split()}
    asyncio.run(main(Bot(os.environ["TELEGRAM_TOKEN"]), allowed))
