from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import (
    Address,
    Billing,
    Capabilities,
    NumberChannels,
    NumberType,
    Page,
    Pagination,
    PhoneNumber,
    Rate,
    RequirementValue,
)
from mihu_async.core.converter import ParseError, ShapeError, dump, parse, structure, unstructure

NUMBER: dict[str, Any] = {"phone_number_uuid": "u", "number": "+12084439178", "is_external": False}
PAGINATION: dict[str, Any] = {"current_page": 1, "per_page": 25, "total": 1, "last_page": 1, "has_more": False}


def problems(value: Any, into: Any = PhoneNumber) -> dict[str, str]:
    """Structure what is wrong, and give what was said of each path."""
    with pytest.raises(ShapeError) as caught:
        structure(value, into)
    return dict(caught.value.problems)


def test_what_is_missing_is_none():
    """A number needs its uuid, its number and where it is from; all else may be left out."""
    number = structure(NUMBER, PhoneNumber)

    assert PhoneNumber(phone_number_uuid="u", number="+12084439178", is_external=False) == number
    assert number.billing is None


def test_null_is_none_on_every_level():
    """A null is read where a value or a whole object may stand."""
    names = [field.name for field in attrs.fields(PhoneNumber) if field.name not in NUMBER]

    assert structure(NUMBER, PhoneNumber) == structure(NUMBER | dict.fromkeys(names), PhoneNumber)
    assert Billing() == structure({"monthly_fee": None, "currency": None}, Billing)


def test_unknown_fields_are_ignored():
    """What a later version of the service adds does not break this one."""
    assert Billing(currency="EUR") == structure({"currency": "EUR", "vat": {"rate": 22}}, Billing)


def test_an_unknown_enum_value_is_kept():
    """A new word of the service is read, equals its string, and says that it is new."""
    number = structure(NUMBER | {"type": "satellite"}, PhoneNumber)

    assert isinstance(number.type, NumberType)
    assert "satellite" == number.type
    assert not number.type.is_known


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("number", None, "must be text, not null"),
        ("number", 12, "must be text, not a whole number"),
        ("location", True, "must be text, not a boolean"),
        ("location", ["a"], "must be text, not a list"),
        ("is_external", "false", "must be a boolean, not text"),
        ("is_external", 0, "must be a boolean, not a whole number"),
        ("type", 1, "must be text, not a whole number"),
        ("billing", [], "must be an object, not a list"),
        ("billing", "EUR", "must be an object, not text"),
        ("purchased_at", 1699335116, "must be a time as text, not a whole number"),
        ("purchased_at", "yesterday", "must be an RFC 3339 time with an offset"),
        ("purchased_at", "2023-11-07T05:31:56", "must be an RFC 3339 time with an offset"),
        ("purchased_at", "2023-11-07", "must be an RFC 3339 time with an offset"),
    ],
)
def test_nothing_is_coerced(field, value, said):
    """A value of another type is an error that names its path, what it must be and what it was."""
    assert {f"$.{field}": said} == problems(NUMBER | {field: value})


@pytest.mark.parametrize("value", ["1.5", True, [1]], ids=repr)
def test_money_is_a_number(value):
    """A fee that comes as text or a boolean is no fee."""
    assert ["$.monthly_fee"] == list(problems({"monthly_fee": value}, Billing))


@pytest.mark.parametrize("value", [12.5, "5", True, Decimal("1.0")], ids=repr)
def test_a_count_is_a_whole_number(value):
    """A fraction is no count, not even one that is whole."""
    assert ["$.total"] == list(problems(PAGINATION | {"total": value}, Pagination))


def test_a_list_is_a_list():
    """Text is not taken letter by letter, and what stands in a list is checked by its place."""
    assert {"$.whitelisted_destinations": "must be a list, not text"} == problems(
        {"whitelisted_destinations": "US"}, type(structure({}, structure_of("channel_settings", "voice")))
    )


def structure_of(*names: str) -> Any:
    """Give the class of a field of PhoneNumber, at any depth."""
    kind: Any = PhoneNumber
    for name in names:
        kind = get_args(attrs.fields_dict(kind)[name].type)[0]
    return kind


def test_all_that_is_wrong_is_reported_at_once():
    """Each wrong place of a page is named with its path, in the API's spelling."""
    items = [
        NUMBER | {"billing": {"monthly_fee": "free", "currency": 5}},
        NUMBER | {"channel_settings": {"voice": {"whitelisted_destinations": ["US", 7]}}},
        {"number": "+12084439178", "is_external": False},
        "no object",
    ]
    page = {"items": items, "pagination": PAGINATION | {"from": "1"}}

    assert {
        "$.items[0].billing.monthly_fee": "must be a number, not text",
        "$.items[0].billing.currency": "must be text, not a whole number",
        "$.items[1].channel_settings.voice.whitelisted_destinations[1]": "must be text, not a whole number",
        "$.items[2].phone_number_uuid": "is missing",
        "$.items[3]": "must be an object, not text",
        "$.pagination.from": "must be a whole number, not text",
    } == problems(page, Page[PhoneNumber])


def test_what_a_class_itself_refuses_is_reported_at_its_place():
    """A value whose parts are right, and which is wrong as a whole, is named as a whole."""
    assert {"$": "A RequirementValue needs value or document_id."} == problems({"key": "k"}, RequirementValue)


def test_the_path_begins_where_the_caller_says():
    """The envelope's data is at $.data."""
    with pytest.raises(ShapeError, match=r"^\$\.data must be an object, not a list$"):
        structure([], PhoneNumber, path="$.data")


def test_the_same_hook_reads_pages_of_anything():
    """A page is generic over its items."""
    rate = {"destination_prefix": "39", "price": {"amount": Decimal("0.0125"), "currency": "EUR"}}
    page = structure({"items": [rate], "pagination": PAGINATION | {"from": 1, "to": 1}}, Page[Rate])

    price = page.items[0].price
    assert price is not None
    assert Decimal("0.0125") == price.amount
    assert (1, 1) == (page.pagination.from_, page.pagination.to)


def test_models_are_frozen_and_can_be_keys():
    """A model is a value: it cannot be changed, and it can stand in a set."""
    number = structure(NUMBER | {"compliance": {"requirements": [{"name": "n"}]}}, PhoneNumber)

    assert 1 == len({number, structure(NUMBER | {"compliance": {"requirements": [{"name": "n"}]}}, PhoneNumber)})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        number.number = "+1"  # type: ignore[misc]  # the point of the test


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_money_is_read_to_the_digit(amount):
    """No fee passes through a binary fraction."""
    document = parse(f'{{"monthly_fee": {amount:f}}}'.encode(), exact=True)

    fee = structure(document, Billing).monthly_fee
    assert isinstance(fee, Decimal)
    assert (amount, amount.as_tuple().exponent) == (fee, fee.as_tuple().exponent)


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=2))) | st.just(UTC)))
def test_times_are_aware(moment):
    """Every time that is read has an offset and is the moment that was written."""
    number = structure(NUMBER | {"updated_at": moment.isoformat()}, PhoneNumber)

    assert isinstance(number.updated_at, datetime)
    assert moment == number.updated_at
    assert number.updated_at.tzinfo is not None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
_fields = {field.name: _json for field in attrs.fields(PhoneNumber)}


@given(st.fixed_dictionaries({}, optional=_fields) | _json)
def test_any_document_is_a_number_or_a_shape_error(document):
    """Whatever the service sends, the converter gives a whole model or says where it is wrong."""
    try:
        number = structure(document, PhoneNumber)
    except ShapeError as error:
        paths = [path for path, _ in error.problems]
    else:
        assert document["number"] == number.number
        assert document.get("location") == number.location
        paths = ["$"]

    assert paths
    assert all(path.startswith("$") for path in paths)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a":', b'{"a": NaN}', b"\xff\xfe", b'"\xff"', b"{}{}", b"[" * 100_000],
    ids=["empty", "html", "cut", "nan", "bytes", "utf-8", "two", "deep"],
)
@pytest.mark.parametrize("exact", [True, False])
def test_what_is_no_json_is_a_parse_error(body, exact):
    """Every kind of broken body is told in the same way."""
    with pytest.raises(ParseError):
        parse(body, exact=exact)


def test_plain_values_stay_plain():
    """Read without exactness, a fraction is a float, as everyone expects of JSON."""
    assert {"a": 1.5} == parse(b'{"a": 1.5}')


def test_inputs_are_written_without_what_is_none():
    """What was not given is not sent, and what was given empty is."""
    value = {"address": Address(locality="", country_code="IT"), "requirements": (RequirementValue(key="k", value=""),)}

    assert {
        "address": {"locality": "", "country_code": "IT"},
        "requirements": [{"key": "k", "value": ""}],
    } == unstructure(value)
    assert b'{"voice":true}' == dump(unstructure(Capabilities(voice=True)))


def test_a_model_survives_the_way_out_and_back():
    """What is written is read as the same value."""
    channels = structure({"number": "+1", "channels": {"call": {"bound": True}}, "source": "new"}, NumberChannels)

    assert channels == structure(parse(dump(unstructure(channels)), exact=True), NumberChannels)
