"""The requests that arrived at the sandbox, in order of arrival."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any, overload

import attrs

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.selection import Selector
from mihu_async.sandbox.wire import decode

LIMIT = 10_000
"""The number of requests that a journal keeps by default."""
BODIES = 16 * 1024 * 1024
"""The maximum size in bytes of all answers that a journal keeps."""


@attrs.frozen(kw_only=True, hash=False)
class JournalEntry:
    """A request as it arrived, and its outcome. Headers and body contain secrets, and are not in the repr."""

    method: str
    """The HTTP method, in capitals."""
    path: str
    """The decoded path."""
    query: tuple[tuple[str, str], ...] = ()
    """The decoded names and values of the query, in order."""
    raw_query: str = ""
    """The query as it was on the wire."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """The headers, whose names ignore case. They contain the token."""
    body: bytes = attrs.field(default=b"", repr=False)
    """The body as it arrived. It may contain SIP passwords."""
    status: int | None = None
    """The status of the answer. None until the answer begins, and if the connection was broken or the client left."""
    fault: str | None = None
    """The name of the fault that was played; None if there was none."""
    serial: int = 0
    """The position in the order of arrival, from 1; the `X-Request-Id` of the answer contains it."""
    arrived_at: datetime | None = None
    """The time of arrival."""
    seconds: float | None = None
    """The seconds until the answer began or the connection was broken; None before."""
    answer: Answer | None = attrs.field(default=None, repr=False)
    """The answer as it was sent; None until it begins, and for an old request whose answer is no longer kept."""

    @property
    def json(self) -> Any:
        """The decoded body, `None` if it is empty; reading it raises `ValueError` if the body is not JSON."""
        return decode(self.body) if self.body else None


class Journal(Sequence[JournalEntry]):
    """The requests that arrived since the start or the last `clear()`.

    An entry is written on arrival, before any fault, and replaced by a finished one when the answer begins; so read it
    again from the journal instead of keeping it. Safe to read from any thread. A message that is not HTTP is refused by
    the server below, and leaves no entry.

    Args:
        limit: The number of requests to keep. The answers of the latest requests are kept too, up to 16 MiB.
        changed: The function that is called after every change.
    """

    def __init__(self, limit: int = LIMIT, *, changed: Callable[[], None] = lambda: None) -> None:
        if limit < 1:
            raise ValueError("a journal keeps at least one request")
        self.dropped: int = 0
        """The number of requests that the journal has discarded for newer ones."""
        self._limit = limit
        self._changed = changed
        self._lock = Lock()
        self._serial = 0
        self._entries: dict[int, JournalEntry] = {}
        self._answered: deque[tuple[int, int]] = deque()
        self._size = 0

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> JournalEntry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[JournalEntry, ...]: ...
    def __getitem__(self, index: int | slice) -> JournalEntry | tuple[JournalEntry, ...]:
        return self._snapshot()[index]

    def __repr__(self) -> str:
        return f"Journal({list(self._snapshot())!r})"

    def select(self, *, method: str | None = None, path: str | None = None) -> tuple[JournalEntry, ...]:
        """Return the entries with a method and a path.

        Args:
            method: The HTTP method; None selects any.
            path: The path, as in `Faults.add`; None selects any.
        """
        selector = Selector(method=method, path=path)
        return tuple(entry for entry in self._snapshot() if selector.matches(entry))

    def find(self, serial: int) -> JournalEntry | None:
        """Return the entry with a serial number, or None if the journal no longer keeps it.

        Args:
            serial: The position in the order of arrival, from 1.
        """
        with self._lock:
            return self._entries.get(serial)

    def clear(self) -> None:
        """Remove all entries. Requests still in progress are not recorded again."""
        with self._lock:
            self._entries.clear()
            self._answered.clear()
            self._size = self.dropped = 0
        self._changed()

    def record(self, entry: JournalEntry) -> int:
        """Record an arrival, and return its serial number, which counts from 1 and is never reused.

        Args:
            entry: The request as it arrived.
        """
        with self._lock:
            self._serial = serial = self._serial + 1
            self._entries[serial] = attrs.evolve(entry, serial=serial)
            if len(self._entries) > self._limit:
                del self._entries[next(iter(self._entries))]
                self.dropped += 1
        self._changed()
        return serial

    def note(self, serial: int, **outcome: Any) -> None:
        """Set fields of an entry, unless it is no longer kept.

        Args:
            serial: The serial number of the entry.
            **outcome: The fields, such as `fault` or `status`.
        """
        with self._lock:
            entry = self._entries.get(serial)
            if entry is None:
                return
            self._entries[serial] = attrs.evolve(entry, **outcome)
            if answer := outcome.get("answer"):
                self._make_room(serial, len(answer.body))
        self._changed()

    def _make_room(self, serial: int, size: int) -> None:
        """Add the size of an entry's answer, and drop the oldest answers if their total is too large."""
        self._answered.append((serial, size))
        self._size += size
        while self._size > BODIES:
            oldest, size = self._answered.popleft()
            self._size -= size
            if entry := self._entries.get(oldest):
                self._entries[oldest] = attrs.evolve(entry, answer=None)

    def _snapshot(self) -> tuple[JournalEntry, ...]:
        with self._lock:
            return tuple(self._entries.values())
