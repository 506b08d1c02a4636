"""Many trunks, several at a time: a result for each, and a report that is accurate at every moment."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from itertools import count
from typing import Any, Generic, TypeVar, cast
from weakref import WeakValueDictionary

import attrs
from attrs import frozen

from mihu_async.core.clock import is_cancelled
from mihu_async.core.redaction import hide_secrets
from mihu_async.errors import MihuError, UsageError
from mihu_async.frames import conceals_arguments
from mihu_async.models.channels import NumberChannels
from mihu_async.resources.ensure import Ensured, EnsureOutcome, TrunkSpec
from mihu_async.validation import wrong_type

R = TypeVar("R", bound=TrunkSpec | Mapping[str, Any])

NAMES: tuple[str, ...] = tuple(field.name for field in attrs.fields(TrunkSpec))
NEEDED = NAMES[:3]


@frozen(kw_only=True)
class EnsureResult(Generic[R]):
    """The result of one row."""

    position: int
    """The position of the row, counted from 0."""
    row: R = attrs.field(repr=lambda row: repr(hide_secrets(row)))
    """The row as the caller passed it."""
    ensured: Ensured | None = None
    """The result of ``trunks.ensure`` for the row; None if it raised an error."""
    error: Exception | None = None
    """The error of ``trunks.ensure``, which says whether anything can have changed; None if there was none."""

    @property
    def outcome(self) -> EnsureOutcome | None:
        """The outcome: created, reassigned or unchanged; None if there is an error."""
        return self.ensured.outcome if self.ensured else None

    @property
    def snapshot(self) -> NumberChannels | None:
        """The number's channels; None if there is an error."""
        return self.ensured.snapshot if self.ensured else None


@frozen(kw_only=True)
class EnsureReport(Generic[R]):
    """The progress of a run."""

    created: int = 0
    """The number of trunks that were registered."""
    reassigned: int = 0
    """The number of trunks that were moved to another agent."""
    unchanged: int = 0
    """The number of trunks that served their agent already."""
    failed: int = 0
    """The number of rows that ended with an error."""
    unseen: tuple[EnsureResult[R], ...] = ()
    """The results, counted above, that the caller has not received, or not yet."""
    unfinished: tuple[R, ...] = attrs.field(default=(), repr=lambda rows: repr(hide_secrets(list(rows))))
    """The rows that are under way, or were when the run stopped. They may or may not be done; ensure them again."""
    complete: bool | None = None
    """None during the run; then True if every row is done, and False if the run was stopped or the source failed."""


class EnsureRun(Generic[R]):
    """A run over many rows: the result of ``trunks.ensure_all``. Nothing is sent before it is iterated, once.

    ``async for result in run`` yields a result for each row in the order in which the rows are done;
    ``result.position`` is the position of the row. If a row fails, its result holds the error, and the other rows
    continue. Rows for the same trunk are done one after the other, in the order of the source. No more than
    ``concurrency`` rows are under way or waiting for the caller, and no row is taken from the source before there is
    room for it.

    If the source raises an error, the rows already taken are finished and their results yielded before the error is
    raised. If the caller leaves the loop or is cancelled, the rows under way are cancelled. :attr:`report` shows the
    progress at every moment, and afterwards if you keep the run.

    Args:
        rows: The rows.
        ensure: The function that does one row.
        concurrency: The most rows under way at a time.
    """

    def __init__(
        self,
        rows: Iterable[R] | AsyncIterable[R],
        ensure: Callable[..., Awaitable[Ensured]],
        concurrency: int,
    ) -> None:
        self._rows = rows
        self._ensure = ensure
        self._concurrency = concurrency
        self._begun = False
        self._complete: bool | None = None
        self._counts: Counter[str] = Counter()
        self._under_way: dict[int, R] = {}
        self._unseen: deque[EnsureResult[R]] = deque()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def __repr__(self) -> str:
        return f"<EnsureRun {self.report!r}>"

    @property
    def report(self) -> EnsureReport[R]:
        """The progress so far."""
        return EnsureReport(
            **self._counts,
            unseen=tuple(self._unseen),
            unfinished=tuple(self._under_way.values()),
            complete=self._complete,
        )

    def __aiter__(self) -> AsyncGenerator[EnsureResult[R]]:
        """Begin the run.

        Raises:
            UsageError: If the run was begun before, because the source may be used up.
        """
        if self._begun:
            raise UsageError("This run has begun already; start another one with trunks.ensure_all.")
        self._begun = True
        return self._results()

    async def _results(self) -> AsyncGenerator[EnsureResult[R]]:
        done: asyncio.Queue[EnsureResult[R] | None] = asyncio.Queue()
        room = asyncio.Semaphore(self._concurrency)
        feeder = asyncio.create_task(self._feed(done, room))
        try:
            while (result := await done.get()) is not None:
                self._unseen.popleft()
                room.release()
                yield result
            await feeder
        finally:
            self._complete = bool(self._complete)
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)

    async def _feed(self, done: "asyncio.Queue[EnsureResult[R] | None]", room: asyncio.Semaphore) -> None:
        """Run each row in a task of its own, as far as there is room; raise the source's error when all are done."""
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                try:
                    await self._take(tasks, done, room)
                except Exception as error:  # noqa: BLE001 - the source's own, raised below
                    failure = error
                except asyncio.CancelledError:
                    if is_cancelled():
                        raise
                    failure = MihuError(
                        "The source of the rows was cancelled from within, so there may be more rows. Those that it "
                        "yielded are done."
                    )
            self._complete = failure is None
        finally:
            done.put_nowait(None)
        if failure:
            raise failure

    async def _take(
        self, tasks: asyncio.TaskGroup, done: "asyncio.Queue[EnsureResult[R] | None]", room: asyncio.Semaphore
    ) -> None:
        positions = count()
        await room.acquire()
        async with aclosing(_each(self._rows)) as rows:
            async for row in rows:
                position = next(positions)
                self._under_way[position] = row
                del row  # it may hold credentials, which a report of the source's error might print
                tasks.create_task(self._one(position, done))
                await room.acquire()

    async def _one(self, position: int, done: "asyncio.Queue[EnsureResult[R] | None]") -> None:
        ensured: Ensured | None = None
        failure: Exception | None = None
        try:
            ensured = await self._ensured(self._under_way[position])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's result
            failure = error
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            failure = MihuError(
                "It was cancelled from within, for example by a limiter, and may or may not be done. Ensure it again."
            )
        result = EnsureResult(position=position, row=self._under_way.pop(position), ensured=ensured, error=failure)
        self._counts[result.outcome or "failed"] += 1
        self._unseen.append(result)
        done.put_nowait(result)

    @conceals_arguments
    async def _ensured(self, row: R) -> Ensured:
        arguments = arguments_of(row)
        async with self._lock_for(arguments):
            return await self._ensure(**arguments)

    def _lock_for(self, arguments: Mapping[str, Any]) -> asyncio.Lock:
        """Return the lock of a trunk, so that its rows are done one after the other, in the order of their tasks."""
        trunk = str(arguments["phone_number"]), str(arguments["channel"])
        return self._locks.setdefault(trunk, asyncio.Lock())


def check_rows(rows: Any) -> Any:
    """Check that there are several rows, and not one.

    Args:
        rows: The value to check.

    Raises:
        UsageError: If it is a single row, a text, or not iterable.
    """
    if isinstance(rows, str | bytes | Mapping | TrunkSpec) or not isinstance(rows, Iterable | AsyncIterable):
        raise wrong_type("rows", "several rows", cast("object", rows))
    return cast("Any", rows)


def arguments_of(row: Any) -> dict[str, Any]:
    """Return the arguments of ``trunks.ensure`` that a row holds.

    Args:
        row: A ``TrunkSpec(…)``, or a mapping with the same names.

    Raises:
        UsageError: If the row is anything else, lacks an argument, or has an unknown one.
    """
    if isinstance(row, TrunkSpec):
        given = attrs.asdict(row, recurse=False)
    elif isinstance(row, Mapping):
        given = dict(cast("Mapping[Any, Any]", row))
    else:
        message = f"A row must be TrunkSpec(…) or a mapping, not {type(row).__name__}. Nothing was sent for it."
        raise UsageError(message, argument="row")
    unknown = [name for name in given if name not in NAMES]
    missing = [name for name in NEEDED if name not in given]
    if unknown or missing:
        problem = f"has no {missing[0]!r}" if missing else f"must not hold {unknown[0]!r}, but only {', '.join(NAMES)}"
        raise UsageError(f"A row {problem}. Nothing was sent for it.", argument="row")
    return given


async def _each(rows: Iterable[R] | AsyncIterable[R]) -> AsyncGenerator[R]:
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
            del row  # as in _take
    else:
        for row in rows:
            yield row
            del row
