"""What a walk costs as the listing gets longer: time, requests, and memory, each walk in a process of its own."""

import sys
from pathlib import Path
from typing import Any

from benchmarks.processes import Walker, answered, serving

SIZES = {100: 5, 1_000: 3, 10_000: 2}
"""How often so many pages are walked."""
MODES = ("ignore", "recover")


def measure() -> list[dict[str, Any]]:
    """Walk; gives what each walk took, the shortest ones first."""
    taken: list[dict[str, Any]] = []
    for pages, rounds in SIZES.items():
        with serving(pages=pages) as base_url:
            for _ in range(rounds):
                taken += [{"pages": pages, "mode": mode, **walk(base_url, mode)} for mode in MODES]
    return taken


def walk(base_url: str, mode: str) -> dict[str, float]:
    """Walk once, after a short walk elsewhere that warms up."""
    with Walker(Path(sys.executable), "mihu") as walker, serving(pages=5) as short:
        walker.walk(short, on_drift=mode)
        before = answered(base_url)
        return walker.walk(base_url, on_drift=mode) | {"requests": answered(base_url) - before}
