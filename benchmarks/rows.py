"""Turns measurements into the rows of the table: ratios, goals and verdicts. Pure functions."""

import operator
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from statistics import median
from typing import Any

from attrs import frozen

PER_PAGE = 100
LINEAR = 1.25
"""The most that an item of a long walk may cost against one of a short walk: 1, and the error of the measurement."""
AT_LEAST = {"telnyx": (13.0, 15.0), "retell": (12.0, 1.0), "openai": (5.0, 1.0), "twilio": (2.0, 1.0)}
"""The least ratios of our speed to a peer's: as measured, and each against bare aiohttp on its own bytes."""
CALLS = {
    ("page", 1): ("one awaited page of a listing", 1.45),
    ("page", 50): ("fifty awaited pages at a time", 1.50),
    ("put", 1): ("one awaited PUT", 1.30),
    ("put", 50): ("fifty awaited PUTs at a time", 1.40),
}
"""The name of each call and number of calls at a time, and the most wall time that it may take against bare aiohttp."""
TITLES = {"telnyx": "telnyx", "retell": "retell-sdk", "openai": "openai", "twilio": "twilio"}


@frozen(kw_only=True)
class Row:
    """A line of the table: the name, the measured amount in its own unit, and the figure of each round.

    ``goal`` is the most that the median figure may be; if ``least`` is True, the median must be above it. None sets no
    goal.
    """

    what: str
    measured: str
    values: tuple[float, ...]
    unit: str = "×"
    goal: float | None = None
    least: bool = False

    @property
    def figure(self) -> float:
        """The median of the rounds."""
        return median(self.values)

    @property
    def verdict(self) -> str:
        """The verdict: the goal is met, or missed by some amount; empty without a goal."""
        if self.goal is None:
            return ""
        missed = self.goal - self.figure if self.least else self.figure - self.goal
        if missed < 0 or (missed == 0 and not self.least):
            return "met"
        share = f" ({missed / self.goal:.1%})" if self.goal else ""
        return f"missed by {plain(missed)}{share}"


def plain(figure: float) -> str:
    """Format a figure with its significant digits."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}" if figure >= 10 else f"{figure:.2f}"  # noqa: PLR2004 - where digits end


def ratios(some: Iterable[float], others: Iterable[float]) -> tuple[float, ...]:
    """Return the ratio of each round."""
    return tuple(map(operator.truediv, some, others))


def decode(taken: dict[str, list[float]]) -> Iterator[Row]:
    """Compare decoding a page with msgspec alone."""
    floor, ours, closer = (taken[name] for name in ("straight", "ours", "closer"))
    measured = "{:.1f} µs per item, against {:.1f}"
    yield Row(
        what="decode a page of 100 numbers, against msgspec straight into the same classes",
        measured=measured.format(median(ours) * 1e6, median(floor) * 1e6),
        values=ratios(ours, floor),
        goal=1.10,
    )
    yield Row(
        what="the same, if every row is read closely",
        measured=measured.format(median(closer) * 1e6, median(floor) * 1e6),
        values=ratios(closer, floor),
    )


def walk(taken: dict[str, Any]) -> Iterator[Row]:
    """Compare a walk with bare aiohttp, and with the peers."""
    turns: dict[str, list[dict[str, dict[str, float]]]] = taken["turns"]
    every = [turn for some in turns.values() for turn in some]
    for who, named, goal in (("mihu", "", 1.30), ("mihu, one by one", " with `concurrency=1`", 1.35)):
        for kind, name in (("wall", "wall"), ("cpu", "CPU")):
            ours, bare = ([turn[walker][kind] for turn in every] for walker in (who, "bare mihu"))
            measured = " against ".join(f"{items_a_second(some, 400)}" for some in (ours, bare))
            yield Row(
                what=f"`async for` over 400 pages{named}, against bare aiohttp and orjson that keep dicts: {name}",
                measured=f"{measured} items per " + ("CPU second" if kind == "cpu" else "second"),
                values=ratios(ours, bare),
                goal=goal if kind == "wall" else None,
            )
    for peer, some in turns.items():
        if peer == "mihu":
            continue
        ours, theirs, bare, bare_theirs = (
            [turn[who]["wall"] for turn in some] for who in ("mihu", peer, "bare mihu", f"bare {peer}")
        )
        plainly, fairly = AT_LEAST[peer]
        title = f"{TITLES[peer]} {taken['versions'][peer]}"
        yield Row(
            what=f"the same walk, how many times as fast as {title}",
            measured=f"{items_a_second(theirs, 400)} items per second",
            values=ratios(theirs, ours),
            goal=plainly,
            least=True,
        )
        own = ratios(theirs, bare_theirs)
        yield Row(
            what=f"{TITLES[peer]}: the same, each against bare aiohttp on its own bytes",
            measured=f"it takes {plain(median(own))} × bare aiohttp",
            values=ratios(own, ratios(ours, bare)),
            goal=fairly,
            least=True,
        )


def items_a_second(seconds: Iterable[float], pages: int) -> str:
    """Format the items per second of a walk."""
    return f"{pages * PER_PAGE / median(seconds):,.0f}"


def latency(taken: list[dict[str, Any]]) -> Iterator[Row]:
    """Compare walks of pages that take 50 ms with the ideal of their window."""
    for case in sorted(taken, key=lambda case: (-case["pages"], case["width"])):
        pages, width = case["pages"], case["width"]
        yield Row(
            what=f"{pages} pages at 50 ms, `concurrency={width}`, against the ideal of the window",
            measured=f"{median(case['wall']):.2f} s ({median(case['cpu']):.2f} of CPU), ideally {case['ideal']:.2f}",
            values=tuple(wall / case["ideal"] for wall in case["wall"]),
            goal=1.08 if pages == max(case["pages"] for case in taken) else None,
        )


def call(taken: list[dict[str, Any]]) -> Iterator[Row]:
    """Compare awaited calls with bare aiohttp."""
    for case in taken:
        what, most = CALLS[case["call"], case["at_a_time"]]
        for kind, name, goal in (("wall", "wall", most), ("cpu", "CPU", None)):
            ours, bare = case[f"ours {kind}"], case[f"bare {kind}"]
            yield Row(
                what=f"{what}, against bare aiohttp and orjson: {name}",
                measured=f"{median(ours) * 1e6:.0f} µs, against {median(bare) * 1e6:.0f}",
                values=ratios(ours, bare),
                goal=goal,
            )


def imports(taken: dict[str, list[float]]) -> Iterator[Row]:
    """Compare our import with aiohttp's and with the peers'."""
    aiohttp = taken["aiohttp"]
    for name, seconds in taken.items():
        if name == "aiohttp":
            continue
        ours = name == "mihu_async"
        yield Row(
            what="`import mihu_async`, against `import aiohttp`" if ours else f"the same with {TITLES[name]}",
            measured=f"{median(seconds) * 1e3:.0f} ms, against {median(aiohttp) * 1e3:.0f}",
            values=ratios(seconds, aiohttp) if ours else tuple(took / median(aiohttp) for took in seconds),
            goal=1.30 if ours else None,
        )


def growth(taken: list[dict[str, Any]]) -> Iterator[Row]:
    """Compare the requests, time and memory of short and long walks."""
    yield Row(
        what="requests per page, walks over 100, 1,000 and 10,000 pages",
        measured=f"{sum(case['requests'] for case in taken):,} for {sum(case['pages'] for case in taken):,} pages",
        values=tuple(case["requests"] / case["pages"] for case in taken),
        unit="",
        goal=1.0,
    )
    by_mode = sorted(taken, key=operator.itemgetter("mode"))
    for mode, cases in groupby(by_mode, key=operator.itemgetter("mode")):
        yield from _growth_of(mode, list(cases))


def _growth_of(mode: str, cases: list[dict[str, Any]]) -> Iterator[Row]:
    by_size = groupby(sorted(cases, key=operator.itemgetter("pages")), key=operator.itemgetter("pages"))
    few, between, many = ([*some] for _, some in by_size)
    first = [*map(_an_item, few)]
    for some, name in ((between, "100,000"), (many, "a million")):
        yield Row(
            what=f'CPU per item, {name} items against 10,000, `on_drift="{mode}"`',
            measured=f"{median(map(_an_item, some)) * 1e6:.1f} µs, against {median(first) * 1e6:.1f}",
            values=ratios(map(_an_item, some), first),
            goal=LINEAR,
        )
    small, large = (median(case["peak"] for case in some) for some in (few, many))
    measured = f"{large / 2**20:.0f} MiB, against {small / 2**20:.0f}"
    what = f'peak memory, a million items against 10,000, `on_drift="{mode}"`'
    if mode == "ignore":
        yield Row(what=what, measured=measured, values=tuple(case["peak"] / small for case in many), goal=1.1)
    else:
        more = (many[0]["pages"] - few[0]["pages"]) * PER_PAGE
        yield Row(
            what=f"{what}, per additional item",
            measured=measured,
            values=tuple((case["peak"] - small) / more for case in many),
            unit="bytes",
            goal=100.0,
        )


def _an_item(case: dict[str, float]) -> float:
    return case["cpu"] / case["items"]


def memory(taken: dict[str, Any]) -> Iterator[Row]:
    """Report the memory of a held item and of a finished call."""
    few, many = taken["few"], taken["many"]
    measured = "{:.0f} MiB with {:,} items, {:.0f} with {:,}"
    yield Row(
        what="memory per held item: allocated by Python",
        measured="",
        values=(taken["allocated"],),
        unit="bytes",
        goal=2500.0,
    )
    yield Row(
        what="memory per held item: growth of the process",
        measured=measured.format(many[0]["peak"] / 2**20, many[0]["items"], few[0]["peak"] / 2**20, few[0]["items"]),
        values=tuple((b["peak"] - a["peak"]) / (b["items"] - a["items"]) for a, b in zip(few, many, strict=True)),
        unit="bytes",
        goal=2500.0,
    )
    yield Row(
        what="memory that a finished call keeps", measured="", values=(taken["kept"],), unit="bytes", goal=8_000.0
    )


def plugin(taken: dict[str, list[float]]) -> Iterator[Row]:
    """Compare the start of pytest with the plugin and without it, for a run that does not use it."""
    yield Row(
        what="start of pytest with the plugin installed, against without",
        measured=f"{median(taken['with']) * 1e3:.0f} ms, against {median(taken['without']) * 1e3:.0f}",
        values=ratios(taken["with"], taken["without"]),
        goal=1.05,
    )


def writes(taken: dict[str, list[int]]) -> Iterator[Row]:
    """Compare the durable writes of a purchase with the most that it may make."""
    for name, what, most in (("keyed", "with", 2.0), ("plain", "without", 0.0)):
        yield Row(
            what=f"durable writes of a purchase {what} an `idempotency_key`",
            measured=f"{sum(taken[name])} for {len(taken[name])} purchases",
            values=tuple(map(float, taken[name])),
            unit="",
            goal=most,
        )


def fleet(taken: dict[str, float]) -> Iterator[Row]:
    """Report what a second process gains."""
    yield Row(
        what="an export of 400 pages at 50 ms by two Dask workers, how many times as fast as by one process",
        measured=f"{taken['together']:.2f} s, against {taken['alone']:.2f}",
        values=(taken["alone"] / taken["together"],),
    )


READERS: dict[str, Callable[[Any], Iterator[Row]]] = {
    reader.__name__: reader for reader in (decode, call, walk, latency, growth, memory, imports, plugin, writes, fleet)
}
"""The function that turns each measurement into rows, in the table's order."""


def rows(samples: dict[str, Any]) -> Iterator[Row]:
    """Return the rows of all measurements."""
    for name, read in READERS.items():
        if name in samples:
            yield from read(samples[name])
