"""The pure parts of the benchmarks: what is served, what is made of the figures, and how they are shown."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.latency import ideal
from benchmarks.plot import THEMES, picture
from benchmarks.rows import Row, rows
from benchmarks.shapes import ASSIGNMENT, PER_PAGE, SHAPES, Listing, assigned, leaves
from benchmarks.table import BEGIN, END, markdown, printed, rewritten
from benchmarks.trace import measure
from benchmarks.writes import CountingLedger, writes
from mihu_async.sandbox import Sandbox


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
                        "mihu, one by one": walked(0.4),
                        "bare telnyx": walked(0.1),
                        "telnyx": walked(3.6),
                    }
                ]
            },
            "versions": {"telnyx": "4.189.0"},
        },
        "call": [
            {"call": call, "at_a_time": at_a_time, "ours wall": [2e-4], "bare wall": [1e-4], "ours cpu": [3e-4]}
            | {"bare cpu": [1e-4]}
            for call in ("page", "put")
            for at_a_time in (1, 50)
        ],
        "memory": {
            "allocated": 2400.0,
            "kept": 1400.0,
            "few": [walked(1.0)],
            "many": [walked(1.0) | {"items": 100_000, "peak": 2**27}],
        },
        "plugin": {"with": [0.33, 0.31], "without": [0.3, 0.3]},
        "writes": {"keyed": [2, 2], "plain": [0, 0]},
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
        (row(0.0, goal=0.0), "met"),
        (row(1.0, goal=0.0), "missed by 1.00"),
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


def test_both_ways_to_walk_stand_beside_the_same_bare_walk():
    """A walk that fetches ahead and one that goes page by page each have a row of wall and a row of CPU."""
    ratios: dict[str, Any] = {
        row.what: (row.figure, row.goal) for row in rows(RUN["samples"]) if "`async for`" in row.what
    }
    against = "against bare aiohttp and orjson that keep dicts"

    assert ratios == {
        f"`async for` over 400 pages, {against}: wall": (pytest.approx(1.5), 1.3),
        f"`async for` over 400 pages, {against}: CPU": (pytest.approx(1.5), None),
        f"`async for` over 400 pages with `concurrency=1`, {against}: wall": (pytest.approx(2), 1.35),
        f"`async for` over 400 pages with `concurrency=1`, {against}: CPU": (pytest.approx(2), None),
    }


def test_each_call_is_measured_alone_and_in_company():
    """A page and a PUT, alone and fifty at a time, each have a goal for their wall."""
    found = [row for row in rows(RUN["samples"]) if "awaited" in row.what]

    assert [1.45, None, 1.5, None, 1.3, None, 1.4, None] == [row.goal for row in found]
    assert [pytest.approx(figure) for figure in (2, 3) * 4] == [row.figure for row in found]


def test_the_table_says_what_a_call_leaves_and_what_the_plugin_costs():
    """Memory after a call, the start of pytest and the durable writes of a purchase stand beside their goals."""
    found: dict[str, Any] = {row.what: (row.figure, row.goal) for row in rows(RUN["samples"])}

    assert (1400.0, 8_000.0) == found["memory that a finished call keeps"]
    assert (pytest.approx(16 / 15, abs=0.01), 1.05) == found[
        "start of pytest with the plugin installed, against without"
    ]
    assert (2.0, 2.0) == found["durable writes of a purchase with an `idempotency_key`"]
    assert (0.0, 0.0) == found["durable writes of a purchase without an `idempotency_key`"]


def test_the_server_answers_the_assignment_that_is_asked_for():
    """The answer to a PUT is about the number and the agent of its body."""
    data = json.loads(assigned())["data"]

    assert ASSIGNMENT["phone_number"] == data["number"]
    assert ASSIGNMENT["agent_uuid"] == data["channels"][ASSIGNMENT["channel"]]["agent_uuid"]


@pytest.mark.parametrize(("keyed", "written"), [(True, 2), (False, 0)])
async def test_writes_of_a_purchase_are_counted(tmp_path, keyed, written):
    """A purchase with a key waits for the disk twice, and one without a key never."""
    with Sandbox() as sandbox:
        ledger = CountingLedger(tmp_path / "purchases.db")
        counted = await writes(sandbox, ledger, keyed=keyed)
        ledger.close()

    assert {written} == set(counted)


async def test_a_key_that_is_given_up_is_a_durable_write_too(tmp_path):
    """The ledger of the benchmark counts a release."""
    ledger = CountingLedger(tmp_path / "purchases.db")
    await ledger.release("order-1", "nobody")
    ledger.close()

    assert ledger.writes == 1


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


def test_the_paths_of_calls_are_as_long_as_the_docs_say():
    """Each module and function that a call crosses is one that a reader must know."""
    page = Path("docs/architecture.md").read_text(encoding="utf-8")
    said = re.search(r"(\d+) modules and (\d+) functions for\s+`(.*?)`, and (\d+) modules for (.*?), with", page)
    assert said
    crossed = asyncio.run(measure())
    read, lost = crossed[said[3]], crossed[said[5]]

    assert (int(said[1]), int(said[2])) == (len(read), sum(map(len, read.values())))
    assert int(said[4]) == len(lost)
