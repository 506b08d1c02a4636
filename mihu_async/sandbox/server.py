"""The sandbox as a server: it starts, says where it is, and stops at once."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from aiohttp import web
from yarl import URL

from mihu_async.sandbox.admin.service import Admin
from mihu_async.sandbox.app import Service
from mihu_async.sandbox.background import BackgroundLoop
from mihu_async.sandbox.changes import Changes
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import LIMIT, Journal, JournalEntry
from mihu_async.sandbox.script import Faults
from mihu_async.sandbox.seeding import sandbox_token
from mihu_async.sandbox.strictness import UndocumentedError

ACCEPTING = 4
"""Rounds of the loop in which a connection that came becomes one that is known; asyncio's server, when it closes, loses
one that it has only accepted, and leaves its socket open."""
AGENTS = ("AGENT", "OTHER_AGENT", "CALLS_AGENT")
"""The variables that name free agents: an agent answers one number on each channel."""
PATIENCE = 0.05
"""Seconds that a response may take to be written out after what hung was released."""


class Sandbox:
    """The documented phone-number API on loopback, with state, faults to play and a journal of what arrived.

    `async with Sandbox() as sandbox:` serves in the running loop. `with Sandbox() as sandbox:` serves from a thread of
    its own, for tests that are not asynchronous or use another framework; `start()` and `stop()` then still work from
    any loop.

    `numbers` counts the purchased numbers and `trunks` the external rows that it begins with, both the same for the
    same `seed`. The token is made up from the seed when left out. `purchase_limit=None` is no limit. A number that
    is bought is pending for `activation_delay` seconds, and then active. `port=0` takes a free port, and keeps it when
    the sandbox is started again, which goes on with the state as it was. With `ssl`, a server's `ssl.SSLContext`, it
    speaks HTTPS.

    `script` names one script of faults or several to begin with, as `faults.play` takes them. With `strict`, leaving
    the block calls `verify()`, unless an exception is under way.

    `agents` are uuids of agents that are there besides those that are made up. `admin=False` does not serve the
    inspector and the API below `/_sandbox/`, which are for programs on the same machine and need no token. The journal
    keeps `journal_limit` requests. `on_request` is called with the journal's entry of each request that is over, in the
    loop that serves.
    """

    def __init__(
        self,
        numbers: int = 250,
        trunks: int = 40,
        *,
        seed: int = 7,
        token: str | None = None,
        agents: Iterable[str | UUID] = (),
        purchase_limit: int | None = None,
        activation_delay: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl: SSLContext | None = None,
        script: str | Iterable[str] = (),
        strict: bool = False,
        admin: bool = True,
        journal_limit: int = LIMIT,
        on_request: Callable[[JournalEntry], None] | None = None,
    ) -> None:
        self.changes: Changes = Changes()
        """Tells the inspector which part of the sandbox changed."""
        self.token: str = token or sandbox_token(seed)
        """The token that is let in."""
        self.inventory: Inventory = Inventory(
            numbers,
            trunks,
            seed=seed,
            agents=agents,
            purchase_limit=purchase_limit,
            activation_delay=activation_delay,
            changed=partial(self.changes.note, "inventory"),
        )
        """What it knows, which may be changed while it serves."""
        self.faults: Faults = Faults(changed=partial(self.changes.note, "faults"))
        """The script of what goes wrong."""
        self.journal: Journal = Journal(journal_limit, changed=partial(self.changes.note, "journal"))
        """What arrived."""
        self.strict: bool = strict
        """Whether leaving it fails where no page documents what it met."""
        self._scripts: tuple[str, ...] = (script,) if isinstance(script, str) else tuple(script)
        self._play()
        self.admin: bool = admin
        """Whether it can be looked at and steered below `/_sandbox/`."""
        self._on_request = on_request
        self._undocumented: list[str] = []
        self._host = host
        self._port = port
        self._ssl = ssl
        self._serving: tuple[web.AppRunner, Service] | None = None
        self._background: BackgroundLoop | None = None
        self._home: asyncio.AbstractEventLoop | None = None

    def __repr__(self) -> str:
        where = self.base_url if self._serving else "stopped"
        return f"<Sandbox {where} {self.inventory!r}>"

    @property
    def base_url(self) -> str:
        """The address without `/api/v1`; `RuntimeError` before the first start."""
        if not self._port:
            raise RuntimeError("the sandbox has no address before it is started")
        scheme = "https" if self._ssl else "http"
        return str(URL.build(scheme=scheme, host=self._host, port=self._port)).rstrip("/")

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a program that is to use it: address, token, and agents that serve no number yet."""
        agents = dict(zip(AGENTS, self.inventory.free_agents("call"), strict=False))
        return {"MIHU_BASE_URL": self.base_url, "MIHU_API_TOKEN": self.token, **agents}

    async def start(self) -> None:
        """Begin to serve; `RuntimeError` when it does already, `OSError` when the port is taken."""
        await self._at_home(self._start)

    async def stop(self) -> None:
        """Stop at once: what hangs is reset, connections are closed. Does nothing when it does not serve."""
        await self._at_home(self._stop)

    @property
    def undocumented(self) -> tuple[str, ...]:
        """What no page documents: endpoints, parameters and fields of requests, and fields of a fault's answers.

        Requests with such a thing are refused, and a client passes over such fields of an answer; so a slip of the pen
        in either can go unseen. Of the search for numbers, its requirements, agents and their binding to calls and text
        messages too little is documented to tell.
        """
        return tuple(self._undocumented)

    def verify(self) -> None:
        """Raise `UndocumentedError`, an AssertionError, for what is `undocumented`, and forget it."""
        found, self._undocumented[:] = self.undocumented, []
        if found:
            raise UndocumentedError("\n".join(found))

    def reset(self) -> None:
        """Begin anew: with the rows and the scripts of the beginning, and an empty journal."""
        self.inventory.reset()
        self.faults.clear()
        self._play()
        self.journal.clear()
        self._undocumented.clear()

    def _play(self) -> None:
        for name in self._scripts:
            self.faults.play(name)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._background is None and kind is None and self.strict:
            self.verify()

    def __enter__(self) -> Self:
        background = BackgroundLoop(self)
        self._home = background.enter()
        self._background = background
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._background:
            self._background.leave()
        self._background = self._home = None
        if kind is None and self.strict:
            self.verify()

    async def _at_home(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a step in the loop of the thread that serves, if one does."""
        if self._home is None or self._home is asyncio.get_running_loop():
            await step()
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(step(), self._home))

    async def _start(self) -> None:
        if self._serving:
            raise RuntimeError("the sandbox serves already")
        service = Service(
            inventory=self.inventory,
            faults=self.faults,
            journal=self.journal,
            token=self.token,
            tell=self._undocumented.append,
            report=self._on_request,
            admin=Admin(self).respond if self.admin else None,
        )
        runner = web.AppRunner(
            service.application(), access_log=None, handler_cancellation=True, shutdown_timeout=PATIENCE
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, ssl_context=self._ssl).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._serving = runner, service

    async def _stop(self) -> None:
        if self._serving is None:
            return
        (runner, service), self._serving = self._serving, None
        for _ in range(ACCEPTING):
            await asyncio.sleep(0)
        for site in runner.sites:
            await site.stop()
        await service.close()
        for connection in runner.server.connections if runner.server else ():
            if connection.transport:
                connection.transport.abort()
        await runner.cleanup()
