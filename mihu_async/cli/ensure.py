"""A file of trunks: each line is ensured, and another file says what came of it."""

import csv
import json
import sys
from asyncio import CancelledError
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from attrs import define, field, frozen

from mihu_async import DryRun, EnsureResult, MihuClient, SipCredentials, TrunkSpec, UsageError
from mihu_async.cli.columns import text
from mihu_async.cli.errors import NAME, Exit, StopError, ending_of, one_line
from mihu_async.cli.output import csv_line
from mihu_async.cli.progress import progress
from mihu_async.resources.arguments import present

NEEDED = ("phone_number", "channel", "agent_uuid")
SIP = ("gateway", "port", "username", "password", "secondary_gateway")
COLUMNS = (*NEEDED, "name", "direction", *(f"sip_{name}" for name in SIP), "additional_settings")
"""What a file of trunks may hold."""
RESULTS = ("line", *NEEDED, "outcome", "unverified", "exit_code", "error")
"""What the file of results holds."""
LONG = 20
"""How many rows a file has at least for a bar."""


@frozen
class Row:
    """A trunk, and the line on which it stands."""

    line: int
    trunk: TrunkSpec


def read_rows(path: Path) -> list[Row]:
    """Read a file of trunks; what is wrong with it is told with the line, before anything is sent."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="", strict=True)
        try:
            _check_header(path, reader.fieldnames or ())
            rows = [Row(reader.line_num, _trunk(path, reader.line_num, cells)) for cells in reader]
        except (csv.Error, UnicodeDecodeError) as error:
            raise StopError(Exit.USAGE, f"{path}, line {reader.line_num + 1}: {error}.") from None
    _check_once(path, rows)
    return rows


def _check_once(path: Path, rows: Sequence[Row]) -> None:
    """Refuse a file in which two lines are about one trunk: each would undo the other, every time it is given."""
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        first = lines.setdefault((row.trunk.phone_number, str(row.trunk.channel)), row.line)
        if first != row.line:
            told = f"{path}, line {row.line}: the trunk of line {first} is named again. Nothing was sent."
            raise StopError(Exit.USAGE, told, "Keep one of the two lines.")


def _check_header(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        what = f"has no {missing[0]}" if missing else "must name each column once, and only known ones"
        raise StopError(Exit.USAGE, f"{path}, line 1: it {what}.", f"Its columns may be {', '.join(COLUMNS)}.")


class RowError(ValueError):
    """What is wrong with a row. It quotes no cell, for one may be a password."""


def _trunk(path: Path, line: int, cells: Mapping[str, str | None]) -> TrunkSpec:
    try:
        return _spec({name: cell for name, cell in cells.items() if cell})
    except (RowError, UsageError) as error:
        raise StopError(Exit.USAGE, f"{path}, line {line}: {error} Nothing was sent.") from None


def _spec(given: dict[str, Any]) -> TrunkSpec:
    """Make a trunk of the cells that are not empty."""
    if "" in given:
        raise RowError("There are more cells than columns.")
    for name in NEEDED:
        if name not in given:
            raise RowError(f"{name} is empty.")
    for name, read in (("sip_port", _whole), ("additional_settings", _object)):
        if name in given:
            given[name] = read(name, given[name])
    sip = present({name: given.pop(f"sip_{name}", None) for name in SIP})
    return TrunkSpec(**given, sip=SipCredentials(**sip) if sip else None)


def _whole(name: str, cell: str) -> int:
    if not cell.isdecimal():
        raise RowError(f"{name} must be a whole number.")
    return int(cell)


def _object(name: str, cell: str) -> dict[str, Any]:
    with suppress(json.JSONDecodeError):
        found = json.loads(cell)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    raise RowError(f"{name} must be a JSON object.")


async def ensure_rows(mihu: MihuClient, rows: Sequence[Row], path: Path) -> None:
    """Ensure every trunk, and write what came of each as it is known."""
    run = mihu.trunks.ensure_all([row.trunk for row in rows])
    with path.open("w", encoding="utf-8", newline="") as file, progress() as bar:
        results = Results(rows, file)
        results.begin()
        try:
            async with aclosing(aiter(run)) as done:
                async for result in done:
                    results.add(result)
                    if len(rows) >= LONG:
                        bar.show(results.count, len(rows))
        except CancelledError:
            results.interrupt(run.report.unseen, run.report.unfinished)
            raise StopError(
                Exit.INTERRUPTED,
                f"Interrupted: {results.told}; {path} has a line for each.",
                "The same command ensures every line again; what is as it should be stays so.",
            ) from None
    print(f"{NAME}: {results.told}; {path} has a line for each.", file=sys.stderr)
    if results.outcomes["failed"]:
        raise StopError(Exit.INCOMPLETE, f"{results.outcomes['failed']} of {len(rows)} trunks could not be ensured.")


@define
class Results:
    """Writes what came of each row."""

    rows: Sequence[Row]
    file: TextIO
    outcomes: Counter[str] = field(factory=Counter[str], init=False)
    _written: set[int] = field(factory=set[int], init=False)

    @property
    def count(self) -> int:
        """How many rows are written."""
        return len(self._written)

    @property
    def told(self) -> str:
        """How many rows had which outcome."""
        return ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items())) or "no trunks"

    def begin(self) -> None:
        """Write the names of the columns."""
        self._write(RESULTS)

    def add(self, result: EnsureResult[TrunkSpec]) -> None:
        """Write a result."""
        ensured, error = result.ensured, result.error
        if ensured:
            self._row(result.position, ensured.outcome, unverified=ensured.unverified)
        elif isinstance(error, DryRun):
            self._row(result.position, "planned", error=f"{error.method} {error.url}")
        else:
            ending = ending_of(cast("Exception", error))
            self._row(result.position, "failed", code=ending.code, error=ending.told)

    def interrupt(self, unseen: Sequence[EnsureResult[TrunkSpec]], unfinished: Sequence[TrunkSpec]) -> None:
        """Write the rows that are done and were not written yet, those that may be done, and those that are not."""
        for result in unseen:
            self.add(result)
        under_way = set(map(id, unfinished))
        for position in self._left():
            self._row(position, "unfinished" if id(self.rows[position].trunk) in under_way else "not begun")

    def _left(self) -> Iterator[int]:
        return (position for position in range(len(self.rows)) if position not in self._written)

    def _row(
        self, position: int, outcome: str, *, unverified: tuple[str, ...] = (), code: int | None = None, error: str = ""
    ) -> None:
        row = self.rows[position]
        self._written.add(position)
        self.outcomes[outcome] += 1
        address = (getattr(row.trunk, name) for name in NEEDED)
        self._write((row.line, *address, outcome, unverified, code, one_line(error)))

    def _write(self, cells: Sequence[Any]) -> None:
        self.file.write(csv_line(map(text, cells)))
        self.file.flush()
