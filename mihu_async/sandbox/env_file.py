"""A file of environment variables for shells, which exists exactly while a sandbox serves."""

import os
import shlex
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def exports(variables: Mapping[str, str]) -> str:
    """Return shell lines that export variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def remove_stale(path: Path) -> None:
    """Remove the file of an earlier sandbox, so that a program that waits for the file finds this sandbox's."""
    path.unlink(missing_ok=True)


@contextmanager
def env_file(path: Path, text: str) -> Generator[None]:
    """Create a file atomically, readable by its owner alone, and remove it after the block.

    If another program has replaced the file in the meantime, it is left alone.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text.encode())  # as it is: a shell takes a carriage return for a part of the value
    os.replace(file.name, path)  # noqa: PTH105 (one word for what is meant)
    try:
        yield
    finally:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            path.unlink()
