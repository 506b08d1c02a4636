"""Whether a failed call is sent again, and when: a pure decision over values. Knows no clock and no network."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from attrs import Attribute, field, frozen

from mihu_async.core.finite import is_real
from mihu_async.core.timeout import Bounds
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
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Between these a date can be moved by what any call takes, and still be one."""
THROTTLED = 429
"""The status of a request that was not processed, because there were too many."""


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
    """How often a call is sent at the most, counting the first time (4); 1 switches retries off.

    A 429 whose pause was kept is not counted: the request was not processed. It is bounded by the call's time alone.
    """
    base_delay: float = field(default=0.5, validator=_check_seconds)
    """The longest wait before the second attempt, in seconds (0.5); it doubles with each one after that.

    It is also the pause after a 429 that asks for none. With 0 there is no such pause, and that 429 counts.
    """
    max_delay: float = field(default=8.0, validator=_check_seconds)
    """The longest wait before any attempt, in seconds (8), unless the service asks for more."""
    max_retry_after: float = field(default=60.0, validator=_check_seconds)
    """The longest pause that the service may ask for, in seconds (60); above it, the call fails at once.

    A walk ends when no page came for this and :attr:`Timeout.total` together.
    """
    budget: RetryBudget | None = field(default=BUDGET, validator=_check_budget)
    """What the client's retries are paid from; None sets no such bound."""


@frozen
class Retry:
    """Send it again after ``delay`` seconds."""

    delay: float


@frozen
class Throttled:
    """The request was not processed, and the client pauses for ``delay`` seconds: then send it again, at no cost."""

    delay: float


@frozen
class GiveUp:
    """Raise the error. ``why`` is empty where trying again was never an option."""

    why: str = ""


@frozen
class Ambiguous:
    """A write's answer was lost, now or before: look up what it did, and only ``then`` send it again or give up."""

    then: Retry | GiveUp


@frozen
class AlreadyDeleted:
    """What was to be deleted is not there any more, and an earlier attempt can have done that: a success."""


@frozen
class Stalled:
    """The event loop stood still for ``seconds``, and the read failed only for that: send it again, at no cost."""

    seconds: float


@frozen
class Renew:
    """Send it again with another token. The one that was refused cost no attempt."""


Verdict = Retry | Throttled | Stalled | Renew | GiveUp | Ambiguous | AlreadyDeleted
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
) -> Retry | Throttled | GiveUp | Ambiguous | AlreadyDeleted:
    """Decide what follows the failure of attempt number ``attempt``, of those that count.

    ``left`` is what remains of the call's time in seconds, ``jitter`` a random number from 0 to 1; ``affordable`` says
    whether the client's budget pays for another attempt; ``held`` is for how long all calls of the client pause;
    ``lost`` says that an earlier attempt may have been carried out.
    """
    repeatable = method in REPEATABLE
    comes_again = is_redirect(error) or (isinstance(error, DecodeError) and not error.transient)
    if (repeatable and comes_again) or not (not_applied(error) or maybe_applied(error)):
        if not lost:
            return GiveUp()
        if method == "DELETE" and isinstance(error, NotFoundError):
            return AlreadyDeleted()
        return GiveUp() if repeatable else Ambiguous(GiveUp("the service refused it"))
    then: Retry | Throttled | GiveUp
    if held and policy.max_attempts > 1 and isinstance(error, APIError) and error.status == THROTTLED:
        then = _when_throttled(error, policy=policy, left=left, held=held)
        if isinstance(then, Throttled):
            return then
    else:
        then = _when(error, attempt=attempt, policy=policy, left=left, jitter=jitter, held=held)
    if isinstance(then, Retry) and not affordable:
        then = GiveUp("the client's retry budget is spent")
    if repeatable or (not_applied(error) and (isinstance(then, Retry) or not lost)):
        return then
    return Ambiguous(then)


def _when(
    error: Failure, *, attempt: int, policy: RetryPolicy, left: float, jitter: float, held: float
) -> Retry | GiveUp:
    """Decide how long to wait, or that it is no use."""
    if isinstance(error, TransportError) and error.is_permanent:
        return GiveUp()
    if is_redirect(error):
        return GiveUp("it was redirected")
    if attempt >= policy.max_attempts:
        return GiveUp(f"max_attempts={policy.max_attempts}" if attempt > 1 else "")
    asked = error.retry_after if isinstance(error, APIError) else None
    delay = max(asked or backoff(policy, attempt, jitter), held)
    return _above_the_cap(asked, policy) or _too_late(delay, left) or Retry(delay)


def _when_throttled(error: APIError, *, policy: RetryPolicy, left: float, held: float) -> Throttled | GiveUp:
    """Decide whether the pause that the client makes is one that the call can wait for."""
    return _above_the_cap(error.retry_after, policy) or _too_late(held, left) or Throttled(held)


def _above_the_cap(asked: float | None, policy: RetryPolicy) -> GiveUp | None:
    if asked is None or asked <= policy.max_retry_after:
        return None
    return GiveUp(f"the service asks for a pause of {asked:g} s, above max_retry_after={policy.max_retry_after:g}")


def _too_late(delay: float, left: float) -> GiveUp | None:
    if delay < left:
        return None
    return GiveUp(f"the next attempt would begin after the call's total time, of which {max(left, 0):.3g} s are left")


def failed_by_standstill(error: Failure, *, took: float, bounds: Bounds) -> bool:
    """Return True if an attempt failed only for a standstill of the event loop; it ``took`` seconds beside that."""
    if not isinstance(error, TransportError):
        return False
    return took < min(bounds.connect if isinstance(error, ConnectError) else bounds.read, bounds.total)


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
    """Read an HTTP date; None where it is none, or so far away that nothing can be counted from it."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return date if EARLIEST < date < LATEST else None
