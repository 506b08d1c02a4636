"""Which fields of an answer are documented: those that the sandbox itself answers with."""

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
"""How many numbers and trunks the samples are made of: enough for each documented field to be in one of them."""
Shape = dict[str, Any]
"""The fields of a value, each with the shape of what it holds; what holds no fields has an empty one."""


class UndocumentedError(AssertionError):
    """A strict sandbox met requests, or gave answers, with fields that no page documents; one a line."""


def undocumented_fields(request: JournalEntry, answer: Answer) -> list[str]:
    """Name the fields of an answer that no page documents.

    What is no success, no JSON, or from an endpoint whose answer is not documented, is not looked at.
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
    """Give the path of every field that a shape does not have."""
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
    """Give the shape that all samples fit; the rows of an array have one shape together."""
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
