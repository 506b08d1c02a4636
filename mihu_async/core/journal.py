"""The journal of one call: the record of its attempts, which errors carry, and the log lines.

A log line holds the method, the path, the status, the times, the attempt and the request id, and nothing else.
"""

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from attrs import evolve

from mihu_async.core.clock import Clock
from mihu_async.core.headers import shown
from mihu_async.core.lookup import Found, LookupResult
from mihu_async.core.redaction import Redactor, escape
from mihu_async.core.request import Request
from mihu_async.core.response import REQUEST_ID, SEARCHED, Reading, Response
from mihu_async.core.retry import Failure
from mihu_async.errors import APIError, Attempt, ConnectTimeoutError, DecodeError
from mihu_async.hooks import Hooks, tell
from mihu_async.models.pages import Page
from mihu_async.models.provisional import Items
from mihu_async.reports import CallReport, Problem, summarize
from mihu_async.value import State

LATEST: ContextVar[tuple[int, "Journal"] | None] = ContextVar("mihu_async_latest", default=None)
"""The identity of the client that made the latest call of this task, and the call's journal."""

LONGEST_MESSAGE = 2_000
"""The most characters of the service's message that a report holds."""

logger: logging.Logger = logging.getLogger("mihu_async")
logger.addHandler(logging.NullHandler())


class Journal(State):
    """Records the attempts of one call, and reports them to the caller's hooks."""

    request: Request[Any]
    clock: Clock
    redact: Redactor
    base_url: str = ""
    hooks: tuple[Hooks, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    number: int = 0
    found: bool = False
    problems: tuple[Problem, ...] = ()
    sent: bool = False
    """True if the attempt may have left."""
    _started: float = 0.0
    _started_at: datetime = datetime.min.replace(tzinfo=UTC)
    _status: int | None = None
    _headers: Mapping[str, str] | None = None
    _message: str | None = None
    _elapsed: float = 0.0
    _path: str = ""

    @property
    def method(self) -> str:
        """The call's verb."""
        return self.request.method

    @property
    def path(self) -> str:
        """The call's path, with secrets hidden."""
        self._path = self._path or self.redact.name(self.request.path)
        return self._path

    def begin(self, now: float) -> None:
        """Begin the next attempt at a moment of the clock."""
        self.number += 1
        self._started, self._started_at = now, self.clock.now()
        self.sent, self._status = False, None

    def restart(self, now: float) -> None:
        """Count the attempt's time from now on, because the call waited for its turn until now."""
        self._started, self._started_at = now, self.clock.now()

    def answered(self, response: Response, now: float) -> None:
        """Note the answer and the time that it took, without its body.

        The attempt's time ends here, because a page that was fetched ahead waits for its caller from then on.
        """
        self._status, self._elapsed, self._headers = response.status, now - self._started, response.headers
        self._message, self.problems = None, ()

    def said(self, message: str | None) -> None:
        """Note the beginning of the service's message."""
        self._message = message[:SEARCHED] if message else None

    def hide(self, redact: Redactor) -> None:
        """Use another redactor, which hides one more secret."""
        self.redact, self._path = redact, ""

    @property
    def lost(self) -> bool:
        """True if an attempt of a write may have been applied, and its answer does not say so."""
        return any(attempt.lost for attempt in self.attempts)

    def report(self) -> CallReport:
        """Return a report of the call so far."""
        return CallReport(
            self.method,
            self.path,
            self.attempts,
            self.found,
            self.base_url,
            message=escape(self.redact(self._message), most=LONGEST_MESSAGE) if self._message else None,
            request_id=self._request_id,
            headers=shown(tuple(self._headers.items()) if self._headers else (), self.redact),
            problems=self.problems,
        )

    @property
    def _request_id(self) -> str | None:
        """The service's id of the latest answer, with secrets hidden."""
        request_id = self._headers.get(REQUEST_ID) if self._headers else None
        return escape(self.redact(request_id)) if request_id else None

    def succeeded(self, reading: Reading[Any]) -> None:
        """End the attempt with success, and log a warning if a part of its answer could not be read.

        Args:
            reading: The answer as it was read. The problems of a page are logged by its walk.
        """
        self._message = reading.message and reading.message[:SEARCHED]
        self.problems = reading.problems
        if self.problems and not isinstance(reading.data, Page | Items):
            warning = "The answer to %s %s was read except for %s"
            logger.warning(warning, self.method, self.path, summarize(self.problems, len(self.problems)))
        self._end("ok")
        if self.hooks:
            self._report_to("on_attempt")

    def cancelled(self) -> None:
        """End the attempt because the caller gave up."""
        self._end("cancelled", lost=self.sent and self.method != "GET")
        self._report_to("on_attempt")

    def failed(self, error: Failure, *, wait: float | None = None) -> None:
        """End the attempt with its failure, and note the wait before the next one.

        Args:
            error: The failure. It carries no attempts yet, so it speaks of this one alone.
            wait: The seconds until the next attempt; None if there is none.
        """
        if isinstance(error, APIError):
            self.said(error.message)
        if isinstance(error, DecodeError) and self._status is None:  # its body broke the rules of HTTP after its head
            self._status, self._elapsed = error.status, self.clock.monotonic() - self._started
        self._end(type(error).__name__, f": {error}", wait=wait, lost=error.may_have_changed)
        self._report_to("on_attempt")
        if wait is not None:
            message = "%s %s failed with %s (attempt %d), trying again in %.3f s"
            logger.warning(message, self.method, self.path, type(error).__name__, self.number, wait)
            self.repeated()

    def repeated(self) -> None:
        """Report to the hooks that the request is sent again."""
        self._report_to("on_retry")

    def looked(self, result: LookupResult[Any], *, waited: float) -> None:
        """Note the result of a lookup after the attempt, and the seconds that were waited before it."""
        *before, last = self.attempts
        self.attempts = (*before, evolve(last, wait=(last.wait or 0.0) + waited, looked_up=result.reason))
        self.found = isinstance(result, Found) and result.ours is True
        message = "%s %s lost its answer (attempt %d) and was looked up: %s"
        logger.warning(message, self.method, self.path, self.number, type(result).__name__)

    def not_sent(self, why: str) -> ConnectTimeoutError:
        """Return the error of a call whose time was up before it was sent."""
        return ConnectTimeoutError(f"{self.method} {self.path} was not sent: {why}.", method=self.method, url=self.path)

    def _end(self, outcome: str, why: str = "", *, wait: float | None = None, lost: bool = False) -> None:
        """Record how the attempt ended, and log it without the reason, which may quote the answer."""
        status, elapsed = self._status, self._elapsed
        if status is None:
            elapsed = self.clock.monotonic() - self._started
        attempt = Attempt(self.number, self._started_at, elapsed, status, f"{outcome}{why}", wait, lost)
        self.attempts = (*self.attempts, attempt)
        if logger.isEnabledFor(logging.DEBUG):
            request_id = "-" if status is None else self._request_id or "-"
            message = "%s %s -> %s %s in %.3f s (attempt %d, request id %s)"
            answer = "-" if status is None else status
            logger.debug(message, self.method, self.path, answer, outcome, elapsed, self.number, request_id)

    def _report_to(self, hook: Literal["on_attempt", "on_retry"]) -> None:
        if self.hooks:
            tell(hook, self.hooks, self.attempts[-1], self.report())
