"""Time, as a call sees it: clocks, blocked event loops, deadlines, and whether the task was cancelled.

No other module of the call path reads a clock or sleeps.
"""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, Protocol
from weakref import WeakKeyDictionary, ref

from attrs import Factory, define, field

BEAT = 0.1
"""Seconds between two beats of a pulse, which beats only while calls are under way."""
NOISE = 0.05
"""A beat that is at most this many seconds late, as on a busy machine, does not mean that the loop was blocked."""


class Pulse:
    """The pulse of an event loop, which counts the seconds in which the loop was blocked while calls were under way.

    A loop is blocked while synchronous code runs in it.
    """

    def __init__(self) -> None:
        self.blocked: float = 0.0
        """The loop was blocked for this many seconds so far."""
        self._calls: int = 0
        self._since: float = 0.0
        self._beats: bool = False

    def begin(self) -> None:
        """Count from now on, because a call begins. The first beat is due before any timer of that call."""
        if not self._calls:
            self._since = asyncio.get_running_loop().time()
        self._calls += 1
        if not self._beats:
            self._beats = True
            self._beat_later()

    def end(self) -> None:
        """Stop counting, because a call ends, unless others are under way."""
        self._calls -= 1

    def _beat_later(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT
        loop.call_at(due, self._beat, loop, due)

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - max(due, self._since)  # without a call, the loop may not have run at all
        if late > NOISE and self._calls:
            self.blocked += late
        self._beats = self._calls > 0
        if self._beats:
            self._beat_later()


class Pulses:
    """The pulse of each event loop, shared by all clients; the latest one is found without a search."""

    def __init__(self) -> None:
        self._of: WeakKeyDictionary[asyncio.AbstractEventLoop, Pulse] = WeakKeyDictionary()
        self._last: tuple[ref[asyncio.AbstractEventLoop] | None, Pulse] = None, Pulse()

    def of_running_loop(self) -> Pulse:
        """Return the pulse of the running loop."""
        loop = asyncio.get_running_loop()
        last, pulse = self._last
        if last is None or last() is not loop:
            pulse = self._of.setdefault(loop, Pulse())
            self._last = ref(loop), pulse
        return pulse


PULSES = Pulses()


class Clock(Protocol):
    """The time that the pipeline needs."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def now(self) -> datetime:
        """Return the time of day, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        """Return a block that ends with TimeoutError after some seconds."""
        ...

    def pulse(self) -> Pulse:
        """Return the pulse of the running event loop."""
        ...


class SystemClock:
    """The machine's own clock."""

    monotonic: "staticmethod[[], float]" = staticmethod(time.monotonic)
    now: "staticmethod[[], datetime]" = staticmethod(partial(datetime.now, UTC))
    pulse: "staticmethod[[], Pulse]" = staticmethod(PULSES.of_running_loop)

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds without holding up the loop."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        """Return a block that ends with TimeoutError after some seconds."""
        return asyncio.timeout(seconds)


@define(eq=False)
class Deadline:
    """The end of a call's time, which moves while the call waits for somebody else. Reads no clock itself.

    The seconds in which the event loop was blocked do not count, because nothing could be read in them.
    """

    moment: float
    """The end, in seconds of the pipeline's clock."""
    pulse: Pulse
    """The pulse of the event loop that makes the call."""
    outer: "Deadline | None" = None
    """The deadline of the call for which this one looks something up, before which this one ends."""
    _counted: float = field(default=Factory(attrgetter("pulse.blocked"), takes_self=True), init=False)
    _callers: float = field(default=0.0, init=False)

    def left(self, now: float) -> float:
        """Return how many seconds are left; the number is negative after the deadline."""
        own = self.moment - now + self.pulse.blocked - self._counted
        return own if self.outer is None else min(own, self.outer.left(now))

    def postpone(self, seconds: float) -> None:
        """Exclude seconds in which an answer waited for its caller."""
        self.moment += seconds
        self._callers += seconds

    @property
    def excused(self) -> float:
        """The seconds since the beginning that were the caller's, or in which the loop was blocked."""
        return self._callers + self.pulse.blocked - self._counted

    def postpone_all(self, seconds: float) -> None:
        """Exclude seconds in which other calls of the client had their turn, for the outer call too."""
        self.moment += seconds
        if self.outer is not None:
            self.outer.postpone_all(seconds)


def is_cancelled() -> bool:
    """Return True if the running task itself was cancelled.

    A CancelledError also arrives if the task waits for something that was cancelled, such as a session that is closed.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
