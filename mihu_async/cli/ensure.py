"""``mihu-async trunks ensure``: ensures that a trunk, or each of a file, is bound to its agent."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mihu_async import Ensured, MihuClient, TrunkChannel
from mihu_async.cli.commands import change
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import same
from mihu_async.cli.layouts import ENSURED
from mihu_async.cli.output import SHOWN, Show
from mihu_async.cli.parameters import WORD, AgentUuid, DryRun
from mihu_async.cli.progress import tell
from mihu_async.cli.results import ensure_rows
from mihu_async.cli.sip import NO_SIP, Sip
from mihu_async.cli.spreadsheet import STANDARD_INPUT, read_rows
from mihu_async.cli.trunks import NOTHING, Stored, trunks

Source = Annotated[
    Path | None,
    Parameter(
        name="--from",
        allow_leading_hyphen=True,
        help="A CSV file with a trunk on each line, or - for standard input, instead of a single trunk.",
    ),
]
Results = Annotated[
    Path | None,
    Parameter(
        help="The file for the result of each line. By default trunks.csv gets trunks.results.csv, and the results of "
        "standard input or of --dry-run are written to standard output."
    ),
]


@change(trunks)
async def ensure(
    mihu: MihuClient,
    phone_number: Annotated[str | None, Parameter(help="The number, such as +12345678901.")] = None,
    /,
    *,
    channel: Annotated[TrunkChannel | None, WORD, Parameter(help="The channel of the trunk.")] = None,
    agent_uuid: AgentUuid | None = None,
    stored: Stored = NOTHING,
    sip: Sip = NO_SIP,
    source: Source = None,
    results: Results = None,
    dry_run: DryRun = False,
    show: Show = SHOWN,
) -> None:
    """Ensure that a trunk, or each trunk of a file, is bound to its agent: registered, moved, or left unchanged."""
    if source:
        given = (phone_number, channel, agent_uuid, stored != NOTHING, sip != NO_SIP)
        if not results and not dry_run:
            results = results_of(source)
        await ensure_file(mihu, source, results, one_given=any(given), shown=show != SHOWN)
        return
    if not (phone_number and channel and agent_uuid) or results:
        raise StopError(Exit.USAGE, "A trunk needs PHONE_NUMBER, --channel and --agent-uuid, or --from a file.")
    show.check(ENSURED)
    ensured = await mihu.trunks.ensure(
        phone_number=phone_number, channel=channel, agent_uuid=agent_uuid, sip=sip.credentials(), **stored.given()
    )
    show.one(ensured, ENSURED)
    warn(ensured)


async def ensure_file(mihu: MihuClient, source: Path, results: Path | None, *, one_given: bool, shown: bool) -> None:
    """Ensure every trunk of a file, unless the command line has an option that does not apply to files."""
    if one_given:
        raise StopError(Exit.USAGE, "--from reads every trunk from the file, and accepts none on the command line.")
    if shown:
        message = "--from always writes the results as CSV, so it does not take --output or --columns."
        raise StopError(Exit.USAGE, message, "--results sets the file.")
    if results and source != STANDARD_INPUT and same(results, source):
        raise StopError(Exit.USAGE, f"--results would replace {source}: give it another name.")
    await ensure_rows(mihu, read_rows(source), results)


def results_of(source: Path) -> Path | None:
    """Return the file for the results of a file; None, which is standard output, for those of standard input."""
    return None if source == STANDARD_INPUT else source.with_suffix(".results.csv")


def warn(ensured: Ensured) -> None:
    """Report the settings that were given but not sent."""
    if ensured.unverified:
        given = ", ".join(ensured.unverified)
        tell(f"The trunk existed already, so these settings were not sent: {given}. Use trunks update to send them.")
