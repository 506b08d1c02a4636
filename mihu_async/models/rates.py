"""The cost of outbound calls."""

from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class Price:
    """An amount of money."""

    amount: Decimal | None = None
    """The amount, to the digit that the service sent."""
    currency: str | None = None
    """The currency, such as ``"EUR"``."""


@frozen(kw_only=True)
class Rate:
    """The cost of calls to the numbers that begin with a prefix."""

    country_code: str | None = None
    """The country that is called, ISO 3166-1 alpha-2."""
    country_name: str | None = None
    """The name of that country."""
    destination_prefix: str | None = None
    """The prefix of the numbers."""
    origination: str | None = None
    """The origination, whose meaning is not documented."""
    description: str | None = None
    """The meaning of the prefix, in words."""
    min_duration_seconds: int | None = None
    """The shortest duration in seconds that a call is charged for."""
    billing_increment_seconds: int | None = None
    """The step in seconds by which the duration of a call is charged."""
    price: Price | None = None
    """The price of a call."""
