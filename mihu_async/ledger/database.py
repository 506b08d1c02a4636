"""The file of a ledger: opened on first use and after a fork, checked, and used by a thread of its own."""

import asyncio
import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, TypeVar

from attrs import define, field

from mihu_async.errors import LedgerError

T = TypeVar("T")

APPLICATION: Final = 0x4D696875
"""The bytes of ``Mihu``, which mark a file as a ledger."""
VERSION: Final = 2
BUSY_TIMEOUT = 10.0
"""Seconds that a statement waits for other processes' writes to the file."""
PAUSE = 0.01
"""Seconds between two checks of a file that other processes are turning into a ledger."""
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
CREATE UNIQUE INDEX IF NOT EXISTS bought ON entries (workspace, phone_number_uuid COLLATE NOCASE)
    WHERE phone_number_uuid IS NOT NULL;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""

inherited: list[object] = []
"""The parent's connections in a forked child, which neither uses nor closes them, because SQLite forbids both.
"""


class Database:
    """The file of a ledger. Each process has its own connection, which only one thread uses.

    The connection is closed when the ledger is garbage-collected.

    Args:
        path: The absolute path of the file, which is created if it is missing.
        busy_timeout: Seconds that a statement waits for other processes' writes to the file.
    """

    def __init__(self, path: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        self._busy_timeout = busy_timeout
        self._holder = _Holder()
        weakref.finalize(self, self._holder.close)

    @property
    def opened(self) -> "OpenFile | None":
        """The connection in use, with its thread; None if there is none."""
        return self._holder.opened

    async def run(self, action: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        """Run an action on the file in its thread.

        Args:
            action: The function to run, with the connection.
            durable: If True, the changes of the action are on the disk when this returns.

        Raises:
            LedgerError: If the file cannot be used.
        """
        with self._holder.lock:
            opened = self._holder.current()
            work = opened.submit(partial(self._on, opened, action, durable))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Close the file after the running action; the next use opens it again."""
        opened = self._holder.close()
        if opened is not None and opened.pid == os.getpid():
            opened.thread.join()

    def _on(self, opened: "OpenFile", action: Callable[[sqlite3.Connection], T], durable: bool) -> T:
        try:
            if opened.connection is None:
                opened.connection, opened.file = _open(self.path, self._busy_timeout)
            elif _identity(self.path) != opened.file:
                raise LedgerError(self._advice("was moved or replaced while it was in use."))
            opened.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            return action(opened.connection)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise LedgerError(self._advice(f"cannot be used: {error}.")) from error

    def _advice(self, problem: str) -> str:
        return (
            f"The ledger {str(self.path)!r} {problem} Without it a key protects nothing. Repair or restore the "
            "file; if it is lost, look at numbers.list() before you buy again with a new file."
        )


@define(eq=False)
class _Holder:
    """The holder of a ledger's connection, which closes it when the ledger is no longer used."""

    opened: "OpenFile | None" = None
    lock: Lock = field(factory=Lock)

    def current(self) -> "OpenFile":
        """Return the connection of this process; open a new one if the process was forked."""
        if self.opened is not None and self.opened.pid != os.getpid():
            inherited.append(self.opened)
            self.opened = None
        self.opened = self.opened or OpenFile()
        return self.opened

    def close(self) -> "OpenFile | None":
        """Close the connection, if one is open, and return it."""
        with self.lock:
            opened, self.opened = self.opened, None
        if opened is not None:
            opened.close()
        return opened


class OpenFile:
    """A connection of one process, its thread, which alone uses it, and the identity of the opened file.

    The thread is not one of a pool, because a pool takes locks when it is closed, and a forgotten ledger is closed by
    the garbage collector, in the middle of anything. Putting an item into a SimpleQueue is safe there.
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
            inherited.append(self)
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


def _open(path: Path, busy_timeout: float) -> tuple[sqlite3.Connection, tuple[int, int]]:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # autocommit, because each transaction is written out below; closed from another thread when the ledger is closed
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, check_same_thread=False)
    until = time.monotonic() + busy_timeout
    try:
        while True:
            try:
                prepare(connection)
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


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def prepare(file: sqlite3.Connection) -> None:
    """Check that a file is an intact ledger, or turn an empty file into one.

    Args:
        file: The connection.

    Raises:
        ValueError: If the file is no intact ledger of this version.
    """
    file.execute("BEGIN")  # one view of all three
    application, version, schema = (pragma(file, name) for name in ("application_id", "user_version", "schema_version"))
    file.execute("COMMIT")
    if application == APPLICATION and version != VERSION:
        raise ValueError(f"it was made by another version of mihu_async (its format is {version}, not {VERSION})")
    if application != APPLICATION and schema:
        raise ValueError("it is a database of another program")
    if (found := pragma(file, "quick_check(1)")) != "ok":
        raise ValueError(f"it is damaged ({found})")
    if pragma(file, "journal_mode = WAL") != "wal":
        raise ValueError("its disk cannot hold a write-ahead log")
    file.executescript("PRAGMA synchronous = FULL;" + SCHEMA)


def pragma(file: sqlite3.Connection, name: str) -> Any:
    """Run a PRAGMA statement, and return the first value of its answer.

    Args:
        file: The connection.
        name: The name of the pragma, with its argument if there is one.
    """
    with closing(file.execute(f"PRAGMA {name}")) as rows:
        return rows.fetchone()[0]
