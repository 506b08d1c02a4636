"""The commands."""

from typing import Annotated

from cyclopts import App

from mihu_async import __version__
from mihu_async.cli.agents import agents
from mihu_async.cli.columns import FINDINGS
from mihu_async.cli.errors import NAME, Exit
from mihu_async.cli.numbers import numbers, rates
from mihu_async.cli.output import OUTPUT, Format, show
from mihu_async.cli.sandbox import sandbox
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.cli.trunks import trunks
from mihu_async.doctor import Check, Diagnosis, Level

app: App = App(
    name=NAME,
    help="Mihu phone numbers and trunks. Exit codes, columns and examples are in docs/command.md.",
    version=__version__,
)
app.command(numbers)
app.command(rates)
app.command(trunks)
app.command(agents)
app.command(sandbox)
app.register_install_completion_command(  # pyright: ignore[reportUnknownMemberType]  # cyclopts has untyped **kwargs
    help="Install completion for the shell that runs this."
)


@app.command
async def doctor(
    *, deadline: float = 15.0, output: Annotated[Format | None, OUTPUT] = None, settings: Settings = DEFAULTS
) -> int:
    """Look at each part of the way to the service, and say what to do about what is wrong.

    Parameters
    ----------
    deadline
        Seconds that it may take.
    output
        Write the findings as rows; as text, unless given.
    """
    async with settings.client() as mihu:
        diagnosis = await mihu.doctor(deadline=deadline)
    if output:
        show(diagnosis, FINDINGS, output)
    else:
        print(diagnosis)
    return code_of(diagnosis)


def code_of(diagnosis: Diagnosis) -> Exit:
    """Tell how the command ends: by what is broken first on the way to the service."""
    broken = [finding.check for finding in diagnosis if finding.level is Level.PROBLEM]
    if not broken:
        return Exit.DONE
    return Exit.REFUSED if broken == [Check.TOKEN] else Exit.NETWORK


@app.command
async def demo(*, numbers: int = 250, trunks: int = 40, seed: int = 7) -> None:
    """Walk, buy, register and assign against a sandbox inside this process; no account, no network, no cost.

    Parameters
    ----------
    numbers
        How many purchased numbers the sandbox begins with.
    trunks
        How many external trunks it begins with.
    seed
        The same seed makes the same numbers.
    """
    from mihu_async.cli.demo import run  # noqa: PLC0415 - no other command needs a server

    await run(numbers=numbers, trunks=trunks, seed=seed)
