import asyncio

import pytest

from mihu_async.sandbox.changes import Changes


async def test_each_part_is_named_once():
    """Changes between two questions come together, each part once, in the order of their names."""
    changes = Changes()
    with changes.subscribed() as subscription:
        for part in ("journal", "faults", "journal"):
            changes.note(part)

        assert ("faults", "journal") == await subscription.next()


async def test_only_what_comes_after():
    """A subscription knows nothing of changes before it, or of those that it has reported."""
    changes = Changes()
    changes.note("faults")
    with changes.subscribed() as subscription:
        changes.note("inventory")
        await subscription.next()
        changes.note("journal")

        assert ("journal",) == await subscription.next()


async def test_each_subscription_is_notified():
    """Two watchers are notified alike; one that has left is not."""
    changes = Changes()
    with changes.subscribed() as first:
        with changes.subscribed() as second:
            changes.note("faults")
            assert [("faults",)] * 2 == [await first.next(), await second.next()]
        changes.note("journal")

        assert ("journal",) == await first.next()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(second.next(), 0.01)


def test_a_watcher_whose_loop_has_ended():
    """A change after the loop of a watcher was closed is reported to nobody, and is no error."""
    changes = Changes()
    subscribed = changes.subscribed()

    async def watch() -> None:
        subscribed.__enter__()

    asyncio.run(watch())
    changes.note("faults")
    subscribed.__exit__(None, None, None)
