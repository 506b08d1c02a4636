"""The whole way of one call: attempt, read, decide, wait, again; and where a write's answer was lost, look it up."""

import random
from asyncio import CancelledError, Lock
from collections.abc import Callable
from functools import partial
from typing import Generic, NoReturn, TypeGuard, TypeVar, cast

from attrs import evolve, field, frozen

from mihu_async.core.clock import Clock, SystemClock
from mihu_async.core.contention import Contention
from mihu_async.core.envelope import Reading, read_closely, read_fast
from mihu_async.core.gate import SHORTEST, Gate, Limiter
from mihu_async.core.journal import LATEST, Journal
from mihu_async.core.mask import Mask, printable
from mihu_async.core.pressure import ASKED_FOR_LESS, Pressure
from mihu_async.core.reconcile import Absent, Circumstances, Found, Lookup, LookupFailed, LookupResult, Return
from mihu_async.core.reconciler import Reconciler
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import Again, Failure, GiveUp, Gone, RetryPolicy, Verdict, decide
from mihu_async.core.sender import Sender, UncachedSender
from mihu_async.core.server_clock import CallWindow, Moment, ServerClock
from mihu_async.core.timeout import Timeout
from mihu_async.errors import (
    APIError,
    ConnectTimeoutError,
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
LONGEST = 500
"""Characters of what a look-up says that an error quotes."""
LATE = 60.0
"""Seconds after a call's time within which its write may still be applied."""


@frozen(kw_only=True)
class Pipeline:
    """Carries calls through: each is sent, read, and tried again where the policy says so, all within one deadline.

    ``until`` is a moment of the clock that no call passes, whatever its own time; None sets none.
    """

    sender: Sender
    secrets: tuple[str, ...] = field(repr=False)
    timeout: Timeout
    retries: RetryPolicy
    limiter: Limiter | None = None
    hooks: tuple[Hooks, ...] = ()
    base_url: str = ""
    pressure: Pressure = field(factory=Pressure)
    server_clock: ServerClock = field(factory=ServerClock)
    contention: Contention = field(factory=Contention)
    clock: Clock = field(factory=SystemClock)
    jitter: Callable[[], float] = random.random
    until: float | None = None
    strict: bool = False

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
        self._mask = Mask((*way.secrets, *request.secrets))
        self._identity = object()
        self._first_sent: Moment | None = None
        deadline = self._bounded(way.clock.monotonic() + way.timeout.total)
        self._gate = Gate(request, self._mask, way.clock, deadline)
        self._reconciler: Reconciler[T] | None = None
        self.journal: Journal = Journal(request, way.clock, self._mask, way.base_url, way.hooks)

    async def run(self) -> T:
        """Make it, after the calls of this client that want to make the same thing."""
        lookup = self._request.lookup
        if lookup is None or not lookup.key:
            return await self._run()
        async with self._way.contention.place(lookup.key) as lock:
            await self._acquire(lock)
            try:
                return self._given(await self._run())
            finally:
                lock.release()

    async def _acquire(self, lock: Lock) -> None:
        try:
            async with self._way.clock.timeout(max(self._gate.left, SHORTEST)):
                await lock.acquire()
        except TimeoutError:
            path = self.journal.path
            message = (
                f"{self._request.method} {path} was not sent: another call of this client for the same thing was under "
                "way for as long as this one may take."
            )
            error = ConnectTimeoutError(message, method=self._request.method, url=path)
            self.journal.begin()
            self.journal.failed(error)
            raise error.after(self.journal.attempts, "") from None

    def _given(self, result: T) -> T:
        """Note that this call, and no other one, was given the thing."""
        lookup = self._request.lookup
        if lookup is not None and lookup.identity is not None:
            self._way.contention.give(lookup.identity(result), self._identity)
        return result

    async def _run(self) -> T:
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
                    settled = await self._reconcile().settle(error, lost.then)
                    if isinstance(settled, Return):
                        return settled.result
                    way.pressure.spend(way.retries.budget)
                    self.journal.repeated()

    async def _attempt(self) -> T:
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
        self.journal.read(reading.problems, is_listed=isinstance(reading.data, Page | Items))
        lookup = self._request.lookup
        if lookup is not None and (contradiction := lookup.contradiction(reading.data)):
            raise self._contradicted(response, contradiction)
        return reading.data

    def _contradicted(self, response: Response, why: str) -> DecodeError:
        """Make the error of a success that is about something else than was asked for."""
        message = (
            f"{self._request.method} {self.journal.path} was answered {response.status}, but "
            f"{printable(self._mask(why))}. It may have been carried out."
        )
        return DecodeError(
            message,
            method=self._request.method,
            url=self._mask.name(response.url),
            status=response.status,
            content_type=printable(response.content_type),
            excerpt=response.excerpt(self._mask),
        )

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
        way = self._way
        self.journal.sent()
        sent = self._now()
        self._first_sent = self._first_sent or sent
        bounds = way.timeout.within(max(self._gate.left, SHORTEST))
        response = await way.sender.send(self._request, bounds, self._mask)
        if not response.is_cached:
            headed = self._now().later(-response.body_took)
            way.server_clock.observe(response.headers.get("Date"), sent=sent.monotonic, received=headed)
        return response

    def _now(self) -> Moment:
        clock = self._way.clock
        return Moment(clock.monotonic(), clock.now().timestamp())

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
            attempt=self.journal.number,
            policy=way.retries,
            left=self._gate.left,
            jitter=way.jitter(),
            affordable=way.pressure.affords(way.retries.budget),
            held=way.pressure.held(way.clock.monotonic()),
            lost=self.journal.lost,
        )

    def _reconcile(self) -> Reconciler[T]:
        lookup = self._request.lookup
        self._reconciler = self._reconciler or Reconciler(
            gate=self._gate,
            journal=self.journal,
            policy=self._way.retries,
            jitter=self._way.jitter,
            check=self._request.check,
            look=None if lookup is None else partial(self._look, lookup),
            total=self._way.timeout.total,
        )
        return self._reconciler

    async def _look(self, lookup: Lookup[T], until: float, thorough: bool) -> LookupResult[T]:
        """Look up once; where not all was seen, and what was seen is not this call's, look through all."""
        sender = UncachedSender(self._way.sender)
        # hooks may see what the service echoes of this call, and its outcome matters more than an odd field elsewhere
        way = evolve(self._way, sender=sender, until=until, secrets=self._mask.secrets, strict=False)
        try:
            result = await self._find(lookup, way, thorough=thorough and not lookup.is_filtered)
            if lookup.is_filtered and (thorough or isinstance(result, Found)) and not _is_ours(result):
                result = await self._find(lookup, way, thorough=True)
        except MihuError as error:
            return LookupFailed(self._mask(f"the look-up failed: {error}").removesuffix("."))
        if sender.cached is not None:
            return LookupFailed(printable(self._mask(f"a cache answered the look-up (Age: {sender.cached})")))
        if _is_ours(result):
            self._given(result.result)
        return result

    async def _find(self, lookup: Lookup[T], way: Pipeline, *, thorough: bool) -> Found[T] | Absent:
        found = await lookup.find(way, thorough)
        if found is None:
            return Absent()
        result = lookup.judge(found, Circumstances(self._window(), self._is_anothers))
        return evolve(result, reason=printable(self._mask(result.reason), most=LONGEST))

    def _is_anothers(self, identity: str) -> bool:
        return self._way.contention.is_anothers(identity, self._identity)

    def _window(self) -> CallWindow | None:
        """Return the call's time on the service's clock; what comes long after its end is not of it."""
        now, server_clock = self._now(), self._way.server_clock
        began = self._first_sent and server_clock.at(self._first_sent)
        ended = server_clock.at(now.later(min(0.0, self._gate.deadline + LATE - now.monotonic)))
        return CallWindow(began, ended) if began and ended else None


def _is_ours(result: Found[T] | Absent) -> TypeGuard[Found[T]]:
    return isinstance(result, Found) and result.ours is True
