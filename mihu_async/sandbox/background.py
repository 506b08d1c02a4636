"""A thread with its own event loop, which keeps an asynchronous context open."""

import asyncio
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from threading import Thread
from typing import Any


class BackgroundLoop:
    """Enters and leaves a context in a new thread; errors of either step are raised in the calling thread."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._context = context
        self._entered: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._left: Future[None] = Future()
        self._thread = Thread(target=self._run, name="mihu-sandbox", daemon=True)

    def enter(self) -> asyncio.AbstractEventLoop:
        """Start the thread, and return its loop once the context is entered."""
        self._thread.start()
        return self._entered.result()[0]

    def leave(self) -> None:
        """Leave the context, and wait for the thread to end."""
        loop, leaving = self._entered.result()
        loop.call_soon_threadsafe(leaving.set)
        self._thread.join()
        self._left.result()

    def _run(self) -> None:
        try:
            asyncio.run(self._hold())
        except Exception as error:  # noqa: BLE001 (handed to the thread that waits)
            waited_for = self._left if self._entered.done() else self._entered
            waited_for.set_exception(error)
        else:
            self._left.set_result(None)

    async def _hold(self) -> None:
        leaving = asyncio.Event()
        async with self._context:
            self._entered.set_result((asyncio.get_running_loop(), leaving))
            await leaving.wait()
