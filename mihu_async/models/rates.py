"""What outbound calls cost."""

from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class Price:
    """An amount of money."""

    amount: Decimal | None = None
    """To the digit that the service sent."""
    currency: str | None = None
    """Such as ``"EUR"``."""


@frozen(kw_only=True)
class Rate:
    """What calls cost to the numbers that begin with a prefix."""

    country_code: str | None = None
    """The country that is called, ISO 3166-1 alpha-2."""
    country_name: str | None = None
    """The same in words."""
    destination_prefix: str | None = None
    """What the numbers begin with."""
    origination: str | None = None
    """Not documented."""
    description: str | None = None
    """What the prefix stands for, in words."""
    min_duration_seconds: int | None = None
    """The length in seconds that a call is charged for at the least."""
    billing_increment_seconds: int | None = None
    """The step in seconds in which its length is charged."""
    price: Price | None = None
    """What it costs."""
