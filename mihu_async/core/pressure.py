"""What the calls of a client share: how often the service asked for less, its pause, and the retries' budget.

Has no clock of its own; moments are seconds of the pipeline's.
"""

from http import HTTPStatus

from attrs import define, field

from mihu_async.core.retry import RetryBudget

ASKED_FOR_LESS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@define
class Pressure:
    """A count of the answers 429 and 503, a pause that holds every call, and a bucket that retries are paid from."""

    _count: int = field(default=0, init=False)
    _paused_until: float = field(default=0.0, init=False)
    _spent: float = field(default=0.0, init=False)

    def feel(self) -> None:
        """Count one of those answers."""
        self._count += 1

    def count(self) -> int:
        """How often so far."""
        return self._count

    def pause(self, until: float) -> None:
        """Hold every call until then; a longer pause stays."""
        self._paused_until = max(self._paused_until, until)

    def held(self, now: float) -> float:
        """How many seconds calls are held from now on."""
        return max(0.0, self._paused_until - now)

    def affords(self, budget: RetryBudget | None) -> bool:
        """Whether another retry can be paid."""
        return budget is None or self._spent + budget.cost <= budget.tokens

    def spend(self, budget: RetryBudget | None) -> None:
        """Pay for a retry."""
        self._spent += 0 if budget is None else budget.cost

    def earn(self, budget: RetryBudget | None) -> None:
        """Put back what a success is worth."""
        self._spent = max(0.0, self._spent - (0 if budget is None else budget.refill))
