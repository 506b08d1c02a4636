"""How long a call may take."""

from typing import Any, NamedTuple

from attrs import Attribute, field, frozen

from mihu_async.core.finite import is_real
from mihu_async.errors import UsageError


def _check(_: object, attribute: "Attribute[float]", value: Any) -> None:
    if not is_real(value) or value <= 0:
        message = f"Timeout.{attribute.name} must be a positive, finite number of seconds, not {value!r}."
        raise UsageError(message, argument=attribute.name)


class Bounds(NamedTuple):
    """The bounds of one attempt, in seconds: as in a Timeout, with what is left of the call's time as the total."""

    total: float
    connect: float
    read: float


@frozen
class Timeout:
    """The bounds of one call, in seconds; none of them can be switched off."""

    total: float = field(default=60.0, validator=_check)
    """The whole call: all attempts and the waits between them (60).

    What others of the client take before it, while the service limits them, is none of it; so a call that waits for
    them ends when none got through for as long. Nor are the seconds in which the event loop stood still.
    """
    connect: float = field(default=10.0, validator=_check)
    """The way to a connection: the wait for a free one, the name's look-up, TCP and TLS (10)."""
    read: float = field(default=30.0, validator=_check)
    """The silence while an answer is awaited or read (30)."""

    def within(self, left: float) -> Bounds:
        """Give the bounds of an attempt that begins when so many seconds of the call are left."""
        return Bounds(left, self.connect, self.read)
