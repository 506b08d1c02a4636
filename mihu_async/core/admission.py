"""How a request is admitted before it is sent: the client's throttle, the caller's limiter, and a token."""

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from attrs import define

from mihu_async.core import cancellation
from mihu_async.core.clock import Clock
from mihu_async.core.deadline import Deadline, Progress
from mihu_async.core.journal import Journal
from mihu_async.core.throttle import Throttle
from mihu_async.core.token import TokenSource
from mihu_async.errors import ConnectError, ConnectTimeoutError, UsageError

SHORTEST = 0.001  # seconds; what begins when its time is up still has a bound
LEAVING = 1.0  # seconds; a limiter has them to take note, also when the call's time is up

Limiter = AbstractAsyncContextManager[Any]
"""What is entered around each attempt."""

logger: logging.Logger = logging.getLogger("mihu_async")


def check_limiter(argument: str, limiter: Any) -> Limiter:
    """Check what a caller gives for a limiter."""
    if not isinstance(limiter, AbstractAsyncContextManager):
        message = f"{argument} must be an async context manager, not {type(limiter).__name__}."
        raise UsageError(message, argument=argument)
    return cast("Limiter", limiter)


@define
class Admission:
    """Holds one call back, no longer than until its deadline, which moves while the call waits for somebody else.

    ``total`` is the time of the call in seconds. A page of a walk has no such time while it waits, but ends when for
    ``total`` and a pause of ``longest_pause`` seconds no page of its listing came, of which ``progress`` tells.
    """

    journal: Journal
    clock: Clock
    throttle: Throttle
    began: float
    deadline: Deadline
    total: float
    longest_pause: float
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
        """What remains of the call's time, in seconds."""
        return self.deadline.left(self.clock.monotonic())

    def patience(self, now: float) -> float:
        """Return how many seconds the call may go on to wait for others: they are counted anew when one got through."""
        since = now - self.deadline.excused
        if self.progress is None:
            return max(self.began, self.throttle.last_success) + self.total - since
        return max(self.began, self.progress.moment) + self.total + self.longest_pause - since

    def left_to_wait(self, now: float, behind: float = 0.0) -> float:
        """Return how many seconds the call may go on to wait for the service, of whose time ``behind`` were others'."""
        patience = self.patience(now)
        return patience if self.progress else min(patience, self.deadline.left(now - behind))

    async def wait(self) -> None:
        """Wait for the call's turn, unless its time would be over by then; that of other calls is not counted."""
        before = self.clock.monotonic()
        try:
            behind = await self.throttle.wait(self.clock, self.began, self.left_to_wait, self.patience)
        except TimeoutError as late:
            raise self.closed(str(late)) from None
        if self.progress is not None:
            behind = self.clock.monotonic() - before
        self.deadline.postpone_all(behind)

    @asynccontextmanager
    async def within(self, limiter: Limiter) -> AsyncGenerator[None]:
        """Let an attempt through the limiter, which may take as long as the call may; what it thinks changes nothing.

        Where the service asks for a pause while the call waits in it, the pause is spent outside.
        """
        await self._enter(limiter)
        while self.throttle.pause_left(self.clock.monotonic()):
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

    async def fetch(self, tokens: TokenSource, *, refused: str | None) -> str:
        """Wait for the token, which may take as long as the call may; ``refused`` is one that was refused."""
        try:
            async with self.clock.timeout(max(self.left, SHORTEST)):
                return await tokens.get(refused=refused)
        except UsageError:
            raise
        except (Exception, CancelledError) as error:
            if isinstance(error, CancelledError) and cancellation.is_ours():
                raise
            if isinstance(error, TimeoutError) and self.left <= SHORTEST:
                raise self.closed("its token did not come in the time that the call may take") from None
            why = f"the function given as token= failed with {type(error).__name__}"
            message = f"{self.method} {self.path} was not sent: {why}."
            raise ConnectError(message, method=self.method, url=self.path) from error

    async def _enter(self, limiter: Limiter) -> None:
        try:
            async with self.clock.timeout(max(self.left, SHORTEST)):
                await limiter.__aenter__()
        except Exception as error:
            if isinstance(error, TimeoutError) and self.left <= SHORTEST:
                raise self.closed("the limiter did not let it through in the time that the call may take") from None
            message = f"{self.method} {self.path} was not sent: its limiter failed with {type(error).__name__}."
            raise ConnectError(message, method=self.method, url=self.path) from error

    async def _leave(self, limiter: Limiter, error: BaseException | None) -> None:
        """Leave the limiter; an answer that is there, or the attempt's own error, is not lost because that fails."""
        try:
            async with self.clock.timeout(max(self.left, LEAVING)):
                await limiter.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except Exception as failure:  # noqa: BLE001 - the limiter is the caller's, and may raise anything
            message = "%s %s could not leave its limiter: %s"
            logger.warning(message, self.method, self.path, type(failure).__name__)

    def closed(self, why: str) -> ConnectTimeoutError:
        """Make the error of a call that was not sent."""
        return ConnectTimeoutError(f"{self.method} {self.path} was not sent: {why}.", method=self.method, url=self.path)
