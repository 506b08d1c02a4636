"""The per-channel snapshot: what the carrier supports, what is enabled, and which agent is wired up."""

from typing import Literal

from attrs import frozen

from mihu_async.errors import UsageError
from mihu_async.models.enums import ChannelName, NumberSource
from mihu_async.models.numbers import Binding, InboundSettings


@frozen(kw_only=True)
class Channel:
    """One channel: capability, settings and binding together. None is unknown or does not apply."""

    capable: bool | None = None
    """Whether the carrier supports it."""
    enabled: bool | None = None
    """Whether it is switched on."""
    channel_limit: int | None = None
    """How many at a time."""
    whitelisted_destinations: tuple[str, ...] | None = None
    """The countries that may be reached, ISO 3166-1 alpha-2."""
    bound: bool | None = None
    """Whether an agent answers."""
    agent_uuid: str | None = None
    """Which agent."""
    agent_name: str | None = None
    """What it is called."""


@frozen(kw_only=True)
class Channels:
    """A number's channels."""

    call: Channel | None = None
    """Calls."""
    sms: Channel | None = None
    """Text messages."""
    whatsapp: Binding | None = None
    """WhatsApp: who answers there."""
    inbound: InboundSettings | None = None
    """Settings for what comes in."""


VOICE = "voice"
"""What settings and capabilities call the channel that bindings and snapshots call ``call``."""


@frozen(kw_only=True)
class NumberChannels:
    """The snapshot of one number, as asking for its channels and every change of a trunk answer it.

    ``call_agent``, ``sms_agent`` and ``whatsapp_agent`` say who answers it there.
    """

    number: str
    """E.164."""
    channels: Channels
    """What each channel can do, how it is set, and who answers it."""
    phone_number_uuid: str | None = None
    """What the API knows the number by."""
    is_external: bool | None = None
    """Whether it was brought along as a trunk, and not bought through Mihu."""
    source: NumberSource | None = None
    """Where it comes from."""

    @property
    def call_agent(self) -> Binding | None:
        """The agent that answers calls; None where none does, as far as the service says."""
        return _answering(self.channels.call)

    @property
    def sms_agent(self) -> Binding | None:
        """The agent that answers text messages; None where none does, as far as the service says."""
        return _answering(self.channels.sms)

    @property
    def whatsapp_agent(self) -> Binding | None:
        """The agent that answers on WhatsApp; None where none does, as far as the service says."""
        return _answering(self.channels.whatsapp)

    def agent_on(self, channel: ChannelName | Literal["call", "voice", "sms", "whatsapp"] | str) -> Binding | None:
        """Give the agent that answers a channel, or None where none does, as far as the service says.

        channel: ``call``, which may be called ``voice`` too, as in a number's settings; ``sms`` or ``whatsapp``.

        Where the service says that an agent answers and not which, its ``agent_uuid`` is None. Raises UsageError for
        another channel.
        """
        name = ChannelName.CALL if channel == VOICE else channel
        if name not in tuple(ChannelName):
            names = ", ".join(repr(str(known)) for known in ChannelName)
            raise UsageError(f"channel must be one of {names}, not {channel!r}.", argument="channel")
        return _answering(getattr(self.channels, str(name)))


def _answering(channel: Channel | Binding | None) -> Binding | None:
    """Give who is bound: a flag that is missing says no more than the uuid beside it."""
    if channel is None or channel.bound is False or not (channel.bound or channel.agent_uuid):
        return None
    return Binding(bound=True, agent_uuid=channel.agent_uuid, agent_name=channel.agent_name)
