"""The decisions after a failed attempt and after a lookup: pure functions, without clock and network.

Once the answer to a write is lost, only a lookup settles the call. A single lookup cannot prove that a thing is absent,
because a write may be applied late and a listing may lag. A write whose thing the lookup does not find is sent again,
which is safe because the service refuses to make what it already has. If it cannot be sent again, or was refused, the
call looks several times, and then the outcome is unknown.
"""

from typing import Generic, TypeVar

from mihu_async.core.lookup import Found, LookupFailed, LookupResult
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

T = TypeVar("T")

REPEATABLE = frozenset({"GET", "PUT", "PATCH", "DELETE"})
"""Verbs that may be sent twice, because sending them once has the same effect. [inferred for all but GET]."""
LOOKS = 5
"""The number of times that a call looks for an absent thing if its request cannot be sent again.

The waits between these looks are those of the retries, without jitter: by default 0.5, 1, 2 and 4 seconds.
"""
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
    """Send the read again for free: it failed only because the event loop was blocked for ``seconds``."""

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
    left: float | None,
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
        left: The rest of the call's time, in seconds; None if the error says that no attempt can leave in that time.
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
    error: Failure, *, attempt: int, policy: RetryPolicy, left: float | None, jitter: float, pause_left: float
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


def _when_throttled(
    error: APIError, *, policy: RetryPolicy, left: float | None, pause_left: float
) -> Throttled | GiveUp:
    """Decide whether the call has the time for the client's pause."""
    return _above_the_cap(error.retry_after, policy) or _too_late(pause_left, left) or Throttled(pause_left)


def _above_the_cap(asked: float | None, policy: RetryPolicy) -> GiveUp | None:
    if asked is None or asked <= policy.max_retry_after:
        return None
    return GiveUp(f"the service asks for a pause of {asked:g} s, above max_retry_after={policy.max_retry_after:g}")


def _too_late(delay: float, left: float | None) -> GiveUp | None:
    if left is None:
        return GiveUp()
    if delay < left:
        return None
    return GiveUp(f"the next attempt would begin after the call's total time, of which {max(left, 0):.3g} s are left")


def failed_while_blocked(error: Failure, *, took: float, bounds: Bounds) -> bool:
    """Return True if an attempt failed only because the event loop was blocked.

    Args:
        error: The failure of the attempt.
        took: The duration of the attempt without the time in which the loop was blocked, in seconds.
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


class Return(Value, Generic[T], frozen=True):
    """Return the result, because the write was applied."""

    result: T


class Conflict(Value, frozen=True):
    """Raise ConflictError, because the requested thing is someone else's."""

    reason: str


class Resend(Value, frozen=True):
    """Send the request again."""


class LookAgain(Value, frozen=True):
    """Look again after ``delay`` seconds."""

    delay: float


class Unknown(Value, frozen=True):
    """Raise OutcomeUnknownError, because the outcome cannot be determined."""

    why: str


Settlement = Return[T] | Conflict | Resend | LookAgain | Unknown


def settle(
    result: LookupResult[T], *, then: Retry | GiveUp, looks: int, policy: RetryPolicy, left: float
) -> Settlement[T]:
    """Decide what follows a lookup.

    Args:
        result: The result of the lookup.
        then: The verdict on whether the request may be sent again.
        looks: The number of lookups so far, including this one.
        policy: The retries that the caller allows.
        left: The rest of the call's time, in seconds.
    """
    delay = backoff(policy, looks, 1.0)
    is_last = looks >= LOOKS or delay >= left
    match result:
        case Found(found, ours=True):
            return Return(found)
        case Found(ours=False, reason=reason, is_final=is_final):
            return Conflict(reason) if is_final or is_last else LookAgain(delay)
        case Found(reason=reason) | LookupFailed(reason):
            return Unknown(reason)
        case absent:
            if left <= 0:
                return Unknown(f"{absent.reason}, and the call's time is up")
            if isinstance(then, Retry):
                return Resend()
            late = "which may still change, because a write may be applied late and a listing may lag"
            return Unknown(f"{absent.reason}, {late}") if is_last else LookAgain(delay)
