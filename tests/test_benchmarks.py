"""The pure parts of the benchmarks: what is served, what is made of the figures, and how they are shown."""

import json
from typing import Any

import pytest

from benchmarks.latency import ideal
from benchmarks.plot import THEMES, picture
from benchmarks.rows import Row, rows
from benchmarks.shapes import PER_PAGE, SHAPES, Listing, leaves
from benchmarks.table import BEGIN, END, markdown, printed, rewritten


def row(*values, **kwargs):
    """Make a row."""
    return Row(what="a walk", measured="1 s", values=values, **kwargs)


def walked(wall):
    """Make what one walk took."""
    return {"wall": wall, "cpu": wall, "items": 40_000, "peak": 2**20}


RUN: dict[str, Any] = {
    "machine": {"cores": 2, "system": "Linux", "python": "3.11.7", "versions": {"aiohttp": "3.14.5"}},
    "skipped": ["twilio could not be installed (TimeoutExpired)"],
    "samples": {
        "decode": {"straight": [3e-6], "ours": [3.6e-6], "closer": [2e-5]},
        "walk": {
            "turns": {
                "telnyx": [
                    {
                        "bare mihu": walked(0.2),
                        "mihu": walked(0.3),
                        "bare telnyx": walked(0.1),
                        "telnyx": walked(3.6),
                    }
                ]
            },
            "versions": {"telnyx": "4.189.0"},
        },
        "latency": [
            {"pages": pages, "width": width, "ideal": ideal(pages, width), "wall": [1.0, 1.2], "cpu": [0.5, 0.5]}
            for pages, width in ((200, 1), (200, 64), (400, 16))
        ],
    },
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_listing_is_walked_to_its_end(name):
    """Each shape's pages lead from one to the next, with as many items as asked for, all of them different."""
    shape = SHAPES[name]
    listing = Listing(shape, pages=3)
    seen: list[str] = []
    page, more = 0, True
    while more:
        page += 1
        asked = listing.asked(f"GET {shape.path(page)} HTTP/1.1".encode())
        items, more = shape.read(json.loads(listing.body(asked)))
        seen += map(json.dumps, items)

    assert (3, 3 * PER_PAGE) == (page, len(set(seen)))


@pytest.mark.parametrize("name", SHAPES)
def test_items_are_about_as_rich_as_ours(name):
    """No shape has less than three quarters of the values that a number of Mihu's has."""
    assert leaves(SHAPES[name].item("0" * 12)) >= leaves(SHAPES["mihu"].item("0" * 12)) * 3 / 4


@pytest.mark.parametrize(
    ("pages", "concurrency", "turns"), [(1, 16, 1), (10, 1, 10), (3, 2, 2), (7, 4, 3), (400, 16, 28)]
)
def test_the_ideal_counts_the_ramp_in(pages, concurrency, turns):
    """Page one comes alone, and the window doubles up to its width."""
    assert ideal(pages, concurrency, delay=1) == turns


@pytest.mark.parametrize(
    ("some", "verdict"),
    [
        (row(1.2, 1.3, 1.1, goal=1.25), "met"),
        (row(1.25, goal=1.25), "met"),
        (row(1.5, goal=1.25), "missed by 0.25 (20.0%)"),
        (row(131, goal=100.0, unit="bytes"), "missed by 31 (31.0%)"),
        (row(12.0, goal=11.0, least=True), "met"),
        (row(8.8, goal=11.0, least=True), "missed by 2.20 (20.0%)"),
        (row(1.0, goal=1.0, least=True), "missed by 0.00 (0.0%)"),
        (row(7.0), ""),
    ],
)
def test_a_row_says_how_its_goal_fares(some, verdict):
    """The median of the rounds decides; a goal that must be passed is not met by a draw."""
    assert verdict == some.verdict


def test_a_row_shows_its_spread():
    """The median stands before the least and the most of the rounds."""
    assert "| a walk | 1 s | 1.20 (1.10–1.50) × | ≤ 1.25 | met |" in markdown([row(1.5, 1.1, 1.2, goal=1.25)])


def test_a_peer_is_measured_plainly_and_against_its_own_bytes():
    """Twelve times slower with half the bytes is 24 times slower on its own."""
    ratios = {row.what: row.figure for row in rows(RUN["samples"])}

    assert pytest.approx(12) == ratios["the same walk, how many times as fast as telnyx 4.189.0"]
    assert pytest.approx(24) == ratios["telnyx: the same, each against bare aiohttp on its own bytes"]


def test_the_readme_gets_its_table_and_keeps_the_rest():
    """What stands between the markers is replaced, as often as wanted, and says what was left out."""
    readme = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    new = rewritten(readme, RUN)

    assert rewritten(new, RUN) == new
    assert new.startswith(f"before\n{BEGIN}\n| what |")
    assert new.endswith(f"Left out: twilio could not be installed (TimeoutExpired).\n{END}\nafter\n")
    with pytest.raises(ValueError, match="no place"):
        rewritten("no markers", RUN)


def test_a_run_is_printed():
    """The terminal's table says on what it was measured."""
    assert "Measured on 2 cores (Linux), Python 3.11.7, aiohttp 3.14.5." in printed(RUN)


@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_names_who_walked(theme):
    """Each who walked has a bar, and each width a point."""
    drawn = picture(RUN["samples"], THEMES[theme])

    assert all(f">{name}<" in drawn for name in ("mihu_async", "telnyx", "bare aiohttp, dicts"))
    assert drawn.count("<circle") == 2
