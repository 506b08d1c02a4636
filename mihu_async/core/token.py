"""A token that a function of the caller's gives: when it is asked for, and for how long its answer is kept."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from threading import Lock
from typing import Any, NoReturn

from attrs import define, field

from mihu_async.core.address import check_token
from mihu_async.frames import conceals_arguments

TokenFunction = Callable[[], str | Awaitable[str]]
"""A function, sync or async, that returns the token."""
Token = str | TokenFunction
"""What a caller gives for ``token``."""

REMEMBERED = 16
"""How many tokens are masked: the present one and those before it, which a late answer may still echo."""


@define
class _Inquiry:
    """One call of the function, in one event loop, and how many wait for it."""

    task: asyncio.Task[str]
    waiting: int = 0


@define(eq=False)
class TokenSource:
    """Asks the function once for all calls that need a token, and keeps what it gives until that is refused."""

    _function: TokenFunction = field(repr=False)
    _known: deque[str] = field(factory=lambda: deque(maxlen=REMEMBERED), init=False, repr=False)
    _inquiries: dict[asyncio.AbstractEventLoop, _Inquiry] = field(
        factory=dict[asyncio.AbstractEventLoop, _Inquiry], init=False, repr=False
    )
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every token that the function gave, the present one last; only the last few of many."""
        return tuple(self._known)

    async def get(self, *, refused: str | None = None) -> str:
        """Return the present token; ask for it where there is none, or where it is the one that was refused.

        Calls of one event loop that ask at the same time share one answer. A caller that is cancelled leaves the
        others theirs; the last one that leaves ends the function. Raises what the function raises, and UsageError
        where its result cannot be a token.
        """
        if self._known and self._known[-1] != refused:
            return self._known[-1]
        inquiry = self._join()
        try:
            return await asyncio.shield(inquiry.task)
        finally:
            self._leave(inquiry)

    def _join(self) -> _Inquiry:
        loop = asyncio.get_running_loop()
        with self._lock:  # a client may be used from several threads, each with a loop
            for ended in [known for known in self._inquiries if known.is_closed()]:
                del self._inquiries[ended]
            inquiry = self._inquiries.get(loop)
            if inquiry is None:
                inquiry = self._inquiries[loop] = _Inquiry(loop.create_task(self._ask()))
            inquiry.waiting += 1
        return inquiry

    def _leave(self, inquiry: _Inquiry) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            inquiry.waiting -= 1
            if self._inquiries.get(loop) is inquiry and (inquiry.task.done() or not inquiry.waiting):
                del self._inquiries[loop]
        if not inquiry.waiting:
            inquiry.task.cancel()

    @conceals_arguments
    async def _ask(self) -> str:
        given: Any = self._function()
        if inspect.isawaitable(given):
            given = await given
        token = check_token(given, "what the function given as token= returns")
        if token in self._known:
            self._known.remove(token)
        self._known.append(token)
        return token

    def __reduce__(self) -> NoReturn:
        raise TypeError("A token source cannot be pickled or copied: it holds tokens.")
