"""The root of the command line, with the commands that belong to no group."""

from typing import Annotated

from attrs import evolve
from cyclopts import App, Parameter

from mihu_async import __version__
from mihu_async.cli import buying, channels, ensure, watching
from mihu_async.cli.agents import agents
from mihu_async.cli.commands import change, listing
from mihu_async.cli.connections import connections
from mihu_async.cli.errors import NAME, Exit, escape
from mihu_async.cli.layouts import FINDINGS, RATES
from mihu_async.cli.numbers import list_rates, numbers
from mihu_async.cli.output import SHOWN, Show
from mihu_async.cli.request import request
from mihu_async.cli.sandbox import sandbox
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.cli.trunks import trunks
from mihu_async.cli.wording import in_words
from mihu_async.doctor import Check, Diagnosis, Finding, Level
from mihu_async.doctor.proxies import UnusableProxy

REGISTERED = (buying, channels, ensure, watching)
"""The modules that register their commands in the groups."""

app: App = App(
    name=NAME,
    help="Mihu phone numbers and trunks. Exit codes, columns and examples are in the documentation.",
    version=__version__,
    default_parameter=Parameter(negative=()),
)
app.command(numbers)
listing(app, RATES, "rates")(list_rates)
app.command(trunks)
app.command(agents)
app.command(connections)
change(app)(request)
app.command(sandbox)
app.register_install_completion_command(  # pyright: ignore[reportUnknownMemberType]  # cyclopts has untyped **kwargs
    help="Install completion for the current shell."
)


@app.command
async def doctor(
    *,
    deadline: Annotated[float, Parameter(help="The time limit of all checks, in seconds.")] = 15.0,
    show: Show = SHOWN,
    settings: Settings = DEFAULTS,
) -> int:
    """Check each part of the connection to the service, and advise on every problem.

    The output is text, or rows if --output names a format.
    """
    proxy = settings.unusable_proxy
    usable = settings.without_proxy() if proxy else settings
    async with usable.client() as mihu:
        diagnosis = found_by(await mihu.doctor(deadline=deadline), proxy)
    if show != SHOWN:
        show.several(diagnosis, FINDINGS)
    else:
        print(escape(str(diagnosis)))
    return code_of(diagnosis)


def found_by(diagnosis: Diagnosis, proxy: UnusableProxy | None) -> Diagnosis:
    """Return the diagnosis in the command's words, with the problem of the environment's proxy, if it has one."""
    findings = [evolve(one, message=in_words(one.message), advice=in_words(one.advice)) for one in diagnosis]
    if proxy:
        message = f"{proxy} The other checks did not use it."
        broken = Finding(Check.PROXY, Level.PROBLEM, message, f"Correct {proxy.variable}, or use --no-trust-env.")
        findings = [broken if one.check is Check.PROXY else one for one in findings]
    return Diagnosis(tuple(findings))


def code_of(diagnosis: Diagnosis) -> Exit:
    """Return the exit code of a diagnosis, which the first broken part of the connection decides."""
    broken = [finding.check for finding in diagnosis if finding.level is Level.PROBLEM]
    if not broken:
        return Exit.DONE
    return Exit.REFUSED if broken == [Check.TOKEN] else Exit.NETWORK


@app.command
async def demo(*, numbers: int = 250, trunks: int = 40, seed: int = 7) -> None:
    """Walk, buy, register and assign against a sandbox in this process: no account, no network, no cost.

    Args:
        numbers: The number of purchased numbers in the sandbox.
        trunks: The number of external trunks in the sandbox.
        seed: The seed from which the numbers are generated.
    """
    from mihu_async.cli.demo import run  # noqa: PLC0415 - no other command needs a server

    await run(numbers=numbers, trunks=trunks, seed=seed)
