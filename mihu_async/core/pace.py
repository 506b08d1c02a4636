"""How many requests a second the service takes, learned from what it refuses. Pure: moments are passed in.

Nothing is spaced until the service refuses a request. Then the rate is guessed and doubled each second, until a refusal
shows what the service takes. From there it comes back close to that rate, stays there a while, and tries for more.
"""

import math
from collections import deque

from attrs import define, field

SLOWEST = 1.0
"""Requests a second. A service that takes fewer is obeyed by pauses alone."""
FASTEST = 250.0
"""Requests a second. What leaves faster than that is not spaced."""
FIRST_GUESS = 2.0
"""Requests a second: the least that a first refusal leads to."""
CUT = 0.2
"""The share by which a refusal lowers the rate."""
RECOVERY = 8.0
"""Seconds until the rate is again what the service was seen to take."""
MEASURED = 1.0
"""Seconds over which the first refusal counts what passed before it: the window of many a limit."""


@define
class Pace:
    """The distance between requests. Moments are seconds of one clock."""

    _ceiling: float = field(default=math.inf, init=False)
    _since: float = field(default=0.0, init=False)
    _searching: bool = field(default=True, init=False)
    _refused_at: float = field(default=-math.inf, init=False)
    _passed: deque[float] = field(factory=lambda: deque[float](maxlen=1000), init=False)

    def note_passed(self, now: float) -> None:
        """Take note of a request that the service carried out."""
        self._passed.append(now)

    def note_refused(self, now: float, *, resumes: float) -> None:
        """Take note that the service refuses, and that nothing is sent before the moment ``resumes``.

        A refusal that follows a refusal, with nothing between them that passed, came too soon and tells no rate.
        """
        passed, before = self._passed_since(self._refused_at), self.rate(now)
        if before == math.inf:
            self._ceiling, self._searching = max(FIRST_GUESS, self._passed_since(now - MEASURED)), True
            self._refused_at = now
        elif passed:
            taken = max(passed / (now - self._refused_at), self._passed_since(now - MEASURED) / MEASURED)
            self._ceiling = max(SLOWEST, min(max(taken, before / (4 if self._searching else 2)), before))
            self._refused_at, self._searching = now, False
        self._since = resumes

    def rate(self, now: float) -> float:
        """Return how many requests a second may leave; infinity where no rate is known."""
        age = max(0.0, now - self._since)
        if self._searching:
            rate = self._ceiling * (1 - CUT) * 2.0 ** min(age, 64)
        else:
            rate = self._ceiling * (1 - CUT * (1 - age / RECOVERY) ** 3)
        return rate if rate < FASTEST else math.inf

    def forget(self) -> None:
        """Know no rate any more."""
        self._ceiling = math.inf

    def _passed_since(self, moment: float) -> int:
        return sum(passed > moment for passed in self._passed)
