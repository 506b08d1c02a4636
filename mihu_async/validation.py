"""Checks of the values that a caller passes, before anything is sent.

A check takes the name of an argument and a value. It returns the value to use, or raises UsageError.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast
from uuid import UUID

from mihu_async.errors import UsageError

if TYPE_CHECKING:
    from attrs import Attribute

A = TypeVar("A")
E = TypeVar("E", bound=Enum)
Check = Callable[[str, Any], A]

LONGEST_SHOWN = 255
"""The most characters of a value that an error shows."""


def wrong(argument: str, expected: str, value: object) -> UsageError:
    """Return the error that names an argument, the values that it accepts, and the value that was passed."""
    return _refusal(argument, f"{expected}, not {_shown(value)}")


def wrong_type(argument: str, expected: str, value: object) -> UsageError:
    """Return the error that shows only the type of the value, because the value may hold secrets."""
    return _refusal(argument, f"{expected}, not {type(value).__name__}")


def _refusal(argument: str, expected: str) -> UsageError:
    return UsageError(f"{argument} must be {expected}. Nothing was sent.", argument=argument)


def _shown(value: object) -> str:
    try:
        return repr(value)[:LONGEST_SHOWN]
    except ValueError:  # an integer too long to be written out
        return f"that {type(value).__name__}"


def field_check(expected: str, accepts: Callable[[Any], bool], *, secret: bool = False) -> Any:
    """Return a validator of attrs that raises UsageError for a value that a field does not accept.

    The error of a ``secret`` field shows only the type of the value.
    """

    def check(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
        if not accepts(value):
            found = type(value).__name__ if secret else _shown(value)
            message = f"{type(owner).__name__}.{attribute.name} must be {expected}, not {found}."
            raise UsageError(message, argument=attribute.name)

    return check


def is_finite(value: Any) -> TypeGuard[int | float | Decimal]:
    """Return True for a number that is no boolean, and neither infinite, NaN nor beyond the range of a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an integer beyond all floats, a signalling NaN
        return False


def is_real(value: Any) -> TypeGuard[int | float]:
    """Return True for a finite number that can be added to seconds, so for no Decimal."""
    return is_finite(value) and not isinstance(value, Decimal)


def is_int(value: Any, least: int, most: int | None = None) -> TypeGuard[int]:
    """Return True for an integer, and no boolean, from ``least`` to ``most``; None sets no upper bound."""
    return type(value) is int and least <= value and (most is None or value <= most)


def optional(check: Check[A], argument: str, value: Any) -> A | None:
    """Apply a check to a value that may be None."""
    return None if value is None else check(argument, value)


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def all_of(check: Check[A], argument: str, values: Any) -> tuple[A, ...]:
    """Check each of several values."""
    if not isinstance(values, Iterable):
        raise wrong(argument, "several values", values)
    values = cast("Iterable[Any]", values)
    return tuple(check(f"{argument}[{index}]", value) for index, value in enumerate(values))


def instance_of(*kinds: type[A]) -> Check[A]:
    """Return a check of an instance of a class, such as an input type, which checks its own fields."""

    def instance(argument: str, value: Any) -> A:
        if not isinstance(value, kinds):
            raise wrong_type(argument, " or ".join(f"{kind.__name__}(…)" for kind in kinds), value)
        return value

    return instance


def one_of(kind: type[E]) -> Check[E]:
    """Return a check of a word of an enum. A member passes as it is, also one that the service added."""
    members: dict[str, E] = {str(member): member for member in kind}

    def choice(argument: str, value: Any) -> E:
        if isinstance(value, kind):
            return value
        member = members.get(value) if isinstance(value, str) else None
        if member is None:
            raise wrong(argument, f"one of {', '.join(map(repr, members))}", value)
        return member

    return choice


def flag(argument: str, value: Any) -> bool:
    """Check that a value is True or False."""
    if not isinstance(value, bool):
        raise wrong(argument, "True or False", value)
    return value


def positive_int(argument: str, value: Any, *, most: int | None = None) -> int:
    """Check an integer from 1, up to ``most``."""
    if not is_int(value, 1, most):
        raise wrong(argument, "a whole number from 1" + (f" to {most}" if most else ""), value)
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


def text(argument: str, value: Any) -> str:
    """Check that a value is text."""
    if not isinstance(value, str):
        raise wrong(argument, "text", value)
    return str(value)


def text_up_to(most: int) -> Check[str]:
    """Return a check of text that is not blank and has at most ``most`` characters."""
    expected = f"text of 1 to {most} characters that is not blank"
    return _text_that(lambda value: value.strip() and len(value) <= most, expected)


def matching(pattern: str, expected: str, *, secret: bool = False) -> Check[str]:
    """Return a check of text that a pattern matches as a whole. The error does not show a ``secret``."""
    return _text_that(re.compile(pattern).fullmatch, expected, secret=secret)


def _text_that(accepts: Callable[[str], object], expected: str, *, secret: bool = False) -> Check[str]:
    def check(argument: str, value: Any) -> str:
        if not isinstance(value, str) or not accepts(value):
            raise _refusal(argument, expected) if secret else wrong(argument, expected, value)
        return str(value)

    return check


secret: Check[str] = _text_that(str.strip, "text that is not blank", secret=True)
"""The check of a secret. Its error does not show the value."""
e164: Check[str] = matching(r"\+[1-9][0-9]{1,14}", "a number in E.164 form, such as '+12345678901'")
"""The check of a phone number: ``+``, then up to 15 digits that do not begin with 0."""
e164_or_digits: Check[str] = matching(
    r"\+?[1-9][0-9]{1,14}", "a number in E.164 form, with or without its '+', such as '+12345678901'"
)
"""The check of a phone number that may lack its ``+``, which is not added."""
country: Check[str] = matching(r"[A-Z]{2}", "an ISO 3166-1 alpha-2 country code in capitals, such as 'US'")
"""The check of the form of a country code; the service decides if the country exists."""
gateway_host: Check[str] = matching(
    r"(?i:(?!sips?:)[^\s/@]+)",
    "a host name or an IP address without a scheme, such as 'sip.acme.com'",
    secret=True,  # an address may hold a user's password
)
"""The check of the host of a SIP server: it has no scheme, no user, no path and no space."""
_id: re.Pattern[str] = re.compile(r"[A-Za-z0-9_-]+")


def identifier(argument: str, value: Any) -> str:
    """Check an id: a UUID, or text that stays one segment of a path. The service decides if it exists."""
    if isinstance(value, UUID) or (isinstance(value, str) and _id.fullmatch(value)):
        return str(value)
    raise wrong(argument, "an id of letters, digits, '-' and '_', such as a UUID", value)
