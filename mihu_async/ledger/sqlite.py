"""A ledger in one file, for the processes of one machine. Only this module uses sqlite3, never on the event loop."""

import asyncio
import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from attrs import define, field

from mihu_async.errors import LedgerError
from mihu_async.ledger.entry import LEASE, Claim, Entry, Standing
from mihu_async.validation import seconds

T = TypeVar("T")

APPLICATION: Final = 0x4D696875
"""The characters ``Mihu``, which mark a file as a ledger."""
VERSION: Final = 1
BUSY_TIMEOUT = 10.0
"""Seconds that a statement waits for other processes' writes to the file."""
PAUSE = 0.01
"""Seconds between two looks at a file that other processes are making into a ledger."""
COLUMNS = "key, workspace, number, fingerprint, began, state, ends, phone_number_uuid"
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY NOT NULL,
    workspace TEXT NOT NULL,
    number TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    began TEXT,
    state TEXT NOT NULL,
    ends TEXT,
    phone_number_uuid TEXT,
    owner TEXT,
    held_until REAL NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS begun ON entries (workspace, number) WHERE state = 'begun';
CREATE UNIQUE INDEX IF NOT EXISTS bought ON entries (phone_number_uuid COLLATE NOCASE)
    WHERE phone_number_uuid IS NOT NULL;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""

_inherited: list[object] = []
"""The connections that a fork has left in a child: the child neither uses nor closes them, because SQLite forbids both.
"""


class _Opened:
    """A connection of one process, its thread, which alone uses it, and the identity of the opened file.

    The thread is not one of a pool, because a pool takes locks when it is closed, and a forgotten ledger is closed in
    the middle of whatever its process does at that moment. Putting an item into a SimpleQueue is safe there.
    """

    def __init__(self) -> None:
        self.pid: int = os.getpid()
        self.connection: sqlite3.Connection | None = None
        self.file: tuple[int, int] = (0, 0)
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self.thread: Thread = Thread(target=_work_off, args=(self._jobs,), name="mihu_async_ledger", daemon=True)
        self.thread.start()

    def submit(self, action: Callable[[], T]) -> "Future[T]":
        """Run an action in the thread, after all actions that were submitted before.

        Args:
            action: The function to run.

        Returns:
            The future of the action's result.
        """
        future: Future[T] = Future()

        def job() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(action())
                except BaseException as error:  # noqa: BLE001 - the waiting caller gets it
                    future.set_exception(error)

        self._jobs.put(job)
        return future

    def close(self) -> None:
        """Close the connection and end the thread after the running action. A parent's connection is only set aside."""
        if self.pid != os.getpid():
            _inherited.append(self)
            return
        self._jobs.put(self._disconnect)
        self._jobs.put(None)

    def _disconnect(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


def _work_off(jobs: "SimpleQueue[Callable[[], object] | None]") -> None:
    while job := jobs.get():
        job()
        del job  # it keeps its ledger alive


@define(eq=False)
class _Holder:
    """The holder of a ledger's connection, which closes it when the ledger is no longer used."""

    opened: _Opened | None = None
    lock: Lock = field(factory=Lock)

    def current(self) -> _Opened:
        """Return the connection of this process; open a new one if the process was forked."""
        if self.opened is not None and self.opened.pid != os.getpid():
            _inherited.append(self.opened)
            self.opened = None
        self.opened = self.opened or _Opened()
        return self.opened

    def close(self) -> _Opened | None:
        """Close the connection, if one is open, and return it."""
        with self.lock:
            opened, self.opened = self.opened, None
        if opened is not None:
            opened.close()
        return opened


class SqliteLedger:
    """A ``Ledger`` in a file, for the processes of a machine: ``MihuClient(ledger=SqliteLedger("purchases.db"))``.

    It needs only Python. It is opened on first use, may be used by several event loops, threads and clients at a time,
    and is opened anew in a process that was forked. An entry is on the disk (``synchronous=FULL``) before the purchase
    is sent. The file must be on a disk of this machine, not on a network disk. Close it with ``async with`` or
    :meth:`close`, or leave it open: every write is durable already.

    Args:
        path: The path of the file, which is created if it is missing, readable by its owner only; its directory must
            exist. SQLite keeps two more files next to it, ``-wal`` and ``-shm``, which belong to it.
        lease: Seconds after which a process that no longer renews its lease counts as dead, 15 by default. The lease is
            renewed three times in that time.

    Raises:
        UsageError: If the lease is not a number of seconds above zero. An unusable file is found on first use.
    """

    def __init__(self, path: str | os.PathLike[str], *, lease: float = LEASE) -> None:
        self._path = Path(path).absolute()
        self._lease = seconds("lease", lease)
        self._holder = _Holder()
        weakref.finalize(self, self._holder.close)

    @property
    def lease(self) -> float:
        """The seconds for which a key is held after it was taken or renewed."""
        return self._lease

    async def find(self, key: str) -> Entry | None:
        """Return the entry under a key, or None.

        Args:
            key: The idempotency key.

        Raises:
            LedgerError: If the file cannot be read.
        """
        return await self._do(lambda file: _entry_of(_row(file, "key = ?", key)))

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Claim a key, as ``Ledger.take`` describes.

        Args:
            entry: The entry to write, with the state ``begun``.
            owner: A text that names the caller, unique to each call.

        Raises:
            LedgerError: If the file cannot be written.
        """
        return await self._do(lambda file: _take(file, entry, owner, self._lease), durable=True)

    async def renew(self, key: str, owner: str) -> bool:
        """Hold a key for another lease.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.

        Returns:
            True if the owner holds the key; False if it no longer does.

        Raises:
            LedgerError: If the file cannot be written.
        """
        until = wall_clock() + self._lease
        return await self._do(lambda file: _hold(file, key, owner, until))

    async def redate(self, entry: Entry, owner: str) -> bool:
        """Write the times of an entry that was taken over, as ``Ledger.redate`` describes.

        Args:
            entry: The entry with the times to write.
            owner: The owner that took the key.

        Returns:
            True if the owner holds the key; False if it no longer does.

        Raises:
            LedgerError: If the file cannot be written.
        """
        until = wall_clock() + self._lease
        return await self._do(lambda file: _redate(file, entry, owner, until), durable=True)

    async def settle(self, entry: Entry) -> bool:
        """Write the outcome of a purchase, as ``Ledger.settle`` describes.

        Args:
            entry: The entry to write, with the state ``settled`` and a ``phone_number_uuid``.

        Returns:
            False if another key has settled the same number.

        Raises:
            LedgerError: If the file cannot be written.
        """
        return await self._do(lambda file: _settle(file, entry), durable=True)

    async def release(self, key: str, owner: str) -> None:
        """Remove an entry that is begun and that the owner holds.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.

        Raises:
            LedgerError: If the file cannot be written.
        """
        statement = "DELETE FROM entries WHERE key = ? AND owner = ? AND state = 'begun'"
        await self._do(lambda file: file.execute(statement, (key, owner)), durable=True)

    async def let_go(self, key: str, owner: str) -> None:
        """End the owner's lease.

        Args:
            key: The idempotency key.
            owner: The owner that took the key.

        Raises:
            LedgerError: If the file cannot be written.
        """
        await self._do(lambda file: _hold(file, key, owner, 0.0))

    async def bought_by(self, phone_number_uuid: str) -> str | None:
        """Return the key that is settled for a number, or None.

        Args:
            phone_number_uuid: The number's id.

        Raises:
            LedgerError: If the file cannot be read.
        """
        row = await self._do(lambda file: _row(file, "phone_number_uuid = ? COLLATE NOCASE", phone_number_uuid))
        return None if row is None else cast("str", row[0])

    async def forget(self, key: str) -> bool:
        """Remove an entry that is begun and that nobody holds, as ``Ledger.forget`` describes.

        Args:
            key: The idempotency key.

        Returns:
            True if there was such an entry.

        Raises:
            LedgerError: If the file cannot be written.
        """
        return await self._do(lambda file: _forget(file, key, self._lease), durable=True)

    async def begun(self) -> Sequence[Entry]:
        """Return the entries that are begun, whether somebody holds them or not.

        Raises:
            LedgerError: If the file cannot be read.
        """
        return await self._do(_begun)

    def close(self) -> None:
        """Close the file after the running action; the next use opens it again."""
        opened = self._holder.close()
        if opened is not None and opened.pid == os.getpid():
            opened.thread.join()

    async def __aenter__(self) -> Self:
        """Open the file, so that an unusable file is found now.

        Raises:
            LedgerError: If the file cannot be used.
        """
        await self._do(lambda _: None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    async def _do(self, action: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        """Run an action on the file in its thread; a durable one is on the disk when this returns."""
        with self._holder.lock:
            opened = self._holder.current()
            work = opened.submit(partial(self._on, opened, action, durable))
        return await asyncio.wrap_future(work)

    def _on(self, opened: _Opened, action: Callable[[sqlite3.Connection], T], durable: bool) -> T:
        try:
            if opened.connection is None:
                opened.connection, opened.file = _open(self._path)
            elif _identity(self._path) != opened.file:
                raise LedgerError(self._advice("was moved or replaced while it was in use."))
            opened.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            return action(opened.connection)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise LedgerError(self._advice(f"cannot be used: {error}.")) from error

    def _advice(self, problem: str) -> str:
        return (
            f"The ledger {str(self._path)!r} {problem} Without it a key protects nothing. Repair or restore the "
            "file; if it is lost, look at numbers.list() before you buy again with a new file."
        )


def wall_clock() -> float:
    """Return the machine's time of day in seconds, which its processes share.

    If the clock is set while a purchase is under way, a lease may end early. Two processes then work on one purchase,
    which is safe: the later one looks first, and the service refuses a number that it already holds.
    """
    return time.time()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _open(path: Path) -> tuple[sqlite3.Connection, tuple[int, int]]:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # autocommit, because each transaction is written out below; closed from another thread when the ledger is closed
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    until = time.monotonic() + BUSY_TIMEOUT
    try:
        while True:
            try:
                _prepare(connection)
                return connection, _identity(path)
            except sqlite3.OperationalError as error:
                # a change to WAL waits for nobody, so processes that open a new file together meet here
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                time.sleep(PAUSE)
    except BaseException:
        connection.close()
        raise


def _prepare(file: sqlite3.Connection) -> None:
    """Check that a file is an intact ledger, or make a ledger of an empty file."""
    file.execute("BEGIN")  # one view of all three
    application, version, schema = [
        _pragma(file, f"{name}") for name in ("application_id", "user_version", "schema_version")
    ]
    file.execute("COMMIT")
    if application == APPLICATION and version != VERSION:
        raise ValueError(f"it was made by another version of mihu_async (its format is {version}, not {VERSION})")
    if application != APPLICATION and schema:
        raise ValueError("it is a database of another program")
    if (found := _pragma(file, "quick_check(1)")) != "ok":
        raise ValueError(f"it is damaged ({found})")
    if _pragma(file, "journal_mode = WAL") != "wal":
        raise ValueError("its disk cannot hold a write-ahead log")
    file.executescript("PRAGMA synchronous = FULL;" + SCHEMA)


def _pragma(file: sqlite3.Connection, name: str) -> Any:
    with closing(file.execute(f"PRAGMA {name}")) as rows:
        return rows.fetchone()[0]


def _row(file: sqlite3.Connection, condition: str, *values: str | None) -> tuple[Any, ...] | None:
    statement = f"SELECT {COLUMNS}, held_until FROM entries WHERE {condition}"  # noqa: S608 - our own names
    with closing(file.execute(statement, values)) as rows:
        return cast("tuple[Any, ...] | None", rows.fetchone())


def _entry_of(row: tuple[Any, ...] | None) -> Entry | None:
    if row is None:
        return None
    key, workspace, number, fingerprint, began, state, ends, uuid = row[:8]
    return Entry(
        key=key,
        workspace=workspace,
        number=number,
        fingerprint=fingerprint,
        began=began and datetime.fromisoformat(began),
        state=state,
        ends=ends and datetime.fromisoformat(ends),
        phone_number_uuid=uuid,
    )


def _is_held(until: float, lease: float) -> bool:
    """Return True if a lease is alive; a lease that ends too late was taken before the clock was set back."""
    return 0 < until - wall_clock() <= lease


def _take(file: sqlite3.Connection, entry: Entry, owner: str, lease: float) -> Claim:
    file.execute("BEGIN IMMEDIATE")
    try:
        row = _row(file, "key = ?", entry.key)
        claim = _claim(file, row, entry, owner, lease)
    except BaseException:
        with suppress(sqlite3.Error):  # the first error is the one to report
            file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")
    return claim


def _claim(file: sqlite3.Connection, row: tuple[Any, ...] | None, entry: Entry, owner: str, lease: float) -> Claim:
    found = _entry_of(row)
    until, began, ends = wall_clock() + lease, _text(entry.began), _text(entry.ends)
    if row is None or found is None:
        begun = "state = 'begun' AND workspace = ? AND number = ?"
        if other := _entry_of(_row(file, begun, entry.workspace, entry.number)):
            return Claim(Standing.BUSY, other)
        values = (entry.key, entry.workspace, entry.number, entry.fingerprint, began, ends, owner, until)
        file.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, 'begun', ?, NULL, ?, ?)", values)
        return Claim(Standing.NEW, entry)
    if (found.workspace, found.fingerprint) != (entry.workspace, entry.fingerprint):
        return Claim(Standing.OTHER, found)
    if found.state == "settled":
        return Claim(Standing.SETTLED, found)
    if _is_held(row[8], lease):
        return Claim(Standing.HELD, found)
    file.execute("UPDATE entries SET owner = ?, held_until = ? WHERE key = ?", (owner, until, entry.key))
    return Claim(Standing.RESUMED, found)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _hold(file: sqlite3.Connection, key: str, owner: str, until: float) -> bool:
    statement = "UPDATE entries SET held_until = ? WHERE key = ? AND owner = ? AND state = 'begun'"
    return file.execute(statement, (until, key, owner)).rowcount == 1


def _redate(file: sqlite3.Connection, entry: Entry, owner: str, until: float) -> bool:
    statement = "UPDATE entries SET began = ?, ends = ?, held_until = ? WHERE key = ? AND owner = ? AND state = 'begun'"
    values = (_text(entry.began), _text(entry.ends), until, entry.key, owner)
    return file.execute(statement, values).rowcount == 1


def _settle(file: sqlite3.Connection, entry: Entry) -> bool:
    statement = (
        "UPDATE entries SET state = 'settled', phone_number_uuid = ?, owner = NULL, held_until = 0 "
        "WHERE key = ? AND number = ? AND state = 'begun'"
    )
    try:
        file.execute(statement, (entry.phone_number_uuid, entry.key, entry.number))
    except sqlite3.IntegrityError:  # the index of numbers that were bought
        return False
    settled = "key = ? AND number = ? AND phone_number_uuid = ? COLLATE NOCASE"
    return _row(file, settled, entry.key, entry.number, entry.phone_number_uuid) is not None


def _forget(file: sqlite3.Connection, key: str, lease: float) -> bool:
    found = _row(file, "key = ? AND state = 'begun'", key)
    if found is None or _is_held(found[8], lease):
        return False
    statement = "DELETE FROM entries WHERE key = ? AND state = 'begun' AND held_until = ?"
    return file.execute(statement, (key, found[8])).rowcount == 1


def _begun(file: sqlite3.Connection) -> list[Entry]:
    statement = f"SELECT {COLUMNS} FROM entries WHERE state = 'begun' ORDER BY key"  # noqa: S608 - our own names
    with closing(file.execute(statement)) as rows:
        return [entry for row in rows if (entry := _entry_of(row))]
