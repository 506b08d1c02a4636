"""The faults that JSON can name, each with its fields.

`Change` is not among them, because it takes a function.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import attrs

from mihu_async.sandbox import checks
from mihu_async.sandbox.checks import Check
from mihu_async.sandbox.exchange import Fault
from mihu_async.sandbox.faults import (
    Delay,
    Hang,
    OversizeBody,
    Redirect,
    Reset,
    SlowBody,
    Status,
    Truncate,
    WrongContentType,
)
from mihu_async.sandbox.refusals import invalid
from mihu_async.sandbox.rewrites import Dated, NullFields, RepeatPage, UnknownEnum
from mihu_async.sandbox.script import Faults
from mihu_async.sandbox.scripts import SCRIPTS

HEADER_NAME = checks.matching(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "the name of a header")
HEADER_VALUE = checks.matching(r"[\t -~]*", "a header's text in ASCII")


@attrs.frozen
class Kind:
    """A class of faults, its fields, and the required ones."""

    make: Callable[..., Fault]
    fields: Mapping[str, Check] = attrs.field(factory=dict[str, Check])
    required: tuple[str, ...] = ()


def at_least(least: int, check: Check, *, most: int | None = None) -> Check:
    """Accept the values of a check that lie between a minimum and an optional maximum."""

    def within(field: str, value: object) -> Any:
        found = check(field, value)
        if found < least or (most is not None and found > most):
            raise invalid(field, f"must be {least} or more" if most is None else f"must be {least} to {most}")
        return found

    return within


def anything(_: str, value: object) -> object:
    """Accept any JSON."""
    return value


def header_fields(field: str, value: object) -> dict[str, str]:
    """Accept an object of header names and values."""
    given = checks.any_object(field, value)
    return {HEADER_NAME(field, name): HEADER_VALUE(f"{field}.{name}", one) for name, one in given.items()}


def seconds_or_text(field: str, value: object) -> int | str:
    """Accept a value of `Retry-After`: an integer number of seconds, or text."""
    return cast("str", HEADER_VALUE(field, value)) if isinstance(value, str) else checks.whole_number(field, value)


def null_fields(names: Sequence[str]) -> NullFields:
    """Build the fault from a list of names."""
    return NullFields(*names)


AFTER: Mapping[str, Check] = {"after": checks.flag}
SECONDS = at_least(0, checks.number)
STATUS = at_least(200, checks.whole_number, most=599)
COUNT = at_least(1, checks.whole_number)
KINDS: Mapping[str, Kind] = {
    "Status": Kind(
        Status,
        {"status": STATUS, "retry_after": seconds_or_text, "headers": header_fields, "body": anything, **AFTER},
        required=("status",),
    ),
    "Redirect": Kind(Redirect, {"location": HEADER_VALUE, "status": STATUS}, required=("location",)),
    "WrongContentType": Kind(WrongContentType, {"content_type": HEADER_VALUE, "body": checks.text, **AFTER}),
    "Delay": Kind(Delay, {"seconds": SECONDS}, required=("seconds",)),
    "Hang": Kind(Hang, AFTER),
    "Reset": Kind(Reset, AFTER),
    "Truncate": Kind(Truncate),
    "SlowBody": Kind(SlowBody, {"seconds": SECONDS, "chunks": COUNT}, required=("seconds",)),
    "OversizeBody": Kind(OversizeBody, {"size": COUNT}, required=("size",)),
    "Dated": Kind(Dated, {"ahead": checks.number, "age": at_least(0, checks.whole_number)}),
    "UnknownEnum": Kind(UnknownEnum, {"field": checks.FILLED, "value": checks.text}),
    "NullFields": Kind(null_fields, {"names": checks.list_of(checks.FILLED)}, ("names",)),
    "RepeatPage": Kind(RepeatPage, {"page": COUNT, "keep_echo": checks.flag}),
}
"""The faults, by their names in Python."""
SCRIPT = checks.closed({"script": checks.one_of(*SCRIPTS)}, required=("script",))
CUE: Mapping[str, Check] = {
    "fault": checks.one_of(*KINDS),
    "method": checks.or_null(checks.FILLED),
    "path": checks.or_null(checks.FILLED),
    "times": checks.or_null(COUNT),
    "skip": at_least(0, checks.whole_number),
    "after_write": checks.flag,
}


def play(faults: Faults, given: Mapping[str, Any]) -> None:
    """Add the faults of a body: `{"script": …}`, or `{"fault": …}` with its fields and its timing."""
    if "fault" not in given:
        faults.play(SCRIPT("", given)["script"])
        return
    kind = KINDS[CUE["fault"]("fault", given["fault"])]
    read = checks.closed({**CUE, **kind.fields}, required=kind.required)("", given)
    fields = {name: read[name] for name in kind.fields if name in read}
    when = {name: read[name] for name in CUE if name in read and name != "fault"}
    faults.add(kind.make(**fields), **when)
