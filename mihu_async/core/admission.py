"""The admission of a request before it is sent: the client's throttle, the caller's limiter, and a token."""

import logging
from asyncio import CancelledError, Event
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from mihu_async.core.clock import Deadline, is_cancelled
from mihu_async.core.journal import Journal
from mihu_async.core.token import TokenSource
from mihu_async.errors import ConnectError, UsageError
from mihu_async.validation import wrong_type
from mihu_async.value import State

SHORTEST = 0.001  # seconds; a step that begins when the call's time is up still has a bound
LEAVING = 1.0  # seconds; a limiter may take this long to be left, also when the call's time is up

if TYPE_CHECKING:
    from mihu_async.core.pipeline import Pipeline

Limiter = AbstractAsyncContextManager[Any]
"""A block of the caller's that each attempt runs in."""

logger: logging.Logger = logging.getLogger("mihu_async")


def check_limiter(argument: str, limiter: Any) -> Limiter:
    """Return a limiter that a caller passes as ``argument``, or raise UsageError if it is no async context manager."""
    if not isinstance(limiter, AbstractAsyncContextManager):
        raise wrong_type(argument, "an async context manager", limiter)
    return cast("Limiter", limiter)


class Progress(State):
    """The progress of a listing. Its walks go on as long as pages of it arrive."""

    moment: float = float("-inf")
    """The last page arrived at this moment, in seconds of the pipeline's clock."""


class Prefetch(State):
    """A page of a listing that is fetched ahead: its answer is read once the caller is ready for it."""

    progress: Progress
    ready: Event
    date: str = ""
    """The answer has this ``Date``; empty if it has none."""
    sent: float = 0.0
    """The request was sent at this moment, in seconds of the pipeline's clock."""
    received: float = 0.0
    """The head of the answer arrived at this moment."""


class Admission(State):
    """Holds one call back until it may be sent, at most until its deadline.

    The deadline moves while the call waits for others. A page of a walk has none while it waits, but fails when no page
    of its listing arrived for the time of a call and the longest pause that the service may ask for.

    Attributes:
        pipeline: The pipeline that makes the call.
        journal: The journal of the call.
        began: The beginning of the call, in seconds of the pipeline's clock.
        deadline: The deadline of the call.
        progress: The progress of the call's listing; None if the call is no page of a walk.
    """

    pipeline: "Pipeline"
    journal: Journal
    began: float
    deadline: Deadline
    progress: Progress | None

    @property
    def method(self) -> str:
        """The call's verb."""
        return self.journal.method

    @property
    def path(self) -> str:
        """The call's path, with secrets hidden."""
        return self.journal.path

    @property
    def left(self) -> float:
        """The rest of the call's time, in seconds."""
        return self.deadline.left(self.pipeline.clock.monotonic())

    def left_for_others(self, now: float) -> float:
        """Return how many more seconds the call may wait for other calls; each of their successes renews them."""
        pipeline, since = self.pipeline, now - self.deadline.excused
        if self.progress is None:
            return max(self.began, pipeline.throttle.last_success) + pipeline.timeout.total - since
        most = pipeline.timeout.total + pipeline.retries.max_retry_after
        return max(self.began, self.progress.moment) + most - since

    def left_to_wait(self, now: float, behind: float = 0.0) -> float:
        """Return how many more seconds the call may wait for the service.

        Args:
            now: The present moment, in seconds of the clock.
            behind: The seconds of this wait that other calls took, which do not count.
        """
        left = self.left_for_others(now)
        return left if self.progress else min(left, self.deadline.left(now - behind))

    async def wait(self) -> None:
        """Wait for the call's turn; the time that other calls take does not count.

        Raises:
            ConnectTimeoutError: If the turn would come after the call's time is up. Nothing was sent.
        """
        clock, throttle = self.pipeline.clock, self.pipeline.throttle
        before = clock.monotonic()
        try:
            behind = await throttle.wait(clock, self.began, self.left_to_wait, self.left_for_others)
        except TimeoutError as late:
            raise self.journal.not_sent(str(late)) from None
        if self.progress is not None:
            behind = clock.monotonic() - before
        self.deadline.postpone_all(behind)

    @asynccontextmanager
    async def limited_by(self, limiter: Limiter) -> AsyncGenerator[None]:
        """Run an attempt in the limiter, which may hold it back as long as the call's time lasts.

        If the service asks for a pause meanwhile, the call leaves the limiter for the pause and enters it again. The
        limiter cannot suppress the attempt's error.
        """
        await self._enter(limiter)
        while self.pipeline.throttle.pause_left(self.pipeline.clock.monotonic()):
            await self._leave(limiter, None)
            await self.wait()
            await self._enter(limiter)
        try:
            yield
        except BaseException as error:
            await self._leave(limiter, error)
            raise
        else:
            await self._leave(limiter, None)

    async def fetch_token(self, tokens: TokenSource, *, refused: str | None) -> str:
        """Return the token of an attempt, for which the call waits as long as its time lasts.

        Args:
            tokens: The source of the client's tokens.
            refused: A token that the service refused, so that another one is asked for; None if it refused none.

        Raises:
            UsageError: If the function that the caller passed as ``token=`` returns no token.
            ConnectError: If it fails or takes too long. Nothing was sent.
        """
        try:
            async with self.pipeline.clock.timeout(max(self.left, SHORTEST)):
                return await tokens.get(refused=refused)
        except UsageError:
            raise
        except (Exception, CancelledError) as error:
            if isinstance(error, CancelledError) and is_cancelled():
                raise
            if isinstance(error, TimeoutError) and self.left <= SHORTEST:
                raise self.journal.not_sent("its token did not arrive within the time of the call") from None
            why = f"the function given as token= failed with {type(error).__name__}"
            message = f"{self.method} {self.path} was not sent: {why}."
            raise ConnectError(message, method=self.method, url=self.path) from error

    async def _enter(self, limiter: Limiter) -> None:
        try:
            async with self.pipeline.clock.timeout(max(self.left, SHORTEST)):
                await limiter.__aenter__()
        except (Exception, CancelledError) as error:
            if isinstance(error, CancelledError) and is_cancelled():
                raise
            if isinstance(error, TimeoutError) and self.left <= SHORTEST:
                raise self.journal.not_sent("the limiter did not admit it within the time of the call") from None
            message = f"{self.method} {self.path} was not sent: its limiter failed with {type(error).__name__}."
            raise ConnectError(message, method=self.method, url=self.path) from error

    async def _leave(self, limiter: Limiter, error: BaseException | None) -> None:
        """Leave the limiter. If that fails, it is only logged, so that the attempt's answer or error is kept."""
        try:
            async with self.pipeline.clock.timeout(max(self.left, LEAVING)):
                await limiter.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except (Exception, CancelledError) as failure:  # the limiter is the caller's, and may raise anything
            if isinstance(failure, CancelledError) and is_cancelled():
                raise
            message = "%s %s could not leave its limiter: %s"
            logger.warning(message, self.method, self.path, type(failure).__name__)
