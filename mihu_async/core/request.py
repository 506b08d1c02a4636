"""A request as a value: the endpoint, the query and the body, and the type of the result. This module does no I/O."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from types import NoneType
from typing import Any, ClassVar, Generic, TypeVar, cast
from urllib.parse import quote, unquote
from uuid import UUID

import attrs

from mihu_async.core import codec
from mihu_async.core.headers import Extra, check_headers, secrets_of
from mihu_async.core.lookup import Lookup
from mihu_async.core.redaction import secrets_in
from mihu_async.errors import UsageError
from mihu_async.validation import is_finite, wrong_type
from mihu_async.value import Value

T = TypeVar("T")

ROOT = "/api/v1"
METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
RAW = object
"""The ``returns`` of a call whose data is returned as plain JSON values, without a model."""
NOTHING: type[None] = NoneType
"""The ``returns`` of a call that is made for its effect only: the data of its answer is not read."""
Query = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""The query of a call: a mapping of names to values or lists of values, or a list of such pairs."""
PAIR = 2
PLAIN_TYPES = frozenset({str, int, bool, NoneType})
"""The types of values that are plain JSON values already."""
CLIMBING = frozenset({"", ".", ".."})
_SEGMENT_SAFE = "!$&'()*+,;=:@~%"  # allowed in a path segment; % keeps encoded characters encoded


class Request(Value, Generic[T], frozen=True, kw_only=True):
    """One call to the service.

    ``path`` and ``query`` are encoded. ``returns`` is the type that the envelope's ``data`` is read as. ``lookup``
    finds the effect of a write whose answer was lost, and ``how_to_check`` describes how to find it by hand.
    ``contradiction`` returns the reason why a success is about another thing than the requested one, or None.
    ``headers`` are the caller's headers of this call. ``token`` is the token of this attempt if a function returned
    it. No cache may answer an ``uncached`` request.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"body", "secrets", "headers", "token"})

    method: str
    path: str
    returns: type[T]
    query: str = ""
    body: bytes | None = None
    secrets: tuple[str, ...] = ()
    how_to_check: str = ""
    lookup: Lookup[Any, T] | None = None
    contradiction: Callable[[T], str | None] | None = None
    headers: Extra = ()
    token: str = ""
    uncached: bool = False

    def with_query(self, query: str) -> "Request[T]":
        """Return the same read with another query."""
        return Request(method=self.method, path=self.path, returns=self.returns, query=query)


def describe(
    method: str,
    path: str,
    returns: type[T],
    *,
    query: Query | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
    how_to_check: str = "",
    lookup: Lookup[Any, T] | None = None,
    contradiction: Callable[[T], str | None] | None = None,
) -> Request[T]:
    """Make a request of plain values: encode the path, the query and the body.

    A query value of None is left out, and ``json=None`` sends no body.
    """
    pairs: list[tuple[Any, Any]] = []
    secrets: list[str] = []
    body: bytes | None = None
    extra: Extra = ()
    if query is not None:
        pairs = query_pairs(query)
        secrets += [text for name, value in pairs for text in secrets_in({name: value})]
    if json is not None:
        plain, body = encode_body(json)
        secrets += secrets_in(plain)
    if headers is not None:
        extra = check_headers("headers", headers)
        secrets += secrets_of(extra)
    return Request(
        method=method,
        path=encode_path(path),
        query=_encode_pairs(pairs) if pairs else "",
        body=body,
        secrets=tuple(secrets),
        headers=extra,
        returns=returns,
        how_to_check=how_to_check,
        lookup=lookup,
        contradiction=contradiction,
    )


def segment(value: str) -> str:
    """Encode one segment of a path, so that no value can reach another endpoint."""
    if _decoded(value) in CLIMBING:
        raise UsageError(f"{value!r} cannot be a part of a path.")
    return quote(value, safe="")


def encode_method(method: Any) -> str:
    """Return the verb in capitals, or raise UsageError if the API does not use it."""
    verb = method.upper() if isinstance(method, str) else None
    if verb not in METHODS:
        raise UsageError(f"method must be one of {', '.join(METHODS)}, not {method!r}.", argument="method")
    return verb


@lru_cache(maxsize=256)
def encode_path(path: str) -> str:
    """Return the full path of an endpoint.

    Args:
        path: The path, with or without ``/api/v1``.

    Raises:
        UsageError: If it is not a plain path, or could reach another endpoint.
    """
    if re.search(r"[?#\\\s\x00-\x1f\x7f]|//|%2f|%5c|[\ud800-\udfff]", path, re.IGNORECASE):
        why = "must be a plain path such as '/phone-numbers/search'; filters belong in query="
        raise UsageError(f"path {why}, not {path!r}.", argument="path")
    segments = path.strip("/").split("/")
    if segments[:2] == ["api", "v1"]:
        segments = segments[2:]
    decoded = [_decoded(part) for part in segments]
    if not decoded or any(part in CLIMBING or re.search(r"[/\\\x00-\x1f\x7f]", part) for part in decoded):
        raise UsageError(f"path must name an endpoint and cannot climb, not {path!r}.", argument="path")
    return "/".join((ROOT, *(quote(part, safe=_SEGMENT_SAFE) for part in segments)))


def _decoded(part: str) -> str:
    """Decode a segment until nothing is left to decode: ``%252e`` is a dot to a proxy that decodes twice."""
    while (inner := unquote(part)) != part:
        part = inner
    return part


def query_pairs(query: Any) -> list[tuple[Any, Any]]:
    """Return names and values in order, a name once for each of its values. Values of None are left out."""
    if isinstance(query, Mapping):
        given: Iterable[Any] = [pair for pair in cast("Mapping[Any, Any]", query).items() if pair[1] is not None]
    elif isinstance(query, list | tuple):
        given = cast("Sequence[Any]", query)
    else:
        message = f"query must map names to values, or be a list of pairs, not {type(query).__name__}."
        raise UsageError(message, argument="query")
    pairs: list[tuple[Any, Any]] = []
    for pair in given:
        if not isinstance(pair, list | tuple) or len(cast("Sequence[Any]", pair)) != PAIR:
            raise UsageError("query must hold pairs of a name and a value if it is a list.", argument="query")
        name, value = cast("Sequence[Any]", pair)
        values = cast("Sequence[Any]", value) if isinstance(value, list | tuple) else (value,)
        pairs += [(name, each) for each in values if each is not None]
    return pairs


def encode_query(query: Any) -> str:
    """Encode a query as the API documents it: ``true`` and ``false``, and ``%2B`` for the plus of a number."""
    return _encode_pairs(query_pairs(query))


def _encode_pairs(pairs: list[tuple[Any, Any]]) -> str:
    return "&".join(f"{_quoted(name, name)}={_quoted(name, value)}" for name, value in pairs)


def _quoted(name: Any, value: Any) -> str:
    try:
        return quote(_query_text(value), safe="")
    except (TypeError, ValueError):
        shown = f"query value {name!r}" if isinstance(name, str) else "a name in query"
        what = "text, a finite number or a bool, or a list of those"
        raise UsageError(f"{shown} must be {what}.", argument="query") from None


def _query_text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case str() | UUID():
            return str(value)
        case _ if is_finite(value):
            return str(value)
        case _:
            raise TypeError


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
