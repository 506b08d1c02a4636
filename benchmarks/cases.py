"""The pure parts, each by itself, for pytest-benchmark: pytest benchmarks/cases.py.

To compare with an earlier state on the same machine: make bench-baseline, then make bench-compare.
"""

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.decode import NOW, closer, ours, read, straight
from benchmarks.shapes import PER_PAGE
from mihu_async.core.options import RetryPolicy
from mihu_async.core.refusal import parse_retry_after
from mihu_async.core.request import describe, encode_query
from mihu_async.core.retry import Retry, decide
from mihu_async.errors import RateLimitError
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.paging.checkpoint import Place, decode_checkpoint, encode_checkpoint
from mihu_async.paging.drift import History, Read, compact_keys
from mihu_async.paging.page import Moment, check_progress, stated
from mihu_async.paging.proof import Evidence
from mihu_async.resources.numbers import NUMBERS

PAGE = read()
NUMBER = PAGE.pagination.current_page
REFUSED = RateLimitError("busy", status=429, method="GET", url="http://127.0.0.1", retry_after=1.5)


@pytest.mark.parametrize("decode", [straight, ours, closer], ids=lambda decode: decode.__name__)
def test_decode_a_page(benchmark: BenchmarkFixture, decode: Callable[[], int]) -> None:
    """A page of 100 numbers, decoded by msgspec alone, on the fast path, and closely."""
    assert PER_PAGE == benchmark(decode)


def test_describe_a_listing(benchmark: BenchmarkFixture) -> None:
    """The request of a page with filters."""
    query = {"status": "active", "country_code": "US", "per_page": 100, "page": 7}
    request = benchmark(partial(describe, "GET", "/phone-numbers", PhoneNumber, query=query))

    assert request.query == encode_query(query)


def test_describe_a_purchase(benchmark: BenchmarkFixture) -> None:
    """The request of a write, with its body."""
    body = {"number": "+12085550100", "country_code": "US", "type": "local", "monthly_fee": 1.15}
    request = benchmark(partial(describe, "POST", "/phone-numbers", PhoneNumber, json=body))

    assert request.body


def read_of(page: Page[PhoneNumber]) -> Read[PhoneNumber]:
    """Return a page as a walk reads it, long after the dates of its items."""
    return Read(NUMBER, page, stated(page), compact_keys(map(NUMBERS.key, page.items)), Moment(NOW, NOW))


def test_note_and_take_a_page(benchmark: BenchmarkFixture) -> None:
    """A page in the history of a walk: its keys are checked and counted, and its new items are found."""

    def take(begun: History[PhoneNumber]) -> int:
        check_progress(PAGE, requested=NUMBER)
        read = read_of(PAGE)
        begun.record(read)
        return len(begun.new_items(read))

    def fresh() -> tuple[tuple[History[PhoneNumber]], dict[str, object]]:
        begun = History(dates=NUMBERS.dates, span=(1, None), evidence=Evidence(), total=None)
        begun.begin_pass(read_of(PAGE), set(), Evidence())
        return (begun,), {}

    pedantic: Any = benchmark.pedantic
    assert PER_PAGE == pedantic(take, setup=fresh, rounds=2000)


def test_decide_on_a_retry(benchmark: BenchmarkFixture) -> None:
    """The decision after a refusal."""
    verdict = benchmark(partial(decide, REFUSED, method="GET", attempt=1, policy=RetryPolicy(), left=60.0, jitter=0.5))

    assert Retry(1.5) == verdict


def test_read_retry_after(benchmark: BenchmarkFixture) -> None:
    """A pause that is given as a date."""
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert benchmark(partial(parse_retry_after, "Thu, 01 Jan 2026 00:00:07 GMT", now=now)) > 0


def test_write_and_read_a_checkpoint(benchmark: BenchmarkFixture) -> None:
    """The position of a walk, written as text and read back."""
    place = Place(page=7, anchors=tuple(deque((item.phone_number_uuid for item in PAGE.items), maxlen=8)))

    def there_and_back() -> Place:
        return decode_checkpoint(encode_checkpoint(place, listing="numbers"), listing="numbers")

    assert place == benchmark(there_and_back)
