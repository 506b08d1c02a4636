"""The changes in a listing: walks it again and again, and yields the differences."""

import asyncio
import logging
import zlib
from base64 import b64decode, b64encode
from collections import deque
from contextlib import aclosing
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast

from attrs import frozen

from mihu_async.core.clock import Clock, is_cancelled
from mihu_async.core.codec import ParseError, dump, parse
from mihu_async.core.problems import Problems
from mihu_async.errors import APIError, MihuError, TransportError, UsageError
from mihu_async.models.numbers import PhoneNumber
from mihu_async.paging.pager import Pager
from mihu_async.reports import WalkReport

INTERVAL = 60.0
"""Seconds between two walks by default."""
SLOWEST = 8
"""The most intervals between two walks, however many fail in a row."""
LONGEST = 86_400.0
"""The longest pause in seconds that is kept: a service that names a longer one, or writes a time of day for a duration,
is asked again after a day.
"""
MAY_PASS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, 499})
"""The refusals below 500 after which the next walk may succeed."""

logger: logging.Logger = logging.getLogger("mihu_async")


class ChangeKind(StrEnum):
    """The kind of a change in a listing."""

    ADDED = "added"
    """The row is new: bought or registered, or let in by the filters now."""
    REMOVED = "removed"
    """The row is gone: released or deleted, or kept out by the filters now."""
    CHANGED = "changed"
    """The row differs from before in any field."""


@frozen(kw_only=True)
class Change:
    """One difference between two walks of a listing."""

    kind: ChangeKind
    """The kind of the change; a member equals its string, such as ``"added"``."""
    before: PhoneNumber | None
    """The row before the change; None if it is new."""
    after: PhoneNumber | None
    """The row after the change; None if it is gone."""

    @property
    def number(self) -> str:
        """The row's number, E.164: its present one, if the row is still there."""
        return cast("PhoneNumber", self.after or self.before).number


class Watcher:
    """The result of ``watch()``: ``async for change in watcher`` yields each :class:`Change` of a listing, once.

    Nothing is sent before that. The watcher walks the listing, waits for ``interval`` seconds, walks it again, and
    compares. The first walk sets the base and yields nothing, unless ``since`` supplied a base. A walk counts only if
    it is proved complete (``report.complete is True``), so that no row is called removed because it slipped from one
    page to another; any other walk yields nothing, and the next one may. A row that came and went between two walks is
    not seen.

    A walk that fails slows the watcher down: to twice the time with each failure in a row, up to eight intervals, or as
    long as the service asks for, at most a day, with a WARNING in the log. The watcher goes on when the service does.
    It ends with the error if the next walk would fail too: a refusal such as AuthenticationError, a certificate that is
    not trusted, a client that was closed in the middle of a walk.

    Nothing is under way between two changes, so a ``break`` leaves nothing behind. ``async with watcher`` and
    :meth:`aclose`, also from another task, end a walk or a wait that is under way, and the loop over the watcher. One
    task at a time may wait for a change.

    The watcher holds each row as compressed JSON, about half a kilobyte, so that it can yield ``before``: a digest
    could not name a number that is gone.

    Args:
        pager: The pager of the listing.
        clock: The clock.
        path: The path of the listing, for the log.
        interval: Seconds between two walks.
        since: A snapshot to begin with; None for none.
    """

    def __init__(self, pager: Pager[PhoneNumber], clock: Clock, path: str, *, interval: float, since: Any) -> None:
        self._pager = pager
        self._clock = clock
        self._path = path
        self._interval = interval
        self._origin = pager.checkpoint()
        self._base: dict[str, bytes] | None = None if since is None else _restore(since, pager)
        self._pending: deque[tuple[ChangeKind, str, bytes | None]] = deque()
        self._delivered: tuple[str, bytes | None] | None = None
        self._due = 0.0
        self._failures = 0
        self._error: MihuError | None = None
        self._work: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def error(self) -> MihuError | None:
        """The error of the latest walk; None if it did not fail."""
        return self._error

    @property
    def report(self) -> WalkReport:
        """The report of the latest walk, as of now."""
        return self._pager.report

    async def take_base(self) -> str:
        """Make the first walk now, unless there is a base, and return its snapshot. The walk yields no change.

        Later changes are yielded, in this process or in a later one. A walk that fails, or that is not proved complete,
        is repeated as the others are.

        Raises:
            UsageError: If the watcher was closed.
            MihuError: If an error ends the watcher.
        """
        self._check_alone()
        while self._base is None and not self._closed:
            await self._look()
        taken = self.snapshot()
        if taken is None:
            raise UsageError("This watcher was closed before it had a base. Make another one.")
        return taken

    def snapshot(self) -> str | None:
        """Return the known rows as text, for ``watch(since=…)``, also in another process. None before the first walk.

        The snapshot is taken after the last change for which the caller has asked for the next one. So a watch that
        begins there repeats the change that the caller held, and loses none. It holds the rows themselves, compressed,
        and no token: about a tenth of their JSON.
        """
        if self._base is None:
            return None
        rows = (zlib.decompress(row) for row in self._base.values())
        return b64encode(zlib.compress(b"\n".join([self._origin.encode(), *rows]))).decode()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        self._check_alone()
        base = self._settle()
        while not (self._closed or self._pending):
            await self._look()
            base = self._settle()
        if self._closed:
            raise StopAsyncIteration
        kind, uuid, after = self._pending.popleft()
        self._delivered = uuid, after
        return Change(kind=kind, before=_unpack(base.get(uuid)), after=_unpack(after))

    async def aclose(self) -> None:
        """End the watcher and any work that is under way: the loop of a task that waits for a change ends."""
        self._closed = True
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<Watcher of {self._path}, every {self._interval:g} s>"

    def _check_alone(self) -> None:
        if self._work is not None:
            raise UsageError(
                "Another task is waiting for this watcher's next change. Only one may: make a second watcher."
            )

    def _settle(self) -> dict[str, bytes]:
        """Apply the change that was yielded last to the base, and return the base."""
        base = {} if self._base is None else self._base
        delivered, self._delivered = self._delivered, None
        match delivered:
            case (uuid, None):
                del base[uuid]
            case (uuid, bytes(row)):
                base[uuid] = row
            case _:
                pass
        return base

    async def _look(self) -> None:
        """Wait and walk once, in a task of its own, which can be ended from elsewhere."""
        self._work = asyncio.create_task(self._wait_and_walk())
        try:
            await self._work
        except asyncio.CancelledError:
            if is_cancelled() or not self._closed:
                raise
        finally:
            self._work = None

    async def _wait_and_walk(self) -> None:
        if (left := self._due - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        pause = self._interval
        try:
            found = await self._walk()
        except MihuError as error:
            self._error = error
            if ends(error):
                raise
            pause = pause_after(error, self._failures, self._interval)
            self._failures += 1
            message = "The walk that watches %s failed with %s, the next one begins in %.3g s"
            logger.warning(message, self._path, type(error).__name__, pause)
        else:
            self._error, self._failures = None, 0
            if self._pager.report.complete is True:
                self._compare(found)
        self._due = self._clock.monotonic() + pause

    async def _walk(self) -> dict[str, bytes]:
        """Read the listing; a row that is unchanged is the same object."""
        base = self._base or {}
        found: dict[str, bytes] = {}
        async with aclosing(self._pager.pages()) as pages:
            async for page in pages:
                for row in page.items:
                    uuid = row.phone_number_uuid.lower()
                    known, now = base.get(uuid), dump(row)
                    same = known is not None and zlib.decompress(known) == now
                    found[uuid] = known if known is not None and same else zlib.compress(now, 1)
        return found

    def _compare(self, found: dict[str, bytes]) -> None:
        base, self._base = self._base, found if self._base is None else self._base
        if base is None:
            return
        for uuid, row in found.items():
            known = base.get(uuid)
            if known is None:
                self._pending.append((ChangeKind.ADDED, uuid, row))
            elif known is not row and _unpack(known) != _unpack(row):  # 9.90 for 9.9 is no change
                self._pending.append((ChangeKind.CHANGED, uuid, row))
        self._pending.extend((ChangeKind.REMOVED, uuid, None) for uuid in base if uuid not in found)


def ends(error: MihuError) -> bool:
    """Return True if the next walk would fail in the same way, so that watching on would only hide the error."""
    match error:
        case APIError(status=status):
            return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in MAY_PASS
        case TransportError(is_permanent=permanent):
            return permanent
        case _:
            return isinstance(error, UsageError)


def pause_after(error: MihuError, failures: int, interval: float) -> float:
    """Return the pause in seconds after a walk that failed.

    Args:
        error: The error of the walk.
        failures: The number of walks that failed right before it.
        interval: Seconds between two walks.
    """
    asked = error.retry_after if isinstance(error, APIError) else None
    return max(interval * min(2.0 ** min(failures, SLOWEST), SLOWEST), min(asked or 0.0, LONGEST))


def _unpack(row: bytes | None) -> PhoneNumber | None:
    from mihu_async.core.converter import structure  # noqa: PLC0415 - cattrs is loaded with the first change

    return None if row is None else structure(parse(zlib.decompress(row), exact=True), PhoneNumber, Problems())


def _restore(text: Any, pager: Pager[PhoneNumber]) -> dict[str, bytes]:
    """Return the rows of a snapshot, or raise UsageError if it is not a snapshot of this listing."""
    try:
        origin, *rows = zlib.decompress(b64decode(text, validate=True)).split(b"\n")
        base = {str(parse(row)["phone_number_uuid"]).lower(): zlib.compress(row, 1) for row in rows}
        pager.with_options(resume=origin.decode())
    except UsageError as error:
        raise UsageError(str(error).replace("resume", "since", 1), argument="since") from None
    except (TypeError, ValueError, KeyError, zlib.error, ParseError):
        raise UsageError("since cannot be used: it is not a result of snapshot().", argument="since") from None
    return base
