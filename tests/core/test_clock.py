from datetime import UTC, datetime, timedelta

from mihu_async.core.clock import SystemClock


async def test_the_system_clock_tells_utc_and_waits():
    """Time is aware, and a wait takes at least as long as asked."""
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.001)

    assert clock.monotonic() - before >= 0.001
    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)
