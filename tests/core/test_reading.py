"""The closer look: row by row, whatever came, in slices and within bounds."""

import asyncio
import copy
import json
import logging
import time
import tracemalloc
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mihu_async import (
    Agent,
    APIError,
    Billing,
    DecodeError,
    NumberChannels,
    Page,
    PhoneNumber,
    Problem,
    RequestTimeoutError,
    Timeout,
)
from mihu_async.core.envelope import read_closely
from mihu_async.core.reading import CLOSER_LOOKS, LARGEST_OBJECT
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import describe
from mihu_async.core.response import read_fast
from mihu_async.models.agents import AgentAnswer
from mihu_async.models.provisional import Items
from tests.doubles import TOKEN, FakeClock, FakeSender, ok, pipeline, reading, response

PAGINATION: dict[str, Any] = {"current_page": 1, "per_page": 100, "total": 3, "last_page": 1, "has_more": False}
ROW: dict[str, Any] = {
    "phone_number_uuid": "7b0e0a5c-0000-4000-8000-000000000000",
    "number": "+12084439178",
    "country_code": "US",
    "location": "Boise, Idaho",
    "type": "local",
    "is_external": False,
    "source": "purchased",
    "status": "active",
    "compliance": {"status": "completed", "requirements": [{"name": "Name", "type": "textual", "description": "D"}]},
    "capabilities": {"voice": True, "sms": True, "mms": False},
    "channel_settings": {"voice": {"enabled": True, "channel_limit": 5, "whitelisted_destinations": ["US", "CA"]}},
    "billing": {"monthly_fee": 1.15, "currency": "EUR"},
    "bindings": {"call": {"bound": True, "agent_uuid": "a", "agent_name": "Ada"}},
    "purchased_at": "2023-11-07T05:31:56Z",
    "updated_at": "2023-11-07T05:31:56.123456Z",
}
SNAPSHOT: dict[str, Any] = {
    "phone_number_uuid": "u",
    "number": "+12084439178",
    "is_external": True,
    "source": "external",
    "channels": {
        "call": {"capable": True, "enabled": True, "channel_limit": 2, "whitelisted_destinations": ["US"]},
        "whatsapp": {"bound": True, "agent_uuid": "a", "agent_name": "Ada"},
        "inbound": {"enabled": True, "channel_limit": None},
    },
}
PAGE = describe("GET", "/phone-numbers", Page[PhoneNumber])


def rows(count: int) -> list[dict[str, Any]]:
    """Make good rows."""
    return [ROW | {"phone_number_uuid": f"u{index}"} for index in range(count)]


def page(items: Any, **pagination: Any) -> bytes:
    """Write a page as the service does."""
    data = {"items": items, "pagination": PAGINATION | pagination}
    return json.dumps({"success": True, "data": data}, separators=(",", ":")).encode()


def read(body: bytes, answer: Any = Page[PhoneNumber]) -> Any:
    """Read an answer closely, and return its data."""
    return reading(response(body=body), describe("GET", "/x", answer)).data


def test_one_odd_field_costs_nothing_but_itself():
    """The row is read, and so are the others; the page names the place."""
    items = rows(3)
    items[1] = items[1] | {"purchased_at": "2025-06-01", "capabilities": []}
    found = read(page(items))
    good = read(page(rows(3)))

    assert (Problem("$.data.items[1].purchased_at", "must be an RFC 3339 time with an offset"),) == found.problems
    assert (1, 0) == (found.problem_count, found.left_out)
    assert good.items[0] == found.items[0]
    assert attrs.evolve(good.items[1], purchased_at=None, capabilities=found.items[1].capabilities) == found.items[1]
    assert good.items[2] == found.items[2]


def test_a_row_that_is_nothing_is_left_out():
    """It is a problem, and the page says how many there were."""
    found = read(page([rows(1)[0], None, {"number": "+1"}, [], "x", rows(2)[1]]))

    assert ["u0", "u1"] == [item.phone_number_uuid for item in found]
    assert (4, 4) == (found.problem_count, found.left_out)
    assert [
        "$.data.items[1] must be an object, not null",
        "$.data.items[2].phone_number_uuid is missing",
        "$.data.items[3].phone_number_uuid is missing",
        "$.data.items[4] must be an object, not text",
    ] == [str(problem) for problem in found.problems]


def test_what_php_writes_is_read_without_a_word():
    """An empty object as a list, an empty list as an object, money and page numbers as text, null for a boolean."""
    odd = ROW | {"capabilities": [], "billing": {"monthly_fee": "1.15"}, "is_external": None, "bindings": []}
    odd["compliance"] = {"requirements": {}}
    found = read(page([odd], current_page="1", per_page="100", total="1", last_page="1"))

    assert () == found.problems
    assert (1, 100, 1, 1) == attrs.astuple(found.pagination)[:4]
    assert Billing(monthly_fee=Decimal("1.15")) == found.items[0].billing
    assert found.items[0].is_external is None
    assert () == read(page({})).items


@pytest.mark.parametrize("pagination", [None, 5, [], "missing"])
def test_a_page_without_pagination_is_a_page(pagination):
    """Its place is not known, which is a problem, and its items are read."""
    data = {"items": rows(2), "pagination": pagination}
    if pagination == "missing":
        del data["pagination"]
    found = read(json.dumps({"data": data}).encode())

    assert 2 == len(found)
    assert found.pagination.has_more is None
    assert found.problem_count > 0


@pytest.mark.parametrize("data", [[], {}, {"items": None}, {"items": "x"}, {"items": {"a": 1}}, None, 5])
def test_items_that_are_no_list_are_no_page(data):
    """There is nothing to give, so it is an error that names the place."""
    with pytest.raises(DecodeError) as caught:
        read(json.dumps({"data": data}).encode())

    assert caught.value.paths in {("$.data",), ("$.data.items",)}
    assert not caught.value.transient


def test_broken_bytes_in_a_row_are_no_json():
    """Another attempt may bring what was meant."""
    with pytest.raises(DecodeError) as caught:
        read(page([ROW | {"location": 5}]).replace(b"Idaho", b"\xff").replace(b"+1208", b"\xff"))

    assert caught.value.transient


def test_a_page_of_many_more_items_than_its_size_is_read_whole():
    """That the service ignores the size is a problem, and no reason to lose a row."""
    found = read(page(rows(201)))

    assert 201 == len(found)
    assert ["$.data.items holds 201 items, though a page has 100"] == [str(problem) for problem in found.problems]
    assert () == read(page(rows(200))).problems


def test_a_very_large_row_is_read_where_its_fields_are_not():
    """A field that is too large to be looked at closely is None; what the model does not know costs nothing."""
    large = {"channel_settings": {"voice": {"whitelisted_destinations": [5] * 40_000}}, "unknown": "x" * 100_000}
    found = read(page([ROW | large, "x" * 70_000]))

    assert attrs.evolve(read(page([ROW])).items[0], channel_settings=None) == attrs.evolve(
        found.items[0], channel_settings=None
    )
    assert [
        "$.data.items[0].channel_settings.voice.whitelisted_destinations must be a list, not something too large",
        "$.data.items[1] must be an object, not something too large",
    ] == [str(problem) for problem in found.problems]


DIGITS = "8" * 5_000


@pytest.mark.parametrize("path", ["type", "unknown", "channel_settings", "billing"])
def test_a_number_of_very_many_digits_costs_nothing_but_its_field(path):
    """No reader of JSON takes it, wherever it stands; the rest of the row and the other rows are read."""
    items = rows(2)
    items[1] |= {"capabilities": 5, path: {"x": "DIGITS"} if path == "unknown" else ["DIGITS"]}
    found = read(page(items).replace(b'"DIGITS"', DIGITS.encode()))
    lost = {} if path == "unknown" else {path: None}

    assert attrs.evolve(read(page(rows(2))).items[1], capabilities=None, **lost) == found.items[1]
    assert ["$.data.items[1].capabilities", *(f"$.data.items[1].{name}" for name in lost)] == sorted(
        (problem.path for problem in found.problems), key=lambda place: place != "$.data.items[1].capabilities"
    )


def test_a_number_of_very_many_digits_leaves_a_single_object_and_a_pagination_as_they_are():
    """The field is None."""
    number = read(json.dumps({"data": ROW | {"type": "DIGITS"}}).replace('"DIGITS"', DIGITS).encode(), PhoneNumber)
    listed = read(page(rows(1), total="DIGITS").replace(b'"DIGITS"', DIGITS.encode()))

    assert (ROW["location"], None) == (number.location, number.type)
    assert (1, None) == (listed.pagination.last_page, listed.pagination.total)
    assert "$.data.pagination.total must be a whole number, not something too large" == str(listed.problems[0])


def test_a_number_of_very_many_digits_leaves_what_stands_beside_it_below_a_field():
    """Whatever the depth at which it is found."""
    odd = ROW | {"billing": {"monthly_fee": "1.15", "currency": "DIGITS"}}
    number = read(json.dumps({"data": odd}).replace('"DIGITS"', DIGITS).encode(), PhoneNumber)
    agent = {"agent": {"agent_uuid": "a", "name": "Ada", "role": "DIGITS"}}
    found = read(json.dumps({"data": agent}).replace('"DIGITS"', DIGITS).encode(), AgentAnswer)

    assert Billing(monthly_fee=Decimal("1.15")) == number.billing
    assert "Ada" == found.agent.name


def test_a_row_that_is_a_number_beyond_all_decimals_is_left_out():
    """It is no object."""
    assert 1 == read(b'{"data":{"items":[1e999999999999999999]}}', Items[Agent]).left_out


def test_a_byte_order_mark_is_passed_over():
    """A PHP file may begin with one."""
    assert 1 == len(read(b"\xef\xbb\xbf" + page(rows(1))))


def test_good_rows_of_which_all_is_kept_are_not_counted_as_odd():
    """However many a bare list holds."""
    found = read(
        json.dumps({"data": [{"agent_uuid": f"a{n}", "name": "n"} for n in range(1_500)]}).encode(), Items[Agent]
    )

    assert (1_500, 0) == (len(found.items), found.problem_count)


def test_of_a_row_with_extra_nothing_is_lost_without_a_word():
    """A long text of an agent is read; where the row is too large for that, a problem says what is left out."""
    agent = {"agent_uuid": "a", "name": "Ada", "description": "d" * 70_000, "role": "r"}
    found = read(json.dumps({"data": [agent, agent | {"notes": "x" * LARGEST_OBJECT}]}).encode(), Items[Agent])

    assert agent["description"] == found.items[0].description
    assert [{"role": "r"}, {}] == [item.extra for item in found.items]
    assert [
        "$.data[1] is too large: of its fields those are left out that its model does not know",
        "$.data[1].description must be text, not something too large",
    ] == [str(problem) for problem in found.problems]


def test_what_is_too_large_beside_items_is_left_out():
    """It is a problem, and the items are read."""
    items = [{"agent_uuid": "a", "name": "Ada"}]
    much = read(json.dumps({"data": {"items": items, "facets": "x" * 70_000}}).encode(), Items[Agent])
    digits = read(b'{"data":{"items":[],"next":' + DIGITS.encode() + b',"note":"n"}}', Items[Agent])

    assert (1, {}) == (len(much.items), much.extra)
    assert "bytes beside its items, which are left out" in str(much.problems[0])
    assert ({"note": "n"}, ("$.data.next",)) == (digits.extra, tuple(problem.path for problem in digits.problems))


def test_a_single_object_has_a_bound():
    """No documented one comes near it."""
    with pytest.raises(DecodeError, match="at most 1048576 bytes"):
        read(json.dumps({"data": SNAPSHOT | {"unknown": "x" * LARGEST_OBJECT}}).encode(), NumberChannels)


# What is odd may stand anywhere.

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2025-06-01", "2023-11-07T05:31:56", "maybe", "1.15", "NaN", "5", "local", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the places of a document, but for the elements of lists within a row: a list is a field."""
    inner = value.items() if isinstance(value, dict) else ()
    return [*([path] if path else []), *(place for name, below in inner for place in _places(below, (*path, name)))]


ROW_PLACES = _places(ROW)
SNAPSHOT_PLACES = _places(SNAPSHOT)


def _put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return changed


def _without(model: Any, place: tuple[str, ...]) -> Any:
    """Return a model without one of its fields, at any depth."""
    name, *below = place
    inner = getattr(model, name)
    return attrs.evolve(model, **{name: _without(inner, tuple(below)) if below else None})


def _text(path: tuple[Any, ...]) -> str:
    return "".join(f".{part}" for part in path)


@given(st.integers(0, 4), st.sampled_from(ROW_PLACES), _json)
@example(2, ("phone_number_uuid",), 5)
@example(2, ("number",), None)
@example(2, ("billing", "monthly_fee"), "NaN")
@example(2, ("channel_settings",), [])
@example(2, ("is_external",), "maybe")
def test_an_odd_value_anywhere_leaves_all_else_as_it_is(index, place, value):
    """Every other field and row comes as without it; problems name the place; strict, it is an error that does."""
    good = rows(5)
    good_page = read(page(good))
    good[index] = _put(good[index], place, value)
    body = page(good)
    found = read(body)
    named = [problem.path for problem in found.problems]
    fast = read_fast(response(body=body), PAGE)

    assert all(path.startswith(f"$.data.items[{index}]{_text(place)}") for path in named)
    assert (fast is None or fast.data) == (fast is None or found)
    assert fast is None or not named
    others = [item for position, item in enumerate(good_page.items) if position != index]
    if found.left_out:
        assert ("phone_number_uuid",) == place
        assert list(found.items) == others
    else:
        assert [item for position, item in enumerate(found.items) if position != index] == others
        if place != ("phone_number_uuid",):
            assert _without(good_page.items[index], place) == _without(found.items[index], place)
    if named:
        with pytest.raises(DecodeError) as caught:
            reading(response(body=body), PAGE, strict=True)
        assert tuple(named) == caught.value.paths


@given(st.sampled_from(SNAPSHOT_PLACES), _json)
def test_an_odd_value_in_a_snapshot_leaves_all_else_as_it_is(place, value):
    """A single object is read like a row."""
    body = json.dumps({"data": _put(SNAPSHOT, place, value)}).encode()
    request = describe("GET", "/x", NumberChannels)
    found = reading(response(body=body), request)
    good = read(json.dumps({"data": SNAPSHOT}).encode(), NumberChannels)
    fast = read_fast(response(body=body), request)

    assert all(problem.path.startswith(f"$.data{_text(place)}") for problem in found.problems)
    assert fast is None or (fast == found and not found.problems)
    if place != ("channels",):
        assert _without(good, place) == _without(found.data, place)


@given(st.sampled_from([*PAGINATION, "from", "to"]), _json)
def test_an_odd_pagination_leaves_the_items_as_they_are(name, value):
    """What cannot be read of it is None and a problem, but for a missing boolean and whole numbers as text."""
    found = read(page(rows(2), **{name: value}))

    assert read(page(rows(2))).items == found.items
    assert all(
        problem.path in {f"$.data.pagination.{name}", "$.data.items"} or problem.path.startswith("$.data.pagination")
        for problem in found.problems
    )


# Bounds.


def _wide(kind: str) -> bytes:
    """Write an answer that is wrong in very many places."""
    if kind == "rows":
        items = "{}," * 99_999 + "{}"
        return f'{{"data":{{"items":[{items}],"pagination":{json.dumps(PAGINATION)}}}}}'.encode()
    if kind == "fields":
        odd = dict.fromkeys(ROW, 5) | {"phone_number_uuid": "u"}
        return page([odd] * 10_000)
    if kind == "keys":
        return b'{"data":{"items":{' + b",".join(b'"k%d":1' % index for index in range(300_000)) + b"}}}"
    if kind == "list":
        return page([ROW | {"compliance": {"requirements": [{"name": 5}] * 200_000}}])
    return page([ROW | {f"unknown{index}": index for index in range(100_000)} | {"type": 5}])


def _longest(body: bytes) -> tuple[float, float, int]:
    """Return how long reading takes in all, how long its longest slice, and the peak of memory."""
    slices = read_closely(response(body=body), PAGE, Redactor((TOKEN,)), now=FakeClock().now(), strict=False)
    took: list[float] = []
    tracemalloc.start()
    try:
        while True:
            began = time.perf_counter()
            try:
                next(slices)
            except (StopIteration, DecodeError):
                took.append(time.perf_counter() - began)
                break
            took.append(time.perf_counter() - began)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return sum(took), max(took), peak


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "fields", "list", "unknown", "keys"])
def test_what_is_wrong_in_many_places_is_bounded(kind):
    """Reading it takes no more than a small multiple of what a good page of the same size takes, in time and memory."""
    body = _wide(kind)
    good = page(rows(len(body) // len(json.dumps(ROW)) + 1))
    wide = [_longest(body) for _ in range(3)]
    sound = [_longest(good) for _ in range(3)]

    assert min(total for total, _, _ in wide) < 30 * max(total for total, _, _ in sound)
    assert min(longest for _, longest, _ in wide) < 30 * max(longest for _, longest, _ in sound)
    assert min(peak for _, _, peak in wide) < 30 * max(peak for _, _, peak in sound)


def test_too_many_rows_that_cannot_be_read_end_the_look():
    """The rows before are given, and the others are counted as left out."""
    items: list[Any] = [{}] * CLOSER_LOOKS + [ROW, {}, ROW]
    found = read(page(items))

    assert 1 == len(found)
    assert CLOSER_LOOKS + 2 == found.left_out
    assert 64 == len(found.problems)


def test_half_a_character_costs_no_row():
    """It is read as the replacement character, and the answer says so."""
    found = read(page([ROW, ROW | {"location": "@"}, ROW]).replace(b"@", rb"a\ud800"))

    assert ["Boise, Idaho", "a\ufffd", "Boise, Idaho"] == [item.location for item in found]
    assert ["$"] == [problem.path for problem in found.problems]
    assert "lone surrogate" in found.problems[0].reason


def test_a_refusal_with_half_a_character_is_read():
    """Its reason reaches the caller."""
    body = rb'{"success":false,"message":"No \udc00."}'
    with pytest.raises(APIError, match="No \ufffd"):
        reading(response(400, body=body), describe("GET", "/x", NumberChannels))


def test_a_crowded_answer_is_an_error():
    """It says why it is not read."""
    with pytest.raises(DecodeError, match="it holds too many objects and values for one answer") as caught:
        read(b'{"data":{"items":[' + b"{}," * 500_000 + b"{}]}}")

    assert not caught.value.transient
    assert () == caught.value.paths


# The call.


class TurningClock(FakeClock):
    """A clock whose waits let the loop turn."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def test_other_tasks_go_on_while_a_large_answer_is_read():
    """It is read in slices, and the loop turns between them."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(turn())
    clock = TurningClock()
    found = await pipeline(FakeSender(clock, [response(body=page([*rows(2_000), {}]))])).run(PAGE)
    other.cancel()

    assert 2_000 == len(found)
    assert turns > 10


async def test_reading_takes_no_longer_than_the_call_may():
    """A call that is out of time ends, however much of its answer is left to be read."""
    sender = FakeSender(FakeClock(), [response(body=page([*rows(2_000), {}]))])
    sender.clock.overslept = 10.0
    with pytest.raises(RequestTimeoutError, match="was answered, but reading the answer took longer") as caught:
        await pipeline(sender, timeout=Timeout(total=15)).run(PAGE)

    assert 1 == len(caught.value.attempts)


async def test_a_strict_call_is_made_once():
    """An answer of a wrong shape is not asked for again; bytes that are no JSON are."""
    odd = response(body=page([ROW | {"type": 5}]))
    sender = FakeSender(FakeClock(), [odd])
    with pytest.raises(DecodeError) as caught:
        await attrs.evolve(pipeline(sender), strict=True).run(PAGE)

    assert ("$.data.items[0].type",) == caught.value.paths
    assert 1 == len(sender.sent)
    found = await pipeline(FakeSender(FakeClock(), [response(body=b"<"), odd])).run(PAGE)
    assert found.items[0].type is None


async def test_a_single_answer_tells_of_its_problems_in_the_log(caplog):
    """One line names the first places, and no value."""
    sender = FakeSender(FakeClock(), [ok(SNAPSHOT | {"source": [], "number": 5, "is_external": "no"})])
    with caplog.at_level(logging.WARNING, "mihu_async"):
        found = await pipeline(sender).run(describe("GET", "/x", NumberChannels))

    assert "u" == found.phone_number_uuid
    (line,) = [record.getMessage().replace("$.data.", "$.") for record in caplog.records]
    places = "$.number must be text, not a whole number; $.is_external must be a boolean, not text; $.source must be"
    assert line.startswith(f"The answer to GET /api/v1/x was read except for 3 problems: {places}")
