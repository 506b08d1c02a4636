"""Redacts secrets in text from outside, before it reaches an error or a log line."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, quote_plus

from mihu_async.value import State

HIDDEN = "***"
SHORTEST = 4  # a shorter secret occurs in ordinary words: replacing it everywhere would garble every message
SECRET_WORDS = frozenset(
    {"auth", "authentication", "bearer", "cookie", "cookies", "jwt", "oauth", "otp", "pass", "pin", "psk", "totp"}
)
"""The words that mark a name's value as secret."""
SECRET_PARTS = (
    "accesskey",
    "apikey",
    "authorization",
    "credential",
    "encryptionkey",
    "passcode",
    "passphrase",
    "passw",
    "pincode",
    "privatekey",
    "pwd",
    "secret",
    "signature",
    "signingkey",
    "token",
    "username",
)
"""The parts of a name, its words joined, that mark its value as secret wherever they occur."""
SHOWN = 200  # characters of a service's text that one part of a message quotes


class Redactor(State):
    """Replaces each secret in every form in which a service may echo it."""

    secrets: tuple[str, ...]
    _forms: list[str] | None = None

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced."""
        for form in self.forms():
            text = text.replace(form, HIDDEN)
        for secret in self._short():
            text = _hide_value(text, secret)
            if len(secret) > 1 and not re.fullmatch("[a-z]+", secret):
                text = re.sub(rf"(?<![\w.,]){re.escape(secret)}(?![\w]|[.,]\w)", HIDDEN, text)
        return text

    def name(self, text: str) -> str:
        """Redact a code, field, path or address; a secret that is a plain word may be part of a longer word there."""
        for form in self.forms():
            if re.fullmatch("[a-z]+", form):
                text = re.sub(rf"(?<![a-z_-]){form}(?![a-z_-])", HIDDEN, text)
            else:
                text = text.replace(form, HIDDEN)
        for secret in self._short():
            text = _hide_value(text, secret)
        return text

    def _short(self) -> list[str]:
        return [secret for secret in self.secrets if 0 < len(secret) < SHORTEST]

    def forms(self) -> list[str]:
        """Return every form to replace, the longest first; they are computed when the first text is redacted."""
        if self._forms is None:
            forms = {form for secret in self.secrets if len(secret) >= SHORTEST for form in _forms(secret)}
            self._forms = sorted(forms, key=len, reverse=True)
        return self._forms


def _hide_value(text: str, secret: str) -> str:
    """Replace a short secret where it is an entire value: quoted, between tags, or after ``=`` or a colon."""
    return re.sub(rf"""(["'>=]|: ?){re.escape(secret)}(?![\w.])""", rf"\g<1>{HIDDEN}", text)


def _forms(secret: str) -> Iterator[str]:
    """Yield the forms in which PHP, Python and browsers write a text into JSON, HTML, addresses and source code."""
    yield secret
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]):
        for written in (text, text.replace("/", r"\/"), _hex_escaped(text)):
            yield written
            yield json.dumps(written)[1:-1]
    from html import escape  # noqa: PLC0415 - it takes a millisecond to import, and few texts are redacted

    yield escape(secret)
    yield escape(secret).replace("&#x27;", "&#039;")
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield re.sub("%..", lambda found: found[0].lower(), encoded)


def _hex_escaped(text: str) -> str:
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return text


def escape(text: str, *, most: int = SHOWN) -> str:
    """Truncate a text to fit a message, and escape characters that could control a terminal or forge a log line."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:most])


def hide_secrets(value: Any) -> Any:
    """Return a JSON value in which the value of every key that names a secret is replaced."""
    match value:
        case Mapping():
            pairs = cast("Mapping[str, Any]", value).items()
            return {key: HIDDEN if _holds(inner) and names_secret(key) else hide_secrets(inner) for key, inner in pairs}
        case list():
            return [hide_secrets(inner) for inner in cast("list[Any]", value)]
        case tuple():
            return tuple(hide_secrets(inner) for inner in cast("tuple[Any, ...]", value))
        case _:
            return value


def _holds(value: Any) -> bool:
    """Return True if a value can be a secret: it is neither empty nor a bool."""
    return value is not None and not isinstance(value, bool) and value not in ("", [], (), {})


def names_secret(key: Any) -> bool:
    """Return True if a key, in snake, kebab or camel case, marks its value as secret."""
    return _names_secret(str(key))  # equal keys, such as those of two enums, may be different texts


@lru_cache(maxsize=1024)
def _names_secret(key: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", key)]
    name = "".join(words)
    return not SECRET_WORDS.isdisjoint(words) or any(part in name for part in SECRET_PARTS)


NESTED = (dict, list, tuple, Mapping)
"""The types of JSON values that hold others."""


def secrets_in(value: Any, *, named: bool = False) -> Iterator[str]:
    """Yield the texts and numbers of a JSON value whose key names a secret."""
    match value:
        case dict() | Mapping():
            for key, inner in cast("Mapping[Any, Any]", value).items():
                if (is_secret := named or names_secret(key)) or isinstance(inner, NESTED):
                    yield from secrets_in(inner, named=is_secret)
        case list() | tuple():
            for inner in cast("Sequence[Any]", value):
                yield from secrets_in(inner, named=named)
        case bool():
            return
        case str() | int() if named:
            yield str(value)
        case _:
            return
