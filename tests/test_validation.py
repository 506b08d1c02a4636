import math
from decimal import Decimal
from uuid import UUID

import pytest
from attrs import field, frozen

from mihu_async import Channel, NumberType, UsageError, validation
from mihu_async.validation import field_check, is_finite, is_int, is_real, wrong, wrong_type

ID = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"


@pytest.mark.parametrize("value", [0, -1, 1.5, Decimal("1.10"), 2**1000], ids=repr)
def test_numbers_are_finite(value):
    """Integers, fractions and decimals count as finite numbers."""
    assert is_finite(value)


@pytest.mark.parametrize(
    "value",
    [True, None, "1", math.nan, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 10**400],
    ids=lambda value: str(value)[:9],
)
def test_other_values_are_not_finite(value):
    """No value makes the test of finiteness raise an error."""
    assert not is_finite(value)


def test_a_decimal_is_not_added_to_seconds():
    """A Decimal is finite, but not real, because it cannot be added to a float."""
    assert is_finite(Decimal(1))
    assert not is_real(Decimal(1))
    assert is_real(1.5)


@pytest.mark.parametrize(
    ("value", "most", "expected"),
    [(1, None, True), (0, None, False), (3, 3, True), (4, 3, False), (True, None, False), (1.0, None, False)],
)
def test_an_integer_has_bounds(value, most, expected):
    """Both bounds belong to the range, and neither a boolean nor a float is an integer."""
    assert expected == is_int(value, 1, most)


def test_an_error_names_the_argument_and_its_value():
    """The text names what is accepted and what was passed, and the error has the argument's name."""
    error = wrong("page", "a whole number from 1", 0)

    assert "page must be a whole number from 1, not 0. Nothing was sent." == str(error)
    assert "page" == error.argument


def test_an_error_can_show_the_type_alone():
    """A value that may be a secret is not shown."""
    assert "sip must be SIP, not str. Nothing was sent." == str(wrong_type("sip", "SIP", "hunter22"))


@pytest.mark.parametrize("value", ["x" * 10_000, [10**5000]], ids=["long", "integer"])
def test_an_error_stays_short(value):
    """A long value is cut, and an integer too long to be written is named by its type."""
    assert 320 > len(str(wrong("page", "a number", value)))


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (validation.e164, "+12345678901", "+12345678901"),
        (validation.e164_or_digits, "12345678901", "12345678901"),
        (validation.country, "US", "US"),
        (validation.gateway_host, "SIP.acme.com", "SIP.acme.com"),
        (validation.secret, " \nx", " \nx"),
        (validation.text, "", ""),
        (validation.text_up_to(3), "abc", "abc"),
        (validation.identifier, UUID(ID), ID),
        (validation.identifier, ID, ID),
        (validation.flag, False, False),
        (validation.positive_int, 1, 1),
        (validation.seconds, Decimal("1.5"), 1.5),
        (validation.money, 0, 0),
        (validation.one_of(NumberType), "local", NumberType.LOCAL),
        (validation.one_of(NumberType), NumberType("lunar"), NumberType("lunar")),
    ],
)
def test_a_value_that_passes_is_returned(check, value, expected):
    """A check returns the value to send, an id as text and a word as a member."""
    assert expected == check("argument", value)


@pytest.mark.parametrize(
    ("check", "values"),
    [
        (validation.e164, ["12345678901", "+02345678901", "+1234567890123456", "+1234567890\n", 1, None]),
        (validation.e164_or_digits, ["", "+", "02345678901", 12345678901]),
        (validation.country, ["us", "USA", "", None]),
        (validation.gateway_host, ["", "sip:acme.com", "SIPS:acme.com", "a b", "user@acme.com", "acme.com/x", 1]),
        (validation.secret, ["", " \t\n", 1, None]),
        (validation.text, [1, None, b"a"]),
        (validation.text_up_to(3), ["", "   ", "abcd", 1]),
        (validation.identifier, ["", "a/b", "..", 1, None]),
        (validation.flag, [0, 1, "true", None]),
        (validation.positive_int, [0, -1, 1.0, True, "1", None]),
        (validation.seconds, [0, -1, math.inf, math.nan, True, "1", None]),
        (validation.money, [-1, math.inf, Decimal("NaN"), "1", True]),
        (validation.one_of(NumberType), ["lunar", "", None, []]),
        (validation.instance_of(Channel), [Channel, {}, None]),
    ],
)
def test_a_value_that_cannot_be_accepted_is_refused(check, values):
    """The error names the argument, and says that nothing was sent."""
    for value in values:
        with pytest.raises(UsageError, match=r"(?s)^argument must be .* Nothing was sent\.$") as caught:
            check("argument", value)

        assert "argument" == caught.value.argument


@pytest.mark.parametrize("check", [validation.secret, validation.gateway_host])
def test_a_secret_is_not_shown(check):
    """The error of a value that may be a secret names only the form that is accepted."""
    with pytest.raises(UsageError) as caught:
        check("argument", ["sip:acme@hunter22"])

    assert "hunter22" not in str(caught.value)


def test_several_values_are_checked_one_by_one():
    """The error names the place of the value, and a single value that is not iterable is refused."""
    assert ("a", "b") == validation.all_of(validation.text, "names", ["a", "b"])
    with pytest.raises(UsageError, match=r"^names\[1\] must be text, not 2"):
        validation.all_of(validation.text, "names", ["a", 2])
    with pytest.raises(UsageError, match=r"^names must be several values, not 2"):
        validation.all_of(validation.text, "names", 2)


def test_none_is_left_out():
    """An optional value may be None, and None is not among the values that are present."""
    assert validation.optional(validation.flag, "force", None) is None
    assert validation.optional(validation.flag, "force", True) is True
    assert {"b": 0} == validation.present({"a": None, "b": 0})


@frozen
class Settings:
    """A class with a field that anyone may see, and a secret one."""

    size: int = field(default=1, validator=field_check("a whole number from 1", lambda value: is_int(value, 1)))
    key: str = field(default="", validator=field_check("text", lambda value: isinstance(value, str), secret=True))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0}, "Settings.size must be a whole number from 1, not 0."),
        ({"key": 12345678}, "Settings.key must be text, not int."),
    ],
)
def test_a_field_is_checked_when_its_object_is_made(fields, message):
    """The error names the class and the field, and shows only the type of a secret."""
    with pytest.raises(UsageError) as caught:
        Settings(**fields)

    assert message == str(caught.value)
    assert [caught.value.argument] == list(fields)
