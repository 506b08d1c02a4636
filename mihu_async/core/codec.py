"""JSON: bytes to plain values and back, the parts of an object or a list as bytes, and the bounds of a body's size."""

import re
from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, cast

import msgspec

CROWDED = 400_000
"""The most objects and lists that a body may hold; it may hold twice as many values and twice as many fractions."""
SPARSE = 24
"""The bytes that a larger body must have per object or list."""
NAMES = 500_000
"""The most names of members that a body may hold. A listing of 10 MB has 450,000."""
BYTES_PER_NAME = 20
"""The bytes that a larger body must have per name."""
AFTER_NAME = (b'":', b'" ', b'"\t', b'"\n', b'"\r')

MOST_ESCAPES = 100_000
"""A body with more escaped characters is not searched for lone surrogates."""
LONE_SURROGATE = re.compile(
    rb"\\u(?:(?<!\\\\u)|(?<=[^\\]\\\\\\u))"  # after an even number of backslashes, as far as two
    rb"(?:[dD][89aAbB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|[dD][c-fC-F][0-9a-fA-F]{2}(?<!\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))"
)
SLICE = 2**20
"""The number of bytes that are searched at a time."""
LARGEST_MENDED = 10 * 2**20
"""A larger body is not searched for lone surrogates."""
USUAL_POWERS = frozenset(range(-30, 30))
"""The powers of ten that an amount may begin with; ``1e999999``, written out, has a million digits."""
SMALL = 64
"""The kind of a part of more bytes is found without reading the part."""

Part = msgspec.Raw
"""A JSON value that is still bytes."""


class ParseError(Exception):
    """The bytes are not JSON, or are ``well_formed`` JSON that cannot be read, such as a number of 10,000 digits."""

    def __init__(self, reason: str, *, well_formed: bool = False) -> None:
        super().__init__(reason)
        self.well_formed = well_formed


def _exactly(text: str) -> Decimal | float:
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent beyond all decimals, which no amount has
        return float(text)


_plain = msgspec.json.Decoder()
_exact = msgspec.json.Decoder(float_hook=Decimal)
_exact_or_infinite = msgspec.json.Decoder(float_hook=_exactly)
_text: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder(decimal_format="number")


def parse(body: bytes | Part, *, exact: bool = False) -> Any:
    """Return JSON as plain Python values. With ``exact``, fractions become Decimals, digit for digit."""
    try:
        return (_exact if exact else _plain).decode(body)
    except ArithmeticError:
        return _exact_or_infinite.decode(body)
    except RecursionError:
        raise ParseError("it is nested too deeply", well_formed=True) from None
    except msgspec.ValidationError as error:  # a number of thousands of digits
        raise ParseError(str(error), well_formed=True) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(str(error)) from None


def text(body: Part) -> str | None:
    """Return a text, or None for null. Raise ParseError if the body is JSON of another kind."""
    try:
        return _text.decode(body)
    except msgspec.ValidationError as error:
        raise ParseError(str(error), well_formed=True) from None


def sample(body: Part) -> Any:
    """Return a small value itself and, instead of a large one, some value of the same kind, at no cost."""
    if len(memoryview(body)) <= SMALL:
        return parse(body, exact=True)
    kinds: dict[bytes, Any] = {b"{": {"": None}, b"[": [None], b'"': "text"}
    return kinds.get(bytes(memoryview(body)[:1]), 0)


def members(body: Part) -> dict[str, Part]:
    """Return all members of an object. Each costs time; :func:`known_members` is cheaper for a few known names."""
    return _members.decode(body)


@cache
def _known_members(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    fields = [(f"member_{index}", msgspec.Raw, msgspec.Raw()) for index in range(len(names))]
    renamed = {f"member_{index}": name for index, name in enumerate(names)}
    return msgspec.json.Decoder(msgspec.defstruct("Members", fields, rename=renamed))


def known_members(body: bytes | Part, names: tuple[str, ...]) -> dict[str, Part] | None:
    """Return the named members of an object, or None if the body is JSON of another kind. The others cost nothing."""
    try:
        found = _known_members(names).decode(body)
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(str(error)) from None
    except RecursionError:
        raise ParseError("it is nested too deeply", well_formed=True) from None
    parts = zip(names, msgspec.structs.astuple(found), strict=True)
    return {name: part for name, part in parts if memoryview(part)}


def elements(body: Part) -> Sequence[Part] | None:
    """Return the elements of a list, or None if the body is JSON of another kind."""
    try:
        return _elements.decode(body)
    except msgspec.ValidationError:
        return None


def replace_lone_surrogates(body: bytes) -> bytes:
    """Return a body with U+FFFD in place of each lone surrogate, which JSON can escape and no text can hold."""
    if len(body) > LARGEST_MENDED or body.count(b"\\u") > MOST_ESCAPES:
        return body
    return LONE_SURROGATE.sub(rb"\\ufffd", body)


def dump(value: Any) -> bytes:
    """Write JSON; a Decimal becomes a number."""
    return _encoder.encode(value)


def builtins(value: Any) -> Any:
    """Return a value as the built-in Python values that would be written for it; a Decimal stays a Decimal.

    Args:
        value: The value to convert.

    Raises:
        TypeError: If JSON cannot express the value or a part of it.
    """
    return msgspec.to_builtins(value, builtin_types=(Decimal,))


def are_usual(amounts: Sequence[Decimal]) -> bool:
    """Return True if all amounts are finite and are 0 or from 1e-30 to 1e30, so that each can be written out."""
    return all(map(Decimal.is_finite, amounts)) and USUAL_POWERS.issuperset(map(Decimal.adjusted, amounts))


def json_name(attribute: str) -> str:
    """Return a field's name in JSON, without the underscore that a field named like a Python keyword ends with."""
    return attribute.removesuffix("_")


def look_for_crowds(body: bytes) -> Generator[None, None, bool]:
    """Return True if a body holds so many small things that reading it would hold up the event loop.

    One slice of the body is searched between two yields.
    """
    most, names = max(CROWDED, len(body) // SPARSE), max(NAMES, len(body) // BYTES_PER_NAME)
    if len(body) <= most:
        return False
    objects, commas, points, colons = 0, 0, 0, 0
    for start, end in _slices(body):
        objects += body.count(b"{", start, end) + body.count(b"[", start, end)
        commas += body.count(b",", start, end)
        points += body.count(b".", start, end)
        colons += body.count(b":", start, end)
        yield
    if objects > most or max(commas, points) > 2 * most:
        return True
    if colons <= names:
        return False
    found = 0
    for start, end in _slices(body):
        found += sum(body.count(after, start, end) for after in AFTER_NAME)
        yield
    return found > names


def _slices(body: bytes) -> Iterator[tuple[int, int]]:
    return ((start, start + SLICE) for start in range(0, len(body), SLICE))


def is_crowded(body: bytes) -> bool:
    """Return the result of :func:`look_for_crowds` without any pause."""
    looking = look_for_crowds(body)
    while True:
        try:
            next(looking)
        except StopIteration as end:
            return cast("bool", end.value)
