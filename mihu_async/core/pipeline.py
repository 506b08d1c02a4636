"""The whole way of one call: attempt, read, decide, wait, again; and where a write's answer was lost, look it up."""

import random
from asyncio import CancelledError
from collections.abc import Callable
from functools import partial
from typing import Generic, NoReturn, TypeVar, cast

from attrs import evolve, field, frozen

from mihu_async.core.clock import Clock, SystemClock
from mihu_async.core.envelope import Reading, read_closely, read_fast
from mihu_async.core.gate import SHORTEST, Gate, Limiter
from mihu_async.core.inquiry import Inquiry
from mihu_async.core.journal import LATEST, Journal
from mihu_async.core.mask import Mask, printable
from mihu_async.core.pressure import ASKED_FOR_LESS, Pressure
from mihu_async.core.reconcile import Absent, Give, Lookup, Sight, Unseen
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import Again, Failure, GiveUp, Gone, RetryPolicy, Verdict, decide
from mihu_async.core.timeout import Timeout
from mihu_async.core.token import TokenSource
from mihu_async.core.watch import Sender, Watch
from mihu_async.errors import (
    APIError,
    AuthenticationError,
    DecodeError,
    MihuError,
    RequestTimeoutError,
    TransportError,
)
from mihu_async.hooks import Hooks, around
from mihu_async.models.pages import Page
from mihu_async.models.provisional import Items

T = TypeVar("T")

AT_ONCE = 65_536
"""An answer of fewer bytes is read without letting other tasks go first."""


@frozen(kw_only=True)
class Pipeline:
    """Carries calls through: each is sent, read, and tried again where the policy says so, all within one deadline.

    ``until`` is a moment of the clock that no call passes, whatever its own time; None sets none. ``tokens`` is asked
    for the token of each attempt; None leaves that to the sender.
    """

    sender: Sender
    secrets: tuple[str, ...] = field(repr=False)
    timeout: Timeout
    retries: RetryPolicy
    limiter: Limiter | None = None
    hooks: tuple[Hooks, ...] = ()
    base_url: str = ""
    pressure: Pressure = field(factory=Pressure)
    clock: Clock = field(factory=SystemClock)
    jitter: Callable[[], float] = random.random
    until: float | None = None
    strict: bool = False
    tokens: TokenSource | None = field(default=None, repr=False)

    async def run(self, request: Request[T]) -> T:
        """Make the call and give its data, or raise an error that carries the journal of its attempts."""
        call = Call(self, request)
        try:
            if not self.hooks:
                return await call.run()
            with around(self.hooks, call.journal.report()):
                return await call.run()
        finally:
            LATEST.set((self.pressure, call.journal))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A pipeline cannot be pickled or copied: it holds secrets.")


class Call(Generic[T]):
    """One call on its way."""

    def __init__(self, way: Pipeline, request: Request[T]) -> None:
        self._way = way
        self._request = request
        known = way.tokens.secrets if way.tokens else ()
        self._mask = Mask((*way.secrets, *known, *request.secrets))
        self._began = way.clock.monotonic()
        self._gate = Gate(request, self._mask, way.clock, self._bounded(self._began + way.timeout.total))
        self._inquiry: Inquiry[T] | None = None
        self._token: str | None = None
        self._refused: str | None = None
        self.journal: Journal = Journal(request, way.clock, self._mask, way.base_url, way.hooks)

    async def run(self) -> T:
        """Make it."""
        way = self._way
        while True:
            self.journal.begin()
            try:
                await self._gate.pass_pause(way.pressure)
                data = await self._attempt()
            except (TransportError, DecodeError, APIError) as caught:
                error = caught
            except CancelledError:
                self.journal.cancelled()
                raise
            else:
                self.journal.succeeded()
                way.pressure.earn(way.retries.budget)
                return data
            self._feel(error)
            if self._may_renew(error):
                self._refused = self._token
                self.journal.failed(error, wait=0.0)
                continue
            match self._decide(error):
                case Again(delay):
                    self.journal.failed(error, wait=delay)
                    way.pressure.spend(way.retries.budget)  # before the wait, in which other calls decide
                    await way.clock.sleep(delay)
                case GiveUp(why):
                    self.journal.failed(error)
                    raise error.after(self.journal.attempts, why)
                case Gone():
                    self.journal.failed(error)
                    return cast("T", None)
                case lost:
                    self.journal.failed(error)
                    settled = await self._inquire().settle(error, lost.then)
                    if isinstance(settled, Give):
                        return settled.result
                    way.pressure.spend(way.retries.budget)
                    self.journal.repeated()

    def _may_renew(self, error: Failure) -> bool:
        """Return True if the token was refused, and another may be asked for: once a call.

        A request that is answered 401 was not carried out, so even a purchase is sent again.
        """
        return (
            isinstance(error, AuthenticationError)
            and self._token is not None
            and self._refused is None
            and self._gate.left > 0
        )

    async def _authorize(self, tokens: TokenSource) -> None:
        """Get the token of the next attempt, and hide it from then on."""
        self._token = await self._gate.fetch(tokens, refused=self._refused)
        if self._token not in self._mask.secrets:
            self._mask = self._gate.mask = Mask((self._token, *self._mask.secrets))
            self.journal.hide(self._mask)

    async def _attempt(self) -> T:
        if self._way.tokens:
            await self._authorize(self._way.tokens)
        limiter = self._way.limiter
        if limiter is None:
            response = await self._send()
        else:
            async with self._gate.within(limiter, self._way.pressure):
                response = await self._send()
        self.journal.answered(response)
        if response.ok:
            arrived = self._way.clock.monotonic()
            await self._request.turn(response.body)
            waited = self._way.clock.monotonic() - arrived  # the caller's time, and not the call's
            self._gate.deadline = self._bounded(self._gate.deadline + waited)
        reading = read_fast(response, self._request) or await self._read_closely(response)
        self.journal.said(reading.message, reading.problems, is_listed=isinstance(reading.data, Page | Items))
        return reading.data

    async def _read_closely(self, response: Response) -> Reading[T]:
        """Read an answer in slices, between which other tasks go on, and no longer than the call may take."""
        way = self._way
        slices = read_closely(response, self._request, self._mask, now=way.clock.now(), strict=way.strict)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                return cast("Reading[T]", end.value)
            if len(response.body) < AT_ONCE:
                continue
            await way.clock.sleep(0)
            if self._gate.left <= 0:
                message = (
                    f"{self._request.method} {self.journal.path} was answered, but reading the answer took longer than "
                    "the call may take."
                )
                raise RequestTimeoutError(message, method=self._request.method, url=self._mask.name(response.url))

    def _bounded(self, deadline: float) -> float:
        return deadline if self._way.until is None else min(deadline, self._way.until)

    async def _send(self) -> Response:
        self.journal.sent()
        bounds = self._way.timeout.within(max(self._gate.left, SHORTEST))
        if self._token is None:
            return await self._way.sender.send(self._request, bounds, self._mask)
        return await self._way.sender.send(evolve(self._request, token=self._token), bounds, self._mask)

    def _feel(self, error: Failure) -> None:
        """Take note of what 429 and 503 ask of all calls; a pause above the cap holds nobody."""
        way = self._way
        if isinstance(error, APIError) and error.status in ASKED_FOR_LESS:
            way.pressure.feel()
            if error.retry_after is not None and error.retry_after <= way.retries.max_retry_after:
                way.pressure.pause(way.clock.monotonic() + error.retry_after)

    def _decide(self, error: Failure) -> Verdict:
        way = self._way
        return decide(
            error,
            method=self._request.method,
            attempt=self.journal.number - (self._refused is not None),
            policy=way.retries,
            left=self._gate.left,
            jitter=way.jitter(),
            affordable=way.pressure.affords(way.retries.budget),
            held=way.pressure.held(way.clock.monotonic()),
            lost=self.journal.lost,
        )

    def _inquire(self) -> Inquiry[T]:
        lookup = self._request.lookup
        self._inquiry = self._inquiry or Inquiry(
            gate=self._gate,
            journal=self.journal,
            policy=self._way.retries,
            jitter=self._way.jitter,
            check=self._request.check,
            look=None if lookup is None else partial(self._look, lookup),
            total=self._way.timeout.total,
        )
        return self._inquiry

    async def _look(self, lookup: Lookup[T], until: float, thorough: bool) -> Sight[T]:
        watch = Watch(self._way.sender, self._way.clock)
        # hooks may see what the service echoes of this call, and its outcome matters more than an odd field elsewhere
        way = evolve(self._way, sender=watch, until=until, secrets=self._mask.secrets, strict=False)
        try:
            found = await lookup.find(way, thorough)
        except MihuError as error:
            return Unseen(self._mask(f"the look-up failed: {error}").removesuffix("."))
        if found is None:
            return Absent()
        sight = lookup.judge(found, watch.moment(self._began))
        return evolve(sight, told=printable(self._mask(sight.told)))
