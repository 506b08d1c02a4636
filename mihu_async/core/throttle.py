"""The throttle that the calls of a client share: how much they may ask of the service, and the retries' budget.

It has no clock of its own; moments are seconds of the pipeline's.
"""

import asyncio
import math
from bisect import insort_right
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from operator import attrgetter
from threading import Lock

from mihu_async.core.clock import Clock
from mihu_async.core.options import RetryBudget, RetryPolicy
from mihu_async.core.rate_limit import Pace, RateLimit, parse_rate_limit
from mihu_async.core.retry import THROTTLED, Failure, backoff
from mihu_async.errors import APIError
from mihu_async.value import State

STARVED = "no call of this client succeeded for as long as it may wait for others"
"""The reason for which a call fails that waits behind others."""
MEMORY = 32.0
"""Seconds after which a refusal is forgotten, if no other one follows."""
UNBOUNDED = 1_000_000
"""The number of attempts that may be under way while the service refuses nothing: more than there ever are."""
AMPLE = 1000
"""A limit of which this many requests remain holds no call back."""
ASKED_FOR_LESS = (THROTTLED, HTTPStatus.SERVICE_UNAVAILABLE)
"""The statuses that ask all calls of the client to slow down."""


class Ticket(State):
    """A place in the line of waiting calls, in which the call that began first comes first."""

    began: float
    called: "asyncio.Future[None]"

    def call(self) -> bool:
        """Wake the call, from any thread; return False if its loop is closed, so that it never comes."""
        try:
            self.called.get_loop().call_soon_threadsafe(_wake, self.called)
        except RuntimeError:
            return False
        return True


class Throttle:
    """Bounds the attempts under way and the attempts a second, keeps the service's pauses, and pays for retries.

    No call is held back until the service first asks for less; until then ``calm`` is True. From then on a limited
    number of attempts may be under way: half as many as there were, and one while a pause ends. The number grows by one
    with each success up to that half, and slowly from there. After a while without refusals, everything is forgotten.
    """

    def __init__(self) -> None:
        self.calm: bool = True
        """True while no call is held back."""
        self.under_way: set[object] = set()
        """The calls that have an attempt under way, until they are released."""
        self.rate_limit: RateLimit | None = None
        """The service reported this limit last; None if it reported none."""
        self.last_success: float = -math.inf
        """The latest success arrived at this moment."""
        self.spent: float = 0.0
        """The retries cost this much of the budget, as far as no success refunded it."""
        self.pace: Pace = Pace()
        """Requests leave at this pace."""
        self._allowance: float = math.inf
        self._threshold: float = math.inf
        self._remaining: float = math.inf
        self._refused_at: float = -math.inf
        self._fruitless: int = 0
        self._paused_until: float = -math.inf
        self._next: float = -math.inf
        self._kept_until: float = -math.inf
        self._line: list[Ticket] = []
        self._lock: Lock = Lock()

    @property
    def waiting(self) -> int:
        """The number of calls that wait for their turn, in all event loops."""
        return len(self._line)

    def note_success(self, now: float, *, sent: float) -> None:
        """Note that an attempt that left at the moment ``sent`` was answered with success at the moment ``now``."""
        self.last_success = now
        self.pace.passed.append(now)
        if self.calm:
            return
        if sent >= self._refused_at:  # an attempt that left before the refusal says nothing about the time after it
            self._fruitless = 0
            self._allowance += 1 if self._allowance < self._threshold else 1 / self._allowance
        if now > self._kept_until and not self._line:
            self._allowance = self._threshold = self._remaining = math.inf
            self.pace.forget()
            self.calm = True
        self.call_next()

    def note_failure(
        self, error: Failure, policy: RetryPolicy, jitter: Callable[[], float], now: float, *, sent: float
    ) -> None:
        """Note a failed attempt. Only a 429 or a 503 slows the client's calls down.

        A pause above ``max_retry_after`` holds no call back. After a 429 that asks for no pause, the client chooses
        one.

        Args:
            error: The failure.
            policy: The retries that the caller allows.
            jitter: A function that returns a random number from 0 to 1.
            now: The moment at which the attempt failed.
            sent: The moment at which it left.
        """
        if not isinstance(error, APIError) or error.status not in ASKED_FOR_LESS:
            return
        pause, learn = error.retry_after or 0.0, error.status == THROTTLED
        if pause > policy.max_retry_after:
            pause = 0.0
        elif learn and not pause:
            pause = self.backoff(policy, jitter(), now, sent=sent)
        self.note_throttled(now, sent=sent, pause=pause, learn=learn)

    def note_throttled(self, now: float, *, sent: float, pause: float, learn: bool) -> None:
        """Note an answer that asks for less.

        The answers to attempts that left before the last such answer arrived are one burst, and count once.

        Args:
            now: The moment at which the answer arrived.
            sent: The moment at which the attempt left.
            pause: The seconds for which nothing is sent now.
            learn: True if the answer is about the rate of requests, as a 429 is.
        """
        if sent >= self._refused_at:
            self._threshold = max(1.0, (len(self.under_way) + 1) / 2)
            self._allowance = 1.0 if pause else self._threshold
            self._refused_at = now
            self._fruitless += 1
            if learn and pause:
                self.pace.note_refused(now, resumes=now + pause)
        self.pause(now, pause)

    def note_headers(self, headers: Mapping[str, str], policy: RetryPolicy, now: float, *, time: datetime) -> None:
        """Note the limit that an answer reports, which arrived at the moment ``now``, by our calendar at ``time``.

        A reset later than the policy's ``max_retry_after`` counts as not known.
        """
        if reported := parse_rate_limit(headers, now=time):
            limit, reset = reported
            near = reset is not None and reset <= policy.max_retry_after
            self.note_rate_limit(limit, now, reset=reset if near else None)

    def note_rate_limit(self, limit: RateLimit, now: float, *, reset: float | None) -> None:
        """Note the limit that the service reported, and the seconds until its reset, None if that is not known.

        If nothing remains, all calls wait for the reset, or go one at a time if the reset is not known.
        """
        self.rate_limit = limit
        self._remaining = limit.remaining or (1 if reset is None else math.inf)
        if limit.remaining >= AMPLE:
            self._remaining = math.inf
        elif limit.remaining:
            self._keep(now)
        else:
            self._allowance = min(self._allowance, 1.0)
            self.pause(now, reset or 0.0)

    def pause(self, now: float, seconds: float) -> None:
        """Pause all calls for some seconds, unless a longer pause is already under way."""
        self._paused_until = max(self._paused_until, now + seconds)
        self._keep(self._paused_until)

    def pause_left(self, now: float) -> float:
        """Return the rest of the pause, in seconds."""
        return max(0.0, self._paused_until - now)

    def backoff(self, policy: RetryPolicy, jitter: float, now: float, *, sent: float) -> float:
        """Return the pause in seconds after a refusal that asks for none.

        It grows with each burst of refusals since the last success; chance takes at most half of it away. The further
        answers of a burst add no pause.
        """
        if sent < self._refused_at and self.pause_left(now):
            return 0.0
        return backoff(policy, self._fruitless + 1, (1 + jitter) / 2)

    def room(self) -> int:
        """Return how many attempts may be under way at a time, at least 1."""
        return int(max(1, min(self._allowance, self._remaining, UNBOUNDED)))

    def release(self, call: object) -> None:
        """Remove a call from those under way, so that another one may go."""
        self.under_way.discard(call)
        if self._line:
            self.call_next()

    def passes(self, now: float) -> bool:
        """Return True if a call may be sent now; it is then counted as sent."""
        if self._line or self._delay(now) or len(self.under_way) >= self.room():
            return False
        self._space(now)
        return True

    async def wait(
        self, clock: Clock, began: float, left: Callable[[float, float], float], for_others: Callable[[float], float]
    ) -> float:
        """Wait for the turn of a call.

        Args:
            clock: The pipeline's clock.
            began: The moment at which the call began.
            left: A function that returns how many more seconds the call may wait for the service, given a moment and
                the seconds that other calls took.
            for_others: A function that returns how many more seconds it may wait for other calls, given a moment.

        Returns:
            The seconds in which other calls had their turn.

        Raises:
            TimeoutError: If the wait is too long. Its text is the reason.
        """
        behind = 0.0
        ticket = Ticket(began, asyncio.get_running_loop().create_future())
        with self._lock:
            insort_right(self._line, ticket, key=attrgetter("began"))
        self.call_next()  # so that no call waits for one that never comes
        try:
            while True:
                ticket.called = asyncio.get_running_loop().create_future()  # first, so that no wake-up is missed
                now = clock.monotonic()
                if self._line[0] is not ticket or len(self.under_way) >= self.room():
                    most = for_others(now)
                    if most <= 0:
                        raise TimeoutError(STARVED)
                    await _called(ticket, clock, most)
                    behind += clock.monotonic() - now
                elif delay := self._delay(now):
                    if delay >= left(now, behind):
                        raise TimeoutError(self._why(now, delay))
                    await clock.sleep(delay)
                else:
                    self._space(now)
                    return behind
        finally:
            with self._lock:
                if ticket in self._line:  # else it was removed, because its loop is closed
                    self._line.remove(ticket)
            self.call_next()

    def call_next(self) -> None:
        """Wake the first of the calls that wait for others."""
        if self._line:
            with self._lock:
                while self._line and not self._line[0].call():
                    del self._line[0]

    def affords(self, budget: RetryBudget | None) -> bool:
        """Return True if the budget pays for another retry."""
        return budget is None or self.spent + budget.cost <= budget.tokens

    def spend(self, budget: RetryBudget | None) -> None:
        """Pay for a retry."""
        self.spent += 0 if budget is None else budget.cost

    def refund(self, budget: RetryBudget | None) -> None:
        """Refund the budget after a success."""
        self.spent = max(0.0, self.spent - (0 if budget is None else budget.refill))

    def _keep(self, moment: float) -> None:
        self._kept_until = max(self._kept_until, moment + MEMORY)
        self.calm = False

    def _delay(self, now: float) -> float:
        return max(0.0, self._paused_until - now, self._next - now)

    def _space(self, now: float) -> None:
        """Let the next call leave a distance later."""
        self._next = max(self._next, now) + 1 / self.pace.rate(now)

    def _why(self, now: float, delay: float) -> str:
        if (pause := self.pause_left(now)) >= delay:
            why = f"the service asked this client for a pause of which {pause:.3g} s are left"
        else:
            why = f"its turn comes in {delay:.3g} s, to keep within the service's limit"
        return f"{why}, longer than the call may take"


async def _called(ticket: Ticket, clock: Clock, seconds: float) -> None:
    try:
        async with clock.timeout(seconds):
            await ticket.called
    except TimeoutError:
        pass  # the bound is computed again, because other calls may have succeeded meanwhile


def _wake(called: "asyncio.Future[None]") -> None:
    if not called.done():
        called.set_result(None)
