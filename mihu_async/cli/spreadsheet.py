"""Reads a file of trunks, as spreadsheets and programs write it, and reports errors by line."""

import csv
import io
import json
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from mihu_async import SipCredentials, TrunkSpec, UsageError
from mihu_async.cli.errors import Exit, StopError
from mihu_async.validation import present

NEEDED = ("phone_number", "channel", "agent_uuid")
SIP = ("gateway", "port", "username", "password", "secondary_gateway")
COLUMNS = (*NEEDED, "name", "direction", *(f"sip_{name}" for name in SIP), "additional_settings")
"""The columns that a file of trunks may have."""
DELIMITERS = ",;\t"
"""The possible delimiters of cells: spreadsheets choose one by their user's language."""
STANDARD_INPUT = Path("-")


@frozen
class Row:
    """A trunk, with its line in the file."""

    line: int
    trunk: TrunkSpec


def read_rows(path: Path) -> list[Row]:
    """Read a file of trunks, or standard input, and report its errors before anything is sent."""
    if path == STANDARD_INPUT:
        return parse_rows("standard input", sys.stdin.buffer.read())
    return parse_rows(str(path), path.read_bytes())


def parse_rows(name: str, content: bytes) -> list[Row]:
    """Parse the content of a file of trunks. Rows of empty cells, which spreadsheets often add, are skipped."""
    text = decode(name, content)
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="", strict=True, delimiter=delimiter_of(text))
    try:
        reader.fieldnames = _without_empty_end(reader.fieldnames or ())
        _check_header(name, reader.fieldnames)
        rows = [Row(reader.line_num, _trunk(name, reader.line_num, cells)) for cells in reader if _holds(cells)]
    except csv.Error as error:
        raise StopError(Exit.USAGE, f"{name}, line {reader.line_num + 1}: {error}.") from None
    _check_once(name, rows)
    return rows


def decode(name: str, content: bytes) -> str:
    """Decode a file in UTF-8, or in UTF-16 with a byte order mark, as spreadsheets write it."""
    encoding = "utf-16" if content.startswith((BOM_UTF16_BE, BOM_UTF16_LE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        line = before.count(b"\n") + 1
        message = f"{name}, line {line}: it is not text in UTF-8. Nothing was sent."
        raise StopError(
            Exit.USAGE, message, 'Save it as "CSV UTF-8": an older encoding cannot be detected reliably.'
        ) from None


def delimiter_of(text: str) -> str:
    """Return the delimiter of the header: a comma, a semicolon or a tab."""
    header = next(iter(text.splitlines()), "")
    return max(DELIMITERS, key=header.count)


def _without_empty_end(names: Sequence[str]) -> Sequence[str]:
    kept = len(names)
    while kept and not names[kept - 1].strip():
        kept -= 1
    return names[:kept]


def _holds(cells: Mapping[str, Any]) -> bool:
    return any(map(_filled, cells.values()))


def _filled(cell: Any) -> bool:
    """Return True if a cell, or one of several after the last column, is not empty."""
    return bool("".join(cell or ()).strip())


def _check_once(name: str, rows: Sequence[Row]) -> None:
    """Reject a file with two lines for one trunk: each would undo the other on every run."""
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        first = lines.setdefault((row.trunk.phone_number, str(row.trunk.channel)), row.line)
        if first != row.line:
            message = f"{name}, line {row.line}: it repeats the trunk of line {first}. Nothing was sent."
            raise StopError(Exit.USAGE, message, "Keep one of the two lines.")


def _check_header(name: str, names: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        what = f"has no {missing[0]}" if missing else "must name each column once, and only known ones"
        found = ", ".join(map(repr, names)) or "nothing"
        message = f"{name}, line 1: it {what}. Its columns are {found}. Nothing was sent."
        raise StopError(Exit.USAGE, message, f"The allowed columns are {', '.join(COLUMNS)}.")


class RowError(ValueError):
    """A row that cannot be read. Its message quotes no cell, because a cell may be a password."""


def _trunk(name: str, line: int, cells: Mapping[str, str | None]) -> TrunkSpec:
    try:
        return _spec({name: cell for name, cell in cells.items() if _filled(cell)})
    except (RowError, UsageError) as error:
        raise StopError(Exit.USAGE, f"{name}, line {line}: {error} Nothing was sent.") from None


def _spec(given: dict[str, Any]) -> TrunkSpec:
    """Return a trunk from the cells that are not empty."""
    if "" in given:
        raise RowError("There are more cells than columns.")
    for name in NEEDED:
        if name not in given:
            raise RowError(f"{name} is empty.")
    for name, read in (("sip_port", _integer), ("additional_settings", _object)):
        if name in given:
            given[name] = read(name, given[name])
    sip = present({name: given.pop(f"sip_{name}", None) for name in SIP})
    return TrunkSpec(**given, sip=SipCredentials(**sip) if sip else None)


def _integer(name: str, cell: str) -> int:
    if not cell.isdecimal():
        raise RowError(f"{name} must be a whole number.")
    return int(cell)


def _object(name: str, cell: str) -> dict[str, Any]:
    with suppress(json.JSONDecodeError):
        found = json.loads(cell)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    raise RowError(f"{name} must be a JSON object.")
