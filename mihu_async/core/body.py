"""The body of a request: a caller's values as plain JSON values and as bytes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, cast

import attrs

from mihu_async.core import codec
from mihu_async.errors import UsageError
from mihu_async.validation import is_finite, wrong_type

PLAIN_TYPES = frozenset({str, int, bool, NoneType})
"""The types of values that are plain JSON values already."""


def encode_body(value: Any, *, argument: str = "json") -> tuple[Any, bytes]:
    """Encode a JSON body.

    Args:
        value: The value of the body.
        argument: The name of the argument, for the error.

    Returns:
        The plain values and the bytes.

    Raises:
        UsageError: If the value holds anything that JSON cannot express.
    """
    try:
        plain = plain_values(value)
        return plain, codec.dump(plain)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{argument} cannot be sent: {error}.", argument=argument) from None
    except RecursionError:
        raise UsageError(f"{argument} cannot be sent: it is nested too deeply.", argument=argument) from None


def json_object(argument: str, value: Any) -> Mapping[str, Any]:
    """Check that a value is a mapping that can be sent as a JSON object.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it is anything else. The error does not show the value, which may hold secrets.
    """
    if not isinstance(value, Mapping):
        raise wrong_type(argument, "a mapping", value)
    encode_body(value, argument=argument)
    return cast("Mapping[str, Any]", value)


def plain_values(value: Any) -> Any:
    """Return a value as plain JSON values.

    An attrs instance becomes an object without the fields that are None. A Decimal stays a Decimal, so that it is
    written digit for digit.

    Args:
        value: The value to convert.

    Raises:
        TypeError: If JSON cannot express the value or a part of it.
        ValueError: If the value is, or holds, a number that is not finite.
    """
    if type(value) in PLAIN_TYPES:
        return value
    match value:
        case dict() | Mapping():
            pairs = cast("Mapping[Any, Any]", value).items()
            return {key.value if isinstance(key, Enum) else key: plain_values(inner) for key, inner in pairs}
        case Enum():
            return plain_values(value.value)
        case float() | Decimal():
            return _finite(value)
        case list() | tuple():
            return [plain_values(inner) for inner in cast("Sequence[Any]", value)]
        case _:
            return _plain_object(value)


def _finite(value: float | Decimal) -> float | Decimal:
    if not is_finite(value):
        raise ValueError("its numbers must be finite")
    return value


def _plain_object(value: Any) -> Any:
    kind = cast("type[Any]", type(value))
    if attrs.has(kind):
        given = ((key, getattr(value, name)) for name, key in _members(kind))
        return {key: plain_values(inner) for key, inner in given if inner is not None}
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields  # noqa: PLC0415 - a program without dataclasses does not load it

        return {field.name: plain_values(getattr(value, field.name)) for field in fields(kind)}
    return plain_values(codec.builtins(value))


@cache
def _members(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the names of the attributes of an attrs class, each with its name in JSON."""
    return tuple((field.name, codec.json_name(field.name)) for field in attrs.fields(kind))
