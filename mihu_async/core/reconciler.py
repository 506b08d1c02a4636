"""Settles a call whose answer was lost: waits, looks the thing up, and carries the decision out.

Calls of one client that make the same thing wait for each other, and none returns a thing that another one has
returned.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
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


class _Place(State):
    lock: asyncio.Lock
    users: int = 0


class Contention:
    """A lock for each thing that calls want to make, in each event loop, and a record of which call made which thing.

    A client shares it with the clients that its ``with_options`` returns.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[asyncio.AbstractEventLoop, str], _Place] = {}
        self._owners: dict[str, object] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys whose lock a call has or waits for."""
        return tuple(key for _, key in self._places)

    @asynccontextmanager
    async def lock_for(self, key: str) -> AsyncGenerator[asyncio.Lock]:
        """Lend the lock of a key; it is forgotten once no call uses it any more."""
        where = asyncio.get_running_loop(), key
        place = self._places.setdefault(where, _Place(asyncio.Lock()))
        place.users += 1
        try:
            yield place.lock
        finally:
            place.users -= 1
            if not place.users:
                del self._places[where]

    def claim(self, identity: str, owner: object) -> None:
        """Note that ``owner``, a call or a key for several, made the thing of this identity."""
        self._owners[identity] = owner
        while len(self._owners) > KEPT:
            del self._owners[next(iter(self._owners))]

    def is_anothers(self, identity: str, owner: object) -> bool:
        """Return True if another than ``owner`` made the thing of this identity."""
        return self._owners.get(identity, owner) != owner


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
        async with self.pipeline.contention.lock_for(key) as lock:
            try:
                async with self.pipeline.clock.timeout(max(self._left, SHORTEST)):
                    await lock.acquire()
            except TimeoutError:
                why = "another call of this client for the same thing was under way for as long as this one may take"
                error = self.journal.not_sent(why)
                self.journal.begin(self.pipeline.clock.monotonic())
                self.journal.failed(error)
                raise error.after(self.journal.attempts, "") from None
            try:
                yield
            finally:
                lock.release()

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
