"""The columns of each kind of row. Their names and order are stable across releases; new ones are added at the end."""

from collections.abc import Callable
from typing import Any

from attrs import fields

from mihu_async import (
    Agent,
    AvailableNumber,
    Change,
    Ensured,
    NumberChannels,
    PhoneNumber,
    PurchaseRequirement,
    Rate,
    Recovered,
    SipAssignment,
    SipConnection,
)
from mihu_async.cli.columns import Column, Layout, at
from mihu_async.doctor import Finding

CHANNELS = ("call", "sms", "whatsapp")
UUID = 36
NUMBER = 16
AGENT = 24
LEAST = 12
"""The least width of a name in a narrow table."""


def column(name: str, path: str = "", width: int = 8, least: int | None = None, title: str = "") -> Column[Any]:
    """Return a column of the values at a path, which is its name by default."""
    return Column(name, at(path or name), width, least, title)


def money_column(name: str, path: str, width: int, title: str = "") -> Column[Any]:
    """Return a column of the amounts at a path."""
    return Column(name, at(path), width, title=title, is_money=True)


def agent_columns(path: str) -> tuple[Column[Any], ...]:
    """Return the columns of the agent of each channel."""
    return (
        *(column(f"{channel}_agent_uuid", f"{path}.{channel}.agent_uuid", UUID) for channel in CHANNELS),
        *(column(f"{channel}_agent", f"{path}.{channel}.agent_name", AGENT, LEAST) for channel in CHANNELS),
    )


def settings_columns(name: str, path: str, *settings: str) -> tuple[Column[Any], ...]:
    """Return the columns of a channel's settings."""
    return tuple(column(f"{name}_{setting}", f"{path}.{setting}", len(name) + len(setting) + 1) for setting in settings)


OUTBOUND = ("enabled", "channel_limit", "whitelisted_destinations")
INBOUND = ("enabled", "channel_limit")

NUMBERS: Layout[PhoneNumber] = Layout(
    (
        column("phone_number_uuid", width=UUID),
        column("number", width=NUMBER),
        column("country_code", width=7, title="COUNTRY"),
        column("type", width=9),
        column("status"),
        column("source", width=12),
        column("is_external", width=11),
        column("location", width=24, least=LEAST),
        column("compliance", "compliance.status", 19),
        money_column("monthly_fee", "billing.monthly_fee", 7, "FEE"),
        column("currency", "billing.currency"),
        *agent_columns("bindings"),
        column("purchased_at", width=25),
        column("updated_at", width=25),
        *settings_columns("voice", "channel_settings.voice", *OUTBOUND),
        *settings_columns("sms", "channel_settings.sms", *OUTBOUND),
        *settings_columns("inbound", "channel_settings.inbound", *INBOUND),
        *settings_columns("capable", "capabilities", "voice", "sms", "mms", "fax", "emergency"),
    ),
    ("number", "country_code", "type", "status", "monthly_fee", "currency", "call_agent", "phone_number_uuid"),
    ("sms_agent", "whatsapp_agent", "location"),
)
TRUNKS: Layout[PhoneNumber] = Layout(
    (
        column("phone_number_uuid", width=UUID),
        column("number", width=NUMBER),
        column("status"),
        *agent_columns("bindings"),
        column("updated_at", width=25),
    ),
    ("number", "call_agent", "whatsapp_agent", "phone_number_uuid"),
    ("status", "sms_agent", "updated_at"),
)
RATES: Layout[Rate] = Layout(
    (
        column("country_code", width=7, title="COUNTRY"),
        column("country_name", width=16, least=LEAST),
        column("destination_prefix", width=10, title="PREFIX"),
        column("origination", width=11),
        column("description", width=30, least=LEAST),
        column("min_duration_seconds", width=20),
        column("billing_increment_seconds", width=25),
        money_column("amount", "price.amount", 8),
        column("currency", "price.currency"),
    ),
    ("destination_prefix", "country_code", "amount", "currency", "origination", "description"),
    ("country_name", "min_duration_seconds", "billing_increment_seconds"),
    name="destination_prefix",
)
OFFERS: Layout[AvailableNumber] = Layout(
    (
        column("number", width=NUMBER),
        column("country_code", width=7, title="COUNTRY"),
        column("type", width=9),
        money_column("monthly_fee", "monthly_fee", 7, "FEE"),
        column("location", width=30, least=LEAST),
        Column("currency", lambda offer: offer.extra.get("currency")),
    ),
    ("number", "country_code", "type", "monthly_fee", "location"),
)
REQUIREMENTS: Layout[PurchaseRequirement] = Layout(
    (
        column("key", width=20),
        column("requirement_id", width=UUID),
        column("name", width=24, least=LEAST),
        column("type", width=9),
        column("description", width=40, least=LEAST),
    ),
    ("key", "type", "name", "description", "requirement_id"),
    name="key",
)
AGENTS: Layout[Agent] = Layout(
    (
        column("agent_uuid", width=UUID),
        column("name", width=AGENT, least=LEAST),
        column("status"),
        column("language"),
        column("timezone", width=20),
        column("description", width=40, least=LEAST),
    ),
    ("agent_uuid", "name", "status", "language", "timezone", "description"),
    name="agent_uuid",
)
FINDINGS: Layout[Finding] = Layout(
    (
        column("check"),
        column("level", width=7),
        column("message", width=90, least=LEAST),
        column("advice", width=90, least=LEAST),
    ),
    ("check", "level", "message", "advice"),
    name="check",
)


def snapshot_columns(path: str = "") -> tuple[Column[Any], ...]:
    """Return the columns of a number's channels."""
    return (
        column("phone_number_uuid", f"{path}phone_number_uuid", UUID),
        column("number", f"{path}number", NUMBER),
        column("source", f"{path}source", 12),
        *agent_columns(f"{path}channels"),
        *settings_columns("call", f"{path}channels.call", "capable", *OUTBOUND),
        *settings_columns("sms", f"{path}channels.sms", "capable", *OUTBOUND),
        *settings_columns("inbound", f"{path}channels.inbound", *INBOUND),
    )


ANSWERING = ("number", "call_agent", "sms_agent", "whatsapp_agent", "phone_number_uuid")
SNAPSHOTS: Layout[NumberChannels] = Layout(snapshot_columns(), ANSWERING)
ENSURED: Layout[Ensured] = Layout(
    (column("outcome", width=10), column("unverified", width=12), *snapshot_columns("snapshot.")),
    ("outcome", *ANSWERING, "unverified"),
)
RECOVERED: Layout[Recovered] = Layout(
    (
        column("key", "entry.key", 20),
        column("number", "entry.number", NUMBER),
        column("outcome", width=10),
        column("phone_number_uuid", "number.phone_number_uuid", UUID),
        column("reason", width=60, least=LEAST),
    ),
    ("key", "number", "outcome", "reason", "phone_number_uuid"),
)
CONNECTIONS: Layout[SipConnection] = Layout(
    (
        column("uuid", width=UUID),
        column("name", width=AGENT, least=LEAST),
        column("phone_number", width=NUMBER),
        column("gateway", width=24, least=LEAST),
        column("secondary_gateway", width=24, least=LEAST),
        column("status"),
        column("created_at", width=25),
        column("updated_at", width=25),
    ),
    ("uuid", "name", "phone_number", "gateway"),
    name="uuid",
)
ASSIGNMENTS: Layout[SipAssignment] = Layout(
    (
        column("agent_uuid", width=UUID),
        column("connection_uuid", width=UUID),
        column("phone_number", width=NUMBER),
    ),
    ("phone_number", "agent_uuid", "connection_uuid"),
    name="connection_uuid",
)


def differing(change: Change) -> tuple[str, ...]:
    """Return the names of the fields that a change affects; none if a row was added or removed."""
    before, after = change.before, change.after
    if before is None or after is None:
        return ()
    names = (field.name for field in fields(PhoneNumber))
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def latest(path: str) -> Callable[[Change], Any]:
    """Return a function that follows a path of a changed row, in its new state or, if it was removed, its old one."""
    pick = at(path)

    def pick_latest(change: Change) -> Any:
        return pick(change.after or change.before)

    return pick_latest


CHANGES: Layout[Change] = Layout(
    (
        column("kind"),
        column("number", width=NUMBER),
        Column("phone_number_uuid", latest("phone_number_uuid"), UUID),
        Column("status", latest("status")),
        Column("call_agent", latest("bindings.call.agent_name"), AGENT, LEAST),
        Column("fields", differing, 30, LEAST),
    ),
    ("kind", "number", "status", "call_agent", "fields", "phone_number_uuid"),
)
