"""Time, as the call path sees it: the one place that reads a clock or sleeps."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from mihu_async.core.pulse import PULSES, Pulse


class Clock(Protocol):
    """What the pipeline needs of time."""

    def monotonic(self) -> float:
        """Give seconds that never run backwards."""
        ...

    def now(self) -> datetime:
        """Give the time of day, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        """Give a block that is left with TimeoutError after some seconds."""
        ...

    def pulse(self) -> Pulse:
        """Return what counts for how long the running event loop stood still."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Give seconds that never run backwards."""
        return time.monotonic()

    def now(self) -> datetime:
        """Give the time of day, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up the loop."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        """Give a block that is left with TimeoutError after some seconds."""
        return asyncio.timeout(seconds)

    def pulse(self) -> Pulse:
        """Return what counts for how long the running event loop stood still."""
        return PULSES.of_running_loop()
