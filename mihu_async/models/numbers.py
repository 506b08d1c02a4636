"""A phone number, purchased or external, as every inventory and lookup endpoint returns it.

Every field except the uuid, the number and ``is_external`` is None if the service left it out or if it does not apply:
an external number has no billing, for example.
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
    """One requirement of a regulator."""

    name: str | None = None
    """The name of the requirement."""
    type: str | None = None
    """The kind of answer that it takes: ``"textual"``; other words, such as ``"document"``, are not documented."""
    description: str | None = None
    """The text that describes the answer."""


@frozen(kw_only=True)
class Compliance:
    """The state of a regulator's requirements."""

    status: ComplianceStatus | None = None
    """The status: whether a requirement is still to be met."""
    requirements: tuple[Requirement, ...] | None = None
    """The requirements."""


@frozen(kw_only=True)
class Capabilities:
    """The capabilities of a number that the carrier supports. A flag is None if the service does not say."""

    voice: bool | None = None
    """True if the number supports calls."""
    sms: bool | None = None
    """True if the number supports text messages."""
    mms: bool | None = None
    """True if the number supports multimedia messages."""
    fax: bool | None = None
    """True if the number supports faxes."""
    emergency: bool | None = None
    """True if the number supports emergency calls."""
    local_calling: bool | None = None
    """True if the number supports local calling; its meaning for a carrier is not documented."""


@frozen(kw_only=True)
class OutboundSettings:
    """The settings of an outbound channel."""

    enabled: bool | None = None
    """True if the channel is switched on."""
    channel_limit: int | None = None
    """The most calls or messages at a time."""
    whitelisted_destinations: tuple[str, ...] | None = None
    """The countries that may be reached, ISO 3166-1 alpha-2."""


@frozen(kw_only=True)
class InboundSettings:
    """The settings for inbound calls and messages."""

    enabled: bool | None = None
    """True if inbound calls and messages are switched on."""
    channel_limit: int | None = None
    """The most calls or messages at a time."""


@frozen(kw_only=True)
class ChannelSettings:
    """The settings of a number by channel. ``voice`` here is the channel that bindings call ``call``."""

    voice: OutboundSettings | None = None
    """The settings of outbound calls."""
    sms: OutboundSettings | None = None
    """The settings of outbound text messages."""
    inbound: InboundSettings | None = None
    """The settings of inbound calls and messages."""


@frozen(kw_only=True)
class Billing:
    """The cost of a number."""

    monthly_fee: Decimal | None = None
    """The cost per month, to the digit that the service sent."""
    currency: str | None = None
    """The currency, such as ``"EUR"``."""


@frozen(kw_only=True)
class Binding:
    """The binding of an agent to a channel."""

    bound: bool | None = None
    """True if an agent answers the channel."""
    agent_uuid: str | None = None
    """The id of the agent."""
    agent_name: str | None = None
    """The name of the agent."""


@frozen(kw_only=True)
class Bindings:
    """The agents of a number by channel."""

    call: Binding | None = None
    """The agent that answers calls."""
    sms: Binding | None = None
    """The agent that answers text messages."""
    whatsapp: Binding | None = None
    """The agent that answers on WhatsApp."""


@frozen(kw_only=True)
class PhoneNumber:
    """A number of the workspace, purchased or external.

    A field is None if the service left it out or if it does not apply: an external number has no billing, for example.
    """

    phone_number_uuid: str = field(metadata=IDENTITY)
    """The id of the number in the API."""
    number: str
    """The number in E.164 form. It is documented to be always present; if it cannot be read, it is None."""
    is_external: bool
    """True if the number was registered as an external trunk rather than bought; None if the service did not say."""
    country_code: str | None = None
    """The country, ISO 3166-1 alpha-2."""
    location: str | None = None
    """The place that the number belongs to, in words: ``"Sassari, Sardegna"``."""
    type: NumberType | None = None
    """The type of the number."""
    source: NumberSource | None = None
    """The origin of the number."""
    status: NumberStatus | None = None
    """The status of the number."""
    compliance: Compliance | None = None
    """The state of the regulator's requirements."""
    capabilities: Capabilities | None = None
    """The capabilities that the carrier supports."""
    channel_settings: ChannelSettings | None = None
    """The settings by channel, which ``numbers.update`` changes."""
    billing: Billing | None = None
    """The cost of the number."""
    bindings: Bindings | None = None
    """The agents of the number by channel."""
    purchased_at: datetime | None = None
    """The time of the purchase; aware."""
    updated_at: datetime | None = None
    """The time of the last change; aware."""


@frozen(kw_only=True)
class AvailableNumber:
    """A number for sale.

    Its fields are those that a purchase carries over from a search. The search's own answer is not documented, so
    ``extra`` keeps the rest. If a field holds more than its own model, the surplus is in ``extra`` under the name of
    the field: an unknown capability is in ``extra["capabilities"]``.
    """

    number: str = field(metadata=IDENTITY)
    """The number in E.164 form, as a purchase takes it."""
    country_code: str | None = None
    """The country, ISO 3166-1 alpha-2."""
    type: NumberType | None = None
    """The type of the number."""
    monthly_fee: Decimal | None = None
    """The cost per month, to the digit that the service sent."""
    capabilities: Capabilities | None = None
    """The capabilities that the carrier supports."""
    location: str | None = None
    """The place that the number belongs to, in words."""
    extra: Mapping[str, Any] = extra()
    """All other fields that the search returned."""
