"""What was tried in one call: the record that errors carry, and the log lines.

A log line holds the method, the path, the status, the times, the attempt and the request id, and nothing else.
"""

import logging
from datetime import datetime
from typing import Any

from attrs import define, field

from mihu_async.core.clock import Clock
from mihu_async.core.mask import Mask
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import Failure
from mihu_async.errors import Attempt

logger: logging.Logger = logging.getLogger("mihu_async")
logger.addHandler(logging.NullHandler())


@define
class Journal:
    """Writes down the attempts of one call."""

    request: Request[Any]
    clock: Clock
    mask: Mask
    attempts: tuple[Attempt, ...] = ()
    number: int = 0
    _started: float = field(default=0.0, init=False)
    _started_at: datetime = field(init=False)
    _response: Response | None = field(default=None, init=False)

    def begin(self) -> None:
        """Begin the next attempt."""
        self.number += 1
        self._started, self._started_at, self._response = self.clock.monotonic(), self.clock.now(), None

    def answered(self, response: Response) -> None:
        """Note what came back."""
        self._response = response

    def succeeded(self) -> None:
        """End the attempt well."""
        self._log("ok", self.clock.monotonic() - self._started)

    def failed(self, error: Failure, *, wait: float | None = None) -> None:
        """End the attempt with its failure, and note the wait before the next one."""
        status = self._response.status if self._response else None
        elapsed = self.clock.monotonic() - self._started
        attempt = Attempt(self.number, self._started_at, elapsed, status, f"{type(error).__name__}: {error}", wait)
        self.attempts = (*self.attempts, attempt)
        self._log(type(error).__name__, elapsed)
        if wait is not None:
            message = "%s %s failed with %s (attempt %d), trying again in %.3f s"
            path = self.mask(self.request.path)
            logger.warning(message, self.request.method, path, type(error).__name__, self.number, wait)

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
