"""A watcher that writes a line of JSON for each change of the workspace's numbers, for another program to read.

``python examples/number_watcher.py numbers.seen | your-program``, with MIHU_API_TOKEN and MIHU_TENANT set, and INTERVAL
where 60 seconds between two walks are not meant. It runs until SIGINT or SIGTERM. What it has told is kept in the file
that is named, which one process at a time can hold: started again, it tells what changed meanwhile. The last change may
be told twice where it was stopped, and none is lost.

It only reads. It exits with 0 when it is told to stop, with 1 where another one runs or no walk can succeed, of which
the log says more; a network or a service that is away for a while slows it down, and does not end it.
"""

import asyncio
import json
import logging
import os
import signal
import sys
from typing import Any

from mihu_async import APIError, Change, CheckpointFile, CheckpointInUseError, MihuClient, MihuError, PhoneNumber

logger = logging.getLogger(__name__)


def line(change: Change) -> str:
    """Write a change as a line of JSON: what is told of the number before and after it."""
    told = {"kind": change.kind, "number": change.number, "before": brief(change.before), "after": brief(change.after)}
    return json.dumps(told)


def brief(number: PhoneNumber | None) -> dict[str, Any] | None:
    """Return what a reader of the lines asks for most: the status, and who answers calls."""
    if number is None:
        return None
    call = number.bindings.call if number.bindings else None
    return {"status": number.status, "call_agent": call.agent_uuid if call else None}


async def follow(seen: CheckpointFile, interval: float) -> None:
    """Print each change, and note what was told."""
    async with MihuClient() as mihu, mihu.numbers.watch(interval=interval, since=seen.read()) as watcher:
        seen.write(await watcher.take_base())
        async for change in watcher:
            print(line(change), flush=True)
            seen.write(watcher.snapshot() or "")  # it stands behind the change before this one


async def main(path: str, interval: float) -> int:
    """Follow the numbers until a signal comes."""
    try:
        with CheckpointFile(path) as seen:
            following = asyncio.create_task(follow(seen, interval))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, following.cancel)
            await asyncio.wait([following])
            if following.cancelled():
                return 0
            await following  # raises what ended it
    except CheckpointInUseError as error:
        logger.error("The watcher runs already: %s", error)  # noqa: TRY400 - the error says all
    except MihuError as error:
        why = (isinstance(error, APIError) and error.reason) or error
        logger.error("The watcher cannot go on: %s", why)  # noqa: TRY400 - as above
    return 1


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(asyncio.run(main(sys.argv[1], float(os.environ.get("INTERVAL", "60")))))
