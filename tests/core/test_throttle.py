import asyncio
import math
import threading
from datetime import UTC, datetime

import pytest

from mihu_async import RateLimit, RetryBudget, RetryPolicy
from mihu_async.core.clock import SystemClock
from mihu_async.core.throttle import MEMORY, UNBOUNDED, Throttle
from tests.limited import Timeless, run
from tests.virtual import VirtualClock


def refused(*, attempts=15, now=10.0, pause=2.0, learn=False) -> Throttle:
    """Make a throttle of which one attempt of several was refused."""
    throttle = Throttle()
    for attempt in range(attempts):
        throttle.under_way.add(attempt)
    throttle.note_throttled(now, sent=now - 1, pause=pause, learn=learn)
    for attempt in range(attempts):
        throttle.release(attempt)
    return throttle


def test_a_throttle_is_calm_before_the_service_asks_for_less():
    """Successes change nothing of that, and as much as anybody likes may be under way."""
    throttle = Throttle()
    throttle.note_success(1.0, sent=0.0)

    assert throttle.calm
    assert UNBOUNDED == throttle.room()
    assert throttle.passes(1.0)


def test_a_refusal_halves_what_may_be_under_way_once_a_burst():
    """Answers to what was sent before the first of them say it once, and a longer pause stays."""
    throttle = refused(pause=0.0)
    assert 8 == throttle.room()
    for _ in range(9):
        throttle.note_throttled(10.5, sent=9.9, pause=0.5, learn=False)

    assert 8 == throttle.room()
    assert pytest.approx(0.5) == throttle.pause_left(10.5)
    throttle.note_throttled(11.0, sent=10.5, pause=0.0, learn=False)
    assert 1 == throttle.room()
    assert not throttle.calm


def test_after_a_pause_the_first_call_goes_alone():
    """Each success lets one more go, up to half of what was under way, and from there slowly."""
    throttle = refused()
    rooms = []
    for moment in range(30):
        rooms.append(throttle.room())
        throttle.note_success(13.0 + moment / 10, sent=12.5)

    assert [*range(1, 9), *[8] * 8, *[9] * 9, *[10] * 5] == rooms


def test_what_left_before_a_refusal_says_nothing_of_what_came_after_it():
    """Its success lets nobody go."""
    throttle = refused()
    throttle.note_success(10.5, sent=9.5)

    assert 1 == throttle.room()


def test_a_pause_holds_every_call_until_it_is_over():
    """A shorter one does not end it."""
    throttle = Throttle()
    throttle.pause(10.0, 5.0)
    throttle.pause(11.0, 1.0)

    assert [5.0, 3.0, 0.0] == [throttle.pause_left(moment) for moment in (10.0, 12.0, 99.0)]
    assert not throttle.passes(12.0)
    assert throttle.passes(15.0)


def test_a_refusal_is_forgotten_when_no_other_one_came():
    """Then nobody is held."""
    throttle = refused(learn=True)
    throttle.note_success(12.0 + MEMORY, sent=13.0)
    assert not throttle.calm
    throttle.note_success(12.1 + MEMORY, sent=13.0)

    assert throttle.calm
    assert UNBOUNDED == throttle.room()
    assert math.inf == throttle.pace.rate(99.0)


def test_calls_keep_their_distance_after_a_refusal_of_their_rate():
    """The first one goes when the pause is over, and the next one a distance later."""
    throttle = refused(learn=True)

    assert [False, True, False, True] == [throttle.passes(moment) for moment in (11.9, 12.0, 12.5, 12.7)]


def test_a_refusal_for_another_reason_or_without_a_pause_leads_to_no_distance():
    """A 503 is no word about a rate; and a policy that waits for nothing learns none."""
    other, prompt = refused(), refused(pause=0.0, learn=True)

    assert [math.inf, math.inf] == [other.pace.rate(12.0), prompt.pace.rate(10.0)]


def test_pauses_of_its_own_grow_with_each_fruitless_burst():
    """They are never less than half of the longest, and begin anew after a success."""
    throttle, policy = Throttle(), RetryPolicy()
    pauses = []
    for moment in (10.0, 20.0, 30.0):
        pauses.append([throttle.backoff(policy, jitter, moment, sent=moment) for jitter in (0.0, 1.0)])
        throttle.note_throttled(moment, sent=moment, pause=1.0, learn=True)
    throttle.note_success(40.0, sent=39.0)

    assert [[0.25, 0.5], [0.5, 1.0], [1.0, 2.0]] == pauses
    assert 0.5 == throttle.backoff(policy, 1.0, 40.0, sent=40.0)


def test_one_pause_of_its_own_does_for_a_burst():
    """Unless the answer comes when that pause is over."""
    throttle, policy = refused(now=10.0, pause=1.0), RetryPolicy()

    assert [0.0, 1.0] == [throttle.backoff(policy, 1.0, moment, sent=9.0) for moment in (10.5, 11.5)]


RESET = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("remaining", "reset", "room", "pause"),
    [(3, 5.0, 3, 0.0), (3, None, 3, 0.0), (0, 5.0, 1, 5.0), (0, None, 1, 0.0), (5000, 5.0, UNBOUNDED, 0.0)],
    ids=["few", "few, no reset", "none", "none, no reset", "many"],
)
def test_what_remains_of_a_limit_is_heeded(remaining, reset, room, pause):
    """No more are under way than remain; where none does, all wait for the reset, or go one by one without one."""
    throttle = Throttle()
    limit = RateLimit(60, remaining, RESET)
    throttle.note_rate_limit(limit, 10.0, reset=reset)

    assert limit is throttle.rate_limit
    assert (room, pause) == (throttle.room(), throttle.pause_left(10.0))
    assert throttle.calm == (remaining == 5000)


def test_the_budget_is_spent_and_refunded():
    """No more than it holds."""
    throttle, budget = Throttle(), RetryBudget(tokens=10, cost=5, refill=2)
    for _ in range(2):
        assert throttle.affords(budget)
        throttle.spend(budget)
    assert not throttle.affords(budget)
    for _ in range(9):
        throttle.refund(budget)
    throttle.spend(None)
    throttle.refund(None)

    assert throttle.affords(RetryBudget(tokens=5, cost=5))
    assert throttle.affords(None)


class Line:
    """Calls that wait for their turn on a clock of their own, and the moments at which each got it."""

    def __init__(self, throttle, *, for_others=1000.0, left=1000.0) -> None:
        self.loop = Timeless()
        self.clock = VirtualClock(self.loop)
        self.throttle = throttle
        self.for_others, self.left = for_others, left
        self.gone: list[tuple[str, float]] = []
        self.behind: dict[str, float] = {}

    async def call(self, name, *, began=0.0, takes=0.0):
        """Wait for the turn, and be under way for some seconds."""
        ends = self.clock.monotonic() + self.for_others
        self.behind[name] = await self.throttle.wait(self.clock, began, lambda *_: self.left, lambda now: ends - now)
        self.gone.append((name, round(self.clock.monotonic() - 1000, 3)))
        self.throttle.under_way.add(name)
        await self.clock.sleep(takes)
        self.throttle.release(name)


def test_waiting_calls_go_one_after_the_other_in_the_order_in_which_they_began():
    """Not all at once when a pause ends; the time of those before is returned, and the pause is not part of it."""
    line = Line(refused(now=1000.0, learn=True))

    async def main() -> None:
        await asyncio.gather(*(line.call(name, began=began) for name, began in (("c", 3), ("a", 1), ("b", 2))))

    run(main(), line.loop)

    assert ["a", "b", "c"] == [name for name, _ in line.gone]
    assert [2.0, 2.625] == [moment for _, moment in line.gone[:2]]
    assert 0.0 == line.behind["a"]
    assert pytest.approx(2.0) == line.behind["b"]


def test_a_call_waits_for_the_attempts_of_others_to_end():
    """Where no more may be under way, it goes when there is room."""
    line = Line(refused(now=990.0, attempts=1))

    async def main() -> None:
        await asyncio.gather(*(line.call(name, takes=7) for name in "ab"))

    run(main(), line.loop)

    assert [("a", 0.0), ("b", 7.0)] == line.gone
    assert 7.0 == line.behind["b"]


def test_a_call_that_is_cancelled_leaves_the_line():
    """The next one comes up."""
    line = Line(refused(now=1000.0))

    async def main() -> None:
        first, second = asyncio.create_task(line.call("a")), asyncio.create_task(line.call("b"))
        await asyncio.sleep(1)
        first.cancel()
        await second

    run(main(), line.loop)

    assert [("b", 2.0)] == line.gone


@pytest.mark.parametrize("for_others", [5.0, 0.0])
def test_a_call_that_waits_too_long_for_others_ends(for_others):
    """It says that none succeeded, and at once if its time for others was used up before it came."""
    line = Line(refused(now=990.0, attempts=1), for_others=for_others)

    async def main() -> None:
        line.throttle.under_way.add("other")
        with pytest.raises(TimeoutError, match="no call of this client succeeded"):
            await line.call("a")

    run(main(), line.loop)

    assert 1000.0 + for_others == line.loop.time()


def test_a_call_that_has_no_time_for_a_pause_or_its_distance_ends_at_once():
    """It says for which of them."""
    paused, spaced = Line(refused(now=1000.0), left=1.0), Line(refused(now=997.0, learn=True), left=0.1)
    spaced.throttle.passes(1000.0)
    both = Line(refused(now=997.0, learn=True), left=0.1)
    both.throttle.passes(1000.0)
    both.throttle.pause(1000.0, 0.05)

    async def main(line, why) -> None:
        with pytest.raises(TimeoutError, match=why):
            await line.call("a")

    run(main(paused, "the service asked this client for a pause of which 2 s are left"), paused.loop)
    for line in (spaced, both):
        run(main(line, "its turn comes in 0.312 s, to keep within the service's limit"), line.loop)

    assert [1000.0, 1000.0] == [paused.loop.time(), spaced.loop.time()]


def test_nobody_waits_for_a_call_whose_loop_is_closed():
    """A client may be used under several loops, and one of them may be gone."""
    line = Line(refused(now=1000.0))
    gone = Timeless()
    gone.set_exception_handler(lambda *_: None)  # a task is left behind on purpose
    waiting = line.throttle.wait(VirtualClock(gone), 0.0, lambda *_: 9.0, lambda _: 9.0)
    gone.create_task(waiting)
    gone.call_soon(gone.stop)
    gone.run_forever()
    gone.close()

    run(line.call("a", began=1.0), line.loop)

    assert [("a", 2.0)] == line.gone
    waiting.close()


async def test_a_call_is_woken_from_another_thread():
    """Calls of one client in several loops wait for each other too."""
    throttle = refused(now=0.0, attempts=1, pause=0.0)
    clock = SystemClock()
    entered = threading.Event()

    def elsewhere() -> None:
        throttle.under_way.add("other")
        entered.set()
        while not throttle.waiting:
            pass
        throttle.release("other")

    thread = asyncio.create_task(asyncio.to_thread(elsewhere))
    await asyncio.to_thread(entered.wait)
    await throttle.wait(clock, 0.0, lambda *_: 9.0, lambda _: 9.0)
    await thread

    assert 0 == throttle.waiting
