"""The decision whether and when a failed call is sent again: a pure function, without clock and network."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mihu_async.core.options import Bounds, RetryPolicy
from mihu_async.errors import (
    APIError,
    ConnectError,
    DecodeError,
    NotFoundError,
    TransportError,
    is_ambiguous,
    is_redirection,
)
from mihu_async.value import Value

REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
"""Verbs that may be sent twice, because sending them once has the same effect. [inferred for all but GET]."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""A date between these is still a date when the duration of any call is added or subtracted."""
THROTTLED = 429
"""The status of a request that was not processed, because there were too many."""


class Retry(Value, frozen=True):
    """Send the request again after ``delay`` seconds."""

    delay: float


class Throttled(Value, frozen=True):
    """Send the request again after the client's pause of ``delay`` seconds: it was not processed, so this is free."""

    delay: float


class GiveUp(Value, frozen=True):
    """Raise the error. ``why`` is empty where trying again was never an option."""

    why: str = ""


class Ambiguous(Value, frozen=True):
    """Look up what the write did, because its answer is lost; then do what ``then`` says, if that is needed."""

    then: Retry | GiveUp


class AlreadyDeleted(Value, frozen=True):
    """Return success: the thing to delete is gone, and an earlier attempt may have deleted it."""


class Stalled(Value, frozen=True):
    """Send the read again for free: it failed only because the event loop stood still for ``seconds``."""

    seconds: float


class Renew(Value, frozen=True):
    """Send the request again for free, with another token in place of the refused one."""


Verdict = Retry | Throttled | Stalled | Renew | GiveUp | Ambiguous | AlreadyDeleted
Failure = TransportError | DecodeError | APIError
"""The ways in which an attempt can fail."""


def decide(
    error: Failure,
    *,
    method: str,
    attempt: int,
    policy: RetryPolicy,
    left: float,
    jitter: float,
    affordable: bool = True,
    pause_left: float = 0.0,
    lost: bool = False,
) -> Retry | Throttled | GiveUp | Ambiguous | AlreadyDeleted:
    """Decide what follows a failed attempt.

    Args:
        error: The failure of this attempt.
        method: The verb of the call.
        attempt: The number of this attempt, of those that count, from 1.
        policy: The retries that the caller allows.
        left: The rest of the call's time, in seconds.
        jitter: A random number from 0 to 1.
        affordable: True if the client's budget pays for another attempt.
        pause_left: The rest of the pause that all calls of the client keep, in seconds.
        lost: True if an earlier attempt may have been applied.
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
    if pause_left and policy.max_attempts > 1 and isinstance(error, APIError) and error.status == THROTTLED:
        then = _when_throttled(error, policy=policy, left=left, pause_left=pause_left)
        if isinstance(then, Throttled):
            return then
    else:
        then = _when(error, attempt=attempt, policy=policy, left=left, jitter=jitter, pause_left=pause_left)
    if isinstance(then, Retry) and not affordable:
        then = GiveUp("the client's retry budget is spent")
    if repeatable or (not_applied(error) and (isinstance(then, Retry) or not lost)):
        return then
    return Ambiguous(then)


def _when(
    error: Failure, *, attempt: int, policy: RetryPolicy, left: float, jitter: float, pause_left: float
) -> Retry | GiveUp:
    """Decide how long to wait, or that another attempt is of no use."""
    if isinstance(error, TransportError) and error.is_permanent:
        return GiveUp()
    if is_redirect(error):
        return GiveUp("it was redirected")
    if attempt >= policy.max_attempts:
        return GiveUp(f"max_attempts={policy.max_attempts}" if attempt > 1 else "")
    asked = error.retry_after if isinstance(error, APIError) else None
    delay = max(asked or backoff(policy, attempt, jitter), pause_left)
    return _above_the_cap(asked, policy) or _too_late(delay, left) or Retry(delay)


def _when_throttled(error: APIError, *, policy: RetryPolicy, left: float, pause_left: float) -> Throttled | GiveUp:
    """Decide whether the call has the time for the client's pause."""
    return _above_the_cap(error.retry_after, policy) or _too_late(pause_left, left) or Throttled(pause_left)


def _above_the_cap(asked: float | None, policy: RetryPolicy) -> GiveUp | None:
    if asked is None or asked <= policy.max_retry_after:
        return None
    return GiveUp(f"the service asks for a pause of {asked:g} s, above max_retry_after={policy.max_retry_after:g}")


def _too_late(delay: float, left: float) -> GiveUp | None:
    if delay < left:
        return None
    return GiveUp(f"the next attempt would begin after the call's total time, of which {max(left, 0):.3g} s are left")


def failed_by_standstill(error: Failure, *, took: float, bounds: Bounds) -> bool:
    """Return True if an attempt failed only because the event loop stood still.

    Args:
        error: The failure of the attempt.
        took: The duration of the attempt without the standstill, in seconds.
        bounds: The bounds of the attempt.
    """
    if not isinstance(error, TransportError):
        return False
    return took < min(bounds.connect if isinstance(error, ConnectError) else bounds.read, bounds.total)


def not_applied(error: Failure) -> bool:
    """Return True if the service certainly did not process the request."""
    return isinstance(error, ConnectError) or (isinstance(error, APIError) and error.status == THROTTLED)


def maybe_applied(error: Failure) -> bool:
    """Return True if the service may have processed the request, and its answer does not say so.

    The verb does not matter: for a read, this means that another attempt may succeed. ``error.may_have_changed`` says
    whether anything can have changed.
    """
    if isinstance(error, APIError):
        return is_ambiguous(error.status) or is_redirect(error)
    return not not_applied(error)


def is_redirect(error: Failure) -> bool:
    """Return True for a redirect, which is not followed."""
    return isinstance(error, APIError) and is_redirection(error.status)


def backoff(policy: RetryPolicy, attempt: int, jitter: float) -> float:
    """Return the wait in seconds after attempt number ``attempt``: exponential, with full jitter."""
    return min(policy.max_delay, policy.base_delay * 2.0 ** min(attempt - 1, 63)) * jitter


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the pause in seconds that a ``Retry-After`` header asks for, None if it cannot be read.

    Args:
        value: The header: seconds, or an HTTP date; None where there is none.
        now: The moment from which a date is counted.
    """
    text = (value or "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        return float(text)
    date = parse_date(text)
    return None if date is None else max(0.0, (date - now).total_seconds())


def parse_date(text: str) -> datetime | None:
    """Return an HTTP date, or None if the text is no date or one too far away to be counted from."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return date if EARLIEST < date < LATEST else None
