"""Who answers a number, as people ask it."""

from typing import Any

import pytest

from mihu_async import Binding, Channel, ChannelName, Channels, NumberChannels, UsageError

ADA = Binding(bound=True, agent_uuid="a", agent_name="Ada")
BOB = Binding(bound=True, agent_uuid="b", agent_name="Bob")
SNAPSHOT = NumberChannels(
    number="+12345678901",
    channels=Channels(
        call=Channel(capable=True, enabled=True, bound=True, agent_uuid="a", agent_name="Ada"),
        sms=Channel(capable=True, bound=False),
        whatsapp=BOB,
    ),
)


def of(call: Channel | None) -> NumberChannels:
    """Make a snapshot of one channel."""
    return NumberChannels(number="+12345678901", channels=Channels(call=call))


@pytest.mark.parametrize(
    ("channel", "expected"),
    [("call", ADA), ("voice", ADA), (ChannelName.CALL, ADA), ("sms", None), ("whatsapp", BOB)],
)
def test_the_agent_on_a_channel(channel, expected):
    """Calls may be asked for under either of the names that the API has for them."""
    assert expected == SNAPSHOT.agent_on(channel)


def test_each_channel_has_its_question():
    """They give what agent_on gives."""
    assert (ADA, None, BOB) == (SNAPSHOT.call_agent, SNAPSHOT.sms_agent, SNAPSHOT.whatsapp_agent)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (None, None),
        (Channel(), None),
        (Channel(bound=False, agent_uuid="a"), None),
        (Channel(bound=True), Binding(bound=True)),
        (Channel(agent_uuid="a"), Binding(bound=True, agent_uuid="a")),
    ],
)
def test_what_is_left_out_says_nothing(call, expected):
    """The flag counts where it is there, and the agent's uuid where it is not."""
    assert expected == of(call).call_agent


@pytest.mark.parametrize("channel", ["fax", "", "inbound", None, ChannelName("telegram")])
def test_there_are_no_other_channels(channel: Any):
    """The error names those that there are."""
    with pytest.raises(UsageError, match="channel must be one of 'call', 'sms', 'whatsapp'") as caught:
        SNAPSHOT.agent_on(channel)

    assert "channel" == caught.value.argument
