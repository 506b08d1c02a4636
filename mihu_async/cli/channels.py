"""``mihu-async numbers update``: changes the settings of a number's channels."""

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from mihu_async import UNSET, InboundUpdate, MihuClient, OutboundUpdate, PhoneNumber, Unset
from mihu_async.cli.commands import change
from mihu_async.cli.layouts import NUMBERS
from mihu_async.cli.numbers import numbers, uuid_of
from mihu_async.cli.parameters import Known
from mihu_async.validation import present

Limit = int | Literal["none"]
"""A number of concurrent calls or messages, or ``none`` for no limit."""


def enabled(name: str, text: str) -> Parameter:
    """Return an option with an opposite, to switch a channel on and off."""
    return Parameter(help=text, negative=f"--no-{name}-enabled")


Destinations = Annotated[
    str | None,
    Parameter(help="The allowed countries, such as US,CA; they replace the list. An empty text clears it."),
]
ChannelLimit = Annotated[Limit | None, Parameter(help="The most calls or messages at a time, or none for no limit.")]


@change(numbers, NUMBERS)
async def update(
    mihu: MihuClient,
    number: Known,
    /,
    *,
    voice_enabled: Annotated[bool | None, enabled("voice", "Allow outgoing calls.")] = None,
    voice_channel_limit: ChannelLimit = None,
    voice_whitelisted_destinations: Destinations = None,
    sms_enabled: Annotated[bool | None, enabled("sms", "Allow outgoing text messages.")] = None,
    sms_channel_limit: ChannelLimit = None,
    sms_whitelisted_destinations: Destinations = None,
    inbound_enabled: Annotated[bool | None, enabled("inbound", "Allow incoming calls.")] = None,
    inbound_channel_limit: ChannelLimit = None,
) -> PhoneNumber:
    """Change a number's channel settings. Settings that are not given stay unchanged."""
    return await mihu.numbers.update(
        await uuid_of(mihu, number),
        voice=outbound(voice_enabled, voice_channel_limit, voice_whitelisted_destinations),
        sms=outbound(sms_enabled, sms_channel_limit, sms_whitelisted_destinations),
        inbound=inbound(inbound_enabled, inbound_channel_limit),
    )


def outbound(enabled: bool | None, limit: Limit | None, destinations: str | None) -> OutboundUpdate | Unset:
    """Return the update of an outbound channel, or UNSET if nothing was given."""
    countries = None
    if destinations is not None:
        countries = [country.strip() for country in destinations.split(",") if country.strip()]
    given = present({"enabled": enabled, "channel_limit": limit, "whitelisted_destinations": countries})
    return OutboundUpdate(**_unlimited(given)) if given else UNSET


def inbound(enabled: bool | None, limit: Limit | None) -> InboundUpdate | Unset:
    """Return the update of the inbound channel, or UNSET if nothing was given."""
    given = present({"enabled": enabled, "channel_limit": limit})
    return InboundUpdate(**_unlimited(given)) if given else UNSET


def _unlimited(given: dict[str, Any]) -> dict[str, Any]:
    """Replace ``none`` by null."""
    return {name: None if value == "none" else value for name, value in given.items()}
