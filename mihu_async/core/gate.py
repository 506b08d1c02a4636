"""What a request passes before it is sent: the pause that the service asked of the client, and the caller's limiter."""

import logging
from asyncio import CancelledError
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

from attrs import define

from mihu_async.core import cancellation
from mihu_async.core.clock import Clock
from mihu_async.core.mask import Mask
from mihu_async.core.pressure import Pressure
from mihu_async.core.request import Request
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
class Gate:
    """Holds one call back, no longer than until its deadline, which moves while an answer waits for its caller."""

    request: Request[Any]
    mask: Mask
    clock: Clock
    deadline: float

    @property
    def method(self) -> str:
        """The call's verb."""
        return self.request.method

    @property
    def path(self) -> str:
        """The call's path, with secrets hidden."""
        return self.mask.name(self.request.path)

    @property
    def left(self) -> float:
        """What remains of the call's time, in seconds."""
        return self.deadline - self.clock.monotonic()

    async def pass_pause(self, pressure: Pressure) -> None:
        """Wait while the service asked this client to be left, unless the call's time would be over by then."""
        if self.left <= 0:  # a page that a look-up would go on with
            raise self._closed("the time that it may take was up before")
        while held := pressure.held(self.clock.monotonic()):
            if held >= self.left:
                raise self._closed(
                    f"the service asked this client for a pause of which {held:.3g} s are left, longer than the call "
                    "may take"
                )
            await self.clock.sleep(held)

    @asynccontextmanager
    async def within(self, limiter: Limiter, pressure: Pressure) -> AsyncGenerator[None]:
        """Let an attempt through the limiter, which may take as long as the call may; what it thinks changes nothing.

        Where the service asks for a pause while the call waits in it, the pause is spent outside.
        """
        await self._enter(limiter)
        while pressure.held(self.clock.monotonic()):
            await self._leave(limiter, None)
            await self.pass_pause(pressure)
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
                raise self._closed("its token did not come in the time that the call may take") from None
            why = f"the function given as token= failed with {type(error).__name__}"
            message = f"{self.method} {self.path} was not sent: {why}."
            raise ConnectError(message, method=self.method, url=self.path) from error

    async def _enter(self, limiter: Limiter) -> None:
        try:
            async with self.clock.timeout(max(self.left, SHORTEST)):
                await limiter.__aenter__()
        except Exception as error:
            if isinstance(error, TimeoutError) and self.left <= SHORTEST:
                raise self._closed("the limiter did not let it through in the time that the call may take") from None
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

    def _closed(self, why: str) -> ConnectTimeoutError:
        return ConnectTimeoutError(f"{self.method} {self.path} was not sent: {why}.", method=self.method, url=self.path)
