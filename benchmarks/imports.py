"""The time of an import, in a fresh process each time, against aiohttp's; the start of Python does not count.

Everything is imported from bytecode, as from an installed package, even if the environment disables writing it.
"""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers import installed
from benchmarks.processes import ROOT, pin

ROUNDS, PEER_ROUNDS = 25, 3
WHAT = {
    "aiohttp": "import aiohttp",
    "mihu_async": "import mihu_async",
    "telnyx": "from telnyx import AsyncTelnyx",
    "retell": "from retell import AsyncRetell",
    "openai": "from openai import AsyncOpenAI",
    "twilio": "from twilio.http.async_http_client import AsyncTwilioHttpClient; from twilio.rest import Client",
}


def seconds(python: Path, statement: str) -> float:
    """Return the seconds of an import in a fresh process."""
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    imported = subprocess.run(
        [str(python), "-c", code], check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    return float(imported.stdout)


def measure() -> dict[str, list[float]]:
    """Import in turns, and return the seconds of each import."""
    pin(0)
    ours = dict.fromkeys(("aiohttp", "mihu_async"), Path(sys.executable))
    taken: dict[str, list[float]] = {}
    for pythons, rounds in ((ours, ROUNDS), (installed(), PEER_ROUNDS)):
        for number in range(rounds + 1):
            for name, python in pythons.items():
                took = seconds(python, WHAT[name])
                if number:  # the first one reads the disk
                    taken.setdefault(name, []).append(took)
    return taken
