"""The API's closed word lists, open on reading: an unknown value is kept, not refused."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """A string enum that makes a member of any string, so that an answer with a new value can be read.

    A member equals its string. ``is_known`` is False for a value that this version of the SDK does not know.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """True if the documentation that this version was made from names the value."""
        return self._value_ in type(self)._value2member_map_


class NumberType(OpenEnum):
    """The type of a number."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"
    """A number that is free of charge for the person who calls it."""
    MOBILE = "mobile"
    NATIONAL = "national"
    """A number that belongs to a country rather than to a place in it."""


class NumberStatus(OpenEnum):
    """The status of a number."""

    ACTIVE = "active"
    PENDING = "pending"
    INACTIVE = "inactive"


class NumberSource(OpenEnum):
    """The origin of a number."""

    PURCHASED = "purchased"
    """The number was bought through Mihu."""
    EXTERNAL = "external"
    """The number was registered as an external trunk."""


class ComplianceStatus(OpenEnum):
    """The status of a regulator's requirements."""

    COMPLETED = "completed"
    REQUIREMENT_PENDING = "requirement_pending"
    """A requirement is still to be met."""


class ChannelName(OpenEnum):
    """A channel that an agent can be bound to."""

    CALL = "call"
    SMS = "sms"
    WHATSAPP = "whatsapp"


class TrunkChannel(OpenEnum):
    """A channel that an external trunk can carry. SMS is not one."""

    CALL = "call"
    WHATSAPP = "whatsapp"


class Direction(OpenEnum):
    """The direction of the calls that a trunk handles."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    BOTH = "both"


class NumberSort(OpenEnum):
    """The field by which a list of numbers is sorted. The direction is not documented."""

    CREATED_AT = "created_at"
    MONTHLY_FEE = "monthly_fee"
    NUMBER = "number"
