"""Time that passes only when nothing else can happen: an event loop over real sockets whose timers never wait.

A hang takes no time, and what two timers race for is decided by their figures and not by the machine.
"""

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from attrs import frozen

from mihu_async.core.clock import Pulse
from tests.doubles import Still

GRACE = 0.0001
"""Real seconds that the machine has to deliver what was sent over loopback, before time is moved on."""


class Skipping(selectors.DefaultSelector):
    """Waits for the network as long as that has something to say, and then calls the waiting done."""

    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if ready := super().select(0):
            return ready
        time.sleep(GRACE)  # not by the selector, which counts in whole milliseconds
        if not (ready := super().select(0)):
            self._skip(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own; ``turn`` is called in each of its rounds, after the network was read."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.turn: Callable[[], None] | None = None
        super().__init__(Skipping(self.skip))

    def skip(self, seconds: float) -> None:
        self.seconds += seconds

    def time(self) -> float:
        return self.seconds

    def _process_events(self, event_list: Any) -> None:
        super()._process_events(event_list)  # type: ignore[misc]  # asyncio's own, which typeshed does not show
        if self.turn:
            self.turn()


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a virtual loop of its own; what it uses of a loop it makes itself, and not by a fixture."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop, debug=False) as runner:
            runner.run(test(*args, **kwargs))

    return run


@frozen
class VirtualClock:
    """The loop's time, as the pipeline sees it; its calendar is ``ahead`` of the client's, to be the service's."""

    loop: VirtualLoop
    ahead: timedelta = timedelta()

    def monotonic(self) -> float:
        return self.loop.time()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.loop.time()) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[Any]:
        return asyncio.timeout(seconds)

    def pulse(self) -> Pulse:
        return Still()

    def to_the_second(self) -> datetime:
        """Tell the time as the service writes it into a purchase."""
        return self.now().replace(microsecond=0)

    def header(self) -> str:
        """Tell the time as the service writes it into a ``Date``."""
        return format_datetime(self.to_the_second(), usegmt=True)
