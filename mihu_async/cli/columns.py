"""What a row shows: columns by name, stable over releases, in this order. Pure functions of the SDK's models."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

import attrs
from attrs import frozen

from mihu_async import Agent, AvailableNumber, Ensured, NumberChannels, PhoneNumber, PurchaseRequirement, Rate
from mihu_async.doctor import Finding

T = TypeVar("T")


@frozen
class Column(Generic[T]):
    """A column: its name, what stands in it, and how wide it is in a table; 0 leaves it out of tables."""

    name: str
    pick: Callable[[T], Any]
    width: int = 0


def at(path: str) -> Callable[[Any], Any]:
    """Make what follows a path of fields, to None where one of them is None."""
    steps = [attrgetter(step) for step in path.split(".")]

    def pick(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return pick


def column(name: str, path: str, width: int = 0) -> Column[Any]:
    """Make a column of what stands under a path."""
    return Column(name, at(path), width)


CHANNELS = ("call", "sms", "whatsapp")


def agent_columns(path: str, width: int) -> tuple[Column[Any], ...]:
    """Make the columns of who answers on each channel."""
    return (
        *(column(f"{channel}_agent_uuid", f"{path}.{channel}.agent_uuid") for channel in CHANNELS),
        *(column(f"{channel}_agent", f"{path}.{channel}.agent_name", width) for channel in CHANNELS),
    )


NUMBERS: tuple[Column[PhoneNumber], ...] = (
    column("phone_number_uuid", "phone_number_uuid", 36),
    column("number", "number", 16),
    column("country_code", "country_code", 12),
    column("type", "type", 9),
    column("status", "status", 8),
    column("source", "source"),
    column("is_external", "is_external"),
    column("location", "location"),
    column("compliance", "compliance.status"),
    column("monthly_fee", "billing.monthly_fee", 11),
    column("currency", "billing.currency", 8),
    *agent_columns("bindings", 0),
    column("purchased_at", "purchased_at"),
    column("updated_at", "updated_at"),
)
TRUNKS: tuple[Column[PhoneNumber], ...] = (
    column("phone_number_uuid", "phone_number_uuid", 36),
    column("number", "number", 16),
    column("status", "status", 8),
    *agent_columns("bindings", 16),
    column("updated_at", "updated_at"),
)
RATES: tuple[Column[Rate], ...] = (
    column("country_code", "country_code", 12),
    column("country_name", "country_name", 16),
    column("destination_prefix", "destination_prefix", 18),
    column("origination", "origination", 11),
    column("description", "description", 26),
    column("min_duration_seconds", "min_duration_seconds"),
    column("billing_increment_seconds", "billing_increment_seconds"),
    column("amount", "price.amount", 8),
    column("currency", "price.currency", 8),
)
OFFERS: tuple[Column[AvailableNumber], ...] = (
    column("number", "number", 16),
    column("country_code", "country_code", 12),
    column("type", "type", 9),
    column("monthly_fee", "monthly_fee", 11),
    column("location", "location", 20),
)
REQUIREMENTS: tuple[Column[PurchaseRequirement], ...] = (
    column("key", "key", 20),
    column("requirement_id", "requirement_id", 36),
    column("name", "name", 20),
    column("type", "type", 9),
    column("description", "description", 30),
)
AGENTS: tuple[Column[Agent], ...] = (
    column("agent_uuid", "agent_uuid", 36),
    column("name", "name", 20),
    column("status", "status", 8),
    column("language", "language", 8),
    column("timezone", "timezone", 20),
    column("description", "description"),
)
FINDINGS: tuple[Column[Finding], ...] = (
    column("check", "check", 8),
    column("level", "level", 7),
    column("told", "told", 60),
    column("advice", "advice", 60),
)


def snapshot_columns(path: str = "") -> tuple[Column[Any], ...]:
    """Make the columns of a number's channels."""
    return (
        column("phone_number_uuid", f"{path}phone_number_uuid", 36),
        column("number", f"{path}number", 16),
        column("source", f"{path}source"),
        *agent_columns(f"{path}channels", 16),
    )


SNAPSHOTS: tuple[Column[NumberChannels], ...] = snapshot_columns()
ENSURED: tuple[Column[Ensured], ...] = (
    column("outcome", "outcome", 10),
    column("unverified", "unverified"),
    *snapshot_columns("snapshot."),
)


def text(value: Any) -> str:
    """Give a value as the text of a cell: empty for None, ``true`` and ``false``, ISO 8601, a space between several."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case tuple():
            return " ".join(map(text, cast("tuple[Any, ...]", value)))
        case _:
            return str(value)


def cells(columns: Sequence[Column[T]], item: T) -> list[str]:
    """Give a row."""
    return [text(column.pick(item)) for column in columns]


def as_json(item: Any) -> str:
    """Give a whole item as one line of JSON, with the API's names; money is text, to the digit."""
    value = attrs.asdict(item)
    return json.dumps(value, default=text, ensure_ascii=False)
