"""Slack on loopback: what a bot in Socket Mode needs of it."""

import asyncio
import json
from itertools import count
from typing import Any

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from tests.examples.hosts import Platform

BOT_TOKEN, APP_TOKEN = "xoxb-test", "xapp-test"
WHO = {"ok": True, "team_id": "T1", "user_id": "U1", "bot_id": "B1"}


class Slack(Platform):
    """Gives a bot its commands through the socket, and keeps what it acknowledges and answers."""

    def __init__(self) -> None:
        self.connected = asyncio.Event()
        self.answers: asyncio.Queue[str] = asyncio.Queue()
        self.buttons: list[dict[str, Any]] = []
        self.acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self._serial = count(1)
        self._socket = web.WebSocketResponse()
        super().__init__(
            web.post("/api/auth.test", self._who),
            web.post("/api/apps.connections.open", self._open),
            web.get("/socket", self._serve),
            web.post("/respond", self._answered),
        )

    def client(self) -> AsyncWebClient:
        """Make a client that takes this for Slack."""
        return AsyncWebClient(BOT_TOKEN, base_url=self.url("/api/"))

    async def say(self, text: str, *, answerable: bool = True) -> None:
        """Send the bot a command, and wait until it is acknowledged."""
        command, _, rest = text.partition(" ")
        payload = {
            "command": command,
            "text": rest,
            "team_id": "T1",
            "user_id": "U2",
            "channel_id": "C1",
            "response_url": self.url("/respond") if answerable else None,
        }
        await self._send("slash_commands", payload)

    async def ask(self, text: str) -> str:
        """Send the bot a command, and give what it answers."""
        await self.say(text)
        return await self.answers.get()

    async def choose(self, button: dict[str, Any]) -> str:
        """Press a button, and give what the bot answers."""
        await self.press(button)
        return await self.answers.get()

    async def press(self, button: dict[str, Any]) -> None:
        """Press a button of a message, and wait until that is acknowledged."""
        payload = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": "U2"},
            "channel": {"id": "C1"},
            "container": {"type": "message", "message_ts": "1790000000.000100"},
            "response_url": self.url("/respond"),
            "actions": [{**button, "block_id": "b"}],
        }
        await self._send("interactive", payload)

    async def _send(self, kind: str, payload: dict[str, Any]) -> None:
        envelope = str(next(self._serial))
        await self._socket.send_json({"type": kind, "envelope_id": envelope, "payload": payload})
        assert envelope == await self.acknowledged.get()

    async def _who(self, request: web.Request) -> web.Response:
        assert f"Bearer {BOT_TOKEN}" == request.headers["Authorization"]
        return web.json_response(WHO)

    async def _open(self, request: web.Request) -> web.Response:
        assert f"Bearer {APP_TOKEN}" == request.headers["Authorization"]
        return web.json_response({"ok": True, "url": self.url("/socket")})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        await self._socket.prepare(request)
        self.connected.set()
        async for message in self._socket:
            received: dict[str, Any] = json.loads(message.data)
            self.acknowledged.put_nowait(received["envelope_id"])
        return self._socket

    async def _answered(self, request: web.Request) -> web.Response:
        said = await request.json()
        self.buttons = [button for block in said.get("blocks", ()) for button in block.get("elements", ())]
        self.answers.put_nowait(said["text"])
        return web.Response(text="ok")
