"""Serve a sandbox from the command line: `python -m mihu_async.sandbox`."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from mihu_async.sandbox.journal import LIMIT
from mihu_async.sandbox.scripts import SCRIPTS
from mihu_async.sandbox.server import Sandbox
from mihu_async.sandbox.serving import serve, tell


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    Args:
        argv: The arguments; None uses those of the command line.
    """
    settings = vars(_arguments(argv))
    variables_file = settings.pop("env_file")
    settings["on_request"] = None if settings.pop("quiet") else tell
    return asyncio.run(serve(Sandbox(**settings), variables_file=variables_file))


def _arguments(argv: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m mihu_async.sandbox", description=__doc__)
    add = parser.add_argument
    add("--numbers", type=int, default=250, help="purchased numbers to begin with")
    add("--trunks", type=int, default=40, help="external trunk rows to begin with")
    add("--seed", type=int, default=7, help="the same seed gives the same rows and token")
    add("--token", help="the token that is let in; made up unless given")
    add("--agent", dest="agents", metavar="UUID", action="append", type=UUID, default=[], help="an agent that is there")
    add("--host", default="127.0.0.1", help="the address to listen on")
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--purchase-limit", type=int, default=None, help="refuse purchases over it")
    add("--activation-delay", type=float, default=0.0, help="seconds that a bought number is pending")
    add("--script", action="append", default=[], choices=SCRIPTS, help="faults to play, by name")
    add("--strict", action="store_true", help="end with 1 where a request holds what no page documents")
    add("--no-admin", dest="admin", action="store_false", help="serve nothing below /_sandbox/")
    add("--journal-limit", type=int, default=LIMIT, help="how many requests the journal keeps")
    add("--env-file", type=Path, metavar="PATH", help="a file that holds the variables while it serves")
    add("--quiet", action="store_true", help="do not tell each request on standard error")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
