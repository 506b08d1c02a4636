"""Writes the table and the pictures of the last whole run into the docs: python -m benchmarks.readme."""

import json

from benchmarks.plot import THEMES, picture
from benchmarks.processes import RESULTS, ROOT
from benchmarks.table import rewritten


def main() -> None:
    """Write the table and the pictures."""
    run = json.loads(RESULTS.read_text())
    page = ROOT / "docs" / "speed.md"
    page.write_text(rewritten(page.read_text(), run))
    for theme, colours in THEMES.items():
        (ROOT / "docs" / f"speed-{theme}.svg").write_text(picture(run["samples"], colours))


if __name__ == "__main__":
    main()
