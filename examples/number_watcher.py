"""A watcher that prints each change of the workspace's numbers as a line of JSON, for another program to read.

Run ``python examples/number_watcher.py numbers.seen | your-program`` with MIHU_API_TOKEN and MIHU_TENANT set. INTERVAL
sets the seconds between two walks (default 60). The watcher runs until SIGINT or SIGTERM. It keeps its state in the
file that you name, which one process at a time can open. When it starts again, it reports what changed in between. It
may repeat the last change before it stopped, and loses none.

The watcher only reads. Exit codes: 0 if it was told to stop; 1 if another watcher is running or no walk can succeed, in
which case the log says why. An outage of the network or the service slows it down but does not end it.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from mihu_async import APIError, Change, CheckpointFile, CheckpointInUseError, MihuClient, MihuError, PhoneNumber

logger = logging.getLogger(__name__)


def line(change: Change) -> str:
    """Return a change as a line of JSON, with the number before and after it."""
    fields = {
        "kind": change.kind,
        "number": change.number,
        "before": brief(change.before),
        "after": brief(change.after),
    }
    return json.dumps(fields)


def brief(number: PhoneNumber | None) -> dict[str, Any] | None:
    """Return a number's status and the agent that answers its calls."""
    if number is None:
        return None
    call = number.bindings.call if number.bindings else None
    return {"status": number.status, "call_agent": call.agent_uuid if call else None}


async def follow(seen: CheckpointFile, interval: float) -> None:
    """Print each change, and save what was reported."""
    async with MihuClient() as mihu, mihu.numbers.watch(interval=interval, since=seen.read()) as watcher:
        seen.write(await watcher.take_base())
        async for change in watcher:
            print(line(change), flush=True)
            seen.write(watcher.snapshot() or "")  # covers the changes before this one


async def main(path: str, interval: float) -> int:
    """Follow the numbers until a signal arrives."""
    try:
        with CheckpointFile(path) as seen:
            following = asyncio.create_task(follow(seen, interval))
            with suppress(NotImplementedError):  # Windows has no handlers of signals; Ctrl-C cancels there
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().add_signal_handler(number, following.cancel)
            await asyncio.wait([following])
            if following.cancelled():
                return 0
            await following  # raises the error that ended it
    except CheckpointInUseError as error:
        logger.error("The watcher is already running: %s", error)  # noqa: TRY400 - the error is enough
    except MihuError as error:
        why = (isinstance(error, APIError) and error.reason) or error
        logger.error("The watcher cannot continue: %s", why)  # noqa: TRY400 - as above
    return 1


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(asyncio.run(main(sys.argv[1], float(os.environ.get("INTERVAL", "60")))))
