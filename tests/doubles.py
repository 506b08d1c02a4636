"""Stand-ins for what lies behind the pipeline's seams: time and the network."""

import json
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from aiohttp import ClientSession
from attrs import frozen
from multidict import CIMultiDict

from mihu_async import MihuClient, RequestTimeoutError, RetryPolicy, Timeout
from mihu_async.core.clock import Pulse
from mihu_async.core.envelope import read_closely
from mihu_async.core.options import Bounds
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Reading, Response

T = TypeVar("T")

TOKEN = "sandbox-token-7f3a9c"
URL = "https://acme.mihu.ai/api/v1/phone-numbers"


class Still(Pulse):
    """The pulse of a loop that is blocked only where a test says so: without beats, a hang is one step of time."""

    def begin(self) -> None: ...

    def end(self) -> None: ...


class FakeClock:
    """Time that passes only by sleeping, which may take ``overslept`` seconds longer than asked."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self.overslept = 0.0
        self.bounds: list[float] = []
        self.beats = Still()

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        end = self.seconds + seconds + self.overslept
        if self.bounds and end > min(self.bounds):
            self.seconds = min(self.bounds)
            raise TimeoutError
        self.seconds = end

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncGenerator[None]:
        self.bounds.append(self.seconds + seconds)
        try:
            yield
        finally:
            self.bounds.pop()

    def pulse(self) -> Pulse:
        return self.beats


Prompt = Response | Exception | Callable[[Request[Any]], Response]
"""What an attempt comes to; a function makes the answer for its request."""


@frozen
class Slow:
    """An outcome that takes so many seconds, or as long as its attempt is bound to wait.

    One that ``trickles`` is never silent for long, so that only the whole time of the attempt ends it.
    """

    seconds: float
    outcome: Prompt
    trickles: bool = False


Outcome = Prompt | Slow
"""What an attempt comes to, and how soon."""


class FakeSender:
    """A network that answers from a list, in order; each attempt takes ``took`` seconds."""

    def __init__(self, clock: FakeClock, outcomes: Iterable[Outcome], took: float = 0.0) -> None:
        self.clock = clock
        self.outcomes = list(outcomes)
        self.took = took
        self.sent: list[Request[Any]] = []
        self.bounds: list[Bounds] = []

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        self.sent.append(request)
        self.bounds.append(bounds)
        self.clock.seconds += self.took
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Slow):
            outcome = self._slowly(outcome, request, bounds)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Response) else outcome(request)

    def _slowly(self, slow: Slow, request: Request[Any], bounds: Bounds) -> Prompt:
        bound = bounds.total if slow.trickles else min(bounds.read, bounds.total)
        self.clock.seconds += min(slow.seconds, bound)
        if slow.seconds < bound:
            return slow.outcome
        return RequestTimeoutError("It took too long.", method=request.method, url=request.path)


def response(
    status: int = 200, document: Any = None, *, body: bytes | None = None, complete: bool = True, **headers: Any
) -> Response:
    """Make a response; header names are given with underscores."""
    given = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    payload = json.dumps(document).encode() if body is None else body
    return Response(URL, status, CIMultiDict(given), payload, complete)


def ok(data: Any, **headers: Any) -> Response:
    """Make a successful answer."""
    return response(200, {"success": True, "data": data}, **headers)


def failed(status: int, code: str = "SOME_CODE", **headers: Any) -> Response:
    """Make a refusal in the documented shape."""
    error = {"code": code, "details": "the details", "field": None}
    return response(status, {"success": False, "message": "the message", "error": error}, **headers)


def reading(answer: Response, request: Request[T], *, strict: bool = False) -> Reading[T]:
    """Read an answer closely, to the end."""
    slices = read_closely(answer, request, Redactor((TOKEN,)), now=FakeClock().now(), strict=strict)
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return cast("Reading[T]", end.value)


def pipeline(
    sender: FakeSender, *, timeout: Timeout | None = None, retries: RetryPolicy | None = None, jitter: float = 1.0
) -> Pipeline:
    """Put a call path together in which only the network and the time are not real."""
    return Pipeline(
        sender=sender,
        secrets=(TOKEN,),
        timeout=timeout or Timeout(),
        retries=retries or RetryPolicy(),
        clock=sender.clock,
        jitter=lambda: jitter,
    )


def connections_in_use(*sessions: ClientSession) -> int:
    """Return the number of connections that calls hold now; aiohttp itself shows none."""
    connectors = [session.connector for session in sessions if session.connector]
    return sum(len(connector._acquired) for connector in connectors)  # noqa: SLF001 - aiohttp's own


def client(**options: Any) -> MihuClient:
    """Make a client that waits for nothing between attempts, for tests whose answers come from aioresponses."""
    return MihuClient(TOKEN, base_url="https://acme.mihu.ai", retries=RetryPolicy(base_delay=0), **options)
