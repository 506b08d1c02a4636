"""Settles a call whose answer was lost: waits, looks the thing up, and does what is decided."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Generic, TypeVar

from attrs import define

from mihu_async.core.clock import Clock, Deadline
from mihu_async.core.journal import Journal
from mihu_async.core.options import RetryPolicy
from mihu_async.core.reconcile import (
    Absent,
    Conflict,
    Found,
    LookupResult,
    Resend,
    Return,
    Unknown,
    settle,
)
from mihu_async.core.retry import Failure, GiveUp, Retry, backoff
from mihu_async.errors import ConflictError, OutcomeUnknownError, UsageError

T = TypeVar("T")


@define(repr=False)
class Reconciler(Generic[T]):
    """Finds out what one call did.

    Args:
        clock: The pipeline's clock.
        deadline: The deadline of the call.
        journal: The journal of the call.
        policy: The retries that the caller allows.
        jitter: A function that returns a random number from 0 to 1.
        how_to_check: A sentence that says how to check the outcome by hand.
        look: A function that looks once, given a deadline and whether to be thorough; None if there is no look-up.
        total: The time that a look-up after the call may take, in seconds.
    """

    clock: Clock
    deadline: Deadline
    journal: Journal
    policy: RetryPolicy
    jitter: Callable[[], float]
    how_to_check: str
    look: Callable[[Deadline, bool], Awaitable[LookupResult[T]]] | None
    total: float

    async def settle(self, error: Failure, then: Retry | GiveUp) -> Return[T] | Resend:
        """Look until the outcome is decided, and return the result or the decision to send the request again.

        Args:
            error: The failure of the last attempt.
            then: The verdict on whether the request may be sent again.

        Raises:
            ConflictError: If the requested thing is someone else's.
            OutcomeUnknownError: If the outcome cannot be determined in the call's time.
        """
        pause = then.delay if isinstance(then, Retry) else backoff(self.policy, self.journal.number, self.jitter())
        why = "It was not sent again." if self.look is None else "There was no time to look it up."
        looks = 0
        while self.look and self._left > 0:
            pause = pause if pause < self._left else 0.0
            await self.clock.sleep(pause)
            result = await self.look(self.deadline, isinstance(then, GiveUp))
            self.journal.looked(result, waited=pause)
            looks += 1
            match settle(result, then=then, looks=looks, policy=self.policy, left=self._left):
                case Return() | Resend() as settled:
                    return settled
                case Conflict(reason):
                    raise self._conflict(reason).after(self.journal.attempts, "") from error
                case Unknown(reason):
                    why = f"It was looked up: {reason}."
                    break
                case later:
                    pause = later.delay
        stopped = then.why if isinstance(then, GiveUp) else ""
        raise self._unknown(f"{error} {why}", error.url).after(self.journal.attempts, stopped) from error

    async def again(self) -> T | None:
        """Look once more after the call, for the ``check()`` of the error.

        Returns:
            The result of the call, or None if the thing is not there now.

        Raises:
            UsageError: If there is no look-up for the call.
            ConflictError: If the requested thing is someone else's.
            OutcomeUnknownError: If the outcome is still unknown.
        """
        if self.look is None:
            raise UsageError(f"There is no look-up for this call. {self.how_to_check}".rstrip())
        deadline, thorough = Deadline(self.clock.monotonic() + self.total, self.clock.pulse()), True
        match await self.look(deadline, thorough):
            case Found(result, ours=True):
                return result
            case Absent():
                return None
            case Found(ours=False, reason=reason):
                raise self._conflict(reason)
            case unclear:
                raise self._unknown(f"It was looked up again: {unclear.reason}.", self.journal.path)

    @property
    def _left(self) -> float:
        return self.deadline.left(self.clock.monotonic())

    def _conflict(self, reason: str) -> ConflictError:
        summary = f"{self.journal.method} {self.journal.path} did not achieve what was asked for: {reason}."
        return ConflictError(summary, method=self.journal.method, url=self.journal.path, status=HTTPStatus.CONFLICT)

    def _unknown(self, why: str, url: str) -> OutcomeUnknownError:
        method, path = self.journal.method, self.journal.path
        return OutcomeUnknownError(
            f"{method} {path} may or may not have been carried out: {why} {self.how_to_check}".rstrip(),
            method=method,
            url=url,
            how_to_check=self.how_to_check,
            look=self.again,
        )
