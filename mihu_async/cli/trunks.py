"""``mihu-async trunks``: the SIP trunks that the workspace brings along."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from mihu_async import UNSET, Direction, MihuClient, NumberChannels, Pager, PhoneNumber, TrunkChannel
from mihu_async.cli.commands import change, listing
from mihu_async.cli.files import read_object
from mihu_async.cli.layouts import SNAPSHOTS, TRUNKS
from mihu_async.cli.parameters import E164, WORD, AgentUuid, DryRun, Page, PerPage, SettingsFile, Yes, group
from mihu_async.cli.prompts import confirm
from mihu_async.cli.sip import NO_SIP, Sip

trunks: App = group("trunks", "External SIP trunks: numbers that the workspace brings along.")

Channel = Annotated[TrunkChannel, WORD, Parameter(help="The channel that it carries.")]
AnyChannel = Annotated[TrunkChannel | None, WORD, Parameter(help="Only trunks that are bound on this channel.")]
Label = Annotated[str | None, Parameter(help="A label.")]
Calls = Annotated[Direction | None, WORD, Parameter(help="Which calls it handles; a new trunk both, unless given.")]
Served = Annotated[str | None, Parameter(help="Only trunks that this agent serves on any channel.")]
OfNumber = Annotated[
    str | None, Parameter(help="A part of the phone number. That the service knows this filter is inferred.")
]


def stored(file: Path | None, unless: Any = None) -> Any:
    """Read the settings that a file holds, if there is one."""
    return unless if file is None else read_object(file)


@listing(trunks, TRUNKS, "list")
def list_trunks(
    mihu: MihuClient,
    *,
    channel: AnyChannel = None,
    agent_uuid: Served = None,
    search: OfNumber = None,
    page: Page = 1,
    per_page: PerPage = 100,
) -> Pager[PhoneNumber]:
    """List external trunks."""
    return mihu.trunks.list(page=page, per_page=per_page, search=search, channel=channel, agent_uuid=agent_uuid)


@change(trunks, SNAPSHOTS)
async def register(
    mihu: MihuClient,
    phone_number: E164,
    /,
    *,
    channel: Channel,
    agent_uuid: AgentUuid,
    name: Label = None,
    direction: Calls = None,
    additional_settings: SettingsFile = None,
    sip: Sip = NO_SIP,
) -> NumberChannels:
    """Register a trunk and bind it to an agent. It is never made twice."""
    return await mihu.trunks.register(
        phone_number=phone_number,
        channel=channel,
        agent_uuid=agent_uuid,
        name=name,
        direction=direction,
        sip=sip.credentials(),
        additional_settings=stored(additional_settings),
    )


@change(trunks, SNAPSHOTS)
async def update(
    mihu: MihuClient,
    phone_number: E164,
    /,
    *,
    channel: Channel,
    name: Label = None,
    direction: Calls = None,
    additional_settings: SettingsFile = None,
    sip: Sip = NO_SIP,
) -> NumberChannels:
    """Change a trunk. What is not given stays as it is; an empty text clears a SIP option."""
    return await mihu.trunks.update(
        phone_number=phone_number,
        channel=channel,
        name=UNSET if name is None else name,
        direction=UNSET if direction is None else direction,
        sip=sip.change(),
        additional_settings=stored(additional_settings, UNSET),
    )


@change(trunks)
async def delete(
    mihu: MihuClient, phone_number: E164, /, *, channel: Channel, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Remove a trunk, after asking. The number's trunk on another channel stays."""
    if not (yes or dry_run):
        confirm(f"Remove the trunk {phone_number} from {channel}?")
    await mihu.trunks.delete(phone_number=phone_number, channel=channel)


@change(trunks, SNAPSHOTS)
async def assign(mihu: MihuClient, phone_number: E164, /, *, channel: Channel, agent_uuid: AgentUuid) -> NumberChannels:
    """Move a trunk to another agent, which serves it from now on."""
    return await mihu.trunks.assign(phone_number=phone_number, channel=channel, agent_uuid=agent_uuid)
