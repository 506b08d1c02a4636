"""What a write whose answer was lost has left behind: look up, then decide. Pure: the reading is the pipeline's.

Once an answer was lost, only a look-up settles the call. No glance decides alone that something is not there, because a
write may be applied late, and a listing may lag. So what is not there is sent again, which is safe where the service
refuses what it already has. Where it cannot be sent again, or that was refused, it is looked for a while, and then it
is unknown.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from mihu_async.core.options import RetryPolicy
from mihu_async.core.retry import GiveUp, Retry, backoff
from mihu_async.core.server_clock import CallWindow

T = TypeVar("T")

LOOKS = 5
"""How often a call looks for something that is not there and is not sent again.

The waits between these looks are those of the retries, without jitter: 0.5, 1, 2 and 4 seconds unless told otherwise.
"""


@frozen
class Found(Generic[T]):
    """Something is there.

    ``ours`` is True where the call made it or asked for it, False where it did not, and None where that cannot be told.
    ``result`` is the result that the call would have had; ``reason`` says in words what was seen. ``is_final`` is False
    where something newer may still come up beside it.
    """

    result: T
    ours: bool | None
    reason: str
    is_final: bool = True


@frozen
class Absent:
    """Nothing is there, at this moment."""

    reason: str = "it is not there now"


@frozen
class LookupFailed:
    """The look-up itself failed."""

    reason: str


LookupResult = Found[T] | Absent | LookupFailed
"""The result of a look-up."""


@frozen
class Circumstances:
    """What a judgement knows besides the things that were found.

    ``window`` is the call's time on the service's clock, None where that is not known; ``is_anothers`` says of an
    identity that another call of this client was given it.
    """

    window: CallWindow | None
    is_anothers: Callable[[str], bool] = field(default=lambda _: False, repr=False)


@frozen
class Lookup(Generic[T]):
    """How to see what a lost write left behind, and whose it is."""

    find: Callable[[Any, bool], Awaitable[Any]] = field(repr=False)
    """Reads, over the pipeline that it is given, the things that stand where the write would have put something, or
    None. Told to be thorough, it relies on no filter whose name is inferred, and raises where it cannot have seen all.
    """
    judge: Callable[[Any, Circumstances], Found[T]] = field(repr=False)
    """Says whose the things are that were found."""
    is_filtered: bool = False
    """True if only a thorough search shows all."""
    key: str = ""
    """The thing that the write makes: calls of one client with the same key wait for each other. Empty: none."""
    identity: Callable[[T], str] | None = field(default=None, repr=False)
    """Names a thing that only one call can have made; None where it is a state that many may ask for."""
    contradiction: Callable[[T], str | None] = field(default=lambda _: None, repr=False)
    """Says why an answer is about something else than was asked for; None where it is not."""


@frozen
class Return(Generic[T]):
    """The write was applied: return its result."""

    result: T


@frozen
class Conflict:
    """The thing that the write asked for is someone else's: raise ConflictError."""

    reason: str


@frozen
class Resend:
    """Send it again."""


@frozen
class LookAgain:
    """Look again after ``delay`` seconds."""

    delay: float


@frozen
class Unknown:
    """It cannot be told: raise OutcomeUnknownError."""

    why: str


Settlement = Return[T] | Conflict | Resend | LookAgain | Unknown


def settle(
    result: LookupResult[T], *, then: Retry | GiveUp, looks: int, policy: RetryPolicy, left: float
) -> Settlement[T]:
    """Decide what follows look number ``looks``.

    ``then`` says whether the call may be sent again; ``left`` is what remains of its time in seconds.
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
            late = "which a write that is applied late, or a listing that lags, may still change"
            return Unknown(f"{absent.reason}, {late}") if is_last else LookAgain(delay)
