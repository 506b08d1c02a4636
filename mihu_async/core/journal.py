"""What was tried in one call: the record that errors carry, and the log lines.

A log line holds the method, the path, the status, the times, the attempt and the request id, and nothing else.
"""

import logging
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from attrs import define, evolve, field, frozen

from mihu_async.core.clock import Clock
from mihu_async.core.mask import Mask
from mihu_async.core.reconcile import Found, Sight
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import Failure, may_be_done
from mihu_async.errors import Attempt

LATEST: ContextVar[tuple[object, "Journal"] | None] = ContextVar("mihu_async_latest", default=None)
"""Whose the latest call of this task was, and its journal."""

logger: logging.Logger = logging.getLogger("mihu_async")
logger.addHandler(logging.NullHandler())


@frozen
class CallReport:
    """What was done for one call: ``mihu.last_call``.

    ``attempts`` are all of them, the last one too, also where it was cancelled; ``found`` says that the answer was
    lost and that the result comes from looking up what the write had made.
    """

    method: str
    path: str
    attempts: tuple[Attempt, ...]
    found: bool


@define
class Journal:
    """Writes down the attempts of one call."""

    request: Request[Any]
    clock: Clock
    mask: Mask
    attempts: tuple[Attempt, ...] = ()
    number: int = 0
    found: bool = False
    _sent: bool = field(default=False, init=False)
    _started: float = field(default=0.0, init=False)
    _started_at: datetime = field(init=False)
    _response: Response | None = field(default=None, init=False)

    def begin(self) -> None:
        """Begin the next attempt."""
        self.number += 1
        self._started, self._started_at = self.clock.monotonic(), self.clock.now()
        self._sent, self._response = False, None

    def sent(self) -> None:
        """Note that the attempt may leave from now on."""
        self._sent = True

    def answered(self, response: Response) -> None:
        """Note what came back."""
        self._response = response

    @property
    def lost(self) -> bool:
        """Whether an attempt may have been carried out though its answer does not tell."""
        return any(attempt.lost for attempt in self.attempts)

    def report(self) -> CallReport:
        """Give what was done so far."""
        return CallReport(self.request.method, self.mask(self.request.path), self.attempts, self.found)

    def succeeded(self) -> None:
        """End the attempt well."""
        self._log("ok", self._ended("ok"))

    def cancelled(self) -> None:
        """End the attempt because the caller gave up."""
        self._log("cancelled", self._ended("cancelled", lost=self._sent and self.request.method != "GET"))

    def failed(self, error: Failure, *, wait: float | None = None) -> None:
        """End the attempt with its failure, and note the wait before the next one."""
        lost = self.request.method != "GET" and may_be_done(error)
        elapsed = self._ended(f"{type(error).__name__}: {error}", wait=wait, lost=lost)
        self._log(type(error).__name__, elapsed)
        if wait is not None:
            message = "%s %s failed with %s (attempt %d), trying again in %.3f s"
            path = self.mask(self.request.path)
            logger.warning(message, self.request.method, path, type(error).__name__, self.number, wait)

    def looked(self, sight: Sight[Any], *, waited: float) -> None:
        """Note what a look-up after the attempt showed, and how long was waited for it."""
        *before, last = self.attempts
        self.attempts = (*before, evolve(last, wait=(last.wait or 0.0) + waited, looked_up=sight.told))
        self.found = isinstance(sight, Found) and sight.ours is True
        message = "%s %s lost its answer (attempt %d) and was looked up: %s"
        logger.warning(message, self.request.method, self.mask(self.request.path), self.number, type(sight).__name__)

    def _ended(self, outcome: str, *, wait: float | None = None, lost: bool = False) -> float:
        status = self._response.status if self._response else None
        elapsed = self.clock.monotonic() - self._started
        attempt = Attempt(self.number, self._started_at, elapsed, status, outcome, wait, lost)
        self.attempts = (*self.attempts, attempt)
        return elapsed

    def _log(self, outcome: str, elapsed: float) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            status = self._response.status if self._response else "-"
            request_id = self.mask((self._response.request_id if self._response else None) or "-")
            message = "%s %s -> %s %s in %.3f s (attempt %d, request id %s)"
            logger.debug(
                message,
                self.request.method,
                self.mask(self.request.path),
                status,
                outcome,
                elapsed,
                self.number,
                request_id,
            )
