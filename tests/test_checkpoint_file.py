import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mihu_async import CheckpointFile, CheckpointInUseError, UsageError, checkpoint_file
from tests.platforms import posix_only

OLD, NEW = "old" * 100, "new" * 5000
KILLED = """
import os, signal, sys
from mihu_async import CheckpointFile

words = sys.argv[1:]
while len(words) > 2 and (child := os.fork()):  # a process for each step, and one import for all
    print(os.waitpid(child, 0)[1], flush=True)
    del words[:2]
step, path = words[:2]
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
name, _, when = step.partition(" ")
real, count = getattr(os, name), 0

def faulty(*arguments, **named):
    global count
    count += 1
    if when == f"before {count}":
        kill()
    done = real(*arguments, **named)
    if when == f"after {count}":
        kill()
    return done

with CheckpointFile(path) as place:
    setattr(os, name, faulty)
    place.write("new" * 5000)
"""


@pytest.fixture
def path(tmp_path):
    """Return the path of a file in a folder of its own."""
    return tmp_path / "numbers.place"


def names(path: Path) -> list[str]:
    """Tell what stands in the folder."""
    return sorted(found.name for found in path.parent.iterdir())


def test_what_is_written_is_read(path):
    """By this job and by the next one, and nothing is left beside it."""
    with CheckpointFile(path) as place:
        assert place.read() is None
        place.write("one")
        place.write("two\r\n")

    assert b"two\r\n" == path.read_bytes()
    assert [path.name] == names(path)
    assert "two" in (CheckpointFile(str(path)).read() or "")
    assert sys.platform == "win32" or 0o600 == path.stat().st_mode & 0o777


def test_removing_it_ends_the_walk(path):
    """Twice is as good as once."""
    with CheckpointFile(path) as place:
        place.write("one")
        place.remove()
        place.remove()
        assert place.read() is None

    assert [] == names(path)


def test_an_empty_file_is_no_checkpoint(path):
    """A job that was killed between truncation and write began it otherwise, and can begin again."""
    path.touch()

    assert CheckpointFile(path).read() is None


def test_a_file_that_is_no_text_is_refused(path):
    """It is another file than was meant."""
    path.write_bytes(b"\xff")

    with pytest.raises(UsageError, match=r"it is not text in UTF-8\. Remove it to begin again"):
        CheckpointFile(path).read()


@pytest.mark.parametrize("change", [lambda place: place.write("x"), lambda place: place.remove()])
def test_it_changes_inside_a_block_only(path, change):
    """Outside of it another job could be at work."""
    place = CheckpointFile(path)

    with pytest.raises(
        UsageError, match=r"CheckpointFile\('.*numbers.place'\) can be written only inside a with block"
    ):
        change(place)
    place.__exit__(None, None, None)  # nothing to give back
    assert [] == names(path)


def test_a_second_job_is_refused(path):
    """In this process as in another one; the first is not disturbed, and when it has ended the next may come."""
    with CheckpointFile(path) as place:
        place.write(OLD)
        with pytest.raises(
            CheckpointInUseError, match=r"in use by another job\. Nothing was read or written"
        ) as caught:
            CheckpointFile(path).__enter__()
        other = subprocess.run(
            [sys.executable, "-c", KILLED, "replace", str(path)], capture_output=True, text=True, check=False
        )

    assert str(path) == caught.value.path
    assert "CheckpointInUseError" in other.stderr
    with CheckpointFile(path) as place:
        assert OLD == place.read()


@posix_only("removes no file that is open")
def test_a_job_that_lets_go_meanwhile_is_waited_for_by_nobody(path, monkeypatch):
    """A lock file that its holder removed between opening and locking is not the one that others lock."""
    locked, lock = checkpoint_file.lock_file, path.with_name("numbers.place.lock")
    swaps = [lock.unlink, lambda: (lock.unlink(), lock.touch())]

    def late(file: int) -> None:
        locked(file)
        if swaps:
            swaps.pop()()

    monkeypatch.setattr(checkpoint_file, "lock_file", late)
    with CheckpointFile(path):
        with pytest.raises(CheckpointInUseError):
            CheckpointFile(path).__enter__()

        assert [] == swaps
    assert [] == names(path)


STEPS = [
    "fsync before 1",
    "fsync after 1",
    "replace before 1",
    "replace after 1",
    "fsync before 2",
    "fsync after 2",
]


@posix_only("has no SIGKILL")
def test_a_kill_leaves_the_old_text_or_the_new_one(tmp_path):
    """Whatever step it hits, the next job reads one of them, is not locked out, and clears up."""
    paths = {step: tmp_path / step / "numbers.place" for step in STEPS}
    for path in paths.values():
        path.parent.mkdir()
        with CheckpointFile(path) as place:
            place.write(OLD)
    words = [word for step, path in paths.items() for word in (step, str(path))]
    killed = subprocess.run([sys.executable, "-c", KILLED, *words], capture_output=True, text=True, check=False)

    assert [signal.SIGKILL] * (len(STEPS) - 1) == [int(status) for status in killed.stdout.split()]
    assert -signal.SIGKILL == killed.returncode
    for step, path in paths.items():
        lasting = step in {"replace after 1", "fsync before 2", "fsync after 2"}
        with CheckpointFile(path) as place:
            assert (NEW if lasting else OLD) == place.read(), step
            assert [path.name, f"{path.name}.lock"] == names(path), step


def test_a_write_that_fails_changes_nothing(path, monkeypatch):
    """A disk that is full leaves the old text, and no draft."""

    def full(*_):
        raise OSError(28, "No space left on device")

    with CheckpointFile(path) as place:
        place.write(OLD)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            place.write(NEW)

    assert OLD == place.read()
    assert [path.name] == names(path)


def refusing(times, monkeypatch):
    """Refuse to replace a file that many times, as Windows does while another program reads it.

    The module is patched, because no other system refuses, and so none tries more than once.
    """
    replace, left = os.replace, [None] * times
    pauses: list[float] = []

    def replaced(*names):
        if left:
            left.pop()
            raise PermissionError(13, "Access is denied")
        replace(*names)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(checkpoint_file, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(checkpoint_file, "REPLACE_ATTEMPTS", 3)
    return pauses


def test_a_file_that_another_program_reads_is_replaced_a_little_later(path, monkeypatch):
    """A refusal on Windows that passes by itself is waited for."""
    pauses = refusing(2, monkeypatch)
    with CheckpointFile(path) as place:
        place.write(NEW)

    assert NEW == place.read()
    assert [checkpoint_file.REPLACE_PAUSE] * 2 == pauses


def test_a_file_that_cannot_be_replaced_is_reported(path, monkeypatch):
    """After the last attempt the error is raised, and no draft is left."""
    pauses = refusing(3, monkeypatch)
    with CheckpointFile(path) as place, pytest.raises(PermissionError):
        place.write(NEW)

    assert place.read() is None
    assert 2 == len(pauses)
    assert [] == names(path)


def test_a_file_system_without_locks_is_reported(path, monkeypatch):
    """Nothing is written where nobody can say who else does."""

    def none(_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(checkpoint_file, "lock_file", none)
    with pytest.raises(OSError, match="No locks available"):
        CheckpointFile(path).__enter__()


@posix_only("lets only administrators make links, and opens them")
def test_no_link_is_followed(path, tmp_path_factory):
    """Neither a draft nor the lock is a way to write somebody else's file."""
    victim = tmp_path_factory.mktemp("other") / "victim"
    victim.write_text("precious")
    for name in ("numbers.place.new", "numbers.place.draft"):
        path.with_name(name).symlink_to(victim)
    path.symlink_to(victim)
    with CheckpointFile(path) as place:
        place.write(NEW)
    path.with_name("numbers.place.lock").symlink_to(victim)

    with pytest.raises(OSError, match=r"numbers\.place\.lock"):
        CheckpointFile(path).__enter__()
    assert "precious" == victim.read_text()
    assert NEW == path.read_text()


def test_drafts_of_other_files_are_left_alone(path):
    """What a killed job left is known by the whole of its name, whatever signs that has."""
    odd = path.with_name("num[b]*.place")
    kept = [".numbers.place.draft", ".numbers.place.12345678.draft", ".num[b]x.place.12345678.draft"]
    for name in (*kept, ".num[b]*.place.12345678.draft"):
        path.with_name(name).touch()
    with CheckpointFile(odd):
        assert sorted([*kept, "num[b]*.place.lock"]) == names(path)
