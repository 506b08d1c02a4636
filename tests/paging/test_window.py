import asyncio

import pytest

from mihu_async.paging.window import Window


class Source:
    """Pages that are fetched when the test says so, or at once."""

    def __init__(self, *, held: bool = False) -> None:
        self.asked: list[int] = []
        self.under_way: set[int] = set()
        self.room = 1000
        self.door = asyncio.Event()
        self.broken: dict[int, Exception] = {}
        if not held:
            self.door.set()

    async def fetch(self, number: int, ready: asyncio.Event) -> int:
        self.asked.append(number)
        self.under_way.add(number)
        try:
            await self.door.wait()
            if number in self.broken:
                raise self.broken[number]
            await ready.wait()
            return number
        finally:
            self.under_way.discard(number)

    def window(self, most: int) -> Window[int]:
        return Window(self.fetch, most=most, room=lambda: self.room)


async def test_the_window_doubles_with_each_page_up_to_its_most():
    """The first page is fetched alone, and no page is fetched before the caller asks for one."""
    source = Source()
    window = source.window(8)
    ahead = []
    for number in range(1, 8):
        assert number == await window.read(number, last=100)
        await asyncio.sleep(0)  # what was begun gets its turn
        ahead.append(len(source.asked) - number)

    assert [0, 1, 3, 7, 7, 7, 7] == ahead


async def test_no_page_past_the_last_is_fetched_ahead():
    """What the service does not promise is fetched only when it is asked for by name."""
    source = Source()
    window = source.window(8)
    for number in range(1, 5):
        await window.read(number, last=3)

    assert [1, 2, 3, 4] == source.asked


async def test_pages_come_in_order():
    """Whatever the order in which they are answered, the one that is asked for is given."""
    source = Source(held=True)
    window = source.window(4)
    reading = asyncio.create_task(window.read(1, last=9))
    await asyncio.sleep(0)
    source.door.set()

    assert [1, 2, 3, 4, 5] == [await reading, *[await window.read(number, last=9) for number in range(2, 6)]]


async def test_a_slow_caller_is_waited_for():
    """Nothing is fetched while the caller works on a page."""
    source = Source()
    window = source.window(4)
    await window.read(1, last=99)
    await window.read(2, last=99)
    before = list(source.asked)
    for _ in range(10):
        await asyncio.sleep(0)

    assert before == source.asked


@pytest.mark.parametrize(
    ("last", "ahead"),
    [(60, [0, 1, 3, 7, 11, 11, 11]), (100, [0, 1, 3, 7, 15, 19, 19]), (999, [0, 1, 3, 7, 15, 31, 63])],
)
async def test_a_wide_window_waits_for_some_pages_to_come(last, ahead):
    """It is no wider than a dozen pages or a fifth of the listing at first, so that a limit that is met refuses few."""
    source = Source()
    window = source.window(64)
    beyond = []
    for number in range(1, 8):
        await window.read(number, last=last)
        beyond.append(max(source.asked) - number)
    await window.clear()

    assert ahead == beyond


async def test_a_wide_window_grows_with_what_has_come():
    """It is as wide as half of the pages that have come."""
    source = Source()
    window = source.window(64)
    beyond = []
    for number in range(1, 61):
        await window.read(number, last=60)
        beyond.append(max(source.asked) - number)

    assert [11, 11, 11, 12, 12] == beyond[23:28]


async def test_a_window_is_no_wider_than_the_client_has_room():
    """What the service refuses to any call narrows it, and it is as wide as before when there is room again."""
    source = Source()
    window = source.window(8)
    for number in range(1, 6):
        await window.read(number, last=999)
    source.room = 2
    ahead = []
    for number in range(6, 16):
        await window.read(number, last=999)
        ahead.append(max(source.asked) - number)
    source.room = 1000
    await window.read(16, last=999)

    assert [6, 5, 4, 3, 2, 1, 1, 1, 1, 1] == ahead
    assert 23 == max(source.asked)
    await window.clear()


async def test_a_page_that_failed_raises_when_its_turn_comes():
    """The pages before it are given first."""
    source = Source()
    source.broken[3] = RuntimeError("page 3")
    window = source.window(4)

    assert [1, 2] == [await window.read(1, last=9), await window.read(2, last=9)]
    with pytest.raises(RuntimeError, match="page 3"):
        await window.read(3, last=9)
    await window.clear()


async def test_clearing_cancels_and_awaits_what_is_under_way():
    """Nothing is left behind, and the window can be used again."""
    source = Source(held=True)
    window = source.window(4)
    source.door.set()
    await window.read(1, last=9)
    source.door.clear()
    reading = asyncio.create_task(window.read(2, last=9))
    await asyncio.sleep(0.001)
    assert {2, 3} == source.under_way
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await window.clear()

    assert set() == source.under_way
    source.door.set()
    assert 3 == await window.read(3, last=9)
    await window.clear()
