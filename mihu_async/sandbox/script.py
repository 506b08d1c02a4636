"""The script of faults: which fault meets which request."""

from collections.abc import Callable
from threading import Lock

import attrs

from mihu_async.sandbox.exchange import Fault
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.scripts import SCRIPTS
from mihu_async.sandbox.selection import Selector


@attrs.define
class Line:
    """A fault of the script, and how often it is still to be played."""

    fault: Fault
    selector: Selector
    times: int | None
    skip: int
    is_asleep: bool = False
    is_used: bool = False

    @property
    def is_pending(self) -> bool:
        """True if the fault is still to be played; a permanent one is pending until it was played once."""
        return self.times is not None or not self.is_used

    def is_due(self, request: JournalEntry) -> bool:
        """Return True if the fault meets this request, and count a request that it skips."""
        if self.is_asleep or not self.selector.matches(request):
            return False
        self.skip -= 1
        return self.skip < 0

    def strike(self) -> None:
        """Count that the fault is played."""
        self.is_used = True
        if self.times is not None:
            self.times -= 1


class Faults:
    """Faults to play, in the order of their addition. Safe to change from any thread while the sandbox serves.

    For each request, the first fault that matches and has nothing left to skip is played, once; later faults do not see
    the request. A request without the right token is answered 401 and uses up no fault, so that a misconfigured client
    is noticed at once. Any other request may meet a fault, on any path: an endpoint that the sandbox does not know can
    still be played with `Status(200, body=…)`.

    Args:
        changed: The function that is called after every change.
    """

    def __init__(self, *, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._lock = Lock()
        self._lines: list[Line] = []

    def __repr__(self) -> str:
        return f"Faults(pending={list(self.pending)!r})"

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults still to be played, each once. A permanent one is pending until it was played once."""
        return tuple(line.fault for line in self.lines() if line.is_pending)

    def add(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        skip: int = 0,
        after_write: bool = False,
    ) -> None:
        """Add a fault for requests with a method and a path.

        Args:
            fault: The fault.
            method: The HTTP method; `None` matches any.
            path: The path, with or without `/api/v1`, which may be a glob (`/phone-numbers*`); `None` matches any.
            times: How often the fault is played; `None` is forever.
            skip: How many matching requests pass before it.
            after_write: True starts only after a request that is not a GET, which passes too.
        """
        if isinstance(fault, type) or not callable(getattr(fault, "around", None)):
            named = f"; play({fault!r}) adds the script of that name" if isinstance(fault, str) else ""
            raise TypeError(f"a fault is an object with an async method `around`, such as Status(503){named}")
        if (times is not None and times < 1) or skip < 0:
            raise ValueError("times must be at least 1, and skip at least 0")
        with self._lock:
            self._lines.append(Line(fault, Selector(method=method, path=path), times, skip, after_write))
        self._changed()

    def play(self, name: str) -> None:
        """Add the faults of a named script, such as `"outage"`.

        Args:
            name: The name of the script.

        Raises:
            ValueError: There is no such script; the message lists all of them.
        """
        if name not in SCRIPTS:
            raise ValueError(f"there is no script {name!r}; the scripts are {', '.join(SCRIPTS)}")
        for cue in SCRIPTS[name].cues:
            self.add(**attrs.asdict(cue, recurse=False))

    def clear(self) -> None:
        """Remove every fault. One in progress continues."""
        with self._lock:
            self._lines.clear()
        self._changed()

    def lines(self) -> tuple[Line, ...]:
        """Return copies of the faults still to be played, in order."""
        with self._lock:
            return tuple(map(attrs.evolve, self._lines))

    def take(self, request: JournalEntry) -> Fault | None:
        """Return the fault that a request meets, or None, and count it.

        Args:
            request: The request as it arrived.
        """
        with self._lock:
            line = next((line for line in self._lines if line.is_due(request)), None)
            if request.method != "GET":
                for other in self._lines:
                    other.is_asleep = False
            if line is None:
                return None
            line.strike()
            self._lines = [line for line in self._lines if line.times != 0]
        self._changed()
        return line.fault
