"""Determines which fields of an answer are documented: those in the sandbox's own answers."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, cast

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.routes import ROUTES
from mihu_async.sandbox.routing import find

SAMPLED = (30, 10)
"""The number of numbers and trunks in the samples, enough for each documented field to occur."""
Shape = dict[str, Any]
"""The fields of a value, each with the shape of its own value; a value without fields has an empty shape."""


class UndocumentedError(AssertionError):
    """A strict sandbox met or sent fields that no page documents; the message has a line for each."""


def undocumented_fields(request: JournalEntry, answer: Answer) -> list[str]:
    """Return the fields of an answer that no page documents.

    An answer is not checked if it is not a success, not JSON, or from an endpoint whose answer is undocumented.
    """
    try:
        known = shapes().get((request.method, find(request.method, request.path, ROUTES).path))
        content = answer.json
    except (RefusedError, ValueError):
        return []
    if known is None or not _is_success(content):
        return []
    return list(strangers(content, {"success": {}, "message": {}, "data": known}))


def _is_success(content: object) -> bool:
    return isinstance(content, dict) and cast("dict[str, object]", content).get("success") is True


def strangers(value: object, known: Shape, path: str = "") -> Iterator[str]:
    """Yield the path of every field that a shape does not have."""
    if isinstance(value, list):
        for index, one in enumerate(cast("list[object]", value)):
            yield from strangers(one, known, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            here = f"{path}.{name}" if path else name
            if name in known:
                yield from strangers(inner, known[name], here)
            else:
                yield here


def shape(*samples: object) -> Shape:
    """Return the shape that all samples fit; the rows of an array have one shape together."""
    held: dict[str, list[object]] = {}
    for row in _rows(samples):
        if isinstance(row, dict):
            for name, inner in cast("dict[str, object]", row).items():
                held.setdefault(name, []).append(inner)
    return {name: shape(*values) for name, values in held.items()}


def _rows(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _rows(cast("list[object]", value))
        else:
            yield value


@cache
def shapes() -> Mapping[tuple[str, str], Shape]:
    """Return the shape of `data` by the verb and path of each endpoint whose answer is documented."""
    inventory = Inventory(*SAMPLED)
    known = {answers: shape(answers(inventory)) for answers in {route.answers for route in ROUTES} if answers}
    return {(route.method, route.path): known[route.answers] for route in ROUTES if route.answers}
