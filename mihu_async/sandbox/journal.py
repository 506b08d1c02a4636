"""What arrived at the sandbox, in order of arrival."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, overload

import attrs

from mihu_async.sandbox.selection import Selector
from mihu_async.sandbox.wire import decode


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

    @property
    def json(self) -> Any:
        """The decoded body, `None` for an empty one; `ValueError` when it is no JSON."""
        return decode(self.body) if self.body else None


class Journal(Sequence[JournalEntry]):
    """The requests that arrived since the start or the last `clear()`.

    An entry is written on arrival, before any fault, and replaced by a finished one when the answer begins; so look
    it up again rather than keep it. Safe to read from any thread. What is no HTTP at all is refused by the server
    below and leaves no entry.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._serial = 0
        self._entries: dict[int, JournalEntry] = {}

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

    def clear(self) -> None:
        """Forget all entries. Requests still under way are not written again."""
        with self._lock:
            self._entries.clear()

    def record(self, entry: JournalEntry) -> int:
        """Write an arrival and return its serial number, which counts from 1 and is never used again."""
        with self._lock:
            self._serial += 1
            self._entries[self._serial] = entry
            return self._serial

    def note(self, serial: int, *, status: int | None = None, fault: str | None = None) -> None:
        """Add to an entry what became of it, unless it was cleared away."""
        with self._lock:
            if entry := self._entries.get(serial):
                self._entries[serial] = attrs.evolve(
                    entry, status=entry.status if status is None else int(status), fault=fault or entry.fault
                )

    def _snapshot(self) -> tuple[JournalEntry, ...]:
        with self._lock:
            return tuple(self._entries.values())
