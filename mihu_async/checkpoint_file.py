"""A checkpoint in a file: replaced atomically, and used by one job at a time. This module knows nothing of walks."""

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

    def lock_file(file: int) -> None:
        """Lock an open file, or raise PermissionError if another one has locked it."""
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def lock_file(file: int) -> None:
        """Lock an open file, or raise BlockingIOError if another one has locked it."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


NO_LINK = getattr(os, "O_NOFOLLOW", 0)
"""The flag that refuses a lock file that is a link, on systems that have it."""
REPLACE_ATTEMPTS = 20 if sys.platform == "win32" else 1
REPLACE_PAUSE = 0.05
"""Seconds between two attempts: Windows refuses to replace a file that another program reads, such as a virus scanner.
"""


class CheckpointFile:
    """A small file that holds the position of a walk, so that a killed job continues when it runs again.

    ``with CheckpointFile("numbers.place") as place`` holds it: a second job that enters it in the meantime, in this or
    another process, gets a CheckpointInUseError. The lock is a file beside it, ``numbers.place.lock``. The operating
    system releases the lock when the process dies for any reason; an empty lock file that is left behind blocks nobody.
    Inside the block, ``resume=place.read()`` begins the walk, ``place.write(pager.checkpoint())`` saves its position,
    and ``place.remove()`` ends it.

    At every moment the file holds the old text or the new one, never a part of either. The methods block until the disk
    has answered, usually for milliseconds; a service that cannot spare them calls ``await
    asyncio.to_thread(place.write, text)``. They raise OSError if the disk or the folder refuses. Each file is readable
    by its owner only; on Windows, by everyone who may read its folder.

    Args:
        path: The path of the file; its folder must exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: Path = Path(path)
        """The path of the file."""
        self._lock_file: int | None = None

    def read(self) -> str | None:
        """Return the text that was written last; None if there is none, or an empty one. Safe outside the block.

        Raises:
            UsageError: If the file is not text in UTF-8, so no :meth:`write` has made it.
        """
        try:
            return self.path.read_text(encoding="utf-8") or None
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise UsageError(
                f"{self.path} is not a checkpoint: it is not text in UTF-8. Remove it to begin again."
            ) from None

    def write(self, text: str) -> None:
        """Replace the content of the file atomically, and wait until it is on the disk.

        Data that must exist when the checkpoint does, such as the rows before it, must be flushed and synced first.

        Args:
            text: A checkpoint, or a text of your own that holds one, such as JSON with the size of the export.

        Raises:
            UsageError: If it is called outside a ``with`` block.
        """
        self._check_locked()
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
        """Remove the file after the end of the walk; do nothing if there is none.

        Raises:
            UsageError: If it is called outside a ``with`` block.
        """
        self._check_locked()
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)

    def __enter__(self) -> Self:
        """Lock the file, and remove the drafts of a job that was killed while it wrote.

        Raises:
            CheckpointInUseError: If another job holds the file.
        """
        self._lock_file = _acquire(self._lock_path, self.path)
        for left in self.path.parent.glob(f".{escape(self.path.name)}.????????.draft"):
            left.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lock_file, self._lock_file = self._lock_file, None
        if lock_file is not None:
            with suppress(OSError):  # Windows removes no file that is open
                self._lock_path.unlink()
            os.close(lock_file)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.lock")

    def _check_locked(self) -> None:
        if self._lock_file is None:
            raise UsageError(f"{self!r} can be written only inside a with block, which keeps other jobs away.")


def _acquire(lock: Path, path: Path) -> int:
    """Open the lock file and lock it; repeat if its last holder removed it between the two steps."""
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
        try:
            lock_file(file)
            if _stands_at(file, lock):
                return file
        except (BlockingIOError, PermissionError):
            os.close(file)
            raise CheckpointInUseError(
                f"{path} is in use by another job. Nothing was read or written: wait until it ends, or use another "
                "file for this one.",
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
    """Replace the file with the draft; on Windows, retry after a pause while another program reads the file."""
    for _ in range(REPLACE_ATTEMPTS - 1):
        with suppress(PermissionError):
            return os.replace(draft, path)  # noqa: PTH105 - on every system, also over a file that is there
        time.sleep(REPLACE_PAUSE)
    return os.replace(draft, path)  # noqa: PTH105 - same


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the new name is durable too, if the system can: Windows opens no folder."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
