"""Tokens that a function of the caller's returns: when it is called, and how long its result is kept."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, NoReturn

from mihu_async.core.address import check_token
from mihu_async.frames import conceals_arguments
from mihu_async.value import State

TokenFunction = Callable[[], str | Awaitable[str]]
"""A function, sync or async, that returns the token."""
Token = str | TokenFunction
"""The values that ``token=`` accepts."""

REMEMBERED = 16
"""The number of tokens that are hidden: the present one and those before it, which a late answer may still echo."""


class _Fetch(State):
    """A call of the function, in one event loop, and the number of requests that wait for it."""

    task: asyncio.Task[str]
    waiting: int = 0


class TokenSource:
    """Calls the function once for all requests that need a token, and keeps its result until the service refuses it."""

    def __init__(self, function: TokenFunction) -> None:
        self._function = function
        self._known: deque[str] = deque(maxlen=REMEMBERED)
        self._fetches: dict[asyncio.AbstractEventLoop, _Fetch] = {}
        self._lock = Lock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The latest tokens that the function returned, the present one last."""
        return tuple(self._known)

    @property
    def calls(self) -> int:
        """The number of calls of the function that are under way, at most one in each event loop."""
        return len(self._fetches)

    async def get(self, *, refused: str | None = None) -> str:
        """Return the present token, or call the function if there is none or the service refused it.

        Requests of one event loop that need a token at the same time share one call. It goes on if one of them is
        cancelled, and is cancelled with the last one.

        Args:
            refused: The token that the service refused; None if it refused none.

        Raises:
            UsageError: If the result of the function cannot be a token.
            Exception: Any exception of the function.
        """
        if self._known and self._known[-1] != refused:
            return self._known[-1]
        fetch = self._join()
        try:
            return await asyncio.shield(fetch.task)
        finally:
            self._leave(fetch)

    def _join(self) -> _Fetch:
        loop = asyncio.get_running_loop()
        with self._lock:  # a client may be used from several threads, each with a loop
            for ended in [known for known in self._fetches if known.is_closed()]:
                del self._fetches[ended]
            fetch = self._fetches.get(loop)
            if fetch is None:
                fetch = self._fetches[loop] = _Fetch(loop.create_task(self._ask()))
            fetch.waiting += 1
        return fetch

    def _leave(self, fetch: _Fetch) -> None:
        loop = fetch.task.get_loop()  # no loop runs any more if this one was closed under the call
        with self._lock:
            fetch.waiting -= 1
            if self._fetches.get(loop) is fetch and (fetch.task.done() or not fetch.waiting):
                del self._fetches[loop]
        if not fetch.waiting and not loop.is_closed():
            fetch.task.cancel()

    @conceals_arguments
    async def _ask(self) -> str:
        given: Any = self._function()
        if inspect.isawaitable(given):
            given = await given
        token = check_token(given, "it comes from the function given as token=")
        if token in self._known:
            self._known.remove(token)
        self._known.append(token)
        return token

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token source cannot be pickled or copied: it holds tokens.")
