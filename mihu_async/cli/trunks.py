"""``mihu-async trunks``: the workspace's own SIP trunks."""

from pathlib import Path
from typing import Annotated, Any

from attrs import asdict, frozen
from cyclopts import App, Parameter

from mihu_async import Direction, MihuClient, NumberChannels, Pager, PhoneNumber, TrunkChannel
from mihu_async.cli.commands import change, listing
from mihu_async.cli.files import read_object
from mihu_async.cli.layouts import SNAPSHOTS, TRUNKS
from mihu_async.cli.parameters import E164, WORD, AgentUuid, DryRun, Page, PerPage, Yes, group
from mihu_async.cli.prompts import confirm
from mihu_async.cli.sip import NO_SIP, Sip
from mihu_async.validation import present

trunks: App = group("trunks", "External SIP trunks: the workspace's own numbers.")

Channel = Annotated[TrunkChannel, WORD, Parameter(help="The channel of the trunk.")]


@Parameter(name="*")
@frozen(kw_only=True)
class Filters:
    """The filters of the trunks."""

    channel: Annotated[TrunkChannel | None, WORD] = None
    """Only trunks that are bound on this channel."""
    agent_uuid: str | None = None
    """Only trunks that are bound to this agent on any channel."""
    search: str | None = None
    """A part of the phone number. This filter is inferred: the service does not document its name."""


@Parameter(name="*")
@frozen(kw_only=True)
class Stored:
    """The settings that the service stores with a trunk, and never shows."""

    name: str | None = None
    """A label."""
    direction: Annotated[Direction | None, WORD] = None
    """The direction of its calls; a new trunk handles both by default."""
    additional_settings: Path | None = None
    """A file with a JSON object to store with the trunk."""

    def given(self) -> dict[str, Any]:
        """Return the settings that were given, as arguments of the SDK."""
        file = self.additional_settings
        settings = None if file is None else read_object(file)
        return present({"name": self.name, "direction": self.direction, "additional_settings": settings})


ALL = Filters()
NOTHING = Stored()


@listing(trunks, TRUNKS, "list")
def list_trunks(
    mihu: MihuClient, *, filters: Filters = ALL, page: Page = 1, per_page: PerPage = 100
) -> Pager[PhoneNumber]:
    """List external trunks."""
    return mihu.trunks.list(page=page, per_page=per_page, **asdict(filters, recurse=False))


@change(trunks, SNAPSHOTS)
async def register(
    mihu: MihuClient,
    phone_number: E164,
    /,
    *,
    channel: Channel,
    agent_uuid: AgentUuid,
    stored: Stored = NOTHING,
    sip: Sip = NO_SIP,
) -> NumberChannels:
    """Register a trunk and bind it to an agent. It is never registered twice."""
    return await mihu.trunks.register(
        phone_number=phone_number, channel=channel, agent_uuid=agent_uuid, sip=sip.credentials(), **stored.given()
    )


@change(trunks, SNAPSHOTS)
async def update(
    mihu: MihuClient,
    phone_number: E164,
    /,
    *,
    channel: Channel,
    stored: Stored = NOTHING,
    sip: Sip = NO_SIP,
) -> NumberChannels:
    """Change a trunk. Settings that are not given stay unchanged; an empty text clears a SIP option."""
    return await mihu.trunks.update(phone_number=phone_number, channel=channel, sip=sip.change(), **stored.given())


@change(trunks)
async def delete(
    mihu: MihuClient, phone_number: E164, /, *, channel: Channel, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Ask, and delete a trunk. The number's trunk on another channel stays."""
    if not (yes or dry_run):
        confirm(f"Remove the trunk {phone_number} from {channel}?")
    await mihu.trunks.delete(phone_number=phone_number, channel=channel)


@change(trunks, SNAPSHOTS)
async def assign(mihu: MihuClient, phone_number: E164, /, *, channel: Channel, agent_uuid: AgentUuid) -> NumberChannels:
    """Move a trunk to another agent."""
    return await mihu.trunks.assign(phone_number=phone_number, channel=channel, agent_uuid=agent_uuid)
