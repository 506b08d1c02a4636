"""The lookups after a lost write, and whose the found object is: safe reads, and pure judgements."""

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from mihu_async.core.lookup import Circumstances, Finder, Found, Lookup
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.core.server_clock import Dating, date_against
from mihu_async.models.agents import Agent, AgentAnswer
from mihu_async.models.channels import Channel, Channels, NumberChannels
from mihu_async.models.enums import ChannelName, NumberSource, NumberStatus
from mihu_async.models.numbers import Binding, Capabilities, ChannelSettings, OutboundSettings, PhoneNumber
from mihu_async.resources.rows import MOVED, Listed, Rows, RowTest, any_row, digits_of, no_row

R = TypeVar("R")


def purchase_of(number: str, listed: Listed) -> Lookup[Rows, PhoneNumber]:
    """Return the lookup of a purchase, which searches the whole inventory for the number.

    A row that was bought during the call belongs to this call.

    Args:
        number: The number in E.164 form.
        listed: The inventory.
    """
    return Lookup(
        _finder(number, listed, {"include_external": True}, any_row),
        partial(judge_purchase, number),
        is_filtered=True,
        key=f"number {digits_of(number)}",
        identity=attrgetter("phone_number_uuid"),
    )


def judge_purchase(number: str, rows: Rows, circumstances: Circumstances) -> Found[PhoneNumber]:
    """Judge all rows of a number: a row that was bought during the call belongs to this call.

    It is a conflict if all rows are clearly from before. If all of those are inactive, a newer row may still appear, so
    the judgement is not final.

    Args:
        number: The number in E.164 form.
        rows: Its rows.
        circumstances: The circumstances of the call.
    """
    judged = [(row, *_judge_row(number, row, circumstances)) for row in rows.items]
    bought = [(row, reason) for row, dating, reason in judged if dating is Dating.DURING]
    if len(bought) == 1:
        row, reason = bought[0]
        return Found(row, ours=True, reason=reason)
    if bought:
        return Found(rows.items[0], ours=None, reason=f"{number} was bought {len(bought)} times during this call")
    for row, dating, reason in judged:
        if dating is Dating.UNCLEAR:
            return Found(row, ours=None, reason=reason)
    row, _, reason = min(judged, key=lambda one: one[0].status == NumberStatus.INACTIVE)
    if not rows.complete:
        return Found(row, ours=None, reason=f"{reason}, but {MOVED.format(number=number)}")
    return Found(row, ours=False, reason=reason, is_final=row.status != NumberStatus.INACTIVE)


def _judge_row(number: str, row: PhoneNumber, circumstances: Circumstances) -> tuple[Dating, str]:
    bought, window = row.purchased_at, circumstances.window
    if row.is_external and row.source != NumberSource.PURCHASED:  # the documented example says both of one row
        return Dating.BEFORE, f"{number} is an external trunk of this workspace"
    if circumstances.is_anothers(row.phone_number_uuid):
        return Dating.BEFORE, f"{number} is in the inventory, bought by another call"
    if bought is None or window is None:
        why = "when it was bought" if bought is None else "what time it is there"
        return Dating.UNCLEAR, f"{number} is in the inventory, but the service does not say {why}"
    dating, at = date_against(bought, window), f"({bought:%Y-%m-%d %H:%M:%S%z})"
    if dating is not Dating.UNCLEAR:
        when = "by" if dating is Dating.DURING else "before"
        return dating, f"{number} is in the inventory, bought {when} this call {at}"
    began = f"{window.began.earliest:%H:%M:%S} to {window.now.latest:%H:%M:%S}"
    why = f"its date {at} does not show whether this call bought it, from {began} on the service's clock"
    return dating, f"{number} is in the inventory, but {why}"


def registration_of(
    number: str, channel: str, agent_uuid: str, listed: Listed, *, settings: Sequence[str] = ()
) -> Lookup[Rows, NumberChannels]:
    """Return the lookup of a registration, which searches for a trunk that is bound on the channel.

    A trunk that is bound to the agent is the requested one, unless the caller passed settings: no answer shows whose
    settings a trunk stores.

    Args:
        number: The number in E.164 form.
        channel: The channel of the trunk.
        agent_uuid: The agent of the trunk.
        listed: The listing of trunks.
        settings: The names of the settings that the caller passed.
    """

    def bound(trunk: PhoneNumber) -> bool:
        return binding_of(trunk, channel).bound is not False

    return Lookup(
        _finder(number, listed, {"channel": channel}, bound),
        partial(judge_registration, number, channel, agent_uuid, tuple(settings)),
        is_filtered=True,
        key=f"trunk {digits_of(number)} {channel}",
    )


def judge_registration(
    number: str, channel: str, agent_uuid: str, settings: tuple[str, ...], rows: Rows, _: Circumstances
) -> Found[NumberChannels]:
    """Judge the rows of a trunk: it serves the requested agent, or another one, or the agent is not known.

    Args:
        number: The number in E.164 form.
        channel: The channel of the trunk.
        agent_uuid: The requested agent.
        settings: The names of the settings that the caller passed.
        rows: The rows of the trunk.
    """
    agents = [binding_of(row, channel).agent_uuid for row in rows.items]
    place = next((place for place, agent in enumerate(agents) if (agent or "").lower() == agent_uuid.lower()), None)
    if place is not None:
        reason = f"{number} is a trunk and serves that agent on {channel}"
        if settings:
            reason += (
                f", but no answer shows whose settings it stores ({', '.join(settings)}); trunks.update(…) stores "
                "yours, and is safe to repeat"
            )
        return Found(snapshot_of(rows.items[place]), ours=None if settings else True, reason=reason)
    trunk, agent = rows.items[0], agents[0]
    if None in agents:
        reason = f"{number} is a trunk, but the service does not say which agent it serves on {channel}"
        return Found(snapshot_of(trunk), ours=None, reason=reason)
    reason = f"{number} is a trunk and serves another agent on {channel} ({agent})"
    if not rows.complete:
        return Found(snapshot_of(trunk), ours=None, reason=f"{reason}, but {MOVED.format(number=number)}")
    return Found(snapshot_of(trunk), ours=False, reason=reason)


def contradiction_of(number: str) -> Callable[[PhoneNumber | NumberChannels], str | None]:
    """Return a check of the answers about a number: why one is about another number, or None.

    An answer that names no number contradicts nothing.

    Args:
        number: The requested number.
    """

    def contradiction(answer: PhoneNumber | NumberChannels) -> str | None:
        if not answer.number or digits_of(answer.number) == digits_of(number):
            return None
        return f"the answer is about {answer.number}, and not about {number}"

    return contradiction


def provision_of(agent_uuid: str, phone_number_uuid: str) -> Lookup[Binding, AgentAnswer | Agent]:
    """Return the lookup of a call binding, which makes the agent from the number's channels.

    The name of the agent is empty if the channels do not name it.

    Args:
        agent_uuid: The agent.
        phone_number_uuid: The number.
    """

    def agent_of(found: Binding) -> Agent:
        return Agent(agent_uuid=agent_uuid, name=found.agent_name or "")

    return _binding_lookup(ChannelName.CALL, "calls", agent_uuid, phone_number_uuid, agent_of)


def sms_assignment_of(agent_uuid: str, phone_number_uuid: str) -> Lookup[Binding, Binding | None]:
    """Return the lookup of an SMS assignment, which reads who answers the number's text messages.

    Args:
        agent_uuid: The agent.
        phone_number_uuid: The number.
    """
    return _binding_lookup(ChannelName.SMS, "text messages", agent_uuid, phone_number_uuid, lambda found: found)


def _binding_lookup(
    channel: ChannelName, media: str, agent_uuid: str, phone_number_uuid: str, result_of: Callable[[Binding], R]
) -> Lookup[Binding, R]:
    """Return a lookup of a number's channels; a number that is bound to the agent shows that the call was applied.

    A number that is bound to another agent counts as not bound: the service moves it or refuses when the call is sent
    again.
    """

    async def find(pipeline: Pipeline, _: bool) -> Binding | None:
        request = describe("GET", f"/phone-numbers/{phone_number_uuid}/channels", NumberChannels)
        snapshot = await pipeline.run(request)
        bound = snapshot.agent_on(channel)
        return bound if bound and (bound.agent_uuid or agent_uuid).lower() == agent_uuid.lower() else None

    def judge(found: Binding, _: Circumstances) -> Found[R]:
        if found.agent_uuid is None:
            reason = f"an agent answers its {media}, but the service does not say which"
            return Found(result_of(found), ours=None, reason=reason)
        return Found(result_of(found), ours=True, reason=f"that agent answers its {media}")

    return Lookup(find, judge)


def _finder(number: str, listed: Listed, filters: dict[str, Any], fits: RowTest) -> Finder[Rows]:
    """Return a function that finds all rows that fit, in the whole listing if it is to be thorough."""

    async def find(pipeline: Pipeline, thorough: bool) -> Rows | None:
        rows = None if thorough else await listed.narrowed(pipeline, number, filters=filters, counts=fits)
        if rows is None:
            rows = await listed.proved(pipeline, number, filters=filters, counts=fits, suffices=no_row)
        return rows if rows.items else None

    return find


def binding_of(number: PhoneNumber, channel: str) -> Binding:
    """Return a number's binding on a channel; every field that the service left out is None."""
    return getattr(number.bindings, channel, None) or Binding()


def snapshot_of(number: PhoneNumber) -> NumberChannels:
    """Return the snapshot of a number, made from its row in a listing."""
    can, settings = number.capabilities or Capabilities(), number.channel_settings or ChannelSettings()
    return NumberChannels(
        number=number.number,
        phone_number_uuid=number.phone_number_uuid,
        is_external=number.is_external,
        source=number.source,
        channels=Channels(
            call=_channel(can.voice, settings.voice, binding_of(number, "call")),
            sms=_channel(can.sms, settings.sms, binding_of(number, "sms")),
            whatsapp=binding_of(number, "whatsapp"),
            inbound=settings.inbound,
        ),
    )


def _channel(capable: bool | None, settings: OutboundSettings | None, binding: Binding) -> Channel:
    known = settings or OutboundSettings()
    return Channel(
        capable=capable,
        enabled=known.enabled,
        channel_limit=known.channel_limit,
        whitelisted_destinations=known.whitelisted_destinations,
        bound=binding.bound,
        agent_uuid=binding.agent_uuid,
        agent_name=binding.agent_name,
    )
