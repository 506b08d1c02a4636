"""Whose a cancellation is."""

import asyncio


def is_ours() -> bool:
    """Whether the running task was cancelled itself; else what it waits for was, as by a session that is closed."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
