"""The time to decode a page from bytes to models, against msgspec straight into the same classes."""

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from benchmarks.processes import pin
from benchmarks.shapes import PER_PAGE, SHAPES, Listing
from mihu_async.core.envelope import read_closely
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import Request, describe
from mihu_async.core.response import Response, read_fast
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.value import replace

ROUNDS, PAGES, SLOW = 15, 60, 10

LISTING = Listing(SHAPES["mihu"], 400)
BODY = LISTING.body(200)
REQUEST: Request[Page[PhoneNumber]] = describe("GET", "/phone-numbers", Page[PhoneNumber])
RESPONSE = Response(
    "http://127.0.0.1", 200, CIMultiDictProxy(CIMultiDict({"Content-Type": "application/json"})), BODY, complete=True
)
ODD = replace(RESPONSE, body=BODY.replace(b'"status":"', b'"status":5,"was":"'))
REDACTOR = Redactor(("benchmark-token",))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class _Data(msgspec.Struct):
    items: tuple[PhoneNumber, ...]


class _Answer(msgspec.Struct):
    data: _Data


FLOOR = msgspec.json.Decoder(_Answer)


def straight() -> int:
    """Decode into the same classes with msgspec alone, without checks."""
    return len(FLOOR.decode(BODY).data.items)


def ours() -> int:
    """Read an answer as a call does: its type, its envelope, its pagination and its items."""
    return len(read().items)


def read(body: bytes = BODY) -> Page[PhoneNumber]:
    """Read an answer that has no problem."""
    reading = read_fast(replace(RESPONSE, body=body), REQUEST)
    assert reading is not None
    return reading.data


def closer() -> int:
    """Read an answer in which every row has a problem."""
    slices = read_closely(ODD, REQUEST, REDACTOR, now=NOW, strict=False)
    while True:
        try:
            next(slices)
        except StopIteration as end:
            return len(end.value.data.items)


def seconds(decode: Callable[[], int], times: int) -> float:
    """Return the seconds per item, with no garbage to collect except the page's own."""
    gc.collect()
    gc.freeze()
    began = time.perf_counter()
    for _ in range(times):
        assert decode() == PER_PAGE
    return (time.perf_counter() - began) / (times * PER_PAGE)


def measure() -> dict[str, list[float]]:
    """Decode in turns, and return the seconds per item."""
    pin(0)
    turns = ((straight, PAGES), (ours, PAGES), (closer, SLOW))
    rounds = [[seconds(decode, times) for decode, times in turns] for _ in range(ROUNDS + 1)][1:]
    return {decode.__name__: list(taken) for (decode, _), taken in zip(turns, zip(*rounds, strict=True), strict=True)}
