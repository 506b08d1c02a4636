import asyncio
from datetime import UTC, datetime, timedelta

from mihu_async.core.clock import Deadline, Pulse, SystemClock
from tests.doubles import Still
from tests.limited import Timeless, run


async def test_the_system_clock_tells_utc_and_waits():
    """Time is aware, and a wait takes at least as long as asked."""
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.001)

    assert clock.monotonic() - before >= 0.001
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)


def test_a_loop_that_runs_does_not_stand_still():
    """However long a call takes."""
    loop, pulse = Timeless(), Pulse()

    async def wait() -> None:
        pulse.begin()
        await asyncio.sleep(60)
        pulse.end()

    run(wait(), loop)

    assert 0.0 == pulse.blocked


def test_a_loop_that_is_held_up_stands_still_for_so_long():
    """A beat that comes late says for how long, but for the part of a beat that had passed."""
    loop, pulse = Timeless(), Pulse()

    async def block() -> None:
        pulse.begin()
        await asyncio.sleep(0.33)
        loop.skip(40)
        await asyncio.sleep(0.2)
        loop.skip(0.01)
        await asyncio.sleep(1)
        pulse.end()

    run(block(), loop)

    assert 39.9 < pulse.blocked <= 40


def test_a_loop_in_which_no_call_is_under_way_is_not_watched():
    """Nothing beats then, and that it was held up, or did not run at all, is not counted."""
    loop, pulse = Timeless(), Pulse()

    async def block() -> None:
        pulse.begin()
        pulse.end()
        loop.skip(40)
        await asyncio.sleep(1)
        pulse.begin()
        pulse.end()
        loop.skip(40)
        pulse.begin()
        await asyncio.sleep(1)
        pulse.end()

    run(block(), loop)

    assert 0.0 == pulse.blocked


async def test_each_loop_has_one_pulse():
    """All clients under it share it, and a client under two loops has two."""
    ours, same = SystemClock().pulse(), SystemClock().pulse()
    other = await asyncio.to_thread(lambda: asyncio.run(pulse()))

    assert ours is same
    assert ours is not other


async def pulse() -> Pulse:
    """Return the pulse of this loop."""
    return SystemClock().pulse()


def test_a_deadline_moves_while_its_loop_stands_still():
    """Nothing could be read in these seconds."""
    beats = Still()
    beats.blocked = 5.0
    deadline = Deadline(110.0, beats)
    beats.blocked = 12.0

    assert 10.0 + 7.0 == deadline.left(100.0)


def test_a_deadline_is_never_behind_its_outer_one():
    """What an answer waits for its caller moves its own alone; the turn of other calls moves both."""
    outer = Deadline(105.0, Still())
    inner = Deadline(103.0, Still(), outer)

    assert 3.0 == inner.left(100.0)
    inner.postpone(10.0)
    assert 5.0 == inner.left(100.0)
    inner.postpone_all(2.0)
    assert (7.0, 7.0) == (inner.left(100.0), outer.left(100.0))
