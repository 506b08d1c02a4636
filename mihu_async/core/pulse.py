"""The pulse of an event loop: for how long it stood still, because synchronous code held it up."""

import asyncio
from weakref import WeakKeyDictionary, ref

from attrs import define, field

BEAT = 0.1
"""Seconds between two beats; they are counted only while calls are under way."""
NOISE = 0.05
"""Seconds by which a beat may come late on a busy machine and the loop not have stood still."""


@define(eq=False)
class Pulse:
    """Counts the seconds in which its loop stood still while calls were under way."""

    stood_still: float = field(default=0.0, init=False)
    """All of them so far."""
    _calls: int = field(default=0, init=False)
    _since: float = field(default=0.0, init=False)
    _beats: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Count from now on, as a call begins. A beat is on its way before the timers of that call are."""
        if not self._calls:
            self._since = asyncio.get_running_loop().time()
        self._calls += 1
        if not self._beats:
            self._beats = True
            self._beat_later()

    def end(self) -> None:
        """Count no more, as a call ends, unless others are under way."""
        self._calls -= 1

    def _beat_later(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT
        loop.call_at(due, self._beat, loop, due)

    def _beat(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = loop.time() - max(due, self._since)  # without a call, it may not have run at all
        if late > NOISE and self._calls:
            self.stood_still += late
        self._beats = self._calls > 0
        if self._beats:
            self._beat_later()


class Pulses:
    """The pulse of each loop, one for all clients under it; the last one is found again at once."""

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
