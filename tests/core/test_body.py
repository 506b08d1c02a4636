from collections import UserDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import pytest

from mihu_async import Address, Capabilities, NumberType, Pagination, RequirementValue, UsageError
from mihu_async.core.request import encode_body, plain_values

AGENT = UUID("3c90c3cc-0d44-4b50-8888-8dd25736052a")


class Plain(Enum):
    """A member that is no text."""

    FIRST = 1


class Worded(StrEnum):
    """A member that is text."""

    TOKEN = "token"


@dataclass
class Data:
    """A dataclass of a caller."""

    name: str
    fee: Any = None


class Pair(NamedTuple):
    """A named tuple of a caller."""

    first: int
    second: int


@attrs.frozen
class Nested:
    """An attrs class of a caller."""

    inner: Any
    from_: int = 3


def test_inputs_are_written_without_what_is_none():
    """What was not given is not sent, and what was given empty is."""
    value = {"address": Address(locality="", country_code="IT"), "requirements": (RequirementValue(key="k", value=""),)}

    assert {
        "address": {"locality": "", "country_code": "IT"},
        "requirements": [{"key": "k", "value": ""}],
    } == plain_values(value)
    assert b'{"voice":true}' == encode_body(Capabilities(voice=True))[1]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (NumberType.LOCAL, b'"local"'),
        (NumberType("new"), b'"new"'),
        (Plain.FIRST, b"1"),
        ({Worded.TOKEN: 1, Plain.FIRST: 2}, b'{"token":1,"1":2}'),
        (AGENT, b'"3c90c3cc-0d44-4b50-8888-8dd25736052a"'),
        ({AGENT: 1}, b'{"3c90c3cc-0d44-4b50-8888-8dd25736052a":1}'),
        (datetime(2026, 1, 1, tzinfo=UTC), b'"2026-01-01T00:00:00Z"'),
        (Decimal("1.10"), b"1.10"),
        (1.5, b"1.5"),
        ([True, None, 2**63], b"[true,null,9223372036854775808]"),
        (MappingProxyType({"a": (1, 2)}), b'{"a":[1,2]}'),
        (UserDict(a=1), b'{"a":1}'),
        (Pair(1, 2), b"[1,2]"),
        ({3}, b"[3]"),
        (Data("x", Decimal("1.0")), b'{"name":"x","fee":1.0}'),
        (Data("x", Nested(None)), b'{"name":"x","fee":{"from":3}}'),
        (
            Pagination(current_page=1, per_page=2, total=3, last_page=4, has_more=False, from_=5),
            b'{"current_page":1,"per_page":2,"total":3,"last_page":4,"has_more":false,"from":5}',
        ),
    ],
    ids=repr,
)
def test_each_value_has_one_spelling(value, written):
    """Values of Python's types, of enums and of classes are written as JSON has them."""
    assert written == encode_body(value)[1]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("-inf")],
        {"a": Decimal("NaN")},
        Data("x", float("inf")),
        Nested(Decimal("Infinity")),
        {float("nan")},
    ],
    ids=repr,
)
def test_a_number_that_is_not_finite_is_refused(value):
    """However deep it is, it is not written as null."""
    with pytest.raises(UsageError, match="answers cannot be sent: its numbers must be finite"):
        encode_body(value, argument="answers")


@pytest.mark.parametrize(
    "value", [object(), {"a": 1j}, deque([1]), range(3), {(1, 2): 3}], ids=lambda value: type(value).__name__
)
def test_what_json_has_no_value_for_is_refused(value):
    """The error names the argument that holds it."""
    with pytest.raises(UsageError, match="json cannot be sent") as caught:
        encode_body(value)

    assert "json" == caught.value.argument
