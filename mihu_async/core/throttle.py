"""What the calls of a client share: how much they may ask of the service, and the retries' budget.

Has no clock of its own; moments are seconds of the pipeline's.
"""

import asyncio
import math
from bisect import insort_right
from collections.abc import Callable
from operator import attrgetter
from threading import Lock

from attrs import define, field

from mihu_async.core.clock import Clock
from mihu_async.core.options import RetryBudget, RetryPolicy
from mihu_async.core.rate_limit import Pace, RateLimit
from mihu_async.core.retry import backoff

STARVED = "no call of this client got through for as long as it may wait for others"
"""Why a call ends that waits behind others."""
MEMORY = 32.0
"""Seconds after which a refusal is forgotten, where no other one came."""
UNBOUNDED = 1_000_000
"""How many attempts may be under way while the service refuses nothing: more than there ever are."""
AMPLE = 1000
"""What remains of a limit holds nobody from here on."""


@define(eq=False)
class Ticket:
    """A place in the line: of calls that wait, the one that began first comes first."""

    began: float
    called: "asyncio.Future[None]"

    def call(self) -> bool:
        """Wake the call, from whatever thread; False where its loop is closed, so that it never comes."""
        try:
            self.called.get_loop().call_soon_threadsafe(_wake, self.called)
        except RuntimeError:
            return False
        return True


@define(eq=False)
class Throttle:
    """How many attempts may be under way at a time and leave in a second, the service's pause, and the retries' budget.

    Nothing is held before the service first asks for less: ``calm`` says so. From then on at most ``allowance``
    attempts are under way: half as many as there were, and one while a pause ends. It grows by one with each success up
    to that half, and slowly from there. Where nothing was refused for a while, all is forgotten.
    """

    calm: bool = field(default=True, init=False)
    under_way: set[object] = field(factory=set[object], init=False)
    rate_limit: RateLimit | None = field(default=None, init=False)
    last_success: float = field(default=-math.inf, init=False)
    pace: Pace = field(factory=Pace, init=False)
    _allowance: float = field(default=math.inf, init=False)
    _threshold: float = field(default=math.inf, init=False)
    _remaining: float = field(default=math.inf, init=False)
    _refused_at: float = field(default=-math.inf, init=False)
    _fruitless: int = field(default=0, init=False)
    _paused_until: float = field(default=-math.inf, init=False)
    _next: float = field(default=-math.inf, init=False)
    _kept_until: float = field(default=-math.inf, init=False)
    _spent: float = field(default=0.0, init=False)
    _line: list[Ticket] = field(factory=list[Ticket], init=False)
    _lock: Lock = field(factory=Lock, init=False)

    def note_success(self, now: float, *, sent: float) -> None:
        """Take note of a successful answer to an attempt that was sent at a moment."""
        self.last_success = now
        self.pace.note_passed(now)
        if self.calm:
            return
        if sent >= self._refused_at:  # what left before the refusal says nothing of what came after it
            self._fruitless = 0
            self._allowance += 1 if self._allowance < self._threshold else 1 / self._allowance
        if now > self._kept_until and not self._line:
            self._allowance = self._threshold = self._remaining = math.inf
            self.pace.forget()
            self.calm = True
        self.call_next()

    def note_throttled(self, now: float, *, sent: float, pause: float, learn: bool) -> None:
        """Take note of an answer that asks for less, to an attempt that was sent at a moment.

        ``pause`` is how many seconds nothing is sent now; ``learn`` says that the answer is about the rate of requests.
        The answers to attempts that were sent before the last such answer came are one burst: they say it once.
        """
        if sent >= self._refused_at:
            self._threshold = max(1.0, (len(self.under_way) + 1) / 2)
            self._allowance = 1.0 if pause else self._threshold
            self._refused_at = now
            self._fruitless += 1
            if learn and pause:
                self.pace.note_refused(now, resumes=now + pause)
        self.pause(now, pause)

    def note_rate_limit(self, limit: RateLimit, now: float, *, reset: float | None) -> None:
        """Take note of what remains of the service's limit, and of the seconds until its reset; None is not known.

        Where nothing remains, all wait for the reset, or one at a time where it is not known.
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
        """Hold every call for so long; a longer pause stays."""
        self._paused_until = max(self._paused_until, now + seconds)
        self._keep(self._paused_until)

    def pause_left(self, now: float) -> float:
        """Return how many seconds calls are held from now on."""
        return max(0.0, self._paused_until - now)

    def backoff(self, policy: RetryPolicy, jitter: float, now: float, *, sent: float) -> float:
        """Return how long to pause where the service refuses and does not say for how long, in seconds.

        It grows with each burst of refusals since the last success, and is at least half of the longest. One pause does
        for all answers of a burst.
        """
        if sent < self._refused_at and self.pause_left(now):
            return 0.0
        return backoff(policy, self._fruitless + 1, (1 + jitter) / 2)

    def room(self) -> int:
        """Return how many attempts may be under way at a time, from 1."""
        return int(max(1, min(self._allowance, self._remaining, UNBOUNDED)))

    def take_slot(self, call: object) -> None:
        """Count an attempt of a call as under way."""
        self.under_way.add(call)

    def free_slot(self, call: object) -> None:
        """Count it no more, so that another one may go."""
        self.under_way.discard(call)
        if self._line:
            self.call_next()

    def passes(self, now: float) -> bool:
        """Return True if a call may be sent at once, which then has its turn."""
        if self._line or self._delay(now) or len(self.under_way) >= self.room():
            return False
        self._space(now)
        return True

    async def wait(
        self, clock: Clock, began: float, left: Callable[[float, float], float], patience: Callable[[float], float]
    ) -> float:
        """Wait for the turn of a call that began at a moment, and return the seconds that other calls were before it.

        ``left`` says, of a moment and those seconds, how much longer the call may wait for the service once its turn
        has come, and ``patience``, of a moment, how much longer for other calls. Raises TimeoutError, which says why,
        where that is too long.
        """
        behind = 0.0
        ticket = Ticket(began, asyncio.get_running_loop().create_future())
        with self._lock:
            insort_right(self._line, ticket, key=attrgetter("began"))
        self.call_next()  # so that nobody waits for a call that never comes
        try:
            while True:
                ticket.called = asyncio.get_running_loop().create_future()  # before it looks, so that no call is missed
                now = clock.monotonic()
                if self._line[0] is not ticket or len(self.under_way) >= self.room():
                    most = patience(now)
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
                if ticket in self._line:  # else it was passed over: its loop was closed
                    self._line.remove(ticket)
            self.call_next()

    def call_next(self) -> None:
        """Wake the first of the calls that wait for others."""
        if self._line:
            with self._lock:
                while self._line and not self._line[0].call():
                    del self._line[0]

    def affords(self, budget: RetryBudget | None) -> bool:
        """Return True if another retry can be paid."""
        return budget is None or self._spent + budget.cost <= budget.tokens

    def spend(self, budget: RetryBudget | None) -> None:
        """Pay for a retry."""
        self._spent += 0 if budget is None else budget.cost

    def refund(self, budget: RetryBudget | None) -> None:
        """Put back what a success is worth."""
        self._spent = max(0.0, self._spent - (0 if budget is None else budget.refill))

    def _keep(self, moment: float) -> None:
        self._kept_until = max(self._kept_until, moment + MEMORY)
        self.calm = False

    def _delay(self, now: float) -> float:
        return max(0.0, self._paused_until - now, self._next - now)

    def _space(self, now: float) -> None:
        """Let the next call leave a distance later."""
        self._next = max(self._next, now) + 1 / self.pace.rate(now)

    def _why(self, now: float, delay: float) -> str:
        if held := self.pause_left(now):
            why = f"the service asked this client for a pause of which {held:.3g} s are left"
        else:
            why = f"its turn comes in {delay:.3g} s, so that the service's limit is kept"
        return f"{why}, longer than the call may take"


async def _called(ticket: Ticket, clock: Clock, seconds: float) -> None:
    try:
        async with clock.timeout(seconds):
            await ticket.called
    except TimeoutError:
        pass  # how long it may go on is looked at again: meanwhile other calls may have got through


def _wake(called: "asyncio.Future[None]") -> None:
    if not called.done():
        called.set_result(None)
