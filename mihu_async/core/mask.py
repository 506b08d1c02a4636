"""Hides secrets in text that comes from outside, before it gets into an error or a log line."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, quote_plus

from attrs import define, field

HIDDEN = "***"
SHORTEST = 4  # a shorter secret stands in ordinary words, and masking it would garble every message
SECRET_KEYS = ("api_key", "apikey", "authorization", "credential", "passw", "pwd", "secret", "token", "username")
SHOWN = 200  # characters of a service's text that one part of a message quotes


@define
class Mask:
    """Replaces each secret, in each form in which a service may echo it."""

    secrets: tuple[str, ...] = field(repr=False)
    _forms: list[str] | None = field(default=None, init=False, repr=False, eq=False)

    def __call__(self, text: str) -> str:
        """Give the text with every secret hidden."""
        for form in self.forms():
            text = text.replace(form, HIDDEN)
        return text

    def name(self, text: str) -> str:
        """Give a code, a field, a path or an address so; a secret that is a plain word may stand in a longer one."""
        for form in self.forms():
            if re.fullmatch("[a-z]+", form):
                text = re.sub(rf"(?<![a-z_-]){form}(?![a-z_-])", HIDDEN, text)
            else:
                text = text.replace(form, HIDDEN)
        return text

    def forms(self) -> list[str]:
        """Return all that is hidden, the longest first; made once, when the first text is looked at."""
        if self._forms is None:
            forms = {form for secret in self.secrets if len(secret) >= SHORTEST for form in _forms(secret)}
            self._forms = sorted(forms, key=len, reverse=True)
        return self._forms


def _forms(secret: str) -> Iterator[str]:
    """Give the ways in which PHP, Python and browsers write a text into JSON, HTML, addresses and source code."""
    yield secret
    for text in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]):
        for written in (text, text.replace("/", r"\/"), _hex_escaped(text)):
            yield written
            yield json.dumps(written)[1:-1]
    yield html.escape(secret)
    yield html.escape(secret).replace("&#x27;", "&#039;")
    for encoded in (quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield encoded
        yield re.sub("%..", lambda found: found[0].lower(), encoded)


def _hex_escaped(text: str) -> str:
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04X}")
    return text


def printable(text: str, *, most: int = SHOWN) -> str:
    """Cut a text to what a message can hold, and escape what would act on a terminal or forge a log line."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:most])


def hide_secrets(value: Any) -> Any:
    """Give a JSON value with a mask in place of what stands under a key which names a secret."""
    match value:
        case Mapping():
            pairs = cast("Mapping[str, Any]", value).items()
            return {key: HIDDEN if inner and names_secret(key) else hide_secrets(inner) for key, inner in pairs}
        case list():
            return [hide_secrets(inner) for inner in cast("list[Any]", value)]
        case _:
            return value


def names_secret(key: Any) -> bool:
    """Return True if a key says that its value is a secret."""
    return any(word in str(key).lower() for word in SECRET_KEYS)


def secrets_in(value: Any, *, named: bool = False) -> Iterator[str]:
    """Find the texts and numbers of a JSON value that stand under a key which names a secret."""
    match value:
        case Mapping():
            for key, inner in cast("Mapping[Any, Any]", value).items():
                yield from secrets_in(inner, named=named or names_secret(key))
        case list() | tuple():
            for inner in cast("Sequence[Any]", value):
                yield from secrets_in(inner, named=named)
        case str() | int() if named:
            yield str(value)
        case _:
            return
