"""The lookup of a thing that a lost write may have made: how it is found and judged, and the result."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from mihu_async.core.server_clock import CallWindow
from mihu_async.value import Value

if TYPE_CHECKING:
    from mihu_async.core.pipeline import Pipeline

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)
T = TypeVar("T")


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
