import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import (
    Billing,
    Capabilities,
    Channels,
    Compliance,
    NumberChannels,
    NumberType,
    OutboundSettings,
    Pagination,
    PhoneNumber,
    Requirement,
)
from mihu_async.core import converter
from mihu_async.core.codec import Part, dump, parse
from mihu_async.core.problems import Problems, UnreadableError
from mihu_async.core.request import plain_values

NUMBER: dict[str, Any] = {"phone_number_uuid": "u", "number": "+12084439178", "is_external": False}
PAGINATION: dict[str, Any] = {"current_page": 1, "per_page": 25, "total": 1, "last_page": 1, "has_more": False}


def read(value: Any, into: Any) -> tuple[Any, dict[str, str]]:
    """Make a model, and return it with what was noted of each path."""
    noted = Problems()
    made = converter.structure(value, into, noted)
    assert ["$"] == noted.path
    return made, {problem.path: problem.reason for problem in noted.listed}


def structure(value: Any, into: Any) -> Any:
    """Make a model of what has no problems."""
    made, noted = read(value, into)
    assert {} == noted
    return made


def problems(value: Any, into: Any = PhoneNumber) -> dict[str, str]:
    """Return what was noted of each path."""
    return read(value, into)[1]


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
        ("number", None, "is missing"),
        ("number", 12, "must be text, not a whole number"),
        ("location", True, "must be text, not a boolean"),
        ("location", ["a"], "must be text, not a list"),
        ("is_external", "false", "must be a boolean, not text"),
        ("is_external", 0, "must be a boolean, not a whole number"),
        ("type", 1, "must be text, not a whole number"),
        ("billing", [1], "must be an object, not a list"),
        ("billing", "EUR", "must be an object, not text"),
        ("purchased_at", 1699335116, "must be a time as text, not a whole number"),
        ("purchased_at", "yesterday", "must be an RFC 3339 time with an offset"),
        ("purchased_at", "2023-11-07T05:31:56", "must be an RFC 3339 time with an offset"),
        ("purchased_at", "2023-11-07", "must be an RFC 3339 time with an offset"),
    ],
)
def test_nothing_is_guessed(field, value, said):
    """A value of another type is None, and a problem that names its path, what it must be and what it was."""
    number, noted = read(NUMBER | {"location": "Sassari"} | {field: value}, PhoneNumber)

    assert {f"$.{field}": said} == noted
    assert getattr(number, field) is None
    assert "u" == number.phone_number_uuid


@pytest.mark.parametrize("empty", [[], {}, None])
def test_an_empty_object_may_be_written_as_a_list(empty):
    """PHP writes one so, at any depth."""
    number = structure(NUMBER | {"billing": empty, "channel_settings": {"voice": empty}}, PhoneNumber)

    assert (number.billing or Billing()) == Billing()
    assert number.channel_settings.voice in {None, OutboundSettings()}
    assert Capabilities() == structure([], Capabilities)


def test_an_empty_list_may_be_written_as_an_object():
    """PHP writes one so where it thinks of names."""
    assert () == structure({"requirements": {}}, Compliance).requirements


@pytest.mark.parametrize("value", ["1.5", 2, Decimal("1.50"), "1e2", "0", "-3", "0.00", "9e29", "1e-30"], ids=repr)
def test_money_may_be_text(value):
    """No digit of it is lost."""
    fee = structure({"monthly_fee": value}, Billing).monthly_fee

    assert Decimal(value) == fee
    assert str(Decimal(value)) == str(fee)


@pytest.mark.parametrize("value", ["", "free", "NaN", "-Infinity", "0x10", True, [1], {"a": 1}, float("inf")], ids=repr)
def test_what_is_no_amount_is_no_fee(value):
    """Neither a word nor what cannot be paid is one."""
    billing, noted = read({"monthly_fee": value, "currency": "EUR"}, Billing)

    assert Billing(currency="EUR") == billing
    assert ["$.monthly_fee"] == list(noted)


@pytest.mark.parametrize("value", ["1e30", "-1e999999", "9e-31", "0e-999999", 10**30, Decimal("1e999999")], ids=repr)
def test_an_amount_that_fills_a_page_of_digits_is_no_fee(value):
    """Written out, it would fill the memory; the problem says what an amount may be."""
    billing, noted = read({"monthly_fee": value, "currency": "EUR"}, Billing)

    assert Billing(currency="EUR") == billing
    assert {"$.monthly_fee": "must be 0, or an amount from 1e-30 to 1e30"} == noted


@pytest.mark.parametrize("value", ["5", 5, "005"], ids=repr)
def test_a_whole_number_may_be_text(value):
    """A page's number, above all."""
    assert 5 == structure(PAGINATION | {"total": value}, Pagination).total


@pytest.mark.parametrize("value", [12.5, "5.0", " 5", "1_0", "+5", "\u0665", True, Decimal("1.0"), "9" * 19], ids=repr)
def test_a_count_is_a_whole_number(value):
    """A fraction is no count, not even one that is whole."""
    assert ["$.total"] == list(problems(PAGINATION | {"total": value}, Pagination))


@pytest.mark.parametrize("change", [{"is_external": None}, {}], ids=["null", "missing"])
def test_a_missing_boolean_is_no_problem(change):
    """It is None, as what an external number does not have."""
    given = {name: value for name, value in NUMBER.items() if name != "is_external"}

    assert structure(given | change, PhoneNumber).is_external is None


def test_a_list_is_a_list():
    """Text is not taken letter by letter, and one element that cannot be read leaves nothing that one could rely on."""
    settings = structure_of("channel_settings", "voice")
    for value, said in (
        ("US", {"$.whitelisted_destinations": "must be a list, not text"}),
        (["US", 7], {"$.whitelisted_destinations[1]": "must be text, not a whole number"}),
        (["US", None], {"$.whitelisted_destinations[1]": "must be text, not null"}),
        (["US"] * 10_001, {"$.whitelisted_destinations": "must be a list of at most 10000 elements, not of 10001"}),
    ):
        assert (OutboundSettings(), said) == read({"whitelisted_destinations": value}, settings)


def structure_of(*names: str) -> Any:
    """Return the class of a field of PhoneNumber, at any depth."""
    kind: Any = PhoneNumber
    for name in names:
        kind = get_args(attrs.fields_dict(kind)[name].type)[0]
    return kind


def test_all_that_is_wrong_is_noted_with_its_place():
    """Each wrong field is named with its path, in the API's spelling, and the others are read."""
    row = NUMBER | {
        "billing": {"monthly_fee": "free", "currency": 5},
        "compliance": {"status": "completed", "requirements": [{"name": "n"}, {"name": 5, "type": "textual"}]},
        "location": "Sassari",
    }
    number, noted = read(row, PhoneNumber)

    assert {
        "$.billing.monthly_fee": "must be a finite number, not text",
        "$.billing.currency": "must be text, not a whole number",
        "$.compliance.requirements[1].name": "must be text, not a whole number",
    } == noted
    assert "Sassari" == number.location
    assert (Requirement(name="n"), Requirement(type="textual")) == number.compliance.requirements


@pytest.mark.parametrize(
    ("row", "place", "reason"),
    [
        ([], ".phone_number_uuid", "is missing"),
        ({"number": "+1"}, ".phone_number_uuid", "is missing"),
        (NUMBER | {"phone_number_uuid": 5}, ".phone_number_uuid", "must be text, not a whole number"),
        (NUMBER | {"phone_number_uuid": ""}, ".phone_number_uuid", "is empty"),
        (None, "", "must be an object, not null"),
        ([1], "", "must be an object, not a list"),
        (Part(b"x"), "", "must be an object, not something too large"),
    ],
    ids=["empty", "missing", "number", "blank", "null", "list", "large"],
)
def test_what_has_nothing_to_be_known_by_is_nothing(row, place, reason):
    """No model is made of it."""
    with pytest.raises(UnreadableError) as caught:
        read(row, PhoneNumber)

    assert (place, reason) == (caught.value.suffix, caught.value.reason)


@pytest.mark.parametrize("channels", [5, None])
def test_an_object_that_must_be_there_is_one_of_which_nothing_is_known(channels):
    """Whoever asks a snapshot for an agent need not look whether there are channels."""
    snapshot, noted = read({"number": "+1", "channels": channels}, NumberChannels)

    assert Channels() == snapshot.channels
    assert snapshot.call_agent is None
    assert ["$.channels"] == list(noted)


def test_problems_are_counted_and_the_first_are_listed():
    """Finding out what is wrong is bounded, whatever came."""
    noted = Problems()
    converter.structure({"requirements": [{"name": 5}] * 100}, Compliance, noted)

    assert (100, 64) == (noted.count, len(noted.listed))


def test_models_are_frozen_and_can_be_keys():
    """A model is a value: it cannot be changed, and it can stand in a set."""
    number = structure(NUMBER | {"compliance": {"requirements": [{"name": "n"}]}}, PhoneNumber)

    assert 1 == len({number, structure(NUMBER | {"compliance": {"requirements": [{"name": "n"}]}}, PhoneNumber)})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        number.number = "+1"


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=4))
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


def test_a_model_survives_the_way_out_and_back():
    """What is written is read as the same value."""
    channels = structure({"number": "+1", "channels": {"call": {"bound": True}}, "source": "new"}, NumberChannels)

    assert channels == structure(parse(dump(plain_values(channels)), exact=True), NumberChannels)


LOADED_LATE = """
import sys
import mihu_async
from mihu_async.core.envelope import read_closely
from mihu_async.core.response import read_fast
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import describe
from mihu_async.core.response import Response
from mihu_async.models.numbers import PhoneNumber

request = describe("GET", "/phone-numbers", PhoneNumber)
answer = b'{"data":{"phone_number_uuid":"u","number":"+12085550100","is_external":false%s}}'
headers = {"Content-Type": "application/json"}
assert read_fast(Response("http://127.0.0.1", 200, headers, answer % b""), request) is not None
print("cattrs" in sys.modules)
odd = Response("http://127.0.0.1", 200, headers, answer % b',"status":5')
assert read_fast(odd, request) is None
for _ in read_closely(odd, request, Redactor(()), now=None, strict=False):
    pass
print("cattrs" in sys.modules)
"""


def test_what_most_calls_do_not_need_is_loaded_late():
    """The package, and an answer without a problem, load no cattrs; the first closer look at data does."""
    process = subprocess.run([sys.executable, "-c", LOADED_LATE], check=True, capture_output=True, text=True)

    assert ["False", "True"] == process.stdout.splitlines()
