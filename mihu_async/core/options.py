"""The options of a call: how long it may take, and how it is retried. Knows no clock and no network."""

from typing import NamedTuple

from attrs import field, frozen

from mihu_async.validation import field_check, is_int, is_real


class Bounds(NamedTuple):
    """The bounds of one attempt, in seconds: as in a Timeout, with what is left of the call's time as the total."""

    total: float
    connect: float
    read: float


_bound = field_check("a positive, finite number of seconds", lambda value: is_real(value) and value > 0)
_attempts = field_check("a whole number from 1", lambda value: is_int(value, 1))
_seconds = field_check("a finite number of seconds from 0", lambda value: is_real(value) and value >= 0)
_tokens = field_check("a finite number from 0", lambda value: is_real(value) and value >= 0)


@frozen
class Timeout:
    """The bounds of one call, in seconds; none of them can be switched off."""

    total: float = field(default=60.0, validator=_bound)
    """The whole call may take this long, with all attempts and the waits between them (60).

    The time that other calls of the client take before it, while the service limits them, is not counted; so a call
    that waits for them fails when none of them succeeded for this long. Nor are the seconds counted in which the event
    loop was blocked.
    """
    connect: float = field(default=10.0, validator=_bound)
    """A connection must be there within this time: the wait for a free one, the name's lookup, TCP and TLS (10)."""
    read: float = field(default=30.0, validator=_bound)
    """The service may be silent for this long while an answer is awaited or read (30)."""


@frozen(kw_only=True)
class RetryBudget:
    """A bucket of tokens, shared by all calls of a client, that keeps retries from multiplying an outage.

    An empty bucket means no retry. With the defaults, 200 calls that fail send at most 300 requests.
    """

    tokens: float = field(default=500.0, validator=_tokens)
    """The bucket holds this many tokens in the beginning, and never more (500)."""
    cost: float = field(default=5.0, validator=_tokens)
    """A retry takes this many tokens (5)."""
    refill: float = field(default=1.0, validator=_tokens)
    """A call that succeeds puts this many tokens back (1)."""


BUDGET: RetryBudget | None = RetryBudget()
_budget = field_check("RetryBudget(…) or None", lambda value: isinstance(value, RetryBudget | None))


@frozen(kw_only=True)
class RetryPolicy:
    """The retries of a call that failed.

    The wait before an attempt is a random part of its longest wait, unless the service asks for a pause with
    ``Retry-After``.
    """

    max_attempts: int = field(default=4, validator=_attempts)
    """A call is sent at most this often, counting the first time (4); 1 switches retries off.

    A 429 whose pause was kept is not counted, because the request was not processed: only the call's time bounds it.
    """
    base_delay: float = field(default=0.5, validator=_seconds)
    """The longest wait before the second attempt, in seconds (0.5); it doubles with each further attempt.

    It is also the pause after a 429 that asks for none. With 0 there is no such pause, and that 429 counts.
    """
    max_delay: float = field(default=8.0, validator=_seconds)
    """The longest wait before any attempt, in seconds (8), unless the service asks for more."""
    max_retry_after: float = field(default=60.0, validator=_seconds)
    """The longest pause that the service may ask for, in seconds (60); if it asks for more, the call fails at once.

    A walk ends when no page came for this and :attr:`Timeout.total` together.
    """
    budget: RetryBudget | None = field(default=BUDGET, validator=_budget)
    """The client's retries are paid from this budget; None sets no such bound."""
