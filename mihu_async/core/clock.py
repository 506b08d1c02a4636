"""Time, as the call path sees it: the one place that reads a clock or sleeps."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


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
