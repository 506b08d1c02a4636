"""The schemas of requests, as data. A violation is refused with 422 before any rule is applied.

A check takes a field's name and its value, and returns the value to use or raises. The requests are closed: a key that
the pages do not name is refused, which reveals a client's misspelling that the real service might ignore.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from mihu_async.sandbox.refusals import invalid, undocumented
from mihu_async.sandbox.rows import CAPABILITIES, DIRECTIONS, NUMBER_TYPES, TRUNK_CHANNELS

Check = Callable[[str, object], Any]
Query = Callable[[Iterable[tuple[str, str]]], dict[str, Any]]


def text(field: str, value: object) -> str:
    """Accept any string."""
    if not isinstance(value, str):
        raise invalid(field, "must be a string")
    return value


def matching(pattern: str, meaning: str) -> Check:
    """Accept a string that a pattern matches in full."""
    compiled = re.compile(pattern, re.ASCII)

    def check(field: str, value: object) -> str:
        if compiled.fullmatch(text(field, value)) is None:
            raise invalid(field, f"must be {meaning}")
        return cast("str", value)

    return check


def text_up_to(most: int) -> Check:
    """Accept a string of 1 up to a maximum of characters."""

    def check(field: str, value: object) -> str:
        if not 1 <= len(text(field, value)) <= most:
            raise invalid(field, f"must have 1 to {most} characters")
        return cast("str", value)

    return check


def one_of(*choices: str) -> Check:
    """Accept one of several strings."""

    def check(field: str, value: object) -> str:
        if text(field, value) not in choices:
            raise invalid(field, f"must be one of {', '.join(choices)}")
        return cast("str", value)

    return check


def uuid(field: str, value: object) -> str:
    """Accept a uuid with dashes, in either case, and return it in lower case."""
    return cast("str", _UUID(field, value)).lower()


def flag(field: str, value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise invalid(field, "must be a boolean")
    return value


def or_null(check: Check) -> Check:
    """Accept null, or a value that a check accepts."""
    return lambda field, value: None if value is None else check(field, value)


def whole_number(field: str, value: object) -> int:
    """Accept a JSON integer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, "must be an integer")
    return value


def number(field: str, value: object) -> float:
    """Accept a JSON number, and return it unchanged."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise invalid(field, "must be a number")
    return value


def counting(*, maximum: int | None = None) -> Check:
    """Accept the digits of a number from 1 up to an optional maximum, and return the number."""

    def check(field: str, value: object) -> int:
        count = int(cast("str", _DIGITS(field, value)))
        if count < 1:
            raise invalid(field, "must be 1 or more")
        if maximum is not None and count > maximum:
            raise invalid(field, f"must be {maximum} or less")
        return count

    return check


def any_object(field: str, value: object) -> dict[str, Any]:
    """Accept any JSON object."""
    if not isinstance(value, dict):
        raise invalid(field, "must be an object")
    return cast("dict[str, Any]", value)


def flags(field: str, value: object) -> dict[str, bool | None]:
    """Accept capability flags: a documented flag must be a boolean or null, and others are dropped."""
    given = any_object(field, value)
    for name in CAPABILITIES:
        if not isinstance(given.get(name), bool | None):
            raise invalid(f"{field}.{name}", "must be a boolean")
    return {name: given[name] for name in CAPABILITIES if name in given}


def query(parameters: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> Query:
    """Accept a query with only these parameters, each at most once, and check each."""
    check = closed(parameters, required=required, kind="parameter")

    def read(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        given: dict[str, str] = {}
        for name, value in pairs:
            if name in given:
                raise invalid(name, "is given more than once")
            given[name] = value
        return cast("dict[str, Any]", check("", given))

    return read


def open_query(parameters: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> Query:
    """Accept a query with these parameters, each at most once, and ignore all others: for undocumented endpoints."""
    read = query(parameters, required=required)
    return lambda pairs: read((name, value) for name, value in pairs if name in parameters)


def closed(fields: Mapping[str, Check], *, required: tuple[str, ...] = (), kind: str = "field") -> Check:
    """Accept an object with only these fields, and check each."""

    def check(field: str, value: object) -> dict[str, Any]:
        given = any_object(field, value)
        prefix = f"{field}." if field else ""
        for name in required:
            if name not in given:
                raise invalid(f"{prefix}{name}", "is required")
        for name in given:
            if name not in fields:
                raise undocumented(f"{prefix}{name}", kind)
        return {name: fields[name](f"{prefix}{name}", given[name]) for name in given}

    return check


def list_of(check_one: Check) -> Check:
    """Accept an array and check each element."""

    def check(field: str, value: object) -> list[Any]:
        if not isinstance(value, list):
            raise invalid(field, "must be an array")
        return [check_one(f"{field}.{index}", one) for index, one in enumerate(cast("list[object]", value))]

    return check


UUID_PATTERN = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_UUID = matching(UUID_PATTERN, "a uuid")
_DIGITS = matching(r"[0-9]{1,100}", "a whole number")
E164 = matching(r"\+[1-9][0-9]{1,14}", "a number in E.164 format")
COUNTRY_CODE = matching(r"[A-Z]{2}", "two capital letters")
FILLED = matching(r"[\s\S]+", "a string that is not empty")
TRUNK_CHANNEL = one_of(*TRUNK_CHANNELS)

ADDRESS_FIELDS = (
    "first_name",
    "last_name",
    "business_name",
    "phone_number",
    "street_address",
    "extended_address",
    "locality",
    "administrative_area",
    "postal_code",
    "country_code",
)
REQUIREMENT_FIELDS = ("key", "requirement_id", "value", "document_id")
SIP_TEXTS = ("gateway", "username", "password", "secondary_gateway")

PURCHASE = closed(
    {
        "number": E164,
        "country_code": COUNTRY_CODE,
        "type": one_of(*NUMBER_TYPES),
        "monthly_fee": number,
        "capabilities": flags,
        "location": text,
        "address": closed(dict.fromkeys(ADDRESS_FIELDS, text)),
        "requirements": list_of(closed(dict.fromkeys(REQUIREMENT_FIELDS, text))),
    },
    required=("number", "country_code", "type"),
)
INBOUND_FIELDS: Mapping[str, Check] = {"enabled": or_null(flag), "channel_limit": or_null(whole_number)}
OUTBOUND = or_null(closed({**INBOUND_FIELDS, "whitelisted_destinations": or_null(list_of(text))}))
SETTINGS = closed(
    {"channel_settings": closed({"voice": OUTBOUND, "sms": OUTBOUND, "inbound": or_null(closed(INBOUND_FIELDS))})},
    required=("channel_settings",),
)
TRUNK_FIELDS: Mapping[str, Check] = {
    "name": text,
    "direction": one_of(*DIRECTIONS),
    "sip": closed(dict.fromkeys(SIP_TEXTS, text) | {"port": whole_number}),
    "additional_settings": any_object,
}
REGISTRATION = closed(
    {
        "phone_number": E164,
        "agent_uuid": uuid,
        "channel": TRUNK_CHANNEL,
        **TRUNK_FIELDS,
    },
    required=("phone_number", "agent_uuid", "channel"),
)
PROVISION = closed({"phone_number_uuid": uuid}, required=("phone_number_uuid",))
SIP_CONNECTION = closed(
    {
        "name": text_up_to(255),
        "phone_number": text_up_to(32),
        "gateway": matching(r"(?!sips?:)[!-.0-~]+", "a host or an IP address without a scheme"),
        "username": FILLED,
        "password": FILLED,
        "secondary_gateway": or_null(text_up_to(255)),
    },
    required=("name", "phone_number", "gateway", "username", "password"),
)
SIP_ASSIGNMENT = closed({"connection_uuid": uuid, "force": flag}, required=("connection_uuid",))
ASSIGNMENT = closed(
    {"phone_number": E164, "channel": TRUNK_CHANNEL, "agent_uuid": uuid},
    required=("phone_number", "channel", "agent_uuid"),
)
TRUNK_CHANGE = closed(
    {"phone_number": E164, "channel": TRUNK_CHANNEL, **TRUNK_FIELDS}, required=("phone_number", "channel")
)
REMOVAL = query({"phone_number": text, "channel": TRUNK_CHANNEL}, required=("phone_number", "channel"))
NUMBER = query({"number": text}, required=("number",))
REQUIREMENTS = open_query(
    {"country_code": COUNTRY_CODE, "type": one_of(*NUMBER_TYPES)}, required=("country_code", "type")
)
NOTHING = query({})
