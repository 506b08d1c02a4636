"""What an answer says of the service's limit: ``X-RateLimit-Limit``, ``-Remaining``, ``-Reset``. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from attrs import frozen

from mihu_async.core.retry import parse_date

EPOCH_FROM = 1_000_000_000
"""A reset below this is no date of this century, so it counts seconds from now."""


@frozen
class RateLimit:
    """What the service said last of how many requests it takes. [inferred: no such header is documented]."""

    limit: int
    """How many requests the service takes in a period."""
    remaining: int
    """How many of them were left when it answered."""
    reset: datetime | None
    """When the period ends, on the service's clock, in UTC; None where it did not say."""


def parse_rate_limit(headers: Mapping[str, str], *, now: datetime) -> tuple[RateLimit, float | None] | None:
    """Read the headers, and how many seconds there are until the reset; None where they are not there or make no sense.

    ``now`` is our time of day, which counts where the answer has no ``Date``.
    """
    limit, remaining = _number(headers.get("X-RateLimit-Limit")), _number(headers.get("X-RateLimit-Remaining"))
    if limit is None or remaining is None:
        return None
    theirs = parse_date(headers.get("Date", "")) or now
    reset = _moment(headers.get("X-RateLimit-Reset"), theirs)
    left = None if reset is None else max(0.0, (reset - theirs).total_seconds())
    return RateLimit(limit, remaining, reset), left


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\s*[0-9]{1,12}\s*", text, re.ASCII) else None


def _moment(text: str | None, now: datetime) -> datetime | None:
    seconds = _number(text)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds >= EPOCH_FROM else now + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None
