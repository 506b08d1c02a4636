"""JSON as it goes over the wire."""

from typing import Any

import msgspec


def encode(content: object) -> bytes:
    """Encode content as compact JSON; money becomes a JSON number."""
    return msgspec.json.encode(content)


def decode(body: bytes) -> Any:
    """Decode JSON strictly: raise `ValueError` for NaN, half of a surrogate pair, and unlimited nesting."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
