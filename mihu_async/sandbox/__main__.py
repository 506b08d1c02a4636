"""Serve a sandbox from the command line: `python -m mihu_async.sandbox`."""

import asyncio
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial

from mihu_async.sandbox.server import Sandbox

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; `argv=None` takes the arguments of the command line."""
    settings = vars(_arguments(argv))
    asyncio.run(_serve(Sandbox(**settings)))
    return 0


def _arguments(argv: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m mihu_async.sandbox", description=__doc__)
    parser.add_argument("--numbers", type=int, default=250, help="purchased numbers to begin with")
    parser.add_argument("--trunks", type=int, default=40, help="external trunk rows to begin with")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same rows and token")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--purchase-limit", type=int, default=None, help="refuse purchases over it")
    return parser.parse_args(argv)


async def _serve(sandbox: Sandbox) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        signal.signal(number, partial(_set_from, loop, stopped))
    try:
        async with sandbox:
            print(f"export MIHU_BASE_URL={sandbox.base_url}")
            print(f"export MIHU_API_TOKEN={sandbox.token}")
            print("# Set these two for your program; Ctrl-C ends the sandbox.", flush=True)
            await stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _set_from(loop: asyncio.AbstractEventLoop, event: asyncio.Event, *_: object) -> None:
    """Set an event from a signal handler, which may not touch the loop's objects."""
    loop.call_soon_threadsafe(event.set)


if __name__ == "__main__":
    raise SystemExit(main())
