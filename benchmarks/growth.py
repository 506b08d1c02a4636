"""The time, requests and memory of walks over short and long listings, each walk in its own process."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.processes import Walker, answered, serving

SIZES, ROUNDS = (100, 1_000, 10_000), 3
"""The numbers of pages of the listings, and the rounds."""
MODES = ("ignore", "recover")


def measure() -> list[dict[str, Any]]:
    """Walk in turns, and return what each walk took."""
    with ExitStack() as servers:
        listings = [(pages, servers.enter_context(serving(pages=pages))) for pages in SIZES]
        return [
            {"pages": pages, "mode": mode, **walk(base_url, mode)}
            for _ in range(ROUNDS)
            for mode in MODES
            for pages, base_url in listings
        ]


def walk(base_url: str, mode: str) -> dict[str, float]:
    """Walk once, after a short walk over another listing as a warm-up."""
    with Walker(Path(sys.executable), "mihu") as walker, serving(pages=5) as short:
        walker.walk(short, on_drift=mode)
        before = answered(base_url)
        return walker.walk(base_url, on_drift=mode) | {"requests": answered(base_url) - before}
