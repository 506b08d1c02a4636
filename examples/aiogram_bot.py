"""A Telegram bot that lists the workspace's numbers and assigns its trunks, for the chats that may.

``python examples/aiogram_bot.py``, with MIHU_API_TOKEN, MIHU_TENANT, TELEGRAM_TOKEN and TELEGRAM_CHATS (ids, with
spaces between) set.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher, F
from aiogram.filters import Command, CommandObject, ExceptionTypeFilter
from aiogram.types import ErrorEvent, Message, TelegramObject

from mihu_async import APIError, MihuClient, MihuError, RateLimitError, UsageError

logger = logging.getLogger(__name__)

SHOWN = 20


async def numbers(message: Message, command: CommandObject, mihu: MihuClient) -> None:
    """Answer ``/numbers`` or ``/numbers US``."""
    found = await mihu.numbers.list(country_code=command.args).collect(limit=SHOWN + 1)
    lines = [f"{number.number} {number.status or ''}" for number in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append("and more")
    await message.answer("\n".join(lines) or "There are none.")


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
        case APIError() as error:
            told = f"Mihu refused: {error.reason or error}"
        case _:
            told = "Mihu gave no usable answer. To send the command again is safe."
    logger.warning("%s", event.exception)
    if event.update.message:
        await event.update.message.answer(told)


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
    dispatcher.message.register(assign, Command("assign"))
    dispatcher.errors.register(refuse, ExceptionTypeFilter(MihuError))
    dispatcher.update.outer_middleware(under_way := UnderWay())
    dispatcher.shutdown.register(under_way.finish)
    return dispatcher


async def main(bot: Bot, chats: Collection[int]) -> None:
    """Make the client around the polling, which ends with SIGINT or SIGTERM, and close it after the last answer."""
    async with MihuClient() as mihu:
        await make_dispatcher(mihu, chats).start_polling(bot)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    allowed = {int(chat) for chat in os.environ["TELEGRAM_CHATS"].split()}
    asyncio.run(main(Bot(os.environ["TELEGRAM_TOKEN"]), allowed))
