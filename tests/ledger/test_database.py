"""The file of a ledger: who may read it, who uses it, and when it is closed."""

import asyncio
import gc
import os
import sqlite3
import stat
import sys
import threading

import pytest

from mihu_async import LedgerError
from mihu_async.ledger import database
from mihu_async.ledger.database import Database, pragma


@pytest.fixture
def path(tmp_path):
    """Return the path of the file."""
    return tmp_path / "purchases.db"


async def held(file: Database) -> object:
    """Return the number of entries, which needs the file."""
    return await file.run(lambda connection: connection.execute("SELECT count(*) FROM entries").fetchall())


async def test_a_new_file_is_its_owners(path):
    """It is readable by its owner alone, holds a write-ahead log, and syncs durable actions before they return."""
    file = Database(path)
    levels = [await file.run(lambda it: pragma(it, "synchronous"), durable=durable) for durable in (True, False)]
    mode = await file.run(lambda it: pragma(it, "journal_mode"))
    file.close()

    assert sys.platform == "win32" or 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert ([2, 1], "wal") == (levels, mode)


async def test_a_file_that_is_forgotten_is_closed(path):
    """A file that nobody uses any more leaves neither its thread nor its connection open."""
    file = Database(path)
    await held(file)
    opened = file.opened
    del file
    gc.collect()
    assert opened
    opened.thread.join(60)

    assert opened.connection is None


async def test_a_connection_of_another_process_is_neither_used_nor_closed(path, monkeypatch):
    """After a fork the inherited connection is set aside as it is, on use and on closing."""
    files = Database(path), Database(path)
    for file in files:
        await held(file)
    before = [file.opened for file in files]
    monkeypatch.setattr(os, "getpid", lambda: -1)
    kept: list[object] = []
    monkeypatch.setattr(database, "inherited", kept)
    files[0].close()
    found = await held(files[1])
    files[1].close()
    monkeypatch.undo()
    connections = [opened.connection for opened in before if opened]
    for opened in before:
        assert opened
        opened.close()
        opened.thread.join(60)

    assert before == kept
    assert None not in connections
    assert [(0,)] == found


async def test_a_disk_without_a_log_holds_no_ledger(path, monkeypatch):
    """Without a write-ahead log a reader would block the writers of other processes."""
    monkeypatch.setattr(database, "pragma", lambda it, name: "delete" if "WAL" in name else pragma(it, name))
    file = Database(path)
    with pytest.raises(LedgerError, match="write-ahead log"):
        await held(file)
    file.close()


async def test_a_file_that_stays_locked_is_an_error(path):
    """A lock of another program that is held longer than a ledger waits raises, and nothing stays locked after it."""
    file, late = Database(path, busy_timeout=0.05), Database(path, busy_timeout=0.05)
    await held(file)
    with sqlite3.connect(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="locked"):
            await file.run(lambda it: it.execute("BEGIN IMMEDIATE"))
        with pytest.raises(LedgerError, match="locked"):
            await held(late)
    other.close()
    found = [await held(one) for one in (file, late)]
    for one in (file, late):
        one.close()

    assert [[(0,)]] * 2 == found


async def test_a_file_that_others_are_making_is_waited_for(path, monkeypatch):
    """A file that is busy while several processes make a ledger of it is tried again."""
    prepare, begun = database.prepare, [True, False]

    def busy(connection):
        if not begun:
            return prepare(connection)
        if begun.pop():
            connection.execute("BEGIN")
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    monkeypatch.setattr(database, "prepare", busy)
    file = Database(path)
    found = await held(file)
    file.close()

    assert [(0,)] == found


async def test_an_action_that_is_cancelled_before_its_turn_is_not_run(path):
    """A caller who gives up while the file is in use by others writes nothing."""
    free = threading.Event()
    file = Database(path)
    await held(file)
    assert file.opened
    file.opened.submit(free.wait)
    writing = asyncio.create_task(file.run(lambda it: it.execute("PRAGMA user_version = 9")))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    free.set()
    version = await file.run(lambda it: pragma(it, "user_version"))
    file.close()

    assert database.VERSION == version
