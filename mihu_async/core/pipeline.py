"""The whole path of one call: attempt, read, decide, wait, repeat; and the lookup if a write's answer is lost."""

import logging
import random
from asyncio import CancelledError
from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Generic, NoReturn, TypeVar, cast

from attrs import field, frozen

from mihu_async.core.admission import SHORTEST, Admission, Limiter, Prefetch
from mihu_async.core.clock import Clock, Deadline, Pulse, SystemClock
from mihu_async.core.envelope import contradicted, read_closely
from mihu_async.core.journal import LATEST, Journal
from mihu_async.core.options import Bounds, RetryPolicy, Timeout
from mihu_async.core.reconciler import Contention, Reconciler
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Reading, Response, read_fast
from mihu_async.core.retry import (
    THROTTLED,
    AlreadyDeleted,
    Failure,
    GiveUp,
    Renew,
    Retry,
    Return,
    Stalled,
    Throttled,
    Verdict,
    decide,
    failed_while_blocked,
)
from mihu_async.core.sender import Sender
from mihu_async.core.server_clock import CallWindow, Dated, Moment, ServerClock
from mihu_async.core.throttle import Throttle
from mihu_async.core.token import TokenSource
from mihu_async.errors import (
    APIError,
    AuthenticationError,
    ConnectTimeoutError,
    DecodeError,
    RequestTimeoutError,
    TransportError,
)
from mihu_async.hooks import Hooks, around
from mihu_async.value import replace

T = TypeVar("T")

SMALL = 65_536
"""An answer of fewer bytes is read without a break for other tasks."""

logger: logging.Logger = logging.getLogger("mihu_async")
LATE = 60.0
"""The seconds after a call's time within which its write may still be applied."""
IDENTITIES = count(1)


@frozen(kw_only=True)
class Pipeline:
    """Makes calls: sends each request, reads its answer, and retries it by the policy, all before one deadline.

    Attributes:
        sender: The seam to the network.
        secrets: The texts that no error and no log line may show.
        timeout: The bounds of each call.
        retries: The retries that the caller allows.
        limiter: A block that each attempt runs in; None for no limiter.
        hooks: The caller's hooks.
        base_url: The address of the service, for reports.
        throttle: The throttle of the client, which all its calls share.
        server_clock: The service's clock, which all calls of the client estimate.
        contention: The locks of the client's writes.
        clock: The clock of all waits.
        jitter: A function that returns a random number from 0 to 1.
        strict: True if a problem in an answer is an error.
        tokens: The source of each attempt's token; None leaves the token to the sender.
        uncached: True if no cache may answer.
        outer: The deadline of the call for which these calls look something up; None if there is none.
        identity: The identity of the client, which those with other options share.
    """

    sender: Sender
    secrets: tuple[str, ...] = field(repr=False)
    timeout: Timeout
    retries: RetryPolicy
    limiter: Limiter | None = None
    hooks: tuple[Hooks, ...] = ()
    base_url: str = ""
    throttle: Throttle = field(factory=Throttle)
    server_clock: ServerClock = field(factory=ServerClock)
    contention: Contention = field(factory=Contention)
    clock: Clock = field(factory=SystemClock)
    jitter: Callable[[], float] = random.random
    strict: bool = False
    tokens: TokenSource | None = field(default=None, repr=False)
    uncached: bool = False
    outer: Deadline | None = None
    identity: int = field(factory=IDENTITIES.__next__)

    async def run(self, request: Request[T], prefetch: Prefetch | None = None) -> T:
        """Make a call and return its data.

        Args:
            request: The request.
            prefetch: The page of a walk that the call fetches; None for other calls. Such a call waits for the service
                as long as other pages of its walk arrive, and its answer waits for the caller.

        Raises:
            MihuError: If the call fails. The error carries the attempts.
        """
        call = Call(self, request, prefetch)
        run = call.run_alone if request.lookup is not None and request.lookup.key else call.run
        call.pulse.begin()
        try:
            if not self.hooks:
                return await run()
            with around(self.hooks, call.journal.report()):
                return await run()
        finally:
            call.pulse.end()
            LATEST.set((self.identity, call.journal))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A pipeline cannot be pickled or copied: it holds secrets.")


class Call(Generic[T]):
    """One call on its way through the pipeline."""

    def __init__(self, pipeline: Pipeline, request: Request[T], prefetch: Prefetch | None) -> None:
        self._pipeline = pipeline
        self._request = request
        self._prefetch = prefetch
        known = pipeline.tokens.secrets if pipeline.tokens else ()
        self._redact = Redactor((*pipeline.secrets, *known, *request.secrets))
        self._began = self._sent = self._arrived = pipeline.clock.monotonic()
        self.pulse: Pulse = pipeline.clock.pulse()
        self._deadline = Deadline(self._began + pipeline.timeout.total, self.pulse, pipeline.outer)
        self._first_sent: Moment | None = None
        self._free = 0
        self._bounds: Bounds | None = None
        self._blocked = 0.0
        self._excused = False
        self._token = ""
        self._refused: str | None = None
        self.journal: Journal = Journal(request, pipeline.clock, self._redact, pipeline.base_url, pipeline.hooks)

    @cached_property
    def _admission(self) -> Admission:
        """The admission of the call, made only if it has to wait."""
        progress = self._prefetch.progress if self._prefetch and self._pipeline.outer is None else None
        return Admission(self._pipeline, self.journal, self._began, self._deadline, progress)

    @cached_property
    def _reconciler(self) -> Reconciler[T]:
        """The reconciler of a call that makes something, or whose answer was lost."""
        lookup, how_to_check = self._request.lookup, self._request.how_to_check
        return Reconciler(self._pipeline, self.journal, self._deadline, lookup, how_to_check, self._window)

    async def run_alone(self) -> T:
        """Make the call, after other calls of this client that make the same thing."""
        async with self._reconciler.alone(self._request.lookup.key if self._request.lookup else ""):
            return self._reconciler.claim(await self.run())

    async def run(self) -> T:
        """Make the call: one attempt after another, until one succeeds or none can follow."""
        pipeline = self._pipeline
        throttle = pipeline.throttle
        while True:
            self._bounds = None
            try:
                return await self._attempt()
            except (TransportError, DecodeError, APIError) as caught:
                error = caught
            except CancelledError:
                self.journal.cancelled()
                raise
            throttle.note_failure(error, pipeline.retries, pipeline.jitter, pipeline.clock.monotonic(), sent=self._sent)
            match self._decide(error):
                case Retry(delay):
                    self.journal.failed(error, wait=delay)
                    throttle.spend(pipeline.retries.budget)  # before the wait, in which other calls decide
                    await pipeline.clock.sleep(delay)
                case Throttled() | Stalled() | Renew() as free:
                    self._free += 1
                    await self._sit_out(error, free)
                case GiveUp(why):
                    self.journal.failed(error)
                    raise error.after(self.journal.attempts, why)
                case AlreadyDeleted():
                    self.journal.failed(error)
                    return cast("T", None)
                case lost:
                    self.journal.failed(error)
                    settled = await self._reconciler.settle(error, lost.then)
                    if isinstance(settled, Return):
                        return settled.result
                    throttle.spend(pipeline.retries.budget)
                    self.journal.repeated()

    def _may_renew(self, error: Failure) -> bool:
        """Return True if the token was refused and another one may be asked for, which happens once in a call.

        A request that is answered with 401 was not processed, so even a purchase is sent again.
        """
        return (
            isinstance(error, AuthenticationError)
            and self._token != ""
            and self._refused is None
            and self._deadline.left(self._pipeline.clock.monotonic()) > 0
        )

    async def _authorize(self, tokens: TokenSource) -> None:
        """Fetch the token of the next attempt, and hide it from then on."""
        self._token = await self._admission.fetch_token(tokens, refused=self._refused)
        if self._token not in self._redact.secrets:
            self._redact = Redactor((self._token, *self._redact.secrets))
            self.journal.hide(self._redact)

    async def _attempt(self) -> T:
        """Wait for the call's turn, send the request, read the answer, and return its data."""
        pipeline, throttle, now = self._pipeline, self._pipeline.throttle, self._pipeline.clock.monotonic()
        self.journal.begin(now)
        if self._deadline.left(now) <= 0:  # as for a further page of a lookup
            raise self.journal.not_sent("its time was up before")
        if not (throttle.calm or throttle.passes(now)):
            await self._admission.wait()
            self.journal.restart(pipeline.clock.monotonic())
        if pipeline.tokens:
            await self._authorize(pipeline.tokens)
        if pipeline.limiter is None:
            response = await self._send()
        else:
            async with self._admission.limited_by(pipeline.limiter):
                response = await self._send()
        if "X-RateLimit-Remaining" in response.headers:
            throttle.note_headers(response.headers, pipeline.retries, self._arrived, time=pipeline.clock.now())
        if response.ok:
            throttle.note_success(self._arrived, sent=self._sent)
            if self._prefetch is not None:
                self._prefetch.progress.moment = self._arrived
                await self._wait_until_ready(self._prefetch)
        reading = read_fast(response, self._request) or await self._read_closely(response)
        contradiction = self._request.contradiction
        if contradiction is not None and (why := contradiction(reading.data)):
            self.journal.said(reading.message)
            raise contradicted(response, self._request, self._redact, why)
        self.journal.succeeded(reading)
        if throttle.spent:
            throttle.refund(pipeline.retries.budget)
        return reading.data

    async def _wait_until_ready(self, prefetch: Prefetch) -> None:
        """Wait until the caller is ready for the page; this time is the caller's and not the call's."""
        began = self._pipeline.clock.monotonic()
        await prefetch.ready.wait()
        self._deadline.postpone(self._pipeline.clock.monotonic() - began)

    async def _read_closely(self, response: Response) -> Reading[T]:
        """Read an answer in slices, between which other tasks run, until the call's deadline."""
        pipeline = self._pipeline
        slices = read_closely(response, self._request, self._redact, now=pipeline.clock.now(), strict=pipeline.strict)
        while True:
            try:
                next(slices)
            except StopIteration as end:
                return cast("Reading[T]", end.value)
            if len(response.body) < SMALL:
                continue
            await pipeline.clock.sleep(0)
            if self._deadline.left(pipeline.clock.monotonic()) <= 0:
                message = (
                    f"{self.journal.method} {self.journal.path} was answered, but reading the answer took longer than "
                    "the call may take."
                )
                raise RequestTimeoutError(message, method=self.journal.method, url=self._redact.name(response.url))

    async def _send(self) -> Response:
        """Send the request once, and note when it was answered, by our clock and the service's."""
        pipeline, clock, request = self._pipeline, self._pipeline.clock, self._request
        self._sent = sent = clock.monotonic()
        if request.lookup is not None and self._first_sent is None:
            self._first_sent = Moment(sent, clock.now().timestamp())
        if self._token or pipeline.uncached:
            request = replace(request, token=self._token, uncached=pipeline.uncached)
        self.journal.sent, self._blocked = True, self.pulse.blocked
        left = max(self._deadline.left(sent), SHORTEST)
        self._bounds = Bounds(left, pipeline.timeout.connect, pipeline.timeout.read)
        pipeline.throttle.under_way.add(self)
        try:
            response = await pipeline.sender.send(request, self._bounds, self._redact)
        finally:
            pipeline.throttle.release(self)
        self._arrived = arrived = clock.monotonic()
        self.journal.answered(response, arrived)
        date, age = response.headers.get("Date", ""), response.headers.get("Age", "0").strip()
        headed = arrived - response.body_took
        if self._prefetch is not None:
            self._prefetch.date, self._prefetch.sent, self._prefetch.received = date, sent, headed
        if age == "0" and date:
            calendar = clock.now().timestamp() - response.body_took
            pipeline.server_clock.answers.append(Dated(date, sent, Moment(headed, calendar)))
        elif age != "0" and pipeline.uncached:
            why = f"by a cache (Age: {age}) and not by the service itself"
            raise contradicted(response, request, self._redact, why)
        return response

    async def _sit_out(self, error: Failure, free: Throttled | Stalled | Renew) -> None:
        """End an attempt that does not count.

        A pause is waited for with the call's next turn. After the loop was blocked, a page that is fetched ahead is
        sent again only when its caller waits for it, and so frees the loop.
        """
        if isinstance(free, Throttled):
            self.journal.failed(error, wait=free.delay)
            return
        if isinstance(free, Renew):
            self._refused = self._token
            self.journal.failed(error, wait=0.0)
            return
        self._excused = True
        self.journal.failed(error, wait=0.0)
        logger.warning(
            "The event loop was blocked for %.1f s, so %s %s failed with %s, though the service may have answered. "
            "Run the code that blocks it in a thread",
            free.seconds,
            self.journal.method,
            self.journal.path,
            type(error).__name__,
        )
        if self._prefetch is not None:
            await self._wait_until_ready(self._prefetch)

    def _decide(self, error: Failure) -> Verdict:
        pipeline = self._pipeline
        if self._may_renew(error):
            return Renew()
        now = pipeline.clock.monotonic()
        blocked = self.pulse.blocked - self._blocked
        if blocked and self._bounds is not None and not self._excused and self.journal.method == "GET":
            took = now - self._sent - blocked
            if failed_while_blocked(error, took=took, bounds=self._bounds):
                return Stalled(blocked)
        left: float | None = self._deadline.left(now)
        if self._bounds is None and isinstance(error, ConnectTimeoutError):
            left = None  # its turn would come too late, and another attempt's even later
        elif self._bounds is None or (isinstance(error, APIError) and error.status == THROTTLED):
            left = self._admission.left_to_wait(now)
        return decide(
            error,
            method=self.journal.method,
            attempt=self.journal.number - self._free,
            policy=pipeline.retries,
            left=left,
            jitter=pipeline.jitter(),
            affordable=pipeline.throttle.affords(pipeline.retries.budget),
            pause_left=pipeline.throttle.pause_left(now),
            lost=self.journal.lost,
        )

    def _window(self) -> CallWindow | None:
        """Return the call's time on the service's clock, to soon after its deadline; None if that is not known."""
        clock, server_clock = self._pipeline.clock, self._pipeline.server_clock
        now = Moment(clock.monotonic(), clock.now().timestamp())
        began = self._first_sent and server_clock.at(self._first_sent)
        ended = server_clock.at(now.later(min(0.0, self._deadline.left(now.monotonic) + LATE)))
        return CallWindow(began, ended) if began and ended else None
