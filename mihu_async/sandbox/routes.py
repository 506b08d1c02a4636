"""The endpoints, as a table; requests and answers are values here, and there is no I/O.

Documented and not built yet, each a line of the table and a rule, the first two with a path to match:
PATCH /phone-numbers/{uuid}, GET /phone-numbers/{uuid}/channels, GET /phone-numbers/channels, GET /phone-numbers/rates,
GET /phone-numbers/search, GET /phone-numbers/search/requirements, PATCH and DELETE /phone-numbers/trunks.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import attrs

from mihu_async.sandbox import checks, listing
from mihu_async.sandbox.answers import Answer, failure, success
from mihu_async.sandbox.checks import Check
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError, not_found
from mihu_async.sandbox.selection import API_PREFIX
from mihu_async.sandbox.wire import decode

Operation = Callable[[Inventory, JournalEntry], Answer]


def _list_numbers(inventory: Inventory, request: JournalEntry) -> Answer:
    wanted = listing.NUMBERS.read(request.query)
    return success(inventory.list_numbers(wanted), message="Phone numbers retrieved.")


def _buy_number(inventory: Inventory, request: JournalEntry) -> Answer:
    purchase = _body(request, checks.PURCHASE)
    return success(inventory.buy(purchase), status=HTTPStatus.CREATED)


def _list_trunks(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_trunks(listing.TRUNKS.read(request.query)))


def _register_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    registration = _body(request, checks.REGISTRATION)
    return success(inventory.register(registration), status=HTTPStatus.CREATED, message="Trunk created.")


def _assign_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = _body(request, checks.ASSIGNMENT)
    return success(inventory.assign(assignment), message="Trunk assigned.")


@attrs.frozen
class Route:
    """A verb and a path below `/api/v1`, and what answers it."""

    method: str
    path: str
    operation: Operation


ROUTES = (
    Route("GET", "/phone-numbers", _list_numbers),
    Route("POST", "/phone-numbers", _buy_number),
    Route("GET", "/phone-numbers/trunks", _list_trunks),
    Route("POST", "/phone-numbers/trunks", _register_trunk),
    Route("PUT", "/phone-numbers/trunks/assign", _assign_trunk),
)


def answer(inventory: Inventory, request: JournalEntry) -> Answer:
    """Answer a request truly, changing the state as it asks."""
    try:
        return find(request.method, request.path).operation(inventory, request)
    except RefusedError as error:
        return failure(error)


def find(method: str, path: str, routes: Iterable[Route] = ROUTES) -> Route:
    """Find the route of a request; raise 404 for the path or 405 for the method, whose codes are inferred."""
    here = {route.method: route for route in routes if API_PREFIX + route.path == path}
    if not here:
        raise not_found(f"there is no {path}")
    if method not in here:
        raise RefusedError(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            code="METHOD_NOT_ALLOWED",
            message="Method not allowed.",
            details=f"{path} does not take {method}",
            headers={"Allow": ", ".join(here)},
        )
    return here[method]


def _body(request: JournalEntry, check: Check) -> Any:
    """Decode and check a body: 415 unless it says that it is JSON, 400 unless it is (codes are inferred)."""
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
            message="The body is no JSON.",
            details=str(error),
        ) from error
