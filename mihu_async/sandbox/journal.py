"""What arrived at the sandbox, in order of arrival."""

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
"""How many requests a journal keeps unless told otherwise."""
BODIES = 16 * 1024 * 1024
"""How many bytes the answers that a journal keeps have together."""


@attrs.frozen(kw_only=True, hash=False)
class JournalEntry:
    """One request as it arrived, and what became of it. Headers and body hold secrets, and stay out of the repr."""

    method: str
    """The verb."""
    path: str
    """Decoded."""
    query: tuple[tuple[str, str], ...] = ()
    """Names and values in order, decoded."""
    raw_query: str = ""
    """The query as it was on the wire."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """Read without regard to case. They hold the token."""
    body: bytes = attrs.field(default=b"", repr=False)
    """As it came. It may hold SIP passwords."""
    status: int | None = None
    """`None` until an answer begins, and for ever where the connection was broken or left instead."""
    fault: str | None = None
    """The name of the fault that was played, if one was."""
    serial: int = 0
    """The place in the order of arrival, from 1; the `X-Request-Id` of the answer holds it."""
    arrived_at: datetime | None = None
    """When the request arrived."""
    seconds: float | None = None
    """How long the sandbox took until the answer began, or until the connection was broken; None while it works."""
    answer: Answer | None = attrs.field(default=None, repr=False)
    """The answer as it was sent; None until it begins, and for an old request whose answer is no longer kept."""

    @property
    def json(self) -> Any:
        """The decoded body, `None` for an empty one; `ValueError` when it is no JSON."""
        return decode(self.body) if self.body else None


class Journal(Sequence[JournalEntry]):
    """The requests that arrived since the start or the last `clear()`.

    An entry is written on arrival, before any fault, and replaced by a finished one when the answer begins; so look
    it up again rather than keep it. Safe to read from any thread. What is no HTTP at all is refused by the server
    below and leaves no entry.

    It keeps the last `limit` requests, and the answers of the latest of them, up to 16 MiB; `dropped` counts the
    requests that it kept no longer.
    """

    def __init__(self, limit: int = LIMIT, *, changed: Callable[[], None] = lambda: None) -> None:
        if limit < 1:
            raise ValueError("a journal keeps at least one request")
        self.dropped: int = 0
        """How many requests left the journal because newer ones took their place."""
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
        """Return the entries with this method and path; the path as in `Faults.add`."""
        selector = Selector(method=method, path=path)
        return tuple(entry for entry in self._snapshot() if selector.matches(entry))

    def find(self, serial: int) -> JournalEntry | None:
        """Return the entry with a serial number, or None where the journal holds it no more."""
        with self._lock:
            return self._entries.get(serial)

    def clear(self) -> None:
        """Forget all entries. Requests still under way are not written again."""
        with self._lock:
            self._entries.clear()
            self._answered.clear()
            self._size = self.dropped = 0
        self._changed()

    def record(self, entry: JournalEntry) -> int:
        """Write an arrival and return its serial number, which counts from 1 and is never used again."""
        with self._lock:
            self._serial = serial = self._serial + 1
            self._entries[serial] = attrs.evolve(entry, serial=serial)
            if len(self._entries) > self._limit:
                del self._entries[next(iter(self._entries))]
                self.dropped += 1
        self._changed()
        return serial

    def note(self, serial: int, **outcome: Any) -> None:
        """Set fields of an entry, such as `fault` or `status`, unless it is no longer kept."""
        with self._lock:
            entry = self._entries.get(serial)
            if entry is None:
                return
            self._entries[serial] = attrs.evolve(entry, **outcome)
            if answer := outcome.get("answer"):
                self._make_room(serial, len(answer.body))
        self._changed()

    def _make_room(self, serial: int, size: int) -> None:
        """Count the answer of an entry, and forget the oldest answers where all are too large together."""
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
