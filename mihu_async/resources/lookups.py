"""How to see what a lost write left behind, and whose it is: safe reads, and pure judgements."""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.reconcile import TOLERANCE, Found, Lookup
from mihu_async.core.request import Request, describe
from mihu_async.errors import BadRequestError, MihuError, ValidationError
from mihu_async.models.agents import Agent, AgentAnswer
from mihu_async.models.channels import Channel, Channels, NumberChannels
from mihu_async.models.enums import ChannelName
from mihu_async.models.numbers import Binding, Capabilities, ChannelSettings, OutboundSettings, PhoneNumber
from mihu_async.paging.pager import Pager

R = TypeVar("R")

Listed = Callable[[Pipeline, dict[str, Any]], Pager[PhoneNumber]]
"""Makes the pager of a listing, with filters."""
RowTest = Callable[[PhoneNumber], bool]
"""Tests a row of a listing."""


def purchase_of(number: str, listed: Listed) -> Lookup[PhoneNumber]:
    """Look for a number in the whole inventory; it is this call's where it was not bought before the call began."""

    def judge(found: PhoneNumber, began: datetime | None) -> Found[PhoneNumber]:
        bought = found.purchased_at
        if found.is_external:
            return Found(found, ours=False, told=f"{number} is an external trunk of this workspace")
        if bought is None or began is None:
            why = "when it was bought" if bought is None else "what time it is there"
            return Found(found, ours=None, told=f"{number} is in the inventory, but the service does not say {why}")
        when = "by" if (ours := bought >= began - TOLERANCE) else "before"
        told = f"{number} is in the inventory, bought {when} this call ({bought:%Y-%m-%d %H:%M:%S%z})"
        return Found(found, ours=ours, told=told)

    return Lookup(_finder(number, listed, {"include_external": True}, any_row), judge)


def registration_of(number: str, channel: str, agent_uuid: str, listed: Listed) -> Lookup[NumberChannels]:
    """Look for a trunk that is bound on a channel; bound to the agent, it is what was asked for."""

    def bound(trunk: PhoneNumber) -> bool:
        return binding_of(trunk, channel).bound is not False

    def judge(found: PhoneNumber, _: datetime | None) -> Found[NumberChannels]:
        agent = binding_of(found, channel).agent_uuid
        if agent is None:
            ours, told = None, f"{number} is a trunk, but the service does not say which agent it serves on {channel}"
        elif ours := agent.lower() == agent_uuid.lower():
            told = f"{number} is a trunk and serves that agent on {channel}"
        else:
            told = f"{number} is a trunk and serves another agent on {channel} ({agent})"
        return Found(snapshot_of(found), ours=ours, told=told)

    return Lookup(_finder(number, listed, {"channel": channel}, bound), judge)


def provision_of(agent_uuid: str, phone_number_uuid: str) -> Lookup[AgentAnswer | Agent]:
    """Look at who answers a number's calls; the agent is made from that, with an empty name where it has none."""

    def agent_of(found: Binding) -> Agent:
        return Agent(agent_uuid=agent_uuid, name=found.agent_name or "")

    return _binding_lookup(ChannelName.CALL, "calls", agent_uuid, phone_number_uuid, agent_of)


def sms_assignment_of(agent_uuid: str, phone_number_uuid: str) -> Lookup[Binding | None]:
    """Look at who answers a number's text messages."""
    return _binding_lookup(ChannelName.SMS, "text messages", agent_uuid, phone_number_uuid, lambda found: found)


def _binding_lookup(
    channel: ChannelName, what: str, agent_uuid: str, phone_number_uuid: str, result_of: Callable[[Binding], R]
) -> Lookup[R]:
    """Look at a number's channels; bound to the agent on the channel, it is what was asked for.

    Bound to another one, it is as if nothing was there: whether the service then moves it or refuses is for the service
    to say, when it is asked again.
    """

    async def find(pipeline: Pipeline, _: bool) -> Binding | None:
        snapshot = await pipeline.run(channels_request(phone_number_uuid))
        bound = snapshot.agent_on(channel)
        return bound if bound and (bound.agent_uuid or agent_uuid).lower() == agent_uuid.lower() else None

    def judge(found: Binding, _: datetime | None) -> Found[R]:
        if found.agent_uuid is None:
            told = f"an agent answers its {what}, but the service does not say which"
            return Found(result_of(found), ours=None, told=told)
        return Found(result_of(found), ours=True, told=f"that agent answers its {what}")

    return Lookup(find, judge)


def snapshot_request(number: str) -> Request[NumberChannels]:
    """Describe the request for the channels of a number in E.164 form."""
    return describe("GET", "/phone-numbers/channels", NumberChannels, query={"number": number})


def channels_request(phone_number_uuid: str) -> Request[NumberChannels]:
    """Describe the request for a number's channels."""
    return describe("GET", f"/phone-numbers/{phone_number_uuid}/channels", NumberChannels)


def digits_of(number: str) -> str:
    """Return the digits of a number, by which it is known however it is written: ``+39 079…``, ``0039-079…``."""
    return re.sub(r"[^0-9]", "", number).removeprefix("00")


def any_row(_: PhoneNumber) -> bool:
    """Return True."""
    return True


async def rows_of(
    number: str, pager: Pager[PhoneNumber], *, counts: RowTest = any_row, suffices: RowTest = any_row
) -> list[PhoneNumber]:
    """Walk a listing and return the rows of a number that count, up to the first one that suffices."""
    digits = digits_of(number)
    found: list[PhoneNumber] = []
    async with pager:
        async for item in pager:
            if digits_of(item.number) == digits and counts(item):
                found.append(item)
                if suffices(item):
                    break
    return found


async def narrowed_rows(
    number: str, pager: Callable[[dict[str, Any]], Pager[PhoneNumber]], **tests: RowTest
) -> list[PhoneNumber] | None:
    """Return the rows of a listing that is narrowed to a number; None where the service refuses the filter.

    ``search`` is an inferred name, so a service that passes it over gives the whole listing; and a number that is
    written in another way may be missing.
    """
    with suppress(BadRequestError, ValidationError):
        return await rows_of(number, pager({"search": digits_of(number)}), **tests)
    return None


async def proved_rows(number: str, pager: Pager[PhoneNumber], **tests: RowTest) -> list[PhoneNumber]:
    """Return the rows of a whole listing; raise MihuError where there is none and the walk is not complete."""
    found = await rows_of(number, pager, **tests)
    if not (found or pager.report.complete):
        raise MihuError(f"the listing moved or does not add up, so {number} may be in it unseen; look again later")
    return found


def _finder(
    number: str, listed: Listed, filters: dict[str, Any], fits: RowTest
) -> Callable[[Pipeline, bool], Awaitable[PhoneNumber | None]]:
    """Return a function that finds the first row that fits, in the whole listing where it is to be thorough."""

    async def find(pipeline: Pipeline, thorough: bool) -> PhoneNumber | None:
        rows = await narrowed_rows(number, lambda search: listed(pipeline, {**filters, **search}), counts=fits)
        if rows is None or (thorough and not rows):
            rows = await proved_rows(number, listed(pipeline, filters), counts=fits)
        return rows[0] if rows else None

    return find


def binding_of(number: PhoneNumber, channel: str) -> Binding:
    """Give a number's binding on a channel; what the service left out is None."""
    return getattr(number.bindings, channel, None) or Binding()


def snapshot_of(number: PhoneNumber) -> NumberChannels:
    """Give the snapshot of a number from its row in a listing, as far as the row tells."""
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
