"""Validates the headers that a caller adds to requests, and redacts those of an answer for display. Does no I/O."""

import re
from collections.abc import Mapping
from typing import Any, cast

from mihu_async.core.redaction import HIDDEN, Redactor, escape, names_secret
from mihu_async.errors import UsageError
from mihu_async.reports import Headers

Extra = tuple[tuple[str, str], ...]
"""A caller's headers, by name and value."""

OWN = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""The names whose values the SDK or HTTP itself sets: another value would change the meaning of a request."""
SECRET_WORDS = frozenset({"key", "session"})
"""The words that mark a header's value as secret, in addition to those of a JSON key."""
NO_SECRET = frozenset({"idempotency-key"})
BETWEEN = "\0"  # in no header and no secret, so that all are redacted in one pass


def check_headers(argument: str, headers: Any) -> Extra:
    """Return a caller's headers if they can be sent. No error shows a value.

    Raises:
        UsageError: A name or a value cannot be sent.
    """
    if not isinstance(headers, Mapping):
        message = f"{argument} must map names to strings, not {type(headers).__name__}."
        raise UsageError(message, argument=argument)
    checked: dict[str, tuple[str, str]] = {}
    for name, value in cast("Mapping[Any, Any]", headers).items():
        if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            shown = f"the name {name[:40]!r}" if isinstance(name, str) else f"a name of type {type(name).__name__}"
            raise UsageError(f"{argument} cannot hold {shown}: HTTP has no such header.", argument=argument)
        _check_may_be_set(argument, name)
        if name.lower() in checked:
            raise UsageError(f"{argument} names {name} twice: header names ignore case.", argument=argument)
        if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value):
            why = "must be text of visible ASCII, without line ends and without spaces around it"
            raise UsageError(f"{argument}[{name!r}] {why}.", argument=argument)
        checked[name.lower()] = name, value
    return tuple(checked.values())


def _check_may_be_set(argument: str, name: str) -> None:
    if name.lower() == "user-agent":
        message = f"{argument} cannot hold {name}: the client's option user_agent= sets it."
        raise UsageError(message, argument=argument)
    if name.lower() in OWN:
        raise UsageError(f"{argument} cannot hold {name}: the SDK sets it itself.", argument=argument)


def combined(first: Extra, second: Extra) -> Extra:
    """Return both; if both have a name, in any case, the second value is used."""
    named = {name.lower() for name, _ in second}
    return (*(pair for pair in first if pair[0].lower() not in named), *second)


def is_secret(name: str) -> bool:
    """Return True if a header's name marks its value as secret."""
    lowered = name.lower()
    if lowered in NO_SECRET:
        return False
    return names_secret(lowered) or not SECRET_WORDS.isdisjoint(lowered.split("-"))


def secrets_of(headers: Extra) -> tuple[str, ...]:
    """Return the secret values, each also without a scheme before it (``Bearer …``)."""
    values = [value for name, value in headers if is_secret(name)]
    return tuple(dict.fromkeys(part for value in values for part in (value, value.rpartition(" ")[2])))


def shown(headers: Extra, redact: Redactor) -> Headers:
    """Return headers for display: secrets are redacted, and unprintable characters are escaped."""
    if not headers:
        return Headers()
    names = redact.name(BETWEEN.join(name for name, _ in headers)).split(BETWEEN)
    values = redact(BETWEEN.join(HIDDEN if is_secret(name) else value for name, value in headers)).split(BETWEEN)
    texts = [escape(text, most=len(text)) for text in (*names, *values)]
    return Headers(tuple(zip(texts[: len(headers)], texts[len(headers) :], strict=True)))
