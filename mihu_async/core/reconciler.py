"""Settles a call whose answer was lost: waits, looks the thing up, and carries the decision out.

Calls of one client that make the same thing wait for each other, and none returns a thing that another one has
returned.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeGuard, TypeVar

from attrs import evolve

from mihu_async.core.admission import SHORTEST
from mihu_async.core.clock import Deadline
from mihu_async.core.journal import Journal
from mihu_async.core.lookup import Absent, Circumstances, Found, Lookup, LookupFailed, LookupResult
from mihu_async.core.redaction import escape
from mihu_async.core.retry import Conflict, Failure, GiveUp, Resend, Retry, Return, Unknown, backoff, settle
from mihu_async.core.server_clock import CallWindow
from mihu_async.errors import ConflictError, MihuError, OutcomeUnknownError, UsageError
from mihu_async.value import State, field, replace

if TYPE_CHECKING:
    from mihu_async.core.pipeline import Pipeline

T = TypeVar("T")

LONGEST = 500
"""The most characters of a lookup's reason that an error quotes."""
KEPT = 10_000
"""The number of claimed things that are remembered."""


class Contention:
    """The calls that want to make the same thing, one after the other, and a record of which call made which thing.

    A client shares it with the clients that its ``with_options`` returns. They may be used from several threads, each
    with an event loop.
    """

    def __init__(self) -> None:
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        self._owners: dict[str, object] = {}
        self._guard = Lock()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that calls hold."""
        return tuple(self._lines)

    async def acquire(self, key: str) -> None:
        """Hold a key, once no other call holds it; the calls that wait get it in their order."""
        turn = asyncio.get_running_loop().create_future()
        with self._guard:
            line = self._lines.get(key)
            if line is None:
                self._lines[key] = deque()
                return
            line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            with self._guard:
                waited = turn in line
                if waited:
                    line.remove(turn)
            if not waited:  # it was this call's turn already
                self.release(key)
            raise

    def release(self, key: str) -> None:
        """Release a key to the next call that waits for it, in whichever loop."""
        with self._guard:
            line = self._lines[key]
            while line:
                turn = line.popleft()
                with suppress(RuntimeError):  # its loop is closed, so it never comes
                    turn.get_loop().call_soon_threadsafe(_give, turn)
                    return
            del self._lines[key]

    def claim(self, identity: str, owner: object) -> None:
        """Note that ``owner``, a call or a key for several, made the thing of this identity."""
        with self._guard:
            self._owners[identity] = owner
            while len(self._owners) > KEPT:
                del self._owners[next(iter(self._owners))]

    def is_anothers(self, identity: str, owner: object) -> bool:
        """Return True if another than ``owner`` made the thing of this identity."""
        return self._owners.get(identity, owner) != owner


def _give(turn: "asyncio.Future[None]") -> None:
    if not turn.done():  # a call that was cancelled meanwhile hands the key on
        turn.set_result(None)


class Reconciler(State, Generic[T]):
    """Finds out whether one call was applied, and notes the thing that it made, so that no other call returns it.

    Attributes:
        pipeline: The pipeline that makes the call.
        journal: The journal of the call.
        deadline: The deadline of the call.
        lookup: The way to find the thing; None if there is none.
        how_to_check: A sentence that says how to check the outcome by hand.
        window: A function that returns the call's time on the service's clock, or None if that is not known.
    """

    pipeline: "Pipeline"
    journal: Journal
    deadline: Deadline
    lookup: Lookup[Any, T] | None
    how_to_check: str
    window: Callable[[], CallWindow | None]
    _itself: object = field(default_factory=object)

    @asynccontextmanager
    async def alone(self, key: str) -> AsyncGenerator[None]:
        """Run the call after those of this client with the same key, which may take as long as its time lasts.

        Raises:
            ConnectTimeoutError: If they take longer. Nothing was sent.
        """
        contention = self.pipeline.contention
        try:
            async with self.pipeline.clock.timeout(max(self._left, SHORTEST)):
                await contention.acquire(key)
        except TimeoutError:
            why = "another call of this client for the same thing was under way for as long as this one may take"
            error = self.journal.not_sent(why)
            self.journal.begin(self.pipeline.clock.monotonic())
            self.journal.failed(error)
            raise error.after(self.journal.attempts, "") from None
        try:
            yield
        finally:
            contention.release(key)

    def claim(self, result: T) -> T:
        """Note that this call made the thing, and return it."""
        if self.lookup is not None and self.lookup.identity is not None:
            self.pipeline.contention.claim(self.lookup.identity(result), self._owner)
        return result

    async def settle(self, error: Failure, then: Retry | GiveUp) -> Return[T] | Resend:
        """Look until the outcome is decided, and return the result or the decision to send the request again.

        Args:
            error: The failure of the last attempt.
            then: The verdict on whether the request may be sent again.

        Raises:
            ConflictError: If the requested thing is someone else's.
            OutcomeUnknownError: If the outcome cannot be determined in the call's time.
        """
        clock, policy = self.pipeline.clock, self.pipeline.retries
        pause = then.delay if isinstance(then, Retry) else backoff(policy, self.journal.number, self.pipeline.jitter())
        why = "It was not sent again." if self.lookup is None else "There was no time to look it up."
        looks = 0
        while self.lookup and self._left > 0:
            pause = pause if pause < self._left else 0.0
            await clock.sleep(pause)
            result = await self._look(self.lookup, self.deadline, thorough=isinstance(then, GiveUp))
            self.journal.looked(result, waited=pause)
            looks += 1
            match settle(result, then=then, looks=looks, policy=policy, left=self._left):
                case Return() | Resend() as settled:
                    return settled
                case Conflict(reason):
                    raise self._conflict(reason).after(self.journal.attempts, "") from error
                case Unknown(reason):
                    why = f"It was looked up: {reason}."
                    break
                case later:
                    pause = later.delay
        stopped = then.why if isinstance(then, GiveUp) else ""
        raise self._unknown(f"{error} {why}", error.url).after(self.journal.attempts, stopped) from error

    async def again(self) -> T | None:
        """Look once more after the call, for the ``check()`` of the error.

        Returns:
            The result of the call, or None if the thing is not there now.

        Raises:
            UsageError: If there is no lookup for the call.
            ConflictError: If the requested thing is someone else's.
            OutcomeUnknownError: If the outcome is still unknown.
        """
        if self.lookup is None:
            raise UsageError(f"There is no lookup for this call. {self.how_to_check}".rstrip())
        clock = self.pipeline.clock
        deadline = Deadline(clock.monotonic() + self.pipeline.timeout.total, clock.pulse())
        match await self._look(self.lookup, deadline, thorough=True):
            case Found(result, ours=True):
                return result
            case Absent():
                return None
            case Found(ours=False, reason=reason):
                raise self._conflict(reason)
            case unclear:
                raise self._unknown(f"It was looked up again: {unclear.reason}.", self.journal.path)

    async def _look(self, lookup: Lookup[Any, T], deadline: Deadline, *, thorough: bool) -> LookupResult[T]:
        """Look once. If a filter may have hidden the call's own thing, look again through everything."""
        # the answers may echo secrets of this call, and its outcome matters more than an odd field of another number
        secrets = self.journal.redact.secrets
        pipeline = evolve(self.pipeline, outer=deadline, uncached=True, secrets=secrets, strict=False)
        try:
            result = await self._find(lookup, pipeline, thorough=thorough and not lookup.is_filtered)
            if lookup.is_filtered and (thorough or isinstance(result, Found)) and not _is_ours(result):
                result = await self._find(lookup, pipeline, thorough=True)
        except MihuError as error:
            return LookupFailed(self.journal.redact(f"the lookup failed: {error}").removesuffix("."))
        if _is_ours(result):
            self.claim(result.result)
        return result

    async def _find(self, lookup: Lookup[Any, T], pipeline: "Pipeline", *, thorough: bool) -> Found[T] | Absent:
        found = await lookup.find(pipeline, thorough)
        if found is None:
            return Absent()
        result = lookup.judge(found, Circumstances(self.window(), self._is_anothers))
        return replace(result, reason=escape(self.journal.redact(result.reason), most=LONGEST))

    def _is_anothers(self, identity: str) -> bool:
        return self.pipeline.contention.is_anothers(identity, self._owner)

    @property
    def _owner(self) -> object:
        return self._itself if self.lookup is None or self.lookup.owner is None else self.lookup.owner

    @property
    def _left(self) -> float:
        return self.deadline.left(self.pipeline.clock.monotonic())

    def _conflict(self, reason: str) -> ConflictError:
        summary = f"{self.journal.method} {self.journal.path} did not achieve what was asked for: {reason}."
        return ConflictError(summary, method=self.journal.method, url=self.journal.path, status=HTTPStatus.CONFLICT)

    def _unknown(self, why: str, url: str) -> OutcomeUnknownError:
        method, path = self.journal.method, self.journal.path
        return OutcomeUnknownError(
            f"{method} {path} may or may not have been applied: {why} {self.how_to_check}".rstrip(),
            method=method,
            url=url,
            how_to_check=self.how_to_check,
            look=self.again,
        )


def _is_ours(result: Found[T] | Absent) -> TypeGuard[Found[T]]:
    return isinstance(result, Found) and result.ours is True
