"""The service's clock as an interval, as far as the ``Date`` of its answers tells. Pure: it is given all moments.

An answer was dated after its request was sent and before its head came, in whole seconds that are cut. That bounds how
far the service's clock was ahead of ours. Answers that agree bound it more closely; answers that contradict each other
leave all that any of them allows. Where our own two clocks, the monotonic one and the calendar, moved apart meanwhile,
the machine slept or its calendar was set, and every bound is wider by as much.
"""

from collections import deque
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import ceil

from attrs import define, field, frozen

from mihu_async.core.retry import parse_date

TICK = 1.0
"""Seconds within which a ``Date``, or a time in an answer, is cut to a whole second."""
JUMP = 0.5
"""Seconds by which our own clocks may move apart before that counts."""
KEPT = 16
"""How many of the latest answers count."""
YEARS = range(1971, 9000)
"""Years that a ``Date`` can name."""
BLUR = timedelta(seconds=3)
"""How far an interval may reach before the call's beginning or beyond now for a time in it to be the call's."""
NEAR = timedelta(seconds=60)
"""How much earlier than the call a time must be to be from before it: the clocks of a service may differ."""
ZONE = timedelta(minutes=15)
"""Zones differ by multiples of it."""
ZONES = 56
"""How many of them, 14 hours, a local time that is written as UTC may be off."""


@frozen
class Moment:
    """A moment on our own two clocks, in seconds: the monotonic one, and the calendar."""

    monotonic: float
    calendar: float

    def later(self, seconds: float) -> "Moment":
        """Return the moment so many seconds later."""
        return Moment(self.monotonic + seconds, self.calendar + seconds)

    def jump_since(self, other: "Moment") -> float:
        """Return how far the two clocks moved apart between two moments, in seconds; 0 where it is next to nothing."""
        jump = abs((self.calendar - self.monotonic) - (other.calendar - other.monotonic))
        return jump if jump > JUMP else 0.0


@frozen
class TimeInterval:
    """A moment on the service's clock, which is not known exactly."""

    earliest: datetime
    """It is not before this."""
    latest: datetime
    """It is not after this."""


@frozen
class CallWindow:
    """The time of a call on the service's clock: when its first attempt was sent, and the moment of the look-up."""

    began: TimeInterval
    now: TimeInterval


class Dating(Enum):
    """How a time in an answer stands to a call."""

    BEFORE = "before"
    DURING = "during"
    UNCLEAR = "unclear"


@define
class ServerClock:
    """The service's clock as its answers show it. All calls of a client feed it, and share it."""

    _answers: deque[tuple[str, float, Moment]] = field(factory=lambda: deque(maxlen=KEPT), init=False)

    def observe(self, date: str | None, *, sent: float, received: Moment) -> None:
        """Take the ``Date`` of an answer, with the monotonic moment of its request and the moment of its head."""
        if date is not None:
            self._answers.append((date, sent, received))

    def at(self, moment: Moment) -> TimeInterval | None:
        """Return a moment of ours on the service's clock; None where no answer said what time it was."""
        bounds: list[tuple[float, float]] = []
        for text, sent, received in tuple(self._answers):
            date = parse_date(text)
            if date is not None and date.year in YEARS:
                jump = moment.jump_since(received)
                seconds = date.timestamp()
                bounds.append((seconds - received.monotonic - jump, seconds + TICK - sent + jump))
        if not bounds:
            return None
        lows, highs = zip(*bounds, strict=True)
        low, high = max(lows), min(highs)
        if low > high:
            low, high = min(lows), max(highs)
        return TimeInterval(
            datetime.fromtimestamp(moment.monotonic + low, UTC), datetime.fromtimestamp(moment.monotonic + high, UTC)
        )


def date_against(time: datetime, window: CallWindow) -> Dating:
    """Decide whether something of this time was made before a call or during it.

    During it, where both ends of the call are known closely and the time is between them. Before it, where that is so
    by more than a minute, and it cannot be a local time that is written as UTC and is in truth the call's.
    """
    began, now = window.began, window.now
    possible = began.earliest - timedelta(seconds=TICK) <= time <= now.latest
    if possible and began.latest - BLUR <= time <= now.earliest + BLUR:
        return Dating.DURING
    early = began.earliest - timedelta(seconds=TICK) - NEAR
    if time >= early:
        return Dating.UNCLEAR
    zones = ceil((early - time) / ZONE)
    if zones <= ZONES and time + zones * ZONE <= now.latest + NEAR:
        return Dating.UNCLEAR
    return Dating.BEFORE
