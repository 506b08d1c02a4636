"""Checks of what a caller gives, before anything is sent: each gives the value to send or raises UsageError."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast
from uuid import UUID

from mihu_async.core.body import encode_body
from mihu_async.core.finite import is_finite
from mihu_async.errors import UsageError
from mihu_async.models.enums import OpenEnum

E = TypeVar("E", bound=OpenEnum)
A = TypeVar("A")


def optional(check: Callable[[str, Any], A], argument: str, value: Any) -> A | None:
    """Apply a check to a value that may be left out."""
    return None if value is None else check(argument, value)


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was not given."""
    return {name: value for name, value in values.items() if value is not None}


def wrong(argument: str, expected: str, value: object) -> UsageError:
    """Make the error that names the argument, what it must be, and what it was."""
    try:
        shown = repr(value)
    except ValueError:  # an integer too long to be written out
        shown = f"that {type(value).__name__}"
    return UsageError(f"{argument} must be {expected}, not {shown}. Nothing was sent.", argument=argument)


def e164(argument: str, value: Any) -> str:
    """Check a phone number: ``+``, then up to 15 digits that do not begin with 0."""
    if not isinstance(value, str) or not re.fullmatch(r"\+[1-9][0-9]{1,14}", value):
        raise wrong(argument, "a number in E.164 form, such as '+12345678901'", value)
    return str(value)


def e164_or_digits(argument: str, value: Any) -> str:
    """Check a phone number that may come without its ``+``, and give it as it came."""
    if not isinstance(value, str) or not re.fullmatch(r"\+?[1-9][0-9]{1,14}", value):
        raise wrong(argument, "a number in E.164 form, with or without its '+', such as '+12345678901'", value)
    return str(value)


def country(argument: str, value: Any) -> str:
    """Check an ISO 3166-1 alpha-2 country code; whether the country exists is for the service to say."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{2}", value):
        raise wrong(argument, "an ISO 3166-1 alpha-2 country code in capitals, such as 'US'", value)
    return str(value)


def one_of(kind: type[E]) -> Callable[[str, Any], E]:
    """Return a check of a word of the API's list.

    A member is taken as it is, also one that came from the service and is new to us.
    """
    members: dict[str, E] = {str(member): member for member in kind}

    def choice(argument: str, value: Any) -> E:
        if isinstance(value, kind):
            return value
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise wrong(argument, f"one of {', '.join(map(repr, members))}", value)
        return member

    return choice


def instance_of(*kinds: type[A]) -> Callable[[str, Any], A]:
    """Check that a value is one of our input types; its own fields were checked when it was made."""

    def instance(argument: str, value: Any) -> A:
        if not isinstance(value, kinds):
            # the value itself is not shown: it may be credentials in another form
            names = " or ".join(f"{kind.__name__}(…)" for kind in kinds)
            message = f"{argument} must be {names}, not {type(value).__name__}. Nothing was sent."
            raise UsageError(message, argument=argument)
        return value

    return instance


def all_of(check: Callable[[str, Any], A], argument: str, values: Any) -> tuple[A, ...]:
    """Check each value of several."""
    if not isinstance(values, Iterable):
        raise wrong(argument, "several values", values)
    values = cast("Iterable[Any]", values)
    return tuple(check(f"{argument}[{index}]", value) for index, value in enumerate(values))


def json_object(argument: str, value: Any) -> Mapping[str, Any]:
    """Check that a value is a JSON object."""
    if not isinstance(value, Mapping):
        # the value itself is not shown: it may hold secrets
        message = f"{argument} must be a mapping, not {type(value).__name__}. Nothing was sent."
        raise UsageError(message, argument=argument)
    encode_body(value, argument=argument)
    return cast("Mapping[str, Any]", value)


def flags(argument: str, value: Any) -> Mapping[str, bool]:
    """Check that a mapping holds True or False under each name."""
    mapping = json_object(argument, value)
    return {name: flag(f"{argument}[{name!r}]", inner) for name, inner in mapping.items()}


def identifier(argument: str, value: Any) -> str:
    """Check an id: a UUID, or text of letters, digits, ``-`` and ``_``, which stays one part of a path.

    Whether it exists is for the service to say.
    """
    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        raise wrong(argument, "an id of letters, digits, '-' and '_', such as a UUID", value)
    return str(value)


def text(argument: str, value: Any) -> str:
    """Check that a value is text."""
    if not isinstance(value, str):
        raise wrong(argument, "text", value)
    return str(value)


def text_up_to(most: int) -> Callable[[str, Any], str]:
    """Return a check of text that is not blank and has at most so many characters."""

    def check(argument: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            raise wrong(argument, f"text of 1 to {most} characters that is not blank", value)
        return str(value)

    return check


def gateway_host(argument: str, value: Any) -> str:
    """Check the host name or address of a SIP server: it has no scheme, no user, no path and no space."""
    if not isinstance(value, str) or not re.fullmatch(r"(?!sips?:)[^\s/@]+", value, re.IGNORECASE):
        # the value itself is not shown: an address may hold a user's password
        expected = "a host name or an IP address without a scheme, such as 'sip.acme.com'"
        raise UsageError(f"{argument} must be {expected}. Nothing was sent.", argument=argument)
    return str(value)


def secret(argument: str, value: Any) -> str:
    """Check that a secret is text that is not blank; the error does not show it."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{argument} must be text that is not blank. Nothing was sent.", argument=argument)
    return str(value)


def flag(argument: str, value: Any) -> bool:
    """Check that a value is True or False."""
    if not isinstance(value, bool):
        raise wrong(argument, "True or False", value)
    return value


def seconds(argument: str, value: Any) -> float:
    """Check a span of time: a finite number above 0."""
    if not is_finite(value) or value <= 0:
        raise wrong(argument, "a finite number of seconds above 0", value)
    return float(value)


def money(argument: str, value: Any) -> Decimal | int | float:
    """Check an amount: a finite number from 0."""
    if not is_finite(value) or value < 0:
        raise wrong(argument, "a finite number from 0", value)
    return value


def check_fee(monthly_fee: Any, most: Any) -> None:
    """Check that what a number costs a month is known and not above a bound, if there is one."""
    if most is None:
        return
    bound = money("max_monthly_fee", most)
    if monthly_fee is None:
        message = "max_monthly_fee needs monthly_fee, as the search gave it, to compare with. Nothing was sent."
        raise UsageError(message, argument="monthly_fee")
    if Decimal(str(money("monthly_fee", monthly_fee))) > Decimal(str(bound)):
        message = f"monthly_fee is {monthly_fee}, above max_monthly_fee={bound}. Nothing was sent."
        raise UsageError(message, argument="monthly_fee")


def whole(argument: str, value: Any, *, most: int | None = None) -> int:
    """Check a whole number from 1, up to ``most``."""
    if type(value) is not int or value < 1 or (most is not None and value > most):
        raise wrong(argument, "a whole number from 1" + (f" to {most}" if most else ""), value)
    return value
