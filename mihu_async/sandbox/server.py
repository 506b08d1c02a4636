"""The sandbox as a server: it starts, reports its address, and stops at once."""

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
"""The rounds of the loop after which asyncio's server knows a connection that it accepted. If it is closed earlier, it
loses the connection and leaves its socket open.
"""
AGENTS = ("AGENT", "OTHER_AGENT", "CALLS_AGENT")
"""The variables that name free agents; an agent answers one number on each channel."""
SHUTDOWN_TIMEOUT = 0.05
"""The seconds that a response may take to be written after hanging requests were released."""


class Sandbox:
    """The documented phone-number API on loopback, with state, faults to play, and a journal of the requests.

    `async with Sandbox() as sandbox:` serves in the running loop. `with Sandbox() as sandbox:` serves from a thread of
    its own, for tests that are synchronous or use another framework; `start()` and `stop()` then still work from any
    loop.

    Args:
        numbers: The number of purchased numbers at the start.
        trunks: The number of external rows at the start.
        seed: The seed that determines the initial state.
        token: The token to accept; None makes one up from the seed.
        agents: The uuids of additional agents that serve no number.
        purchase_limit: The most numbers that the workspace may have; None sets no limit.
        activation_delay: The seconds for which a number is pending after its purchase, before it is active.
        host: The address to listen on.
        port: The port to listen on. 0 chooses a free one, which is kept when the sandbox is started again with its
            state.
        ssl: A server's `ssl.SSLContext`, with which the sandbox speaks HTTPS; None speaks HTTP.
        script: The name of a script of faults to begin with, or several names, as for `faults.play`.
        strict: True calls `verify()` when the block is left, unless an exception is being raised.
        admin: False does not serve the inspector and its API below `/_sandbox/`, which are for programs on the same
            machine and need no token.
        journal_limit: The number of requests that the journal keeps.
        on_request: A function that is called with the journal's entry of each finished request, in the serving loop.
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
        """The notifications of changed parts, for the inspector."""
        self.token: str = token or sandbox_token(seed)
        """The token to accept."""
        self.inventory: Inventory = Inventory(
            numbers,
            trunks,
            seed=seed,
            agents=agents,
            purchase_limit=purchase_limit,
            activation_delay=activation_delay,
            changed=partial(self.changes.note, "inventory"),
        )
        """The state, which may be changed while the sandbox serves."""
        self.faults: Faults = Faults(changed=partial(self.changes.note, "faults"))
        """The script of faults."""
        self.journal: Journal = Journal(journal_limit, changed=partial(self.changes.note, "journal"))
        """The requests that arrived."""
        self.strict: bool = strict
        """True if leaving the sandbox raises an error for everything undocumented that it met."""
        self._scripts: tuple[str, ...] = (script,) if isinstance(script, str) else tuple(script)
        self._play()
        self.admin: bool = admin
        """True if the inspector is served below `/_sandbox/`."""
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
        """The address without `/api/v1`; reading it before the first start raises `RuntimeError`."""
        if not self._port:
            raise RuntimeError("the sandbox has no address before it is started")
        scheme = "https" if self._ssl else "http"
        return str(URL.build(scheme=scheme, host=self._host, port=self._port)).rstrip("/")

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables for a program that uses the sandbox: address, token, and free agents."""
        agents = dict(zip(AGENTS, self.inventory.free_agents("call"), strict=False))
        return {"MIHU_BASE_URL": self.base_url, "MIHU_API_TOKEN": self.token, **agents}

    async def start(self) -> None:
        """Start to serve.

        Raises:
            RuntimeError: The sandbox is serving already.
            OSError: The port is taken.
        """
        await self._at_home(self._start)

    async def stop(self) -> None:
        """Stop at once: reset hanging requests, and close connections. Safe to repeat."""
        await self._at_home(self._stop)

    @property
    def undocumented(self) -> tuple[str, ...]:
        """The endpoints, parameters and fields of requests, and fields of a fault's answers, that no page documents.

        The sandbox refuses such a request, and a client ignores such a field of an answer, so a misspelling in either
        can go unnoticed. Too little is documented to check the search for numbers, its requirements, and agents with
        their assignment to calls and text messages.
        """
        return tuple(self._undocumented)

    @property
    def under_way(self) -> int:
        """The number of requests that have arrived and are not answered yet; 0 if the sandbox is stopped."""
        return self._serving[1].under_way if self._serving else 0

    def verify(self) -> None:
        """Raise an error if anything is `undocumented`, and forget it.

        Raises:
            UndocumentedError: Something was undocumented. It is an AssertionError.
        """
        found, self._undocumented[:] = self.undocumented, []
        if found:
            raise UndocumentedError("\n".join(found))

    def reset(self) -> None:
        """Restore the initial rows and scripts, and empty the journal."""
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
        """Run a step in the loop of the serving thread, if there is one."""
        if self._home is None or self._home is asyncio.get_running_loop():
            await step()
        else:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(step(), self._home))

    async def _start(self) -> None:
        if self._serving:
            raise RuntimeError("the sandbox is already serving")
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
            service.application(), access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT
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
