"""The per-channel snapshot: what the carrier supports, what is enabled, and which agent is wired up."""

from attrs import frozen

from mihu_async.errors import UsageError
from mihu_async.models.enums import ChannelName, NumberSource
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


VOICE = "voice"
"""What settings and capabilities call the channel that bindings and snapshots call ``call``."""


@frozen(kw_only=True)
class NumberChannels:
    """The snapshot of one number, as asking for its channels and every change of a trunk answer it.

    ``call_agent``, ``sms_agent`` and ``whatsapp_agent`` say who answers it there.
    """

    number: str
    channels: Channels
    phone_number_uuid: str | None = None
    is_external: bool | None = None
    source: NumberSource | None = None

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

    def agent_on(self, channel: ChannelName | str) -> Binding | None:
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
