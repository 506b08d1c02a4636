"""What a write whose answer was lost has left behind: look up, then decide. Pure: the reading is the pipeline's.

No glance decides alone that something is not there, because a write may be applied late. So what is not there is sent
again, which is safe where the service refuses what it already has; and where it cannot be sent again, it is unknown.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from mihu_async.core.retry import Again, Failure, GiveUp, RetryPolicy, backoff, may_be_done, never_done
from mihu_async.errors import APIError

T = TypeVar("T")

TOLERANCE = timedelta(seconds=2)
"""How much earlier than a call a purchase may be dated and still be that call's.

One second for the ``Date`` header, which has no fractions, and one for a ``purchased_at`` that has none.
"""
PERHAPS_HELD = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
"""Refusals that may mean that it is held already, by a lost attempt that a look-up does not show yet."""
OVER = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
"""Answers that a service gives itself, and after which it does no more. A gateway's 502 and 504 tell of no end."""


@frozen
class Found(Generic[T]):
    """Something is there: ``ours`` says whether the call made it or asked for it; None where that cannot be told.

    ``result`` is what the call would have given; ``told`` says in words what was seen.
    """

    result: T
    ours: bool | None
    told: str


@frozen
class Absent:
    """Nothing is there, at this moment."""

    told: str = "it is not there now"


@frozen
class Unseen:
    """The look-up itself failed."""

    told: str


Sight = Found[T] | Absent | Unseen
"""What a look-up shows."""


@frozen
class Lookup(Generic[T]):
    """How to see what a lost write left behind.

    ``find`` reads, over the pipeline that it is given, what stands where the write would have put something, or None;
    told to be thorough, it relies on no filter whose name is inferred, and raises where it cannot have seen all.
    ``judge`` says whose that is; it is given the moment when the call began, on the service's clock, or None where
    that is not known.
    """

    find: Callable[[Any, bool], Awaitable[Any]] = field(repr=False)
    judge: Callable[[Any, datetime | None], Found[T]] = field(repr=False)


@frozen
class Give(Generic[T]):
    """The write was applied: give what it made."""

    result: T


@frozen
class Taken:
    """What the write asked for is someone else's: raise ConflictError."""

    told: str


@frozen
class Send:
    """Send it again."""


@frozen
class Refused:
    """Believe the refusal, and raise it."""


@frozen
class Look:
    """Look again after ``delay`` seconds."""

    delay: float


@frozen
class Unknown:
    """It cannot be told: raise OutcomeUnknownError."""

    why: str


Settlement = Give[T] | Taken | Send | Refused | Look | Unknown


def settle(
    sight: Sight[T],
    *,
    then: Again | GiveUp,
    over: bool,
    looks: int,
    policy: RetryPolicy,
    left: float,
    jitter: float,
) -> Settlement[T]:
    """Decide what follows look number ``looks``.

    ``then`` says whether it may be sent again; ``over`` that it was refused for a reason of its own after every lost
    attempt had come to an end on the service; ``left`` is what remains of the call's time, ``jitter`` a random number
    from 0 to 1.
    """
    match sight:
        case Found(result, ours=True):
            return Give(result)
        case Found(ours=False, told=told):
            return Taken(told)
        case Found(told=told) | Unseen(told):
            return Unknown(told)
        case absent:
            return _settle_absent(absent, then=then, over=over, looks=looks, policy=policy, left=left, jitter=jitter)


def _settle_absent(
    sight: Absent, *, then: Again | GiveUp, over: bool, looks: int, policy: RetryPolicy, left: float, jitter: float
) -> Send | Refused | Look | Unknown:
    if left <= 0:
        return Unknown(f"{sight.told}, and the call's time is up")
    if isinstance(then, Again):
        return Send()
    if over:
        return Refused()
    delay = backoff(policy, looks, jitter)
    if looks >= policy.max_attempts or delay >= left:
        return Unknown(f"{sight.told}, which a write that is applied late may still change")
    return Look(delay)


def tells_of_no_other(error: Failure) -> bool:
    """Whether a failure is a refusal that has nothing to do with what an earlier attempt may have made."""
    if never_done(error) or may_be_done(error):
        return False
    return isinstance(error, APIError) and error.status not in PERHAPS_HELD


def ended(error: Failure) -> bool:
    """Whether the service has come to an end with a request whose outcome it did not tell."""
    return isinstance(error, APIError) and error.status in OVER
