"""A ledger in one file, for the processes of one machine: what each step reads and writes."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from mihu_async.ledger.database import Database
from mihu_async.ledger.entry import LEASE, Claim, Entry, Standing
from mihu_async.validation import seconds

COLUMNS = "key, workspace, number, fingerprint, began, state, ends, phone_number_uuid"


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
        clock: A function that returns the time of day in seconds, from one clock for all processes that share the file;
            by default the machine's. If that is set while a purchase is under way, a lease may end early. Two processes
            then work on one purchase, which is safe: the later one looks first, and the service refuses a number that
            it already holds.

    Raises:
        UsageError: If the lease is not a number of seconds above zero. An unusable file is found on first use.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, lease: float = LEASE, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = Database(Path(path).absolute())
        self._lease = seconds("lease", lease)
        self._clock = clock

    @property
    def lease(self) -> float:
        """The seconds for which a key is held after it was taken or renewed."""
        return self._lease

    async def find(self, key: str) -> Entry | None:
        """Return the entry under a key, or None, as ``Ledger.find`` describes."""
        return await self._database.run(lambda file: _entry_of(_row(file, "key = ?", key)))

    async def take(self, entry: Entry, owner: str) -> Claim:
        """Claim a key, as ``Ledger.take`` describes."""
        return await self._database.run(lambda file: _take(file, entry, owner, self._lease, self._clock), durable=True)

    async def renew(self, key: str, owner: str) -> bool:
        """Hold a key for another lease, as ``Ledger.renew`` describes."""
        until = self._clock() + self._lease
        return await self._database.run(lambda file: _hold(file, key, owner, until))

    async def redate(self, entry: Entry, owner: str) -> bool:
        """Write the times of an entry that was taken over, as ``Ledger.redate`` describes."""
        until = self._clock() + self._lease
        return await self._database.run(lambda file: _redate(file, entry, owner, until), durable=True)

    async def settle(self, entry: Entry) -> bool:
        """Write the outcome of a purchase, as ``Ledger.settle`` describes."""
        return await self._database.run(lambda file: _settle(file, entry), durable=True)

    async def release(self, key: str, owner: str) -> None:
        """Remove a ``begun`` entry that the owner holds, as ``Ledger.release`` describes."""
        statement = "DELETE FROM entries WHERE key = ? AND owner = ? AND state = 'begun'"
        await self._database.run(lambda file: file.execute(statement, (key, owner)), durable=True)

    async def let_go(self, key: str, owner: str) -> None:
        """End the owner's lease, as ``Ledger.let_go`` describes."""
        await self._database.run(lambda file: _hold(file, key, owner, 0.0))

    async def bought_by(self, workspace: str, phone_number_uuid: str) -> str | None:
        """Return the key that is settled for a number, or None, as ``Ledger.bought_by`` describes."""
        bought = "workspace = ? AND phone_number_uuid = ? COLLATE NOCASE"
        row = await self._database.run(lambda file: _row(file, bought, workspace, phone_number_uuid))
        return None if row is None else cast("str", row[0])

    async def forget(self, key: str) -> bool:
        """Remove a ``begun`` entry that nobody holds, as ``Ledger.forget`` describes."""
        return await self._database.run(lambda file: _forget(file, key, self._lease, self._clock()), durable=True)

    async def begun(self) -> Sequence[Entry]:
        """Return all ``begun`` entries, as ``Ledger.begun`` describes."""
        return await self._database.run(_begun)

    def close(self) -> None:
        """Close the file after the running action; the next use opens it again."""
        self._database.close()

    async def __aenter__(self) -> Self:
        """Open the file, so that an unusable file is found now.

        Raises:
            LedgerError: If the file cannot be used.
        """
        await self._database.run(lambda _: None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._database.path)!r})"


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


def _is_held(until: float, lease: float, now: float) -> bool:
    """Return True if a lease has not ended; one that ends implausibly late was taken before the clock was set back."""
    return 0 < until - now <= lease


def _take(file: sqlite3.Connection, entry: Entry, owner: str, lease: float, clock: Callable[[], float]) -> Claim:
    file.execute("BEGIN IMMEDIATE")
    try:
        row = _row(file, "key = ?", entry.key)
        claim = _claim(file, row, entry, owner, lease, clock())
    except BaseException:
        with suppress(sqlite3.Error):  # the first error is the one to report
            file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")
    return claim


def _claim(
    file: sqlite3.Connection, row: tuple[Any, ...] | None, entry: Entry, owner: str, lease: float, now: float
) -> Claim:
    found = _entry_of(row)
    until, began, ends = now + lease, _text(entry.began), _text(entry.ends)
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
    if _is_held(row[8], lease, now):
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


def _forget(file: sqlite3.Connection, key: str, lease: float, now: float) -> bool:
    found = _row(file, "key = ? AND state = 'begun'", key)
    if found is None or _is_held(found[8], lease, now):
        return False
    statement = "DELETE FROM entries WHERE key = ? AND state = 'begun' AND held_until = ?"
    return file.execute(statement, (key, found[8])).rowcount == 1


def _begun(file: sqlite3.Connection) -> list[Entry]:
    statement = f"SELECT {COLUMNS} FROM entries WHERE state = 'begun' ORDER BY key"  # noqa: S608 - our own names
    with closing(file.execute(statement)) as rows:
        return [entry for row in rows if (entry := _entry_of(row))]
