"""Takes all measurements, or the named ones, and prints the table: python -m benchmarks [decode call walk …].

Each measurement runs in its own process, one after the other. A whole run is kept in build/bench/results.json.
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
"""Seconds that one measurement may take."""
OURS = ("aiohttp", "msgspec", "attrs", "cattrs", "orjson")


def run(names: Iterable[str]) -> dict[str, Any]:
    """Take the measurements, each in its own process, and list those that fail."""
    skipped = [why for peer, requirement in wanted().items() if (why := install(peer, requirement))]
    samples: dict[str, Any] = {}
    for name in names:
        print(f"measuring {name} …", file=sys.stderr)
        try:
            measured = subprocess.run(
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
            samples[name] = json.loads(measured.stdout.splitlines()[-1])
    skipped += samples.get("walk", {}).get("skipped", ())
    return {"machine": machine(), "samples": samples, "skipped": skipped}


def machine() -> dict[str, Any]:
    """Describe the machine and the versions."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} on {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OURS},
    }


def main(names: list[str]) -> None:
    """Take, keep and print the measurements."""
    if names[:1] == ["--only"]:
        print(json.dumps(import_module(f"benchmarks.{names[1]}").measure()))
        return
    result = run(names or READERS)
    if not names:  # only a whole run is kept
        RESULTS.write_text(json.dumps(result))
    print(printed(result))


if __name__ == "__main__":
    CACHE.mkdir(parents=True, exist_ok=True)
    main(sys.argv[1:])
