"""Serve a sandbox from the command line: `python -m mihu_async.sandbox`."""

import asyncio
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

from mihu_async.sandbox.scripts import SCRIPTS
from mihu_async.sandbox.server import Sandbox

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGENTS = ("AGENT", "OTHER_AGENT", "CALLS_AGENT")
"""The variables that name free agents: an agent answers one number on each channel."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; `argv=None` takes the arguments of the command line."""
    settings = vars(_arguments(argv))
    asyncio.run(serve(Sandbox(**settings)))
    return 0


def _arguments(argv: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m mihu_async.sandbox", description=__doc__)
    parser.add_argument("--numbers", type=int, default=250, help="purchased numbers to begin with")
    parser.add_argument("--trunks", type=int, default=40, help="external trunk rows to begin with")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same rows and token")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--purchase-limit", type=int, default=None, help="refuse purchases over it")
    parser.add_argument("--activation-delay", type=float, default=0.0, help="seconds that a bought number is pending")
    parser.add_argument("--script", action="append", default=[], choices=SCRIPTS, help="faults to play, by name")
    return parser.parse_args(argv)


async def serve(sandbox: Sandbox) -> None:
    """Serve, say how to reach it, and end with SIGINT or SIGTERM."""
    with _ended_by_signals() as stopped:
        async with sandbox:
            print(f"export MIHU_BASE_URL={sandbox.base_url}")
            print(f"export MIHU_API_TOKEN={sandbox.token}")
            for name, agent in zip(AGENTS, sandbox.inventory.free_agents("call"), strict=False):
                print(f"export {name}={agent}")
            print("# Set these for your program; Ctrl-C ends the sandbox.", flush=True)
            await stopped.wait()


@contextmanager
def _ended_by_signals() -> Generator[asyncio.Event]:
    """Give an event that a signal sets, and put the handlers back that were there before.

    The loop's own handlers wake it up. A handler of the signal module alone does not: a signal that comes just before
    the loop waits would be seen only when something else happens.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stopped.set)

    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # pragma: no cover - on Windows, whose loop is woken by any signal
            signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


if __name__ == "__main__":
    raise SystemExit(main())
