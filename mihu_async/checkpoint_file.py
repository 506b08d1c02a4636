"""A checkpoint in a file: replaced in one step, and used by one job at a time. Knows nothing of walks."""

import os
import sys
import time
from contextlib import suppress
from glob import escape
from pathlib import Path
from tempfile import mkstemp
from types import TracebackType
from typing import Self

from mihu_async.errors import CheckpointInUseError, UsageError

if sys.platform == "win32":  # pragma: no cover - the tests run where there are POSIX locks
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""A lock file that is a link is refused, where the system can."""
REPLACE_ATTEMPTS = 20 if sys.platform == "win32" else 1
REPLACE_PAUSE = 0.05
"""Windows refuses to replace a file that another program reads, such as a virus scanner; seconds until the next try."""


class CheckpointFile:
    """A small file that says where a walk is, so that a job that was killed goes on when it is run again.

    ``with CheckpointFile("numbers.place") as place`` holds it: a second job that enters it meanwhile, in this process
    or in another one, gets a CheckpointInUseError. The lock is a file beside it, ``numbers.place.lock``, and the
    operating system gives it back when a process dies, however it dies; an empty lock file that is left then holds
    nobody up. Inside the block, ``resume=place.read()`` begins the walk, ``place.write(pager.checkpoint())`` notes how
    far it is, and ``place.remove()`` ends it.

    Whatever happens, the file holds the old text or the new one, and never a part. Its methods block for as long as the
    disk takes, milliseconds as a rule; a service that cannot spare them calls ``await asyncio.to_thread(place.write,
    text)``. They raise OSError where the disk or the folder refuses. Each file is readable by its owner only; on
    Windows, by whoever may read its folder.

    path: where it is; its folder must exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        """Where it is."""
        self._held: int | None = None

    def read(self) -> str | None:
        """Return the text that was written last; None where there is none, or an empty one. Safe outside the block.

        Raises UsageError for a file that is no text in UTF-8, which no :meth:`write` has made.
        """
        try:
            return self.path.read_text(encoding="utf-8") or None
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise UsageError(f"{self.path} is no checkpoint: it is not UTF-8 text. Remove it to begin again.") from None

    def write(self, text: str) -> None:
        """Replace what the file holds, in one step, and wait until it is on the disk.

        text: a checkpoint, or a text of your own that holds one, such as JSON with the size of what was exported.

        What must be there when the checkpoint is, such as the rows before it, is to be flushed and synced first.
        Raises UsageError outside a ``with`` block.
        """
        self._check_held()
        draft, name = mkstemp(prefix=f".{self.path.name}.", suffix=".draft", dir=self.path.parent)
        try:
            with open(draft, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 - it is open already
                file.write(text)
                file.flush()
                os.fsync(draft)
            _replace(name, self.path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)  # noqa: PTH108 - its name came as text
            raise
        _sync_folder(self.path.parent)

    def remove(self) -> None:
        """Remove the file, when the walk has ended; where there is none, nothing is done.

        Raises UsageError outside a ``with`` block.
        """
        self._check_held()
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def __enter__(self) -> Self:
        """Hold the file, and remove the drafts that a job left that was killed while it wrote."""
        self._held = _acquire(self._lock_path, self.path)
        for left in self.path.parent.glob(f".{escape(self.path.name)}.????????.draft"):
            left.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):  # Windows removes no file that is open
                self._lock_path.unlink()
            os.close(held)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.lock")

    def _check_held(self) -> None:
        if self._held is None:
            raise UsageError(f"{self!r} is written inside a with block only, which keeps other jobs away from it.")


def _acquire(lock: Path, path: Path) -> int:
    """Open the lock file and lock it; again where its last holder removed it between the two."""
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
        try:
            _lock(file)
            if _stands_at(file, lock):
                return file
        except (BlockingIOError, PermissionError):
            os.close(file)
            raise CheckpointInUseError(
                f"{path} is in use by another job. Nothing was read or written: wait until it ends, or give this one a "
                "file of its own.",
                path=str(path),
            ) from None
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _stands_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False


def _replace(draft: str, path: Path) -> None:
    """Put the draft in the place of the file, again after a pause where Windows refuses because a program reads it."""
    for _ in range(REPLACE_ATTEMPTS - 1):
        with suppress(PermissionError):
            return os.replace(draft, path)  # noqa: PTH105 - on every system, also over a file that is there
        time.sleep(REPLACE_PAUSE)
    return os.replace(draft, path)  # noqa: PTH105 - same


def _sync_folder(folder: Path) -> None:
    """Have the disk keep the new name too, where the system can: Windows opens no folder."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
