"""Bytes to JSON to models, and back. The only user of cattrs and of the JSON library.

Reading is tolerant of what is new (unknown fields, unknown enum values) and of what is absent (None), and strict in
types: nothing is coerced, and everything that is wrong is reported at once, each with its path.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import attrs
import cattrs
import msgspec
from cattrs.gen import make_dict_structure_fn, override

from mihu_async.models.enums import OpenEnum
from mihu_async.models.extra import EXTRA, keeps_extra
from mihu_async.models.provisional import Items

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

_AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
_NAMES: dict[Any, str] = {
    str: "text",
    bool: "a boolean",
    int: "a whole number",
    NoneType: "null",
    list: "a list",
    dict: "an object",
}


class ParseError(Exception):
    """The bytes are no JSON."""


class ShapeError(Exception):
    """The JSON has another shape than the model. ``problems`` are pairs of a path and what is wrong there."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{path} {what}" for path, what in problems))
        self.problems = problems


_plain = msgspec.json.Decoder()
_exact = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def parse(body: bytes, *, exact: bool = False) -> Any:
    """Read JSON into plain Python values; ``exact`` reads fractions as Decimal, digit for digit."""
    try:
        return (_exact if exact else _plain).decode(body)
    except (msgspec.DecodeError, ArithmeticError, RecursionError, UnicodeDecodeError) as error:
        raise ParseError(str(error)) from None


def structure(value: Any, into: type[T], *, path: str = "$") -> T:
    """Make a model of plain values, or raise a ShapeError that names every wrong path below ``path``."""
    try:
        return _converter.structure(value, into)
    except Exception as error:  # noqa: BLE001 - hooks raise TypeError or ValueError, cattrs wraps them in groups
        raise ShapeError(tuple(_problems(error, path))) from None


def unstructure(value: Any) -> Any:
    """Make plain values of a request's parts: attrs inputs become objects without the fields that are None."""
    return _converter.unstructure(value)


def dump(value: Any) -> bytes:
    """Write JSON; a Decimal becomes a number."""
    return _encoder.encode(value)


def _problems(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    match error:
        case cattrs.ClassValidationError():
            noted, bare = error.group_exceptions()
            for inner, note in noted:
                yield from _problems(inner, f"{path}.{_json_name(note.name)}")
        case cattrs.IterableValidationError():
            noted_items, bare = error.group_exceptions()
            for inner, item in noted_items:
                yield from _problems(inner, f"{path}[{item.index}]")
        case KeyError():
            bare = []
            yield path, "is missing"
        case _:
            bare = []
            yield path, str(error)
    for inner in bare:
        yield from _problems(inner, path)


def _json_name(attribute: str) -> str:
    """Give a field's name in JSON: a Python keyword carries an underscore that the API's name has not."""
    return attribute.removesuffix("_")


def _wrong(expected: str, value: Any) -> TypeError:
    return TypeError(f"must be {expected}, not {_NAMES.get(type(value), 'a fraction')}")


def _primitive(kind: type) -> Hook:
    def structure_primitive(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _wrong(_NAMES[kind], value)
        return value

    return structure_primitive


def _money(value: Any, _: Any) -> Decimal:
    if type(value) is int:
        return Decimal(value)
    if type(value) is not Decimal:
        raise _wrong("a number", value)
    return value


def _time(value: Any, _: Any) -> datetime:
    if type(value) is not str:
        raise _wrong("a time as text", value)
    try:
        return msgspec.convert(value, _AwareDatetime)
    except msgspec.ValidationError:
        raise ValueError("must be an RFC 3339 time with an offset") from None


def _enum(value: Any, into: type[OpenEnum]) -> OpenEnum:
    if type(value) is not str:
        raise _wrong("text", value)
    return into(value)


def _is_optional(kind: Any) -> bool:
    return (
        get_origin(kind) in {Union, UnionType}
        and len(get_args(kind)) == len({Any, None})
        and NoneType in get_args(kind)
    )


def _optional(kind: Any, converter: cattrs.Converter) -> Hook:
    (inner,) = (part for part in get_args(kind) if part is not NoneType)
    hook = converter.get_structure_hook(inner)
    return lambda value, _: None if value is None else hook(value, inner)


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple(kind: Any, converter: cattrs.Converter) -> Hook:
    items: Any = GenericAlias(list, get_args(kind)[:1])
    hook = converter.get_structure_hook(items)

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _wrong("a list", value)
        return tuple(hook(value, items))

    return structure_tuple


def _is_model(kind: Any) -> bool:
    return attrs.has(get_origin(kind) or kind)


def _model(kind: Any, converter: cattrs.Converter) -> Hook:
    model = get_origin(kind) or kind
    names: dict[str, Any] = {field.name: override(rename=_json_name(field.name)) for field in attrs.fields(model)}
    keeps = keeps_extra(model)
    if keeps:
        names[EXTRA] = override(omit=True)
    hook = make_dict_structure_fn(kind, converter, **names)

    def structure_model(value: Any, into: Any) -> Any:
        if type(value) is not dict:
            raise _wrong("an object", value)
        made = hook(cast("dict[str, Any]", value), into)
        return attrs.evolve(made, extra=_unknown(cast("dict[str, Any]", value), model)) if keeps else made

    return structure_model


def _unknown(value: dict[str, Any], model: Any) -> dict[str, Any]:
    """Collect what a model has no field for, at its own level and, under its fields' names, below it."""
    fields = {_json_name(field.name): field.type for field in attrs.fields(model) if field.name != EXTRA}
    found = {name: inner for name, inner in value.items() if name not in fields}
    for name, kind in fields.items():
        inner = value.get(name)
        below = (_unknown(cast("dict[str, Any]", inner), part) for part in get_args(kind) if attrs.has(part))
        if type(inner) is dict and (unknown := next(below, None)):
            found[name] = unknown
    return found


def _is_items(kind: Any) -> bool:
    return get_origin(kind) is Items


def _items(kind: Any, converter: cattrs.Converter) -> Hook:
    bare: Any = GenericAlias(tuple, (*get_args(kind), ...))
    within, alone = _model(kind, converter), converter.get_structure_hook(bare)

    def structure_items(value: Any, into: Any) -> Any:
        match value:
            case list():
                return Items(items=alone(value, bare))
            case dict():
                return within(value, into)
            case _:
                raise _wrong("a list or an object", value)

    return structure_items


def _input(kind: Any, converter: cattrs.Converter) -> Callable[[Any], dict[str, Any]]:
    names = [field.name for field in attrs.fields(kind)]

    def unstructure_input(value: Any) -> dict[str, Any]:
        present = ((name, getattr(value, name)) for name in names)
        return {_json_name(name): converter.unstructure(inner) for name, inner in present if inner is not None}

    return unstructure_input


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_structure_hook_factory(_is_model, _model)
    converter.register_structure_hook_factory(_is_items, _items)
    converter.register_structure_hook_factory(_is_tuple, _tuple)
    converter.register_structure_hook_factory(_is_optional, _optional)
    for kind in (str, bool, int):
        converter.register_structure_hook(kind, _primitive(kind))
    converter.register_structure_hook(Decimal, _money)
    converter.register_structure_hook(datetime, _time)
    for enum in OpenEnum.__subclasses__():  # a predicate would be passed over for string enums
        converter.register_structure_hook(enum, _enum)
    converter.register_unstructure_hook_factory(attrs.has, _input)
    converter.register_unstructure_hook(Decimal, lambda value: value)
    return converter


_converter = _make_converter()
