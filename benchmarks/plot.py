"""The picture of a run, as SVG: the items per second of each walk, and the time of a walk against its pages in flight.

Pure functions of the measurements. The picture is drawn twice, for a light and for a dark page.
"""

import math
from collections.abc import Iterator
from html import escape
from statistics import median
from typing import Any

from attrs import frozen

from benchmarks.rows import PER_PAGE, TITLES

PAGES = 400
SIZE = 880, 290
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"


@frozen
class Colours:
    """The colours of a picture."""

    text: str
    faint: str
    line: str
    ours: str
    others: str


THEMES = {
    "light": Colours(text="#1f2328", faint="#59636e", line="#d1d9e0", ours="#0969da", others="#afb8c1"),
    "dark": Colours(text="#f0f6fc", faint="#9198a1", line="#3d444d", ours="#4493f8", others="#656c76"),
}


def picture(samples: dict[str, Any], colours: Colours) -> str:
    """Draw the measurements of a run."""
    width, height = SIZE
    shapes = "\n".join((*bars(samples["walk"], colours), *curve(samples["latency"], colours)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" font-size="12" role="img">\n'
        "<title>Items per second of each walk; seconds of a walk against pages in flight</title>\n"
        f"{shapes}\n</svg>\n"
    )


def speeds(walk: dict[str, Any]) -> dict[str, float]:
    """Return the items per second of each walker, the fastest first."""
    every = [turn for some in walk["turns"].values() for turn in some]
    names = {"bare mihu": "bare aiohttp, dicts", "mihu": "mihu_async"} | {
        name: TITLES[name] for name in walk["versions"]
    }
    seconds = {title: [turn[name]["wall"] for turn in every if name in turn] for name, title in names.items()}
    rates = {title: PAGES * PER_PAGE / median(some) for title, some in seconds.items() if some}
    return dict(sorted(rates.items(), key=lambda pair: -pair[1]))


def bars(walk: dict[str, Any], colours: Colours) -> Iterator[str]:
    """Draw a bar for each walker."""
    left, top, step, thick, longest = 140, 58, 34, 20, 210
    rates = speeds(walk)
    yield _text(16, 24, "Items per second", colours.text, size=15, bold=True)
    yield _text(
        16, 42, f"a walk of {PAGES} pages of {PER_PAGE}, each SDK over its own service's listing", colours.faint
    )
    for place, (name, rate) in enumerate(rates.items()):
        y, ours = top + place * step, name == "mihu_async"
        length = longest * rate / max(rates.values())
        colour = colours.ours if ours else colours.others
        yield _text(left - 8, y + 15, name, colours.text, anchor="end", bold=ours)
        yield f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{thick}" rx="3" fill="{colour}"/>'
        yield _text(left + length + 6, y + 15, f"{rate:,.0f}", colours.text, bold=ours)


def curve(latency: list[dict[str, Any]], colours: Colours) -> Iterator[str]:
    """Draw the seconds of a walk against its pages in flight, on logarithmic scales."""
    left, right, top, bottom = 500, 862, 68, 240
    pages = min(case["pages"] for case in latency)
    cases = sorted((case for case in latency if case["pages"] == pages), key=lambda case: case["width"])
    widest, slowest = cases[-1]["width"], max(median(case["wall"]) for case in cases)
    highest, lowest = math.ceil(math.log2(slowest)), math.floor(math.log2(min(case["ideal"] for case in cases)))

    def x(width: float) -> float:
        return left + (right - left) * math.log2(width) / math.log2(widest)

    def y(seconds: float) -> float:
        return bottom - (bottom - top) * (math.log2(seconds) - lowest) / (highest - lowest)

    yield _text(left - 30, 24, "Seconds against pages in flight", colours.text, size=15, bold=True)
    yield _text(left - 30, 42, f"{pages} pages that take 50 ms each; dashed: the ideal of the window", colours.faint)
    for power in range(lowest, highest + 1):
        yield f'<path d="M{left} {y(2**power):.1f}H{right}" stroke="{colours.line}" fill="none"/>'
        yield _text(left - 8, y(2**power) + 4, f"{2.0**power:g} s", colours.faint, anchor="end")
    for case in cases:
        yield _text(x(case["width"]), bottom + 20, str(case["width"]), colours.faint, anchor="middle")
    yield _text((left + right) / 2, bottom + 40, "pages in flight (concurrency)", colours.faint, anchor="middle")
    best = " ".join(f"{x(case['width']):.1f},{y(case['ideal']):.1f}" for case in cases)
    taken = [(x(case["width"]), y(median(case["wall"])), median(case["wall"])) for case in cases]
    line = " ".join(f"{across:.1f},{up:.1f}" for across, up, _ in taken)
    yield f'<polyline points="{best}" fill="none" stroke="{colours.faint}" stroke-width="1.5" stroke-dasharray="5 4"/>'
    yield f'<polyline points="{line}" fill="none" stroke="{colours.ours}" stroke-width="2.5"/>'
    for across, up, seconds in taken:
        yield f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{colours.ours}"/>'
        yield _text(
            across + (6 if across < right else 0), up - 8, f"{seconds:#.2g}".rstrip("."), colours.text, anchor="middle"
        )


def _text(
    x: float, y: float, text: str, colour: str, *, anchor: str = "start", size: int = 12, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    style = f'text-anchor="{anchor}" font-size="{size}"{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" {style}>{escape(text)}</text>'
