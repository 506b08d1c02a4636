"""Reads the input files of a command."""

import json
from pathlib import Path
from typing import Any, cast

from mihu_async.cli.errors import Exit, StopError


def read_text(path: Path) -> str:
    """Read a text file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise StopError(Exit.USAGE, f"{path} is not text in UTF-8.") from None


def read_secret(path: Path) -> str:
    """Read a secret, without its trailing line end."""
    return read_text(path).rstrip("\r\n")


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object. No error quotes its text, which may contain secrets."""
    return parse_object(path, read_text(path))


def parse_object(path: Path, text: str, *, advice: str = "") -> dict[str, Any]:
    """Parse the text of a file as a JSON object; no error quotes it, and each has the advice."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise StopError(Exit.USAGE, f"{path} is not JSON: {error}.", advice) from None
    if not isinstance(found, dict):
        raise StopError(Exit.USAGE, f"{path} must hold a JSON object, not {type(found).__name__}.", advice)
    return cast("dict[str, Any]", found)


def same(one: Path, other: Path) -> bool:
    """Return True if two paths name the same file, which need not exist."""
    return one.resolve() == other.resolve()
