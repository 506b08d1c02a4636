"""The API's closed word lists, open on reading: a value that is new to us is kept, not refused."""

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
        """Whether the documentation that this version was made from names the value."""
        return self._value_ in type(self)._value2member_map_


class NumberType(OpenEnum):
    """What kind of number it is."""

    LOCAL = "local"
    TOLL_FREE = "toll_free"
    """Free for who calls it."""
    MOBILE = "mobile"
    NATIONAL = "national"
    """Of a country, and of no place in it."""


class NumberStatus(OpenEnum):
    """Whether a number can be used."""

    ACTIVE = "active"
    PENDING = "pending"
    INACTIVE = "inactive"


class NumberSource(OpenEnum):
    """Where a number comes from."""

    PURCHASED = "purchased"
    """It was bought through Mihu."""
    EXTERNAL = "external"
    """It was brought along as a trunk."""


class ComplianceStatus(OpenEnum):
    """Whether the regulator's requirements are met."""

    COMPLETED = "completed"
    REQUIREMENT_PENDING = "requirement_pending"
    """Something is still to be given."""


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
    """Which calls a trunk handles."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    BOTH = "both"


class NumberSort(OpenEnum):
    """What a list of numbers is sorted by. The direction is not documented."""

    CREATED_AT = "created_at"
    MONTHLY_FEE = "monthly_fee"
    NUMBER = "number"
