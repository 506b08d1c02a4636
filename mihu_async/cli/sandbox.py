"""The command that serves a sandbox."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from mihu_async.cli.parameters import FLAG

REPEATABLE = Parameter(negative=(), show_default=False)


def _played(_: object, script: tuple[str, ...]) -> None:
    """Refuse a script that is not there."""
    from mihu_async.sandbox.script import Faults  # noqa: PLC0415 - no other command needs a server

    for name in script:
        Faults().play(name)


async def sandbox(
    *,
    numbers: int = 250,
    trunks: int = 40,
    seed: int = 7,
    token: str | None = None,
    agent: Annotated[tuple[UUID, ...], REPEATABLE] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    purchase_limit: int | None = None,
    activation_delay: float = 0.0,
    script: Annotated[tuple[str, ...], REPEATABLE, Parameter(validator=_played)] = (),
    strict: Annotated[bool, FLAG] = False,
    admin: Annotated[bool, Parameter(negative="--no-admin")] = True,
    journal_limit: int = 10_000,
    env_file: Path | None = None,
    quiet: Annotated[bool, FLAG] = False,
) -> int:
    """Serve the documented API on this machine, with state and without an account, until Ctrl-C.

    A page to look at it and to play faults is at /_sandbox/ of its address.

    Parameters
    ----------
    numbers
        How many purchased numbers it begins with.
    trunks
        How many external trunks it begins with.
    seed
        The same seed makes the same numbers and the same token.
    token
        The token that is let in; made up unless given.
    agent
        The uuid of an agent that is there and serves no number; may be given again.
    host
        The address to listen on.
    port
        The port to listen on; 0 takes a free one.
    purchase_limit
        Refuse purchases over so many numbers.
    activation_delay
        Seconds that a number is pending after it was bought.
    script
        Play faults that are known by a name, such as outage; may be given again.
    strict
        Name requests and fields that no page documents at the end, and end with 1 where there are any.
    admin
        Serve the page and the API below /_sandbox/, which need no token, to programs on this machine.
    journal_limit
        How many requests the journal keeps.
    env_file
        A file that holds the variables to set, for as long as it serves.
    quiet
        Do not write a line for each request on standard error.
    """
    from mihu_async.sandbox import Sandbox  # noqa: PLC0415 - no other command needs a server
    from mihu_async.sandbox.serving import serve, tell  # noqa: PLC0415 - same reason

    served = Sandbox(
        numbers,
        trunks,
        seed=seed,
        token=token,
        agents=agent,
        host=host,
        port=port,
        purchase_limit=purchase_limit,
        activation_delay=activation_delay,
        script=script,
        strict=strict,
        admin=admin,
        journal_limit=journal_limit,
        on_request=None if quiet else tell,
    )
    return await serve(served, variables_file=env_file)
