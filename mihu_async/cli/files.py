"""The files that a command reads and replaces."""

import json
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
    return parse_object(path, read_text(path))


def parse_object(path: Path, text: str) -> dict[str, Any]:
    """Read the text of a file as a JSON object, as above."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise StopError(Exit.USAGE, f"{path} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise StopError(Exit.USAGE, f"{path} must hold a JSON object, not {type(found).__name__}.")
    return cast("dict[str, Any]", found)


def same(one: Path, other: Path) -> bool:
    """Return True if two paths name one file, which need not be there."""
    return one.resolve() == other.resolve()
