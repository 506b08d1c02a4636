"""Telegram's Bot API on loopback: what a bot that polls needs of it."""

import asyncio
import json
from itertools import count
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiohttp import web

from tests.examples.hosts import Platform

TOKEN = "1:test"
BOT = {"id": 1, "is_bot": True, "first_name": "Numbers", "username": "numbers_bot"}


class Telegram(Platform):
    """Gives a bot the messages of its chats, and keeps what it answers there."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.answers: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self.buttons: list[dict[str, Any]] = []
        self.updates: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._serial = count(1)
        super().__init__(web.post("/bot{token}/{method}", self._call))

    def bot(self) -> Bot:
        """Make a bot that takes this for Telegram."""
        return Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(self.url(""))))

    def say(self, text: str, *, chat: int) -> None:
        """Write to the bot in a chat."""
        command = text.split(maxsplit=1)[0]
        message = {
            **self._message(chat, text),
            "from": {"id": chat, "is_bot": False, "first_name": "Ada"},
            "entities": [{"type": "bot_command", "offset": 0, "length": len(command)}],
        }
        self.updates.put_nowait({"update_id": next(self._serial), "message": message})

    async def ask(self, text: str, *, chat: int) -> str:
        """Write to the bot, and give what it answers there."""
        self.say(text, chat=chat)
        where, text = await self.answers.get()
        assert chat == where
        return text

    def press(self, button: dict[str, Any], *, chat: int) -> None:
        """Press a button in a chat."""
        pressed = {
            "id": str(next(self._serial)),
            "from": {"id": chat, "is_bot": False, "first_name": "Ada"},
            "chat_instance": "1",
            "message": {"message_id": 5, "date": 1, "chat": {"id": chat, "type": "private"}, "text": "Buy?"},
            "data": button["callback_data"],
        }
        self.updates.put_nowait({"update_id": next(self._serial), "callback_query": pressed})

    async def choose(self, button: dict[str, Any], *, chat: int) -> str:
        """Press a button, and give what the bot answers there."""
        self.press(button, chat=chat)
        where, text = await self.answers.get()
        assert chat == where
        return text

    def _message(self, chat: int, text: str) -> dict[str, Any]:
        return {"message_id": next(self._serial), "date": 0, "chat": {"id": chat, "type": "private"}, "text": text}

    async def _call(self, request: web.Request) -> web.Response:
        assert TOKEN == request.match_info["token"]
        form = await request.post()
        match request.match_info["method"]:
            case "getMe":
                result: Any = BOT
            case "getUpdates":
                self.connected.set()
                result = [await self.updates.get()]
            case "sendMessage":
                markup = json.loads(str(form.get("reply_markup", "{}")))
                self.buttons = [button for row in markup.get("inline_keyboard", ()) for button in row]
                chat, text = int(str(form["chat_id"])), str(form["text"])
                self.answers.put_nowait((chat, text))
                result = self._message(chat, text)
            case "answerCallbackQuery":
                result = True
            case method:
                return web.json_response({"ok": False, "error_code": 404, "description": method}, status=404)
        return web.json_response({"ok": True, "result": result}, dumps=json.dumps)
