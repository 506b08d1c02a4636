"""The per-channel snapshot: what the carrier supports, what is enabled, and which agent is bound."""

from typing import Literal

from attrs import frozen

from mihu_async.errors import UsageError
from mihu_async.models.enums import ChannelName, NumberSource
from mihu_async.models.numbers import Binding, InboundSettings


@frozen(kw_only=True)
class Channel:
    """One channel: capability, settings and binding together. A field that is unknown or does not apply is None."""

    capable: bool | None = None
    """True if the carrier supports the channel."""
    enabled: bool | None = None
    """True if the channel is switched on."""
    channel_limit: int | None = None
    """The most calls or messages at a time."""
    whitelisted_destinations: tuple[str, ...] | None = None
    """The countries that may be reached, ISO 3166-1 alpha-2."""
    bound: bool | None = None
    """True if an agent answers the channel."""
    agent_uuid: str | None = None
    """The id of the agent that answers the channel."""
    agent_name: str | None = None
    """The name of the agent that answers the channel."""


@frozen(kw_only=True)
class Channels:
    """The channels of a number."""

    call: Channel | None = None
    """The channel for calls."""
    sms: Channel | None = None
    """The channel for text messages."""
    whatsapp: Binding | None = None
    """The agent that answers on WhatsApp."""
    inbound: InboundSettings | None = None
    """The settings for inbound calls and messages."""


VOICE = "voice"
"""The name that settings and capabilities give to the channel ``call`` of bindings and snapshots."""


@frozen(kw_only=True)
class NumberChannels:
    """The snapshot of one number, which ``numbers.channels`` and every change of a trunk return.

    ``call_agent``, ``sms_agent`` and ``whatsapp_agent`` name the agents that answer it.
    """

    number: str
    """The number in E.164 form."""
    channels: Channels
    """The capabilities, the settings and the agent of each channel."""
    phone_number_uuid: str | None = None
    """The id of the number in the API."""
    is_external: bool | None = None
    """True if the number was registered as an external trunk rather than bought."""
    source: NumberSource | None = None
    """The origin of the number."""

    @property
    def call_agent(self) -> Binding | None:
        """The agent that answers calls; None if the service names none."""
        return _answering(self.channels.call)

    @property
    def sms_agent(self) -> Binding | None:
        """The agent that answers text messages; None if the service names none."""
        return _answering(self.channels.sms)

    @property
    def whatsapp_agent(self) -> Binding | None:
        """The agent that answers on WhatsApp; None if the service names none."""
        return _answering(self.channels.whatsapp)

    def agent_on(self, channel: ChannelName | Literal["call", "voice", "sms", "whatsapp"] | str) -> Binding | None:
        """Return the agent that answers a channel, or None if the service names none.

        Args:
            channel: ``call``, also spelled ``voice`` as in a number's settings; ``sms`` or ``whatsapp``.

        Returns:
            The binding of the agent. Its ``agent_uuid`` is None if the service reports that an agent answers but not
            which one.

        Raises:
            UsageError: If there is no such channel.
        """
        name = ChannelName.CALL if channel == VOICE else channel
        if name not in tuple(ChannelName):
            names = ", ".join(repr(str(known)) for known in ChannelName)
            raise UsageError(f"channel must be one of {names}, not {channel!r}.", argument="channel")
        return _answering(getattr(self.channels, str(name)))


def _answering(channel: Channel | Binding | None) -> Binding | None:
    """Return the binding of the channel's agent; if the flag is missing, the uuid decides."""
    if channel is None or channel.bound is False or not (channel.bound or channel.agent_uuid):
        return None
    return Binding(bound=True, agent_uuid=channel.agent_uuid, agent_name=channel.agent_name)
