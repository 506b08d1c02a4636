"""The whole way of one call: attempt, read, decide, wait, again."""

import random
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeVar

from attrs import evolve, field, frozen

from mihu_async.core.clock import Clock, SystemClock
from mihu_async.core.envelope import read
from mihu_async.core.journal import Journal
from mihu_async.core.mask import Mask
from mihu_async.core.pressure import ASKED_FOR_LESS, Pressure
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import Again, Failure, GiveUp, RetryPolicy, decide
from mihu_async.core.timeout import Timeout
from mihu_async.errors import APIError, ConnectTimeoutError, DecodeError, OutcomeUnknownError, TransportError

T = TypeVar("T")

SHORTEST = 0.001  # seconds; an attempt whose time is up when it begins still has a bound


class Sender(Protocol):
    """What makes one attempt."""

    async def send(self, request: Request[Any], bounds: Timeout, mask: Mask, /) -> Response:
        """Send a request and give the response, or raise a TransportError."""
        ...


@frozen(kw_only=True)
class Pipeline:
    """Carries calls through: each is sent, read, and tried again where the policy says so, all within one deadline."""

    sender: Sender
    secrets: tuple[str, ...] = field(repr=False)
    timeout: Timeout
    retries: RetryPolicy
    pressure: Pressure = field(factory=Pressure)
    clock: Clock = field(factory=SystemClock)
    jitter: Callable[[], float] = random.random

    async def run(self, request: Request[T]) -> T:
        """Make the call and give its data, or raise an error that carries the journal of its attempts."""
        mask = Mask((*self.secrets, *request.secrets))
        journal = Journal(request, self.clock, mask)
        deadline = self.clock.monotonic() + self.timeout.total
        while True:
            if not journal.attempts:
                await self._pass_pause(request, deadline)
            journal.begin()
            bounds = evolve(self.timeout, total=max(deadline - self.clock.monotonic(), SHORTEST))
            try:
                response = await self.sender.send(request, bounds, mask)
                journal.answered(response)
                if response.ok:
                    await request.turn(response.body)
                data = read(response, request, mask, now=self.clock.now())
            except (TransportError, DecodeError, APIError) as caught:
                error = caught
                self._feel(error)
            else:
                journal.succeeded()
                self.pressure.earn(self.retries.budget)
                return data
            verdict = decide(
                error,
                repeatable=request.repeatable,
                attempt=journal.number,
                policy=self.retries,
                left=deadline - self.clock.monotonic(),
                jitter=self.jitter(),
                affordable=self.pressure.affords(self.retries.budget),
                held=self.pressure.held(self.clock.monotonic()),
            )
            if isinstance(verdict, Again):
                self.pressure.spend(self.retries.budget)
                journal.failed(error, wait=verdict.delay)
                await self.clock.sleep(verdict.delay)
                continue
            journal.failed(error)
            if isinstance(verdict, GiveUp):
                raise error.after(journal.attempts, verdict.why)
            raise _unknown(request, error, mask).after(journal.attempts, "") from error

    async def _pass_pause(self, request: Request[Any], deadline: float) -> None:
        """Wait while the service asked this client to be left, unless the call's time would be over by then."""
        while held := self.pressure.held(self.clock.monotonic()):
            if held >= deadline - self.clock.monotonic():
                raise ConnectTimeoutError(
                    f"{request.method} {request.path} was not sent: the service asked this client for a pause of which "
                    f"{held:.3g} s are left, longer than the call may take.",
                    method=request.method,
                    url=request.path,
                )
            await self.clock.sleep(held)

    def _feel(self, error: Failure) -> None:
        """Take note of what 429 and 503 ask of all calls; a pause above the cap holds nobody."""
        if isinstance(error, APIError) and error.status in ASKED_FOR_LESS:
            self.pressure.feel()
            if error.retry_after is not None and error.retry_after <= self.retries.max_retry_after:
                self.pressure.pause(self.clock.monotonic() + error.retry_after)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A pipeline cannot be pickled or copied: it holds secrets.")


def _unknown(request: Request[Any], error: Failure, mask: Mask) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"{request.method} {mask(request.path)} may or may not have been carried out: {error} "
        f"It was not sent again. {request.check}".rstrip(),
        method=request.method,
        url=error.url,
        check=request.check,
    )
