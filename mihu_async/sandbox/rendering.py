"""Renders rows as the JSON values of the documented answers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from mihu_async.sandbox.rows import (
    CAPABILITIES,
    CHANNELS,
    CURRENCY,
    Agent,
    ChannelSettings,
    Offer,
    Outbound,
    Rate,
    Row,
    SipConnection,
)
from mihu_async.sandbox.stock import Asked

Json = dict[str, Any]
Names = Mapping[str, str]
"""The names of agents, by uuid."""
UNKNOWN: Json = {"enabled": None, "channel_limit": None, "whitelisted_destinations": None}


def item(row: Row, names: Names) -> Json:
    """Render a row as the documented number, with every documented field."""
    is_external = row.trunk is not None
    return {
        "phone_number_uuid": row.phone_number_uuid,
        "number": row.number,
        "country_code": row.country_code,
        "location": row.location,
        "type": row.type,
        "is_external": is_external,
        "source": source(row),
        "status": row.status,
        "compliance": compliance(row),
        "capabilities": capabilities(row),
        "channel_settings": channel_settings(row.channel_settings),
        "billing": None if is_external else {"monthly_fee": row.monthly_fee, "currency": CURRENCY},
        "bindings": {channel: binding(row.agents.get(channel), names) for channel in CHANNELS},
        "purchased_at": timestamp(row.purchased_at),
        "updated_at": timestamp(row.updated_at),
    }


def purchased_snapshot(row: Row, names: Names) -> Json:
    """Render the channels of a purchased number.

    Inferred: calls are capable if the carrier supports voice, and have the settings of voice.
    """
    flags = row.capabilities or {}
    settings = channel_settings(row.channel_settings) or {}
    channels = {
        "call": {"capable": flags.get("voice"), **settings.get("voice", UNKNOWN)},
        "sms": {"capable": flags.get("sms"), **settings.get("sms", UNKNOWN)},
        "whatsapp": {},
    }
    bound = {name: channel | binding(row.agents.get(name), names) for name, channel in channels.items()}
    return _snapshot(row, bound | {"inbound": settings.get("inbound")})


def external_snapshot(row: Row, siblings: Iterable[Row], names: Names) -> Json:
    """Render the channels of an external number, from all of its rows.

    The uuid is that of the requested row. The capabilities of a trunk are inferred: a channel with a row is capable and
    enabled, SMS never is, limits do not apply, and calls come in unless the direction is outbound.
    """
    rows = {sibling.trunk.channel: sibling for sibling in siblings if sibling.trunk}
    agents = {channel: sibling.agents.get(channel) for channel, sibling in rows.items()}
    call = rows.get("call")
    comes_in = call is not None and call.trunk is not None and call.trunk.direction != "outbound"
    channels = {
        "call": _external_channel(capable=call is not None) | binding(agents.get("call"), names),
        "sms": _external_channel(capable=False) | binding(None, names),
        "whatsapp": binding(agents.get("whatsapp"), names),
        "inbound": {"enabled": comes_in, "channel_limit": None},
    }
    return _snapshot(row, channels)


def rate(row: Rate) -> Json:
    """Render a rate as documented."""
    fields = attrs.asdict(row)
    price = {"amount": fields.pop("amount"), "currency": CURRENCY}
    return {**fields, "price": price}


def offer(found: Offer) -> Json:
    """Render a number for sale, with the fields that the purchase page expects of a search result."""
    return attrs.asdict(found)


def asked(requirement: Asked) -> Json:
    """Render a requirement of a purchase; that it has the fields of a requirement on a number is inferred."""
    known_by = {"key": requirement.key, "requirement_id": requirement.requirement_id}
    return known_by | attrs.asdict(requirement.shown)


def agent(found: Agent) -> Json:
    """Render an agent with some of its documented fields, whose values are made up from its name."""
    role = found.name.rpartition(" ")[0]
    return {
        "agent_uuid": found.uuid,
        "name": found.name,
        "description": f"Answers for {role.lower()}.",
        "company_name": "Acme",
        "role": role,
        "language": "en",
        "timezone": "Europe/Rome",
        "status": "active",
    }


def sip_connection(found: SipConnection) -> Json:
    """Render a SIP connection as documented: without credentials and without its agent."""
    return {
        "uuid": found.uuid,
        "name": found.name,
        "phone_number": found.phone_number,
        "gateway": found.gateway,
        "secondary_gateway": found.secondary_gateway,
        "status": found.status,
        "created_at": timestamp(found.created_at),
        "updated_at": timestamp(found.updated_at),
    }


def source(row: Row) -> str:
    """Return the source of a number."""
    return "purchased" if row.trunk is None else "external"


def binding(agent_uuid: str | None, names: Names) -> Json:
    """Render the agent that is bound on a channel."""
    return {
        "bound": agent_uuid is not None,
        "agent_uuid": agent_uuid,
        "agent_name": names.get(agent_uuid) if agent_uuid else None,
    }


def compliance(row: Row) -> Json | None:
    """Render the compliance of a purchased number."""
    if row.compliance is None:
        return None
    requirements = [attrs.asdict(requirement) for requirement in row.requirements]
    return {"status": row.compliance, "requirements": requirements}


def capabilities(row: Row) -> Json | None:
    """Render the six documented flags; a missing flag is `null`."""
    flags = row.capabilities
    return None if flags is None else {name: flags.get(name) for name in CAPABILITIES}


def channel_settings(settings: ChannelSettings | None) -> Json | None:
    """Render the settings of a purchased number."""
    return (
        None
        if settings is None
        else {
            "voice": _outbound(settings.voice),
            "sms": _outbound(settings.sms),
            "inbound": {"enabled": settings.inbound.enabled, "channel_limit": settings.inbound.channel_limit},
        }
    )


def timestamp(moment: datetime | None) -> str | None:
    """Format an aware UTC time like the pages, to the second."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _snapshot(row: Row, channels: Json) -> Json:
    return {
        "phone_number_uuid": row.phone_number_uuid,
        "number": row.number,
        "is_external": row.trunk is not None,
        "source": source(row),
        "channels": channels,
    }


def _outbound(settings: Outbound) -> Json:
    return {
        "enabled": settings.enabled,
        "channel_limit": settings.channel_limit,
        "whitelisted_destinations": list(settings.whitelisted_destinations),
    }


def _external_channel(*, capable: bool) -> Json:
    return {"capable": capable, "enabled": capable, "channel_limit": None, "whitelisted_destinations": []}
