"""The fast path reads what the closer look reads without a problem, or nothing."""

import json
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import Agent, AvailableNumber, NumberChannels, Page, PhoneNumber, Price, Rate
from mihu_async.core.codec import Part
from mihu_async.core.request import describe
from mihu_async.core.response import Reading, item_decoder, read_fast
from mihu_async.errors import MihuError
from mihu_async.models.agents import AgentAnswer
from tests.doubles import reading, response

NUMBER: dict[str, Any] = {
    "phone_number_uuid": "u",
    "number": "+12084439178",
    "is_external": False,
    "type": "local",
    "billing": {"monthly_fee": 1.15, "currency": "EUR"},
    "compliance": {"status": "completed", "requirements": [{"name": "n"}]},
    "purchased_at": "2023-11-07T05:31:56Z",
}
PAGINATION = {"current_page": 2, "per_page": 3, "total": 9, "last_page": 3, "has_more": True, "from": 4, "to": 6}


def body(data: Any, **envelope: Any) -> bytes:
    """Write an answer as the service does."""
    return json.dumps({"success": True, "data": data} | envelope, separators=(",", ":")).encode()


def read(answer: bytes, into: Any) -> Reading[Any] | None:
    """Read an answer on the fast path."""
    return read_fast(response(body=answer), describe("GET", "/x", into))


def decode(answer: bytes, into: Any) -> Any:
    """Read an answer on the fast path, and return its data."""
    found = read(answer, into)
    return None if found is None else found.data


def closely(answer: bytes, into: Any) -> Any:
    """Read an answer closely; None where anything of it cannot be read, or where it was no success."""
    try:
        return reading(response(body=answer), describe("GET", "/x", into), strict=True).data
    except MihuError:
        return None


def test_a_page_is_read_whole():
    """Items and metadata are those that the converter makes, also those whose name is a keyword."""
    answer = body({"items": [NUMBER], "pagination": PAGINATION})
    page = decode(answer, Page[PhoneNumber])

    assert page is not None
    assert closely(answer, Page[PhoneNumber]) == page
    assert (4, 6) == (page.pagination.from_, page.pagination.to)
    assert Decimal("1.15") == page.items[0].billing.monthly_fee


def test_the_message_is_read_too():
    """It is None where there is none, and one that is no text has a closer look."""
    for message, expected in (({"message": "Done."}, "Done."), ({"message": None}, None), ({}, None)):
        reading = read(body({}, **message), Price)
        assert reading is not None
        assert expected == reading.message
    assert read(body({}, message=["Done."]), Price) is None


def test_a_single_answer_is_read_whole():
    """It is the same for what is no page, with money in it or without."""
    snapshot = {"number": "+1", "channels": {"call": {"bound": True}}}
    for data, kind in ((NUMBER, PhoneNumber), (snapshot, NumberChannels)):
        assert closely(body(data), kind) == decode(body(data), kind) is not None


@pytest.mark.parametrize(
    "answer",
    [
        body(NUMBER | {"billing": {"monthly_fee": "NaN"}}),
        body(NUMBER | {"billing": {"monthly_fee": "Infinity"}}),
        body(NUMBER | {"billing": {"monthly_fee": "1e30"}}),
        body(NUMBER | {"billing": {"monthly_fee": "-0e-999999"}}),
        body(NUMBER | {"billing": {"monthly_fee": 0}}).replace(b":0", b":1e999999"),
        body(NUMBER | {"billing": []}),
        body(NUMBER | {"phone_number_uuid": ""}),
        body(NUMBER, message=5),
        body(NUMBER | {"purchased_at": "2023-11-07T05:31:56"}),
        body(NUMBER | {"updated_at": "yesterday"}),
        body(NUMBER | {"is_external": "false"}),
        body(NUMBER | {"number": None}),
        body(NUMBER | {"billing": {"monthly_fee": 0}}).replace(b":0", b":1e99999999999999999999"),
        body(NUMBER, success=False),
        body(NUMBER, success=None),
        body(None),
        b'{"success":true}',
        b"<html>",
        b"\xff",
        b"[" * 100_000,
    ],
    ids=[
        "no fee",
        "endless fee",
        "large fee",
        "small fee",
        "large fee as a number",
        "PHP's empty object",
        "no id",
        "no message",
        "naive time",
        "no time",
        "text for a boolean",
        "null",
        "no number",
        "failure",
        "no word on success",
        "no data",
        "data missing",
        "html",
        "no text",
        "deep",
    ],
)
def test_what_asks_for_a_closer_look_is_left_to_a_closer_look(answer):
    """That names what is wrong, or raises the refusal."""
    assert decode(answer, PhoneNumber) is None


@pytest.mark.parametrize("text", ["Sàssari", "a/b", 'a "b"', "a\\b", "a\nb"])
def test_escapes_do_not_cost_the_fast_path(text):
    """Escapes that frameworks write are read directly: letters as numbers, slashes and quotes with a stroke."""
    answer = body(NUMBER | {"location": text}).replace(b"/", rb"\/")

    assert closely(answer, PhoneNumber) == decode(answer, PhoneNumber) is not None


_leaf = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["local", "2023-11-07T05:31:56Z", "2023-11-07T05:31:56+02:00", "2023-11-07 05:31:56"])
)


def _documents(kind: Any) -> st.SearchStrategy[Any]:
    """Make objects of a model's fields, each of its own shape, of another, null, or missing.

    Some fields are unknown.
    """
    fields: dict[str, st.SearchStrategy[Any]] = {"unknown": _leaf}
    for field in attrs.fields(kind):
        inner = [part for part in getattr(field.type, "__args__", ()) if attrs.has(part)]
        fields[field.name] = (_documents(inner[0]) | _leaf) if inner else (_leaf | st.lists(_leaf, max_size=2))
    return st.fixed_dictionaries({}, optional=fields)


_good: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {name: st.just(NUMBER[name]) for name in ("phone_number_uuid", "number", "is_external")},
    optional={
        "type": st.none() | st.text(max_size=4),
        "location": st.none() | st.text(),
        "billing": st.none() | st.builds(dict, monthly_fee=st.none() | st.integers(0, 10**20) | st.floats(0.001, 9)),
        "updated_at": st.none() | st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    },
)


@given(
    st.lists(_documents(PhoneNumber) | _good, max_size=3),
    st.sampled_from([(",", ":"), (", ", ": "), (",\n", "\t:\n")]),
    st.booleans(),
)
def test_both_ways_read_the_same(items, separators, ascii_only):
    """Whatever documents hold, and however they are written, the fast path reads the same models or nothing."""
    data = {"items": items, "pagination": PAGINATION}
    answer = json.dumps({"success": True, "data": data}, separators=separators, ensure_ascii=ascii_only).encode()
    direct = decode(answer, Page[PhoneNumber])

    assert direct is None or closely(answer, Page[PhoneNumber]) == direct


@given(_good)
def test_what_is_right_is_read_fast(document):
    """The fast path is taken where nothing is wrong."""
    assert closely(body(document), PhoneNumber) == decode(body(document), PhoneNumber) is not None


@pytest.mark.parametrize("kind", [Page[AvailableNumber], AvailableNumber, Agent, AgentAnswer])
def test_what_keeps_the_unknown_is_left_to_a_closer_look(kind):
    """The fast path would drop what no field is there for."""
    assert decode(body({"number": "+12084439178"}), kind) is None


def test_an_item_that_keeps_the_unknown_has_no_decoder():
    """The same holds for a row."""
    assert item_decoder(AvailableNumber) is None


def test_a_row_is_decoded_by_itself():
    """It is a model where nothing is odd about it, and nothing otherwise."""
    decode_item = item_decoder(PhoneNumber)
    assert decode_item is not None

    assert decode_item(Part(json.dumps(NUMBER).encode())) == closely(body(NUMBER), PhoneNumber)
    assert decode_item(Part(b"{}")) is None
    assert decode_item(Part(json.dumps(NUMBER | {"purchased_at": "2023-11-07T05:31:56"}).encode())) is None


def test_a_page_of_many_more_items_than_its_size_has_a_closer_look():
    """Twice as many pass; more is a problem, which the closer look notes."""
    six, seven = ([NUMBER | {"phone_number_uuid": str(i)} for i in range(count)] for count in (6, 7))

    assert decode(body({"items": six, "pagination": PAGINATION}), Page[PhoneNumber]) is not None
    assert decode(body({"items": seven, "pagination": PAGINATION}), Page[PhoneNumber]) is None


def test_money_is_read_from_text_too():
    """PHP writes it so, and no digit is lost; a price that is nested is looked at as well."""
    answer = body({"items": [{"price": {"amount": "1.50"}}], "pagination": PAGINATION})
    page = decode(answer, Page[Rate])

    assert Price(amount=Decimal("1.50")) == page.items[0].price
    assert "1.50" == str(page.items[0].price.amount)
    assert decode(answer.replace(b"1.50", b"sNaN"), Page[Rate]) is None
