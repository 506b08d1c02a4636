"""The decision after a write whose answer was lost, made from lookups. Pure: the pipeline does the reading.

Once an answer is lost, only a lookup settles the call. A single lookup cannot prove that a thing is absent, because a
write may be applied late and a listing may lag. A write whose thing the lookup does not find is sent again, which is
safe because the service refuses to make what it already has. If it cannot be sent again, or was refused, the call looks
several times, and then the outcome is unknown.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mihu_async.core.options import RetryPolicy
from mihu_async.core.retry import GiveUp, Retry, backoff
from mihu_async.core.server_clock import CallWindow
from mihu_async.value import Value

if TYPE_CHECKING:
    from mihu_async.core.pipeline import Pipeline

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)
T = TypeVar("T")

LOOKS = 5
"""The number of times that a call looks for an absent thing if its request cannot be sent again.

The waits between these looks are those of the retries, without jitter: by default 0.5, 1, 2 and 4 seconds.
"""


class Found(Value, Generic[T], frozen=True):
    """A thing is there.

    Attributes:
        result: The result that the call would have had.
        ours: True if the call made the thing or asked for this state, False if not, None if that is not known.
        reason: A description of the thing, for messages.
        is_final: False if a newer thing may still appear beside it.
    """

    result: T
    ours: bool | None
    reason: str
    is_final: bool = True


class Absent(Value, frozen=True):
    """Nothing is there at this moment."""

    reason: str = "it is not there now"


class LookupFailed(Value, frozen=True):
    """The lookup itself failed, for this reason."""

    reason: str


LookupResult = Found[T] | Absent | LookupFailed
"""The result of a lookup."""


class Circumstances(Value, frozen=True):
    """The circumstances of a call, by which a lookup judges the things that it found.

    Attributes:
        window: The call's time on the service's clock; None if that is not known.
        is_anothers: A function that returns True if another call of this client made the thing of an identity.
    """

    window: CallWindow | None
    is_anothers: Callable[[str], bool] = lambda _: False


class Finder(Protocol[F_co]):
    """A function that reads the things at the place of a write."""

    async def __call__(self, pipeline: "Pipeline", thorough: bool, /) -> F_co | None:
        """Return the things, or None if there are none.

        Args:
            pipeline: The pipeline that makes the reads.
            thorough: If True, use no filter whose name is inferred, and raise if something may have been missed.

        Raises:
            MihuError: If the reads fail, or a thorough search may have missed something.
        """
        ...


class Lookup(Value, Generic[F, T], frozen=True):
    """A way to find the thing that a lost write may have made, and to judge whether this call made it."""

    find: Finder[F]
    """This function reads the things at the place of the write."""
    judge: Callable[[F, Circumstances], Found[T]]
    """This function judges whether the call made one of the things that were found."""
    is_filtered: bool = False
    """The lookup uses a filter, so only a thorough search sees everything."""
    key: str = ""
    """Calls of one client with the same key make the same thing and wait for each other; empty if they need not."""
    identity: Callable[[T], str] | None = None
    """This function names a thing that only one call can have made; None for a state that several may ask for."""
    owner: object = None
    """Calls of equal owners make one thing together, and each may return it; None if each call makes its own."""
    contradiction: Callable[[T], str | None] = lambda _: None
    """This function returns why an answer is about another thing than the requested one, or None if it is not."""


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
