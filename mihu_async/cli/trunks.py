"""``mihu-async trunks``: the SIP trunks that the workspace brings along."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from mihu_async import UNSET, Direction, TrunkChannel
from mihu_async.cli.asking import confirm
from mihu_async.cli.columns import ENSURED, SNAPSHOTS, TRUNKS
from mihu_async.cli.ensure import ensure_rows, read_rows
from mihu_async.cli.errors import NAME, Exit, StopError
from mihu_async.cli.export import PLAIN, Export, export
from mihu_async.cli.files import read_object, same
from mihu_async.cli.output import OUTPUT, Format, show_one
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.cli.sip import NO_SIP, Sip
from mihu_async.cli.words import FLAG, WORD

trunks: App = App(name="trunks", help="External SIP trunks: numbers that the workspace brings along.")


@trunks.command(name="list")
async def list_trunks(
    *,
    channel: Annotated[TrunkChannel | None, WORD] = None,
    agent_uuid: str | None = None,
    search: str | None = None,
    page: int = 1,
    per_page: int = 100,
    how: Export = PLAIN,
    settings: Settings = DEFAULTS,
) -> None:
    """List external trunks.

    Parameters
    ----------
    channel
        Only trunks that are bound on this channel.
    agent_uuid
        Only trunks that this agent serves on any channel.
    search
        A part of the phone number. That the service knows this filter is inferred.
    page
        Where to begin.
    per_page
        How many trunks a request asks for.
    """
    async with settings.client() as mihu:
        listing = mihu.trunks.list(page=page, per_page=per_page, search=search, channel=channel, agent_uuid=agent_uuid)
        await export(listing, TRUNKS, how)


@trunks.command
async def register(
    phone_number: str,
    /,
    *,
    channel: Annotated[TrunkChannel, WORD],
    agent_uuid: str,
    name: str | None = None,
    direction: Annotated[Direction | None, WORD] = None,
    additional_settings: Path | None = None,
    sip: Sip = NO_SIP,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Register a trunk and bind it to an agent. It is never made twice.

    Parameters
    ----------
    phone_number
        The number, such as +12345678901.
    channel
        The channel that it carries.
    agent_uuid
        The agent that answers.
    name
        A label.
    direction
        Which calls it handles; both, unless given.
    additional_settings
        A file with a JSON object that is stored with the trunk.
    dry_run
        Register nothing: show the request that would be sent.
    output
        How the trunk is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        registered = await mihu.trunks.register(
            phone_number=phone_number,
            channel=channel,
            agent_uuid=agent_uuid,
            name=name,
            direction=direction,
            sip=sip.credentials(),
            additional_settings=None if additional_settings is None else read_object(additional_settings),
        )
        show_one(registered, SNAPSHOTS, output)


@trunks.command
async def ensure(
    phone_number: str | None = None,
    /,
    *,
    channel: Annotated[TrunkChannel | None, WORD] = None,
    agent_uuid: str | None = None,
    name: str | None = None,
    direction: Annotated[Direction | None, WORD] = None,
    additional_settings: Path | None = None,
    sip: Sip = NO_SIP,
    source: Annotated[Path | None, Parameter(name="--from")] = None,
    results: Path | None = None,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Have a trunk serve an agent, or every trunk of a file: registered, moved to the agent, or left as it is.

    Parameters
    ----------
    phone_number
        The number, such as +12345678901.
    channel
        The channel that it carries.
    agent_uuid
        The agent that is to answer.
    name
        A label for a new trunk.
    direction
        Which calls a new trunk handles; both, unless given.
    additional_settings
        A file with a JSON object that is stored with a new trunk.
    source
        A CSV file with a trunk on each line, instead of one on the command line.
    results
        Where to write what came of each line; unless given, trunks.csv gets trunks.results.csv.
    dry_run
        Change nothing: show what would be sent.
    output
        How the trunk is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    trunk = (phone_number, channel, agent_uuid)
    if source:
        if any((*trunk, name, direction, additional_settings, output, sip != NO_SIP)):
            raise StopError(Exit.USAGE, "--from takes every trunk from the file, and none from the command line.")
        results = results or source.with_suffix(".results.csv")
        if same(results, source):
            raise StopError(Exit.USAGE, f"--results would replace {source}: give it another name.")
        rows = read_rows(source)
        async with settings.client(dry_run=dry_run) as mihu:
            await ensure_rows(mihu, rows, results)
        return
    if not (phone_number and channel and agent_uuid) or results:
        raise StopError(Exit.USAGE, "A trunk needs PHONE_NUMBER, --channel and --agent-uuid, or --from a file.")
    async with settings.writing(dry_run=dry_run) as mihu:
        ensured = await mihu.trunks.ensure(
            phone_number=phone_number,
            channel=channel,
            agent_uuid=agent_uuid,
            name=name,
            direction=direction,
            sip=sip.credentials(),
            additional_settings=None if additional_settings is None else read_object(additional_settings),
        )
        show_one(ensured, ENSURED, output)
    if ensured.unverified:
        given = ", ".join(ensured.unverified)
        print(
            f"{NAME}: The trunk was there already, so this was not sent: {given}. trunks update does.", file=sys.stderr
        )


@trunks.command
async def update(
    phone_number: str,
    /,
    *,
    channel: Annotated[TrunkChannel, WORD],
    name: str | None = None,
    direction: Annotated[Direction | None, WORD] = None,
    additional_settings: Path | None = None,
    sip: Sip = NO_SIP,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Change a trunk. What is not given stays as it is; an empty text clears a SIP option.

    Parameters
    ----------
    phone_number
        The number, such as +12345678901.
    channel
        The channel that it carries.
    name
        A label.
    direction
        Which calls it handles.
    additional_settings
        A file with a JSON object that replaces what is stored with the trunk.
    dry_run
        Change nothing: show the request that would be sent.
    output
        How the trunk is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        changed = await mihu.trunks.update(
            phone_number=phone_number,
            channel=channel,
            name=UNSET if name is None else name,
            direction=UNSET if direction is None else direction,
            sip=sip.change(),
            additional_settings=UNSET if additional_settings is None else read_object(additional_settings),
        )
        show_one(changed, SNAPSHOTS, output)


@trunks.command
async def delete(
    phone_number: str,
    /,
    *,
    channel: Annotated[TrunkChannel, WORD],
    yes: Annotated[bool, FLAG] = False,
    dry_run: Annotated[bool, FLAG] = False,
    settings: Settings = DEFAULTS,
) -> None:
    """Remove a trunk, after asking. The number's trunk on another channel stays.

    Parameters
    ----------
    phone_number
        The number, such as +12345678901.
    channel
        The channel that it carries.
    yes
        Do not ask.
    dry_run
        Remove nothing: show the request that would be sent.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        if not (yes or dry_run):
            confirm(f"Remove the trunk {phone_number} from {channel}?")
        await mihu.trunks.delete(phone_number=phone_number, channel=channel)


@trunks.command
async def assign(
    phone_number: str,
    /,
    *,
    channel: Annotated[TrunkChannel, WORD],
    agent_uuid: str,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Move a trunk to another agent.

    Parameters
    ----------
    phone_number
        The number, such as +12345678901.
    channel
        The channel that it carries.
    agent_uuid
        The agent that serves it from now on.
    dry_run
        Move nothing: show the request that would be sent.
    output
        How the trunk is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        moved = await mihu.trunks.assign(phone_number=phone_number, channel=channel, agent_uuid=agent_uuid)
        show_one(moved, SNAPSHOTS, output)
