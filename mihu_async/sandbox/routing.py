"""A table of endpoints: finds a request's endpoint, and reads its body."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from typing import Any, Generic, TypeVar

import attrs

from mihu_async.sandbox import checks
from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.checks import Check
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError, not_found
from mihu_async.sandbox.selection import API_PREFIX
from mihu_async.sandbox.wire import decode

S = TypeVar("S")
PARAMETERS = {"uuid": checks.UUID_PATTERN, "serial": "[0-9]{1,18}"}
"""The pattern of each path parameter."""


@attrs.frozen
class Route(Generic[S]):
    """A method and a path, with `{uuid}` and `{serial}` as placeholders, and the operation that answers it.

    `answers` returns samples of the answer's data, which together have every documented field; it is None if the answer
    is undocumented.
    """

    method: str
    path: str
    operation: Callable[[S, JournalEntry], Answer]
    prefix: str = API_PREFIX
    answers: Callable[[S], object] | None = None

    def covers(self, path: str) -> bool:
        """Return True if the route has this path."""
        return _pattern(self.prefix + self.path).fullmatch(path) is not None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    pattern = re.escape(path)
    for name, values in PARAMETERS.items():
        pattern = pattern.replace(re.escape(f"{{{name}}}"), values)
    return re.compile(pattern)


def find(method: str, path: str, routes: Iterable[Route[S]]) -> Route[S]:
    """Return the route of a request; raise 404 for the path or 405 for the method, whose codes are inferred."""
    here = {route.method: route for route in routes if route.covers(path)}
    if not here:
        raise attrs.evolve(not_found(f"there is no {path}"), is_undocumented=True)
    if method not in here:
        raise RefusedError(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            code="METHOD_NOT_ALLOWED",
            message="Method not allowed.",
            details=f"{path} does not take {method}",
            headers={"Allow": ", ".join(here)},
            is_undocumented=True,
        )
    return here[method]


def uuid_in(path: str) -> str:
    """Return the uuid of a path, in lower case; a route with `{uuid}` covers no path without one."""
    return checks.uuid("uuid", re.findall(checks.UUID_PATTERN, path)[0])


def read_body(request: JournalEntry, check: Check) -> Any:
    """Decode and check a body: 415 without a JSON content type, 400 for invalid JSON (the codes are inferred)."""
    content_type = request.headers.get("Content-Type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            code="UNSUPPORTED_MEDIA_TYPE",
            message="The body must be application/json.",
            details=f"Content-Type is {content_type!r}",
        )
    try:
        return check("", decode(request.body))
    except ValueError as error:
        raise RefusedError(
            status=HTTPStatus.BAD_REQUEST,
            code="INVALID_JSON",
            message="The body is not JSON.",
            details=str(error),
        ) from error
