"""The time of a walk against the ideal of its window, if each page takes 50 ms.

The ideal is computed, not measured: the window doubles up to its width and is always full, and only the service takes
time.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.processes import Walker, serving

DELAY, ROUNDS = 0.05, 3
GOAL = 400, 16
"""The pages and the width that have a goal."""
WIDTHS, PAGES = (1, 2, 4, 8, 16, 32, 64), 200


def ideal(pages: int, concurrency: int, delay: float = DELAY) -> float:
    """Return the seconds of a walk that only waits: for page one alone, then for a window that doubles."""
    answered: list[float] = []
    width, begun, now = 1, 0, 0.0
    for number in range(pages):
        while begun < min(pages, number + width):
            answered.append(now + delay)
            begun += 1
        now = max(now, answered[number])
        width = min(concurrency, width * 2)
    return now


def spent(taken: Iterable[dict[str, float]]) -> dict[str, list[float]]:
    """Return the wall and CPU seconds of some walks."""
    rounds = list(taken)
    return {kind: [figures[kind] for figures in rounds] for kind in ("wall", "cpu")}


def measure() -> list[dict[str, Any]]:
    """Walk in turns, and return the seconds for each number of pages and each width."""
    cases = [(PAGES, width) for width in WIDTHS] + [GOAL]
    with (
        Walker(Path(sys.executable), "mihu") as walker,
        serving(pages=PAGES, delay=DELAY) as short,
        serving(pages=GOAL[0], delay=DELAY) as long,
    ):
        walker.walk(short, concurrency=WIDTHS[-1])  # a warm-up
        rounds = [
            [walker.walk(short if pages == PAGES else long, concurrency=width) for pages, width in cases]
            for _ in range(ROUNDS)
        ]
    return [
        {"pages": pages, "width": width, "ideal": ideal(pages, width), **spent(taken)}
        for (pages, width), taken in zip(cases, zip(*rounds, strict=True), strict=True)
    ]
