"""Whether a failed call is sent again, and when: a pure decision over values. Knows no clock and no network."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import Attribute, field, frozen

from mihu_async.core.finite import is_real
from mihu_async.errors import (
    APIError,
    ConnectError,
    DecodeError,
    NotFoundError,
    TransportError,
    UsageError,
    is_ambiguous,
    is_redirection,
)

REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
"""Verbs that may be sent twice, because that leaves the service as once does. [inferred for all but GET]"""
THROTTLED = 429
"""The status that says that it was not."""


def _check_attempts(_: object, attribute: "Attribute[int]", value: Any) -> None:
    if type(value) is not int or value < 1:
        message = f"RetryPolicy.{attribute.name} must be a whole number from 1, not {value!r}."
        raise UsageError(message, argument=attribute.name)


def _check_seconds(_: object, attribute: "Attribute[float]", value: Any) -> None:
    if not is_real(value) or value < 0:
        message = f"RetryPolicy.{attribute.name} must be a finite number of seconds from 0, not {value!r}."
        raise UsageError(message, argument=attribute.name)


def _check_tokens(_: object, attribute: "Attribute[float]", value: Any) -> None:
    if not is_real(value) or value < 0:
        message = f"RetryBudget.{attribute.name} must be a finite number from 0, not {value!r}."
        raise UsageError(message, argument=attribute.name)


@frozen(kw_only=True)
class RetryBudget:
    """What keeps retries from multiplying an outage: a bucket of tokens that all calls of a client share.

    An empty bucket means no retry, so as it comes, 200 calls that fail send at most 300 requests.
    """

    tokens: float = field(default=500.0, validator=_check_tokens)
    """How many there are in the beginning, and at the most (500)."""
    cost: float = field(default=5.0, validator=_check_tokens)
    """How many a retry takes (5)."""
    refill: float = field(default=1.0, validator=_check_tokens)
    """How many a call that succeeds puts back (1)."""


BUDGET: RetryBudget | None = RetryBudget()


def _check_budget(_: object, attribute: "Attribute[RetryBudget | None]", value: Any) -> None:
    if value is not None and not isinstance(value, RetryBudget):
        message = f"RetryPolicy.{attribute.name} must be RetryBudget(…) or None, not {value!r}."
        raise UsageError(message, argument=attribute.name)


@frozen(kw_only=True)
class RetryPolicy:
    """How a call that failed is tried again.

    The wait before an attempt is a random part of its longest wait, unless the service says with ``Retry-After`` how
    long it should be.
    """

    max_attempts: int = field(default=4, validator=_check_attempts)
    """How often a call is sent at the most, counting the first time (4); 1 switches retries off."""
    base_delay: float = field(default=0.5, validator=_check_seconds)
    """The longest wait before the second attempt, in seconds (0.5); it doubles with each one after that."""
    max_delay: float = field(default=8.0, validator=_check_seconds)
    """The longest wait before any attempt, in seconds (8), unless the service asks for more."""
    max_retry_after: float = field(default=60.0, validator=_check_seconds)
    """The longest pause that the service may ask for, in seconds (60); above it, the call fails at once."""
    budget: RetryBudget | None = field(default=BUDGET, validator=_check_budget)
    """What the client's retries are paid from; None sets no such bound."""


@frozen
class Again:
    """Send it again after ``delay`` seconds."""

    delay: float


@frozen
class GiveUp:
    """Raise the error. ``why`` is empty where trying again was never an option."""

    why: str = ""


@frozen
class Ambiguous:
    """A write's answer was lost, now or before: look up what it did, and only ``then`` send it again or give up."""

    then: Again | GiveUp


@frozen
class Gone:
    """What was to be deleted is not there any more, and an earlier attempt can have done that: a success."""


Verdict = Again | GiveUp | Ambiguous | Gone
Failure = TransportError | DecodeError | APIError
"""How an attempt can fail."""


def decide(
    error: Failure,
    *,
    method: str,
    attempt: int,
    policy: RetryPolicy,
    left: float,
    jitter: float,
    affordable: bool = True,
    held: float = 0.0,
    lost: bool = False,
) -> Verdict:
    """Decide what follows the failure of attempt number ``attempt``.

    ``left`` is what remains of the call's time in seconds, ``jitter`` a random number from 0 to 1; ``affordable`` says
    whether the client's budget pays for another attempt; ``held`` is for how long the service asked all calls to wait;
    ``lost`` says that an earlier attempt may have been carried out.
    """
    repeatable = method in REPEATABLE
    if repeatable and (is_redirect(error) or (isinstance(error, DecodeError) and not error.transient)):
        return GiveUp()
    if not (not_applied(error) or maybe_applied(error)):
        if not lost:
            return GiveUp()
        if method == "DELETE" and isinstance(error, NotFoundError):
            return Gone()
        return GiveUp() if repeatable else Ambiguous(GiveUp("the service refused it"))
    then = _when(error, attempt=attempt, policy=policy, left=left, jitter=jitter, held=held)
    if isinstance(then, Again) and not affordable:
        then = GiveUp("the client's retry budget is spent")
    if repeatable or (not_applied(error) and (isinstance(then, Again) or not lost)):
        return then
    return Ambiguous(then)


def _when(
    error: Failure, *, attempt: int, policy: RetryPolicy, left: float, jitter: float, held: float
) -> Again | GiveUp:
    """Decide how long to wait, or that it is no use."""
    if is_redirect(error):
        return GiveUp("it was redirected")
    if attempt >= policy.max_attempts:
        return GiveUp(f"max_attempts={policy.max_attempts}" if attempt > 1 else "")
    asked = error.retry_after if isinstance(error, APIError) else None
    if asked is not None and asked > policy.max_retry_after:
        return GiveUp(f"the service asks for a pause of {asked:g} s, above max_retry_after={policy.max_retry_after:g}")
    delay = max(asked or backoff(policy, attempt, jitter), held)
    if delay >= left:
        return GiveUp(
            f"the next attempt would begin after the call's total time, of which {max(left, 0):.3g} s are left"
        )
    return Again(delay)


def not_applied(error: Failure) -> bool:
    """Return True if the service cannot have carried it out."""
    return isinstance(error, ConnectError) or (isinstance(error, APIError) and error.status == THROTTLED)


def maybe_applied(error: Failure) -> bool:
    """Return True if the service may have carried it out, though the answer does not tell."""
    if isinstance(error, APIError):
        return is_ambiguous(error.status) or is_redirect(error)
    return not not_applied(error)


def is_redirect(error: Failure) -> bool:
    """Return True for a redirect, which is not followed."""
    return isinstance(error, APIError) and is_redirection(error.status)


def backoff(policy: RetryPolicy, attempt: int, jitter: float) -> float:
    """Give the wait in seconds after attempt number ``attempt``: exponential, with full jitter."""
    return min(policy.max_delay, policy.base_delay * 2.0 ** min(attempt - 1, 63)) * jitter


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Read a ``Retry-After`` header, in seconds or as a date, as seconds from ``now``; None where it says nothing."""
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return float(text)
    date = parse_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def parse_date(text: str) -> datetime | None:
    """Read an HTTP date; None where it is none."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
