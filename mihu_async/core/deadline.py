"""Until when a call may take: a moment that moves while the call waits for somebody else. Knows no clock."""

from asyncio import Event

from attrs import define, field

from mihu_async.core.pulse import Pulse


class Deadline:
    """The end of a call's time, in seconds of the pipeline's clock; it is never behind that of the ``outer`` call.

    The seconds in which the event loop stood still do not count: nothing could be read in them.
    """

    __slots__ = ("_callers", "_counted", "moment", "outer", "pulse")

    def __init__(self, moment: float, pulse: Pulse, outer: "Deadline | None" = None) -> None:
        self.moment: float = moment
        self.pulse: Pulse = pulse
        self.outer: Deadline | None = outer
        self._counted: float = pulse.stood_still
        self._callers = 0.0

    def left(self, now: float) -> float:
        """Return how many seconds are left, less than none where it has passed."""
        own = self.moment - now + self.pulse.stood_still - self._counted
        return own if self.outer is None else min(own, self.outer.left(now))

    def postpone(self, seconds: float) -> None:
        """Do not count seconds in which an answer waited for its caller."""
        self.moment += seconds
        self._callers += seconds

    @property
    def excused(self) -> float:
        """How many seconds since the beginning were the caller's, or the loop stood still in."""
        return self._callers + self.pulse.stood_still - self._counted

    def postpone_all(self, seconds: float) -> None:
        """Do not count seconds in which the client's other calls had their turn, for the outer call either."""
        self.moment += seconds
        if self.outer is not None:
            self.outer.postpone_all(seconds)


@define(eq=False)
class Progress:
    """When the last page of a listing came, in seconds of the pipeline's clock: its walks go on while some come."""

    moment: float = field(default=float("-inf"), init=False)


@define(eq=False)
class Prefetch:
    """A page of a listing that is fetched ahead: it is read once its caller is ready for it."""

    progress: Progress
    ready: Event
    date: str = field(default="", init=False)
    """The ``Date`` of its answer; empty where it has none."""
    sent: float = field(default=0.0, init=False)
    """The moment of its request, in seconds of the pipeline's clock."""
    received: float = field(default=0.0, init=False)
    """The moment of its answer's head."""

    def dated(self, date: str, *, sent: float, received: float) -> None:
        """Note when its answer was made."""
        self.date, self.sent, self.received = date, sent, received
