from contextlib import asynccontextmanager
from threading import active_count, current_thread

import pytest

from mihu_async.sandbox.background import BackgroundLoop


@asynccontextmanager
async def context(seen, *, entering=None, leaving=None):
    """Note the thread on the way in and out, and fail where told to."""
    seen.append(current_thread())
    if entering:
        raise entering
    yield
    seen.append(current_thread())
    if leaving:
        raise leaving


def test_context_is_held_in_one_other_thread():
    """A context is entered and left in the same thread, which is not the caller's and ends."""
    seen: list[object] = []
    threads = active_count()
    background = BackgroundLoop(context(seen))
    loop = background.enter()

    assert (True, 1) == (loop.is_running(), len(seen))
    background.leave()
    assert (True, threads) == (loop.is_closed(), active_count())
    assert seen[0] is seen[1] is not current_thread()


def test_failure_to_enter():
    """What entering raises is raised to the caller."""
    with pytest.raises(LookupError, match="no way in"):
        BackgroundLoop(context([], entering=LookupError("no way in"))).enter()


def test_failure_to_leave():
    """What leaving raises is raised to the caller, and the thread ends all the same."""
    threads = active_count()
    background = BackgroundLoop(context([], leaving=LookupError("no way out")))
    background.enter()

    with pytest.raises(LookupError, match="no way out"):
        background.leave()
    assert threads == active_count()
