"""What outbound calls cost."""

from decimal import Decimal

from attrs import frozen


@frozen(kw_only=True)
class Price:
    """An amount of money, to the digit that the service sent."""

    amount: Decimal | None = None
    currency: str | None = None


@frozen(kw_only=True)
class Rate:
    """The price of calls to the numbers that begin with ``destination_prefix``; durations are in seconds."""

    country_code: str | None = None
    country_name: str | None = None
    destination_prefix: str | None = None
    origination: str | None = None
    description: str | None = None
    min_duration_seconds: int | None = None
    billing_increment_seconds: int | None = None
    price: Price | None = None
