"""Hides secrets in text that comes from outside, before it gets into an error or a log line."""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

from attrs import field, frozen

HIDDEN = "***"
SHORTEST = 4  # a shorter secret stands in ordinary words, and masking it would garble every message
SECRET_KEYS = ("password", "secret", "token", "username")


@frozen
class Mask:
    """Replaces each secret, in each form in which a service may echo it."""

    secrets: tuple[str, ...] = field(repr=False)

    def __call__(self, text: str) -> str:
        """Give the text with every secret hidden."""
        forms = {form for secret in self.secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text


def _forms(secret: str) -> Iterator[str]:
    for escaped in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), repr(secret)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", r"\/")
    yield secret
    yield html.escape(secret)
    yield quote(secret)
    yield quote(secret, safe="")


def secrets_in(value: Any) -> Iterator[str]:
    """Find the strings of a JSON value that stand under a key which names a secret."""
    match value:
        case Mapping():
            for key, inner in cast("Mapping[Any, Any]", value).items():
                if isinstance(inner, str) and any(word in str(key).lower() for word in SECRET_KEYS):
                    yield inner
                else:
                    yield from secrets_in(inner)
        case list() | tuple():
            for inner in cast("Sequence[Any]", value):
                yield from secrets_in(inner)
        case _:
            return
