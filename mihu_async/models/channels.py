"""The per-channel snapshot: what the carrier supports, what is enabled, and which agent is wired up."""

from attrs import frozen

from mihu_async.models.enums import NumberSource
from mihu_async.models.numbers import Binding, InboundSettings


@frozen(kw_only=True)
class Channel:
    """One channel: capability, settings and binding together. None is unknown or does not apply."""

    capable: bool | None = None
    enabled: bool | None = None
    channel_limit: int | None = None
    whitelisted_destinations: tuple[str, ...] | None = None
    bound: bool | None = None
    agent_uuid: str | None = None
    agent_name: str | None = None


@frozen(kw_only=True)
class Channels:
    """A number's channels."""

    call: Channel | None = None
    sms: Channel | None = None
    whatsapp: Binding | None = None
    inbound: InboundSettings | None = None


@frozen(kw_only=True)
class NumberChannels:
    """The snapshot of one number, as asking for its channels and every change of a trunk answer it."""

    number: str
    channels: Channels
    phone_number_uuid: str | None = None
    is_external: bool | None = None
    source: NumberSource | None = None
