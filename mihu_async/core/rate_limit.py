"""The service's rate limit, read from its answers and learned from its refusals. Pure: moments are passed in.

No request is spaced until the service refuses one. Then the rate is guessed, and doubled each second until the next
refusal shows what the service takes. After that the rate returns to just below that, stays there for a while, and rises
again.
"""

import math
import re
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from attrs import frozen

from mihu_async.core.server_clock import parse_date

EPOCH_FROM = 1_000_000_000
"""A reset below this cannot be a date of this century, so it counts seconds from now."""
SLOWEST = 1.0
"""The slowest rate, in requests a second. If the service takes fewer, its pauses alone slow the client down."""
FASTEST = 250.0
"""Requests a second above which nothing is spaced."""
FIRST_GUESS = 2.0
"""The lowest rate to which a first refusal leads, in requests a second."""
CUT = 0.2
"""The share by which a refusal lowers the rate."""
RECOVERY = 8.0
"""Seconds until the rate is again the one that the service was seen to take."""
MEASURED = 1.0
"""Seconds before the first refusal in which successes are counted: the window of many a limit."""


@frozen
class RateLimit:
    """The rate limit that the service reported last. [inferred: no such header is documented]."""

    limit: int
    """The service takes this many requests in a period."""
    remaining: int
    """This many of them were left when the service answered."""
    reset: datetime | None
    """The period ends at this time, on the service's clock, in UTC; None if the service did not say."""


def parse_rate_limit(headers: Mapping[str, str], *, now: datetime) -> tuple[RateLimit, float | None] | None:
    """Read the headers ``X-RateLimit-Limit``, ``-Remaining`` and ``-Reset``.

    Args:
        headers: The headers of an answer.
        now: Our time of day, which counts if the answer has no ``Date``.

    Returns:
        The limit and the seconds until its reset, which are None if the answer does not say. None if the headers are
        missing or make no sense.
    """
    limit, remaining = _number(headers.get("X-RateLimit-Limit")), _number(headers.get("X-RateLimit-Remaining"))
    if limit is None or remaining is None:
        return None
    theirs = parse_date(headers.get("Date", "")) or now
    reset = _moment(headers.get("X-RateLimit-Reset"), theirs)
    left = None if reset is None else max(0.0, (reset - theirs).total_seconds())
    return RateLimit(limit, remaining, reset), left


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\s*[0-9]{1,12}\s*", text, re.ASCII) else None


def _moment(text: str | None, now: datetime) -> datetime | None:
    seconds = _number(text)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds >= EPOCH_FROM else now + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None


class Pace:
    """The rate at which requests leave, learned from refusals. Moments are seconds of one clock."""

    def __init__(self) -> None:
        self.passed: deque[float] = deque[float](maxlen=1000)
        """The service processed requests at these latest moments."""
        self._ceiling: float = math.inf
        self._since: float = 0.0
        self._searching: bool = True
        self._refused_at: float = -math.inf

    def note_refused(self, now: float, *, resumes: float) -> None:
        """Note that the service refused a request, and that no other one is sent before the moment ``resumes``.

        If no request was processed since the refusal before, this one came too soon to say anything about the rate.
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
        """Return how many requests may leave in a second; infinity if no rate is known."""
        age = max(0.0, now - self._since)
        if self._searching:
            rate = self._ceiling * (1 - CUT) * 2.0 ** min(age, 64)
        else:
            rate = self._ceiling * (1 - CUT * (1 - age / RECOVERY) ** 3)
        return rate if rate < FASTEST else math.inf

    def forget(self) -> None:
        """Forget the rate."""
        self._ceiling = math.inf

    def _passed_since(self, moment: float) -> int:
        return sum(passed > moment for passed in self.passed.copy())  # other threads may add to it meanwhile
