"""The table of a run, for a terminal and for a page. Pure functions of the measurements."""

import re
from collections.abc import Sequence
from typing import Any

from benchmarks.rows import Row, plain, rows

HEAD = ("what", "measured", "median (min–max)", "goal", "")
BEGIN, END = "<!-- make bench-readme writes from here -->", "<!-- to here -->"


def cells(row: Row) -> tuple[str, ...]:
    """Format the cells of a row."""
    spread = f" ({plain(min(row.values))}–{plain(max(row.values))})" if len(row.values) > 1 else ""
    sign = ">" if row.least else "≤"
    goal = "" if row.goal is None else f"{sign} {row.goal:,g}"
    return row.what, row.measured, f"{plain(row.figure)}{spread} {row.unit}".rstrip(), goal, row.verdict


def markdown(some: Sequence[Row]) -> str:
    """Format rows as a Markdown table."""
    lines = [HEAD, ("---", "---", "---:", "---:", "---"), *map(cells, some)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(some: Sequence[Row]) -> str:
    """Format rows as a table for a terminal."""
    lines = [HEAD, *map(cells, some)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def measured_on(run: dict[str, Any]) -> str:
    """Describe the machine, and list what was left out."""
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    description = f"Measured on {machine['cores']} cores ({machine['system']}), Python {machine['python']}, {versions}."
    left_out = "; ".join(run["skipped"])
    return f"{description} Left out: {left_out}." if left_out else description


def printed(run: dict[str, Any]) -> str:
    """Format a run for a terminal."""
    return f"{text([*rows(run['samples'])]).replace('`', '')}\n\n{measured_on(run)}"


def rewritten(page: str, run: dict[str, Any]) -> str:
    """Return a page with the run's table between its markers."""
    table = f"{BEGIN}\n{markdown([*rows(run['samples'])])}\n\n{measured_on(run)}\n{END}"
    new, found = re.subn(f"{BEGIN}.*?{END}", lambda _: table, page, flags=re.DOTALL)
    if not found:
        message = f"The page has no place for the table: {BEGIN} … {END}"
        raise ValueError(message)
    return new
