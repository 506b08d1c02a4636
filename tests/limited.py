"""Services that take only so many requests, on a clock that costs no time: each kind of limit.

``python -m tests.limited`` prints the table of docs/limits.md.
"""

import asyncio
import json
import logging
import math
import random
import selectors
import statistics
import sys
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import cache
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

from attrs import define, field, frozen
from multidict import CIMultiDict

from mihu_async import MihuClient, MihuError
from mihu_async.core.options import Bounds
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from tests.internals import with_pipeline
from tests.virtual import VirtualClock, VirtualLoop

T = TypeVar("T")

PAGES = 60
"""How many pages a listing has, unless told otherwise: of one number each."""


class Limit(Protocol):
    """Takes a request or not, and says how many it would take now and in how many seconds it takes one again."""

    size: int

    def take(self, now: float) -> bool: ...
    def remaining(self, now: float) -> int: ...
    def opens(self, now: float) -> float: ...


@define
class FixedWindow:
    """So many in each period, which begin at fixed moments."""

    size: int
    period: float = 1.0
    _taken: Counter[int] = field(factory=Counter[int])

    def take(self, now: float) -> bool:
        if not self.remaining(now):
            return False
        self._taken[int(now / self.period)] += 1
        return True

    def remaining(self, now: float) -> int:
        return self.size - self._taken[int(now / self.period)]

    def opens(self, now: float) -> float:
        return self.period - now % self.period


@define
class SlidingWindow:
    """So many in any period."""

    size: int
    period: float = 1.0
    _taken: deque[float] = field(factory=deque[float])

    def take(self, now: float) -> bool:
        if not self.remaining(now):
            return False
        self._taken.append(now)
        return True

    def remaining(self, now: float) -> int:
        while self._taken and self._taken[0] <= now - self.period:
            self._taken.popleft()
        return self.size - len(self._taken)

    def opens(self, now: float) -> float:
        return self._taken[0] + self.period - now if self._taken else 0.0


@define
class TokenBucket:
    """So many a second, and at once as many as were saved, up to the size: nginx's is one of these."""

    rate: float
    size: int
    _tokens: float = field(init=False)
    _at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self.size

    def take(self, now: float) -> bool:
        if not self.remaining(now):
            return False
        self._tokens -= 1
        return True

    def remaining(self, now: float) -> int:
        self._tokens = min(self.size, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return int(self._tokens + 1e-9)

    def opens(self, now: float) -> float:
        return max(0.0, (1 - self._tokens) / self.rate)


@define
class Service:
    """The API over memory, behind a limit; ``says`` names what it tells of the limit.

    ``nothing``: a gateway's page. ``retry-after``: whole seconds, rounded up. ``laravel``: that and what remains, and
    the reset only with a refusal. ``reset``: what remains and the reset with each answer.
    """

    clock: VirtualClock
    limit: Limit
    says: str = "nothing"
    pages: int = PAGES
    latency: float = 0.02
    chance: random.Random = field(factory=lambda: random.Random(7))
    refused: int = 0
    taken: int = 0
    bought: dict[str, dict[str, Any]] = field(factory=dict[str, dict[str, Any]])
    lose: int = 0
    sent_at: list[float] = field(factory=list[float])

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        way = self.latency * (0.5 + self.chance.random()) / 2
        await self.clock.sleep(way)
        now = self.clock.monotonic()
        self.sent_at.append(now)
        if self.limit.take(now):
            self.taken += 1
            answer = self._answer(request, now)
        else:
            self.refused += 1
            answer = self._refuse(now)
        await self.clock.sleep(way)
        return answer

    def _headers(self, now: float, *, refused: bool) -> CIMultiDict[str]:
        headers = CIMultiDict({"Content-Type": "application/json", "Date": self.clock.header()})
        opens = max(1, math.ceil(self.limit.opens(now)))
        if refused and self.says != "nothing":
            headers["Retry-After"] = str(opens)
        if self.says in {"laravel", "reset"}:
            headers["X-RateLimit-Limit"] = str(self.limit.size)
            headers["X-RateLimit-Remaining"] = str(self.limit.remaining(now))
        if self.says == "reset" or (self.says == "laravel" and refused):
            reset = self.clock.now() + timedelta(seconds=self.limit.opens(now))
            headers["X-RateLimit-Reset"] = str(math.ceil(reset.timestamp()))
        return headers

    def _refuse(self, now: float) -> Response:
        headers = self._headers(now, refused=True)
        if self.says == "nothing":
            headers["Content-Type"] = "text/html"
        return Response("https://x/", 429, headers, b"<html><h1>429 Too Many Requests</h1></html>")

    def _answer(self, request: Request[Any], now: float) -> Response:
        headers = self._headers(now, refused=False)
        if request.method == "POST":
            return self._write(request, headers)
        if "channels" in request.path:  # there are no trunks yet
            return Response("https://x/", 404, headers, b"{}")
        number = int(parse_qs(request.query).get("page", ["1"])[0])
        rows = [{"phone_number_uuid": str(number), "number": f"+3900{number}", "is_external": False}]
        search = parse_qs(request.query).get("search")
        if search:
            rows = [row for row in self.bought.values() if row["number"] == f"+{search[0]}"]
            return self._ok({"items": rows, "pagination": self._pagination(1, 1, len(rows))}, headers)
        return self._ok({"items": rows, "pagination": self._pagination(number, self.pages, self.pages)}, headers)

    def _pagination(self, number: int, last: int, total: int) -> dict[str, Any]:
        return {
            "current_page": number,
            "per_page": 1,
            "total": total,
            "last_page": last,
            "has_more": number < last,
            "from": number,
            "to": number,
        }

    def _write(self, request: Request[Any], headers: CIMultiDict[str]) -> Response:
        body = json.loads(request.body or b"{}")
        number = body.get("number") or body.get("phone_number")
        row = {
            "phone_number_uuid": number,
            "number": number,
            "is_external": "phone_number" in body,
            "purchased_at": self.clock.to_the_second().isoformat(),
        }
        self.bought[number] = row
        if self.lose:
            self.lose -= 1
            return Response("https://x/", 504, headers, b"")
        if "phone_number" in body:
            row = {"number": number, "phone_number_uuid": number, "is_external": True, "channels": {}}
        return self._ok(row, headers)

    def _ok(self, data: Any, headers: CIMultiDict[str]) -> Response:
        return Response("https://x/", 200, headers, json.dumps({"success": True, "data": data}).encode())


class Skipping(selectors.DefaultSelector):
    """Waits for nothing: there is no network."""

    def __init__(self, loop: "Timeless") -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self._loop.seconds += timeout
            timeout = 0
        return super().select(timeout)


class Timeless(VirtualLoop):
    """A virtual loop without a network, so that time is moved on at once."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.turn = None
        asyncio.SelectorEventLoop.__init__(self, Skipping(self))


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Run on a loop of its own time, to its end, without asyncio's debugging, which keeps a traceback of each call."""
    loop.set_debug(False)
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


LIMITS: dict[str, Callable[[int], Limit]] = {
    "fixed window of a second": FixedWindow,
    "sliding window of a second": SlidingWindow,
    "token bucket of a second": lambda rate: TokenBucket(rate, rate),
    "token bucket of 20": lambda rate: TokenBucket(rate, 20),
    "nginx, `burst=3 nodelay`": lambda rate: TokenBucket(rate, 4),
}
SAYS = {
    "nothing": "nothing",
    "retry-after": "`Retry-After`",
    "laravel": "`Retry-After`, `X-RateLimit-Remaining`",
}
RATES = (2, 5, 20)
WIDTHS = (1, 8, 64)


@frozen
class Walked:
    """What came of some walks at a time: how many requests a page took, and the time beside that of the limit."""

    complete: bool
    requests: float
    slowness: float


def client_of(service: Service, *, concurrency: int = 4, **options: Any) -> MihuClient:
    """Make a client of a service, on its clock."""
    mihu = MihuClient("t", base_url="https://acme.mihu.ai", concurrency=concurrency, **options)
    return with_pipeline(mihu, sender=service, clock=service.clock, jitter=random.Random(7).random)


@cache
def walked(kind: str, says: str, rate: int, concurrency: int, walks: int = 1, latency: float = 0.05) -> Walked:
    """Walk a listing behind a limit, several times at once, with one client."""
    loop = Timeless()
    service = Service(VirtualClock(loop), LIMITS[kind](rate), says, latency=latency)
    mihu = client_of(service, concurrency=concurrency)

    async def walk() -> bool:
        pager = mihu.numbers.list(per_page=1)
        try:
            items = await pager.collect()
        except MihuError:
            return False
        return len(items) == PAGES and pager.report.complete is True

    async def main() -> bool:
        return all(await asyncio.gather(*(walk() for _ in range(walks))))

    began = loop.time()
    complete = run(main(), loop)
    pages = PAGES * walks
    at_best = max(pages / rate, PAGES * latency / concurrency)
    return Walked(complete, len(service.sent_at) / pages, (loop.time() - began) / at_best)


def table() -> str:
    """Make the table of docs/limits.md."""
    rows = ["| limit | " + " | ".join(SAYS.values()) + " |", "|---" * (1 + len(SAYS)) + "|"]
    for kind in LIMITS:
        cells = []
        for says in SAYS:
            taken = [walked(kind, says, rate, width).requests for rate in RATES for width in WIDTHS]
            cells.append(f"{statistics.mean(taken):.2f}, at most {max(taken):.2f}")
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(rows)


if __name__ == "__main__":
    logging.disable()
    sys.stdout.write(f"{table()}\n")
