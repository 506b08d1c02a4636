"""Plain JSON values to models. The only user of cattrs.

Reading is tolerant. Unknown words of an enum are kept, unknown fields are ignored, and a missing field is None. The
forms that PHP writes are read without loss: ``[]`` for an empty object, ``{}`` for an empty list, numbers as text.
A field that cannot be read is None and a problem; its value is never guessed.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin

import attrs
import cattrs
import msgspec
from attrs import frozen

from mihu_async.core.codec import Part, are_usual, json_name
from mihu_async.core.problems import Problems, UnreadableError
from mihu_async.models.enums import OpenEnum
from mihu_async.models.extra import EXTRA, keeps_extra
from mihu_async.models.identity import is_identity
from mihu_async.models.numbers import AvailableNumber

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

LONGEST = 10_000
"""The most elements that a list inside an item may have."""

_AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_NAMES: dict[Any, str] = {
    str: "text",
    bool: "a boolean",
    int: "a whole number",
    NoneType: "null",
    list: "a list",
    dict: "an object",
    Part: "something too large",
}

_problems: ContextVar[Problems] = ContextVar("mihu_async_problems")


def structure(value: Any, into: type[T], problems: Problems) -> T:
    """Make a model of plain values, and note the fields that could not be read.

    Raise UnreadableError if the value is not an object, or lacks the field that identifies it.
    """
    token = _problems.set(problems)
    try:
        return _converter.structure(value, into)
    finally:
        _problems.reset(token)


def expected(what: str, value: Any) -> UnreadableError:
    """Return the error that names the expected kind of value and the kind that came."""
    return UnreadableError(f"must be {what}, not {_NAMES.get(type(value), 'a fraction')}")


def unknown_fields(value: dict[str, Any], model: Any) -> dict[str, Any]:
    """Collect the members that a model has no field for, at its own level and, under its fields' names, below it."""
    fields = {json_name(field.name): field.type for field in attrs.fields(model) if field.name != EXTRA}
    found = {name: inner for name, inner in value.items() if name not in fields}
    for name, kind in fields.items():
        inner = value.get(name)
        below = (unknown_fields(cast("dict[str, Any]", inner), part) for part in get_args(kind) if attrs.has(part))
        if type(inner) is dict and (unknown := next(below, None)):
            found[name] = unknown
    return found


def _text(value: Any, _: Any) -> str:
    if type(value) is not str:
        raise expected("text", value)
    return value


def _flag(value: Any, _: Any) -> bool:
    if type(value) is not bool:
        raise expected("a boolean", value)
    return value


def _whole_number(value: Any, _: Any) -> int:
    if type(value) is str and _WHOLE.fullmatch(value):
        return int(value)
    if type(value) is not int:
        raise expected("a whole number", value)
    return value


def _money(value: Any, _: Any) -> Decimal:
    if type(value) in {str, int, Decimal}:
        try:
            amount = msgspec.convert(value, Decimal)
        except msgspec.ValidationError:
            pass
        else:
            if are_usual((amount,)):
                return amount
            if amount.is_finite():
                raise UnreadableError("must be 0, or an amount from 1e-30 to 1e30")
    raise expected("a finite number", value)


def _time(value: Any, _: Any) -> datetime:
    if type(value) is not str:
        raise expected("a time as text", value)
    try:
        return msgspec.convert(value, _AwareDatetime)
    except msgspec.ValidationError:
        raise UnreadableError("must be an RFC 3339 time with an offset") from None


def _enum(value: Any, into: type[OpenEnum]) -> OpenEnum:
    return into(_text(value, str))


def _is_optional(kind: Any) -> bool:
    return (
        get_origin(kind) in {Union, UnionType}
        and len(get_args(kind)) == len({Any, None})
        and NoneType in get_args(kind)
    )


def _optional(kind: Any, converter: cattrs.Converter) -> Hook:
    """Return the hook of the type beside None. A model handles null and missing values before it calls a hook."""
    (inner,) = (part for part in get_args(kind) if part is not NoneType)
    hook = converter.get_structure_hook(inner)
    return lambda value, _: hook(value, inner)


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _tuple(kind: Any, converter: cattrs.Converter) -> Hook:
    """Return a hook that reads a list, and stops at the first element that cannot be read."""
    element = get_args(kind)[0]
    hook = converter.get_structure_hook(element)

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        if value == {}:
            return ()
        if type(value) is not list:
            raise expected("a list", value)
        elements = cast("list[Any]", value)
        if len(elements) > LONGEST:
            raise UnreadableError(f"must be a list of at most {LONGEST} elements, not of {len(elements)}")
        made: list[Any] = []
        path = _problems.get().path
        for index, inner in enumerate(elements):
            path.append(f"[{index}]")
            try:
                made.append(hook(inner, element))
            except UnreadableError as odd:
                raise UnreadableError(odd.reason, f"[{index}]{odd.suffix}") from None
            finally:
                path.pop()
        return tuple(made)

    return structure_tuple


def _is_model(kind: Any) -> bool:
    return attrs.has(get_origin(kind) or kind)


@frozen
class _Field:
    """A field of a model, and the way to read it. A missing field is a problem if it ``must`` be there."""

    name: str
    key: str
    suffix: str
    kind: Any
    hook: Hook
    must: bool
    is_identity: bool
    nothing: Any


def _fields(model: Any, converter: cattrs.Converter) -> tuple[_Field, ...]:
    return tuple(
        _Field(
            name=field.name,
            key=json_name(field.name),
            suffix=f".{json_name(field.name)}",
            kind=field.type,
            hook=converter.get_structure_hook(field.type),
            must=field.default is attrs.NOTHING and field.type is not bool,
            is_identity=is_identity(field),
            nothing=_empty(field.type) if field.default is attrs.NOTHING and attrs.has(field.type) else None,
        )
        for field in attrs.fields(model)
        if field.name != EXTRA
    )


def _empty(model: Any) -> Any:
    """Return a model with nothing but None, for a field that must hold a model."""
    return model(**{field.name: None for field in attrs.fields(model) if field.name != EXTRA})


def _model(kind: Any, converter: cattrs.Converter) -> Hook:
    model = get_origin(kind) or kind
    fields = _fields(model, converter)
    keeps = keeps_extra(model)
    normalize = NORMALIZED.get(model)

    def structure_model(value: Any, _: Any) -> Any:
        if value == []:
            value = {}
        if type(value) is not dict:
            raise expected("an object", value)
        given: dict[str, Any] = cast("dict[str, Any]", value)
        if normalize is not None:
            given = normalize(given)
        made: dict[str, Any] = {field.name: _read(field, given.get(field.key)) for field in fields}
        if keeps:
            made[EXTRA] = unknown_fields(given, model)
        return model(**made)

    return structure_model


def _read(field: _Field, value: Any) -> Any:
    """Read one field of an object. Raise UnreadableError if the object cannot be identified without it."""
    problems = _problems.get()
    if value is None:
        if field.is_identity:
            raise UnreadableError("is missing", field.suffix)
        if field.must:
            problems.note("is missing", field.suffix)
        return field.nothing
    problems.path.append(field.suffix)
    try:
        found = field.hook(value, field.kind)
    except UnreadableError as odd:
        if field.is_identity:
            raise UnreadableError(odd.reason, field.suffix + odd.suffix) from None
        problems.note(odd.reason, odd.suffix)
        return field.nothing
    finally:
        problems.path.pop()
    if field.is_identity and not found:
        raise UnreadableError("is empty", field.suffix)
    return found


def _offer(value: dict[str, Any]) -> dict[str, Any]:
    """Return a number for sale under the documented names, from any of the forms that are likely."""
    if value.get("number") is None and "phone_number" in value:
        value = {name: inner for name, inner in value.items() if name != "phone_number"} | {
            "number": value["phone_number"]
        }
    names = value.get("capabilities")
    if isinstance(names, list) and all(isinstance(name, str) for name in cast("list[Any]", names)):
        value = value | {"capabilities": {name.lower(): True for name in cast("list[str]", names)}}
    return value


NORMALIZED: dict[Any, Callable[[dict[str, Any]], dict[str, Any]]] = {AvailableNumber: _offer}
"""The functions that bring rows of undocumented answers into the form of their models."""


def _make_converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    converter.register_structure_hook_factory(_is_model, _model)
    converter.register_structure_hook_factory(_is_tuple, _tuple)
    converter.register_structure_hook_factory(_is_optional, _optional)
    for kind, hook in ((str, _text), (bool, _flag), (int, _whole_number), (Decimal, _money), (datetime, _time)):
        converter.register_structure_hook(kind, hook)
    for enum in OpenEnum.__subclasses__():  # a predicate would be passed over for string enums
        converter.register_structure_hook(enum, _enum)
    return converter


_converter = _make_converter()
