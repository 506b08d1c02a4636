"""Measures all, or what is named: python -m benchmarks [decode call walk …]; prints the table.

Each measurement is a process of its own, one after the other. What they took is kept in build/bench/results.json.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks.peers import install, wanted
from benchmarks.processes import CACHE, RESULTS, ROOT
from benchmarks.rows import READERS
from benchmarks.table import printed

LIMIT = 300
"""How many seconds one measurement may take."""
OURS = ("aiohttp", "msgspec", "attrs", "cattrs", "orjson")


def run(names: Iterable[str]) -> dict[str, Any]:
    """Take the measurements, each in a process of its own; what fails is said."""
    skipped = [why for peer, requirement in wanted().items() if (why := install(peer, requirement))]
    samples: dict[str, Any] = {}
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            told = subprocess.run(
                [sys.executable, "-m", "benchmarks", "--only", name],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
                timeout=LIMIT,
                cwd=ROOT,
            )
        except (OSError, subprocess.SubprocessError) as error:
            skipped.append(f"{name} could not be measured ({type(error).__name__})")
        else:
            samples[name] = json.loads(told.stdout.splitlines()[-1])
    skipped += samples.get("walk", {}).get("skipped", ())
    return {"machine": machine(), "samples": samples, "skipped": skipped}


def machine() -> dict[str, Any]:
    """Say what it is measured on."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OURS},
    }


def main(names: list[str]) -> None:
    """Measure, keep and print."""
    if names[:1] == ["--only"]:
        print(json.dumps(import_module(f"benchmarks.{names[1]}").measure()))
        return
    told = run(names or READERS)
    if not names:  # a part of a run is no run
        RESULTS.write_text(json.dumps(told))
    print(printed(told))


if __name__ == "__main__":
    CACHE.mkdir(parents=True, exist_ok=True)
    main(sys.argv[1:])
