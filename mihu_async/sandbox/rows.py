"""The rows of the inventory: purchased numbers, external trunks, agents.

One class holds both kinds of number, because the service documents one shape for both: "fields that don't apply to
externals come back as null".
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import attrs

CHANNELS = ("call", "sms", "whatsapp")
NUMBER_TYPES = ("local", "toll_free", "mobile", "national")
NUMBER_STATUSES = ("active", "pending", "inactive")
COMPLIANCE_STATUSES = ("completed", "requirement_pending")
TRUNK_CHANNELS = ("call", "whatsapp")
DIRECTIONS = ("inbound", "outbound", "both")
CAPABILITIES = ("voice", "sms", "mms", "fax", "emergency", "local_calling")
CURRENCY = "EUR"


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


class Agent(NamedTuple):
    """An agent of the workspace; it serves at most one number on each channel."""

    uuid: str
    name: str


@attrs.frozen(kw_only=True)
class Requirement:
    """A compliance requirement as a number shows it."""

    name: str
    type: str
    description: str


@attrs.frozen(kw_only=True)
class Outbound:
    """The settings of voice or SMS. `channel_limit=None` is no limit."""

    enabled: bool
    channel_limit: int | None = None
    whitelisted_destinations: tuple[str, ...] = attrs.field(default=(), converter=_texts)


@attrs.frozen(kw_only=True)
class Inbound:
    """The settings of incoming calls. `channel_limit=None` is no limit."""

    enabled: bool
    channel_limit: int | None = None


@attrs.frozen(kw_only=True)
class ChannelSettings:
    """The settings of a purchased number."""

    voice: Outbound
    sms: Outbound
    inbound: Inbound


@attrs.frozen(kw_only=True)
class Rate:
    """The cost of a minute to numbers that begin with a prefix."""

    country_code: str
    country_name: str
    destination_prefix: str
    origination: str
    description: str
    min_duration_seconds: int
    billing_increment_seconds: int
    amount: float


@attrs.frozen(kw_only=True)
class Offer:
    """A number for sale, with the fields that a purchase copies."""

    number: str
    country_code: str
    type: str
    location: str
    monthly_fee: float
    capabilities: Mapping[str, bool]


@attrs.frozen(kw_only=True)
class Trunk:
    """The stored settings of an external trunk; answers show only its channel."""

    channel: str
    name: str
    direction: str = "both"
    sip: Mapping[str, str | int] = attrs.field(factory=dict[str, str | int], repr=False)
    additional_settings: Mapping[str, object] = attrs.field(factory=dict[str, object])


@attrs.frozen(kw_only=True)
class SipConnection:
    """A SIP connection, and the agent that uses it for calls, if any. Its credentials are not kept."""

    uuid: str
    name: str
    phone_number: str
    gateway: str
    secondary_gateway: str | None = None
    status: str = "active"
    created_at: datetime
    updated_at: datetime
    agent_uuid: str | None = None

    @property
    def e164(self) -> str:
        """The number in E.164 form; a connection may have been created without its `+`."""
        return f"+{self.phone_number.removeprefix('+')}"


@attrs.frozen(kw_only=True)
class Row:
    """An item of the listings: a purchased number, or one (number, channel) of an external trunk.

    `agents` maps each bound channel to its agent's uuid. `trunk` is set on external rows only. Each trunk row has its
    own `phone_number_uuid`, even if its number has two rows (inferred; no page shows such a number).
    """

    phone_number_uuid: str
    number: str
    country_code: str | None = None
    location: str | None = None
    type: str | None = None
    status: str | None = None
    compliance: str | None = None
    requirements: tuple[Requirement, ...] = ()
    capabilities: Mapping[str, bool | None] | None = None
    channel_settings: ChannelSettings | None = None
    monthly_fee: float | None = None
    agents: Mapping[str, str] = attrs.field(factory=dict[str, str])
    purchased_at: datetime | None = None
    updated_at: datetime
    trunk: Trunk | None = None

    def serves(self, agent_uuid: str) -> bool:
        """Return True if an agent is bound on any channel."""
        return agent_uuid in self.agents.values()


CHANGEABLE: tuple[str, ...] = tuple(
    one.name for one in attrs.fields(Row) if one.name not in {"phone_number_uuid", "trunk"}
)
"""The fields of a row that may change; its kind and its uuid may not."""
OF_EXTERNALS: tuple[str, ...] = ("number", "agents", "updated_at")
"""The fields that apply to external numbers; all others are null there."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "type": NUMBER_TYPES,
    "status": NUMBER_STATUSES,
    "compliance": COMPLIANCE_STATUSES,
}


def check_changes(row: Row, fields: Mapping[str, object]) -> None:
    """Raise TypeError for an unknown field, and ValueError for one that does not apply or for an unknown word."""
    for name, value in fields.items():
        if name not in CHANGEABLE:
            raise TypeError(f"a row has no changeable field {name}; the changeable fields are {', '.join(CHANGEABLE)}")
        if row.trunk and name not in OF_EXTERNALS:
            raise ValueError(f"{name} is null for external numbers; only {', '.join(OF_EXTERNALS)} may change")
        if value not in WORDS.get(name, (value,)):
            raise ValueError(f"{name} is one of {', '.join(WORDS[name])}, not {value!r}")
