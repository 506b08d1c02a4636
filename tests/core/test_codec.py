from decimal import Decimal

import pytest

from mihu_async.core.codec import (
    ParseError,
    Part,
    elements,
    is_crowded,
    known_members,
    members,
    parse,
    replace_lone_surrogates,
    sample,
    text,
)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"a":', b'{"a": NaN}', b"\xff\xfe", b'"\xff"', b"{}{}", b"[" * 100_000],
    ids=["empty", "html", "cut", "nan", "bytes", "utf-8", "two", "deep"],
)
@pytest.mark.parametrize("exact", [True, False])
def test_what_is_no_json_is_a_parse_error(body, exact):
    """Every kind of broken body is reported in the same way."""
    with pytest.raises(ParseError):
        parse(body, exact=exact)


def test_plain_values_stay_plain():
    """Read without exactness, a fraction is a float, as everyone expects of JSON."""
    assert {"a": 1.5} == parse(b'{"a": 1.5}')


def test_fractions_are_read_to_the_digit_where_that_is_asked_for():
    """One whose exponent is beyond all decimals is infinite, which no amount is; the rest is read all the same."""
    assert [Decimal("1.10"), 5] == parse(b"[1.10, 5]", exact=True)
    assert [Decimal("1.10"), float("inf")] == parse(b"[1.10, 1e99999999999999999999]", exact=True)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"1" * 10_000], ids=["deep", "digits"])
def test_json_that_nobody_can_read_is_well_formed_all_the_same(body):
    """So it is not asked for again."""
    with pytest.raises(ParseError) as caught:
        parse(body)

    assert caught.value.well_formed


def test_what_an_object_or_a_list_holds_is_still_bytes():
    """Each part is read by itself, and JSON of another kind holds nothing."""
    found = members(Part(b'{"a":[1],"b":2}'))

    assert {"a": b"[1]", "b": b"2"} == {name: bytes(part) for name, part in found.items()}
    assert [b"{}", b"5"] == [bytes(part) for part in elements(Part(b"[{},5]")) or ()]
    assert elements(Part(b"{}")) is None


@pytest.mark.parametrize("body", [b'{"a":', b"\xff", b"<"])
def test_what_is_no_json_holds_nothing(body):
    """It is reported as for the whole."""
    with pytest.raises(ParseError):
        known_members(body, ("a",))


def test_what_is_nested_too_deeply_is_reported():
    """It is JSON, as far as one can see."""
    with pytest.raises(ParseError) as caught:
        known_members(b'{"a":' + b"[" * 1_000_000, ("a",))  # since 3.14, the stack's size is the limit

    assert caught.value.well_formed


def test_known_members_are_found_among_others():
    """Others cost nothing, also those that are called like a part of the class that is made for them."""
    body = Part(b'{"x":1,"from":[2],"member_0":3,"b":null}')

    assert {"from": b"[2]", "b": b"null"} == {
        name: bytes(part) for name, part in (known_members(body, ("from", "a", "b")) or {}).items()
    }
    assert known_members(Part(b"[]"), ("a",)) is None


def test_a_small_part_is_its_own_sample():
    """Of a large one only the kind is reported, for which it is not read."""
    long = b" " * 100
    samples = [sample(Part(part)) for part in (b"[]", b"1.5", b"null", b"[1" + long + b"]", b'{"a":1' + long + b"}")]

    assert [[], 1.5, None, [None], {"": None}] == samples
    assert ["text", 0] == [sample(Part(part)) for part in (b'"' + long + b'"', b"1" * 10_000)]


def test_a_text_is_read_as_text_alone():
    """Null is none, and JSON of another kind is not read."""
    assert ("a", None) == (text(Part(b'"a"')), text(Part(b"null")))
    with pytest.raises(ParseError):
        text(Part(b"[]"))


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"a\ud800", "a\ufffd"),
        (rb"\uDC00b", "\ufffdb"),
        (rb"\uD83D\uDE00", "\U0001f600"),
        (rb"\ud800\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\ude00\ude00", "\ufffd\ufffd"),
        (rb"\\ud800", "\\ud800"),
        (rb"\\\ud800", "\\\ufffd"),
    ],
    ids=["high", "low", "pair", "high and pair", "two low", "backslash", "backslash and high"],
)
def test_half_a_character_is_replaced(escaped, text):
    """Pairs and escaped backslashes stay."""
    assert text == parse(replace_lone_surrogates(b'"' + escaped + b'"'))


def test_very_many_escapes_are_left_alone():
    """To search them would take too long."""
    body = rb"\ud800" * 100_001

    assert body is replace_lone_surrogates(body)


@pytest.mark.parametrize(
    ("body", "crowded"),
    [
        (b"{}," * 133_000, False),
        (b"{}," * 500_000, True),
        (b"0," * 700_000, False),
        (b"0," * 900_000, True),
        (b".1" * 900_000, True),
        (b"x" * 2_000_000, False),
        (b'"n":1,' * 400_000, False),
        (b'"n":1,' * 600_000, True),
        (b'"n" :1,' * 600_000, True),
        (b'"12:30:00",' * 300_000, False),
    ],
    ids=["short", "objects", "values", "many values", "fractions", "text", "names", "many names", "spaced", "times"],
)
def test_a_body_is_crowded_by_many_small_things(body, crowded):
    """Not by its size."""
    assert crowded == is_crowded(body)
