"""A file of variables, for shells to read, that is there exactly while a sandbox serves."""

import os
import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def exports(variables: Mapping[str, str]) -> str:
    """Return lines that set variables in a shell and in what it starts."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def remove_stale(path: Path) -> None:
    """Remove the file of an earlier sandbox, so that whoever waits for it finds that of this one."""
    path.unlink(missing_ok=True)


@contextmanager
def env_file(path: Path, text: str) -> Generator[None]:
    """Put a file in place, whole and readable by its owner alone, and remove it after the block.

    A file that another program has put there since is left.
    """
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    os.replace(file.name, path)  # noqa: PTH105 (one word for what is meant)
    try:
        yield
    finally:
        if path.exists() and path.read_text() == text:
            path.unlink()
