"""The files that a command reads and replaces."""

import json
import os
from pathlib import Path
from typing import Any, cast

from mihu_async.cli.errors import Exit, StopError


def read_text(path: Path) -> str:
    """Read a text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise StopError(Exit.USAGE, f"{path} is no text in UTF-8.") from None


def read_secret(path: Path) -> str:
    """Read a secret, without the line end behind it."""
    return read_text(path).rstrip("\r\n")


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object. What is wrong with it is told without its text, which may hold secrets."""
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise StopError(Exit.USAGE, f"{path} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise StopError(Exit.USAGE, f"{path} must hold a JSON object, not {type(found).__name__}.")
    return cast("dict[str, Any]", found)


def same(one: Path, other: Path) -> bool:
    """Tell whether two paths name one file, whether it is there or not."""
    return one.resolve() == other.resolve()


def replace(path: Path, text: str) -> None:
    """Write a file so that it is the old one or the new one at every moment."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)  # noqa: PTH105 - on every system, also over a file that is there
