"""The service's clock as an interval, as its answers' ``Date`` bounds it. Pure: all moments are passed in.

An answer was dated after its request was sent and before its head arrived, in whole seconds, rounded down. That bounds
how far the service's clock is ahead of ours. Answers that agree bound it more closely; if answers contradict each
other, everything that one of them allows is possible. If our own two clocks, the monotonic one and the calendar, moved
apart meanwhile, the machine slept or its calendar was set, and every bound is wider by as much.
"""

from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from math import ceil

from mihu_async.value import Value

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""A date between these is still a date when the duration of any call is added or subtracted."""
TICK = 1.0
"""The seconds by which a ``Date``, or a time in an answer, may be rounded down."""
JUMP = 0.5
"""The seconds by which our own clocks may move apart without effect."""
KEPT = 16
"""The number of latest answers that count."""
YEARS = range(1971, 9000)
"""Years that a ``Date`` can name."""
BLUR = timedelta(seconds=3)
"""A time this little before the call's beginning, or after now, may still be the call's."""
NEAR = timedelta(seconds=180)
"""A time must be this much earlier than the call to be from before it, because a service's clocks may differ."""
ZONE = timedelta(minutes=15)
"""Time zones differ by multiples of this."""
ZONES = 56
"""A local time that is written as UTC may be wrong by this many of them, which are 14 hours."""


class Moment(Value, frozen=True):
    """A moment on our own two clocks, in seconds: the monotonic one, and the calendar."""

    monotonic: float
    calendar: float

    def later(self, seconds: float) -> "Moment":
        """Return the moment some seconds later."""
        return Moment(self.monotonic + seconds, self.calendar + seconds)

    def jump_since(self, other: "Moment") -> float:
        """Return the seconds by which the two clocks moved apart between two moments; 0 if they hardly did."""
        jump = abs((self.calendar - self.monotonic) - (other.calendar - other.monotonic))
        return jump if jump > JUMP else 0.0


class Dated(Value, frozen=True):
    """The date of an answer."""

    date: str
    """The ``Date`` of the answer."""
    sent: float
    """The request was sent at this moment of the monotonic clock."""
    received: Moment
    """The head of the answer arrived at this moment."""


class TimeInterval(Value, frozen=True):
    """A moment on the service's clock, known only within bounds."""

    earliest: datetime
    """The moment is not before this time."""
    latest: datetime
    """The moment is not after this time."""


class CallWindow(Value, frozen=True):
    """The time of a call on the service's clock: when its first attempt was sent, and the moment of the lookup."""

    began: TimeInterval
    now: TimeInterval


class Dating(Enum):
    """The relation of a time in an answer to a call."""

    BEFORE = "before"
    DURING = "during"
    UNCLEAR = "unclear"


class ServerClock:
    """The service's clock, estimated from the answers to all calls of a client."""

    def __init__(self) -> None:
        self.answers: deque[Dated] = deque(maxlen=KEPT)
        """The dates of the latest answers that came from no cache."""

    def at(self, moment: Moment) -> TimeInterval | None:
        """Return a moment of ours on the service's clock, or None if no answer had a usable ``Date``."""
        bounds: list[tuple[float, float]] = []
        for answer in tuple(self.answers):
            date, received = parse_date(answer.date), answer.received
            if date is not None and date.year in YEARS:
                jump = moment.jump_since(received)
                seconds = date.timestamp()
                bounds.append((seconds - received.monotonic - jump, seconds + TICK - answer.sent + jump))
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
    """Decide whether a thing with this time was made before a call or during it.

    Args:
        time: The time that the service reports for the thing.
        window: The time of the call.

    Returns:
        ``DURING`` if both ends of the call are known closely and the time lies between them. ``BEFORE`` if the time is
        earlier by more than three minutes and cannot be a local time of the call that is written as UTC. ``UNCLEAR``
        otherwise.
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


def parse_date(text: str) -> datetime | None:
    """Return an HTTP date, or None if the text is no date or one too far away to be counted from."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return date if EARLIEST < date < LATEST else None
