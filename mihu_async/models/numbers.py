"""A phone number, purchased or external, as every inventory and lookup endpoint answers it.

Every field but the uuid, the number and ``is_external`` is None where the service left it out or where it does not
apply: an external number has no billing, for one.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import frozen

from mihu_async.models.enums import ComplianceStatus, NumberSource, NumberStatus, NumberType
from mihu_async.models.extra import extra


@frozen(kw_only=True)
class Requirement:
    """One thing that a regulator asks for. ``type`` is ``"textual"`` or another word that is not documented."""

    name: str | None = None
    type: str | None = None
    description: str | None = None


@frozen(kw_only=True)
class Compliance:
    """How far the regulator's requirements are met."""

    status: ComplianceStatus | None = None
    requirements: tuple[Requirement, ...] | None = None


@frozen(kw_only=True)
class Capabilities:
    """What the carrier supports on a number; None is unknown."""

    voice: bool | None = None
    sms: bool | None = None
    mms: bool | None = None
    fax: bool | None = None
    emergency: bool | None = None
    local_calling: bool | None = None


@frozen(kw_only=True)
class OutboundSettings:
    """Settings of a channel that goes out: how many at a time, and to which countries (ISO 3166-1 alpha-2)."""

    enabled: bool | None = None
    channel_limit: int | None = None
    whitelisted_destinations: tuple[str, ...] | None = None


@frozen(kw_only=True)
class InboundSettings:
    """Settings for what comes in."""

    enabled: bool | None = None
    channel_limit: int | None = None


@frozen(kw_only=True)
class ChannelSettings:
    """A number's settings by channel. The channel that bindings call ``call`` is ``voice`` here."""

    voice: OutboundSettings | None = None
    sms: OutboundSettings | None = None
    inbound: InboundSettings | None = None


@frozen(kw_only=True)
class Billing:
    """What a number costs a month, to the digit that the service sent, in ``currency`` (such as ``"EUR"``)."""

    monthly_fee: Decimal | None = None
    currency: str | None = None


@frozen(kw_only=True)
class Binding:
    """Whether an agent answers a channel, and which."""

    bound: bool | None = None
    agent_uuid: str | None = None
    agent_name: str | None = None


@frozen(kw_only=True)
class Bindings:
    """A number's agents by channel."""

    call: Binding | None = None
    sms: Binding | None = None
    whatsapp: Binding | None = None


@frozen(kw_only=True)
class PhoneNumber:
    """A number of the workspace. ``number`` is E.164; times are aware."""

    phone_number_uuid: str
    number: str
    is_external: bool
    country_code: str | None = None
    location: str | None = None
    type: NumberType | None = None
    source: NumberSource | None = None
    status: NumberStatus | None = None
    compliance: Compliance | None = None
    capabilities: Capabilities | None = None
    channel_settings: ChannelSettings | None = None
    billing: Billing | None = None
    bindings: Bindings | None = None
    purchased_at: datetime | None = None
    updated_at: datetime | None = None


@frozen(kw_only=True)
class AvailableNumber:
    """A number for sale.

    Its fields are those that a purchase takes over from a search; the search's own answer is not documented, so
    ``extra`` keeps all else that it said. What a field of this one held beyond its own model stands there under that
    field's name: an unknown capability is in ``extra["capabilities"]``.
    """

    number: str
    country_code: str | None = None
    type: NumberType | None = None
    monthly_fee: Decimal | None = None
    capabilities: Capabilities | None = None
    location: str | None = None
    extra: Mapping[str, Any] = extra()
