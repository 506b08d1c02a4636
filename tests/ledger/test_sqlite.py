"""The ledger in a file: where it lives, who uses it, and what it says when it cannot be used."""

import asyncio
import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from mihu_async import LedgerError, MihuError
from mihu_async.ledger import SqliteLedger, Standing
from mihu_async.ledger.database import APPLICATION
from tests.ledger.entries import ENTRY, SETTLED


@pytest.fixture
def path(tmp_path):
    """Where the ledger is."""
    return tmp_path / "purchases.db"


async def test_what_is_written_outlives_the_ledger(path):
    """Another ledger on the same file sees what was taken and settled."""
    async with SqliteLedger(path) as ledger:
        await ledger.take(ENTRY, "a")
        await ledger.settle(SETTLED)
    async with SqliteLedger(str(path)) as again:
        found = await again.find(ENTRY.key)

    assert SETTLED == found


def test_a_ledger_names_its_file(path):
    """Its repr shows where the purchases are recorded."""
    assert f"SqliteLedger({str(path)!r})" == repr(SqliteLedger(path))


async def test_a_ledger_that_is_closed_may_be_used_again(path):
    """Closing ends the thread and gives the file back; the next use opens it anew. Closing twice is no fault."""
    others = {*threading.enumerate()}  # the thread of another test's ledger may be ending
    ledger = SqliteLedger(path)
    ledger.close()
    await ledger.take(ENTRY, "a")
    ledger.close()
    threads = [thread.name for thread in threading.enumerate() if thread not in others]
    found = await ledger.find(ENTRY.key)
    ledger.close()

    assert [] == threads
    assert ENTRY == found


def test_one_ledger_serves_several_loops_and_threads(path):
    """Tasks of any loop in any thread may share one ledger, and one of them gets the key."""
    ledger = SqliteLedger(path)
    claims = []

    def work(owner: str) -> None:
        claims.append(asyncio.run(ledger.take(ENTRY, owner)))

    threads = [threading.Thread(target=work, args=(f"owner-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(ledger.renew(ENTRY.key, "a"))
    ledger.close()

    assert ["held", "held", "held", "new"] == sorted(claim.standing for claim in claims)


OPENER = """
import asyncio, sys
from mihu_async.ledger import SqliteLedger
from tests.ledger.entries import ENTRY

print("ready", flush=True)
sys.stdin.readline()
print(asyncio.run(SqliteLedger(sys.argv[1]).take(ENTRY, sys.argv[2])).standing)
"""


@pytest.mark.slow
def test_processes_that_open_a_new_file_together_all_get_it(path):
    """A file that several processes make at the same moment is one ledger, and one of them gets the key."""
    command = [sys.executable, "-c", OPENER, str(path)]
    workers = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for n in range(4)
    ]
    for worker in workers:
        assert worker.stdout
        worker.stdout.readline()
    said = []
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        out, _ = worker.communicate(timeout=60)
        said.append(out.strip())

    assert ["held", "held", "held", "new"] == sorted(said)


def in_a_fork(ledger, results) -> None:
    """Ask for the key in a child."""
    claim = asyncio.run(ledger.take(ENTRY, "child"))
    results.send(claim.standing)
    ledger.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # a prefork worker does just that
def test_a_forked_process_opens_the_file_anew(path):
    """A worker that was forked with an open ledger has a connection and a thread of its own."""
    ledger = SqliteLedger(path)
    asyncio.run(ledger.take(ENTRY, "parent"))
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=in_a_fork, args=(ledger, theirs))
    child.start()
    standing = ours.recv() if ours.poll(60) else None
    child.join(60)
    renewed = asyncio.run(ledger.renew(ENTRY.key, "parent"))
    ledger.close()

    assert (Standing.HELD, 0, True) == (standing, child.exitcode, renewed)


def test_a_ledger_is_closed_when_the_interpreter_ends(path):
    """A process that never closes its ledger ends at once and quietly."""
    code = (
        "import asyncio, sys\nfrom mihu_async.ledger import SqliteLedger\n"
        "ledger = SqliteLedger(sys.argv[1])\nasyncio.run(ledger.find('k'))"
    )
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code, path], capture_output=True, check=True, timeout=60
    )

    assert b"" == ended.stderr


def written_with(text: bytes):
    """Return what writes some bytes into the file."""

    def write(path: Path) -> None:
        path.write_bytes(text)

    return write


def made_by_another_program(path: Path) -> None:
    """Make a database of another kind."""
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE entries (key TEXT)")
    file.close()


def made_by_another_version(version: int) -> Callable[[Path], None]:
    """Return a function that makes a ledger of a format before or after this one."""

    def make(path: Path) -> None:
        with sqlite3.connect(path) as file:
            file.execute(f"PRAGMA application_id = {APPLICATION}")
            file.execute(f"PRAGMA user_version = {version}")
            file.execute("CREATE TABLE entries (key TEXT)")
        file.close()

    return make


def damaged(path: Path) -> None:
    """Make a ledger, and overwrite a part of it."""
    ledger = SqliteLedger(path)
    for n in range(200):
        asyncio.run(ledger.take(evolve(ENTRY, key=f"order-{n}", number=f"+39079{n:06}"), "a"))
    ledger.close()
    content = bytearray(path.read_bytes())
    content[5000:9000] = bytes(4000)
    path.write_bytes(content)


def a_directory(path: Path) -> None:
    """Make a directory in its place."""
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (written_with(b"no database" * 100), "file is not a database"),
        (made_by_another_program, "of another program"),
        (made_by_another_version(1), r"another version of mihu_async \(its format is 1, not 2\)"),
        (made_by_another_version(9), "another version"),
        (damaged, "damaged|malformed"),
        (a_directory, "directory"),
    ],
    ids=["text", "foreign", "earlier", "later", "damaged", "directory"],
)
def test_a_file_that_is_no_ledger_is_named(path, spoil, says):
    """What cannot be relied on is an error that names the file and says that nothing was sent."""
    spoil(path)
    with pytest.raises(LedgerError, match=says) as broken:
        asyncio.run(SqliteLedger(path).take(ENTRY, "a"))

    assert str(path) in str(broken.value)
    assert "protects nothing" in str(broken.value)
    assert isinstance(broken.value, MihuError)
    assert str(broken.value) == str(pickle.loads(pickle.dumps(broken.value)))


async def test_a_directory_that_is_missing_is_named(tmp_path):
    """A ledger is made, but not the directory that it is to be in."""
    with pytest.raises(LedgerError, match="No such file or directory"):
        await SqliteLedger(tmp_path / "none" / "purchases.db").find("k")


@pytest.mark.parametrize("put_back", [False, True])
async def test_a_file_that_is_replaced_under_a_ledger_is_reported(path, put_back):
    """An entry is never written to a file that is no longer where the others look."""
    ledger = SqliteLedger(path)
    await ledger.take(ENTRY, "a")
    path.rename(path.with_suffix(".old"))
    if put_back:
        async with SqliteLedger(path) as other:
            await other.find(ENTRY.key)
    with pytest.raises(LedgerError, match=r"moved or replaced|No such file") as broken:
        await ledger.take(evolve(ENTRY, key="order-2", number="+390790080042"), "a")
    ledger.close()

    assert str(path) in str(broken.value)


async def test_an_entry_that_cannot_be_stored_leaves_nothing_half_done(path):
    """The file is as it was, and can be used."""
    unstorable = evolve(ENTRY, fingerprint=object())  # type: ignore[arg-type]  # SQLite has no type for it
    async with SqliteLedger(path) as ledger:
        with pytest.raises(LedgerError, match="cannot be used"):
            await ledger.take(unstorable, "a")
        claim = await ledger.take(ENTRY, "a")

    assert Standing.NEW == claim.standing


async def test_a_clock_that_is_set_back_holds_no_key_for_ever(path):
    """A lease that ends later than any can counts as ended."""
    now = 7200.0
    async with SqliteLedger(path, clock=lambda: now) as ledger:
        await ledger.take(ENTRY, "a")
        now = 3600.0
        claim = await ledger.take(ENTRY, "b")

    assert Standing.RESUMED == claim.standing


def test_sqlite_is_loaded_when_a_ledger_is_asked_for():
    """A Python without SQLite has everything else; a name that is no ledger's is none."""
    code = (
        "import sys\nsys.modules['sqlite3'] = None\nimport mihu_async, mihu_async.ledger\n"
        "mihu_async.ledger.RedisLedger\nprint(hasattr(mihu_async.ledger, 'MemoryLedger'))\n"
        "try: mihu_async.ledger.SqliteLedger\nexcept ImportError: print('no sqlite3')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60, text=True)

    assert "False\nno sqlite3\n" == ended.stdout
