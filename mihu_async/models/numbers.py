"""A phone number, purchased or external, as every inventory and lookup endpoint answers it.

Every field but the uuid, the number and ``is_external`` is None where the service left it out or where it does not
apply: an external number has no billing, for one.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from mihu_async.models.enums import ComplianceStatus, NumberSource, NumberStatus, NumberType
from mihu_async.models.extra import extra
from mihu_async.models.identity import IDENTITY


@frozen(kw_only=True)
class Requirement:
    """One thing that a regulator asks for."""

    name: str | None = None
    """What it is called."""
    type: str | None = None
    """The kind of answer that it takes: ``"textual"``; other words, such as ``"document"``, are not documented."""
    description: str | None = None
    """What to give."""


@frozen(kw_only=True)
class Compliance:
    """How far the regulator's requirements are met."""

    status: ComplianceStatus | None = None
    """Whether anything is left to be given."""
    requirements: tuple[Requirement, ...] | None = None
    """What is asked for."""


@frozen(kw_only=True)
class Capabilities:
    """What the carrier supports on a number; None is unknown."""

    voice: bool | None = None
    """Calls."""
    sms: bool | None = None
    """Text messages."""
    mms: bool | None = None
    """Messages with pictures and the like."""
    fax: bool | None = None
    """Faxes."""
    emergency: bool | None = None
    """Emergency calls."""
    local_calling: bool | None = None
    """Local calling; what that is for a carrier is not documented."""


@frozen(kw_only=True)
class OutboundSettings:
    """Settings of a channel that goes out."""

    enabled: bool | None = None
    """Whether it is switched on."""
    channel_limit: int | None = None
    """How many at a time."""
    whitelisted_destinations: tuple[str, ...] | None = None
    """The countries that may be reached, ISO 3166-1 alpha-2."""


@frozen(kw_only=True)
class InboundSettings:
    """Settings for what comes in."""

    enabled: bool | None = None
    """Whether it is switched on."""
    channel_limit: int | None = None
    """How many at a time."""


@frozen(kw_only=True)
class ChannelSettings:
    """A number's settings by channel. The channel that bindings call ``call`` is ``voice`` here."""

    voice: OutboundSettings | None = None
    """Allow outgoing calls."""
    sms: OutboundSettings | None = None
    """Allow outgoing text messages."""
    inbound: InboundSettings | None = None
    """What comes in."""


@frozen(kw_only=True)
class Billing:
    """What a number costs."""

    monthly_fee: Decimal | None = None
    """What it costs a month, to the digit that the service sent."""
    currency: str | None = None
    """Such as ``"EUR"``."""


@frozen(kw_only=True)
class Binding:
    """Whether an agent answers a channel, and which."""

    bound: bool | None = None
    """Whether an agent answers."""
    agent_uuid: str | None = None
    """Which agent."""
    agent_name: str | None = None
    """What it is called."""


@frozen(kw_only=True)
class Bindings:
    """A number's agents by channel."""

    call: Binding | None = None
    """Who answers calls."""
    sms: Binding | None = None
    """Who answers text messages."""
    whatsapp: Binding | None = None
    """Who answers on WhatsApp."""


@frozen(kw_only=True)
class PhoneNumber:
    """A number of the workspace, purchased or external.

    A field is None where the service left it out or where it does not apply: an external number has no billing, for
    one.
    """

    phone_number_uuid: str = field(metadata=IDENTITY)
    """What the API knows it by."""
    number: str
    """E.164. It is documented to be always there; where a service wrote it so that it cannot be read, it is None."""
    is_external: bool
    """Whether it was brought along as a trunk, and not bought through Mihu; None where the service did not say."""
    country_code: str | None = None
    """ISO 3166-1 alpha-2."""
    location: str | None = None
    """Where it belongs, in words: ``"Sassari, Sardegna"``."""
    type: NumberType | None = None
    """What kind of number it is."""
    source: NumberSource | None = None
    """Where it comes from."""
    status: NumberStatus | None = None
    """Whether it can be used."""
    compliance: Compliance | None = None
    """How far the regulator's requirements are met."""
    capabilities: Capabilities | None = None
    """What the carrier supports on it."""
    channel_settings: ChannelSettings | None = None
    """Its settings by channel, which ``numbers.update`` changes."""
    billing: Billing | None = None
    """What it costs."""
    bindings: Bindings | None = None
    """Its agents by channel."""
    purchased_at: datetime | None = None
    """When it was bought; aware."""
    updated_at: datetime | None = None
    """When it was changed last; aware."""


@frozen(kw_only=True)
class AvailableNumber:
    """A number for sale.

    Its fields are those that a purchase takes over from a search; the search's own answer is not documented, so
    ``extra`` keeps the rest. What a field of this one held beyond its own model stands there under that field's name:
    an unknown capability is in ``extra["capabilities"]``.
    """

    number: str = field(metadata=IDENTITY)
    """E.164, as a purchase takes it."""
    country_code: str | None = None
    """ISO 3166-1 alpha-2."""
    type: NumberType | None = None
    """What kind of number it is."""
    monthly_fee: Decimal | None = None
    """What it would cost a month, to the digit that the service sent."""
    capabilities: Capabilities | None = None
    """What the carrier supports on it."""
    location: str | None = None
    """Where it belongs, in words."""
    extra: Mapping[str, Any] = extra()
    """All else that the search said."""
