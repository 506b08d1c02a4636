"""The endpoints, as a table. Requests and answers are values; there is no I/O.

For GET /phone-numbers/search and GET /phone-numbers/search/requirements, only the paths and the required parameters are
documented; for GET /agents the items; for POST /agents/{uuid}/channels/sms the path and the effect. The rest is
inferred.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from mihu_async.sandbox import checks, listing, operations, samples
from mihu_async.sandbox.answers import Answer, failure, success
from mihu_async.sandbox.checks import Check
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.routing import Route, find, read_body, uuid_in

Operation = Callable[[Inventory, JournalEntry], Any]
"""Returns the data of the answer to a request."""
Sample = Callable[[Inventory], object]
NOT_DOCUMENTED = None
"""The value in place of samples for an endpoint whose answer is undocumented."""


def _by_query(
    read: Callable[[Iterable[tuple[str, str]]], Any], operation: Callable[[Inventory, Any], Any]
) -> Operation:
    return lambda inventory, request: operation(inventory, read(request.query))


def _by_body(check: Check, operation: Callable[[Inventory, Any], Any]) -> Operation:
    return lambda inventory, request: operation(inventory, read_body(request, check))


def _at_uuid(check: Check, operation: Callable[[Inventory, str, Any], Any]) -> Operation:
    return lambda inventory, request: operation(inventory, uuid_in(request.path), read_body(request, check))


def _by_uuid(operation: Callable[[Inventory, str], Any]) -> Operation:
    def answer(inventory: Inventory, request: JournalEntry) -> Any:
        checks.NOTHING(request.query)
        return operation(inventory, uuid_in(request.path))

    return answer


def _route(
    method: str,
    path: str,
    operation: Operation,
    answers: Sample | None,
    *,
    status: int = HTTPStatus.OK,
    message: str | None = None,
) -> Route[Inventory]:
    def respond(inventory: Inventory, request: JournalEntry) -> Answer:
        return success(operation(inventory, request), status=status, message=message)

    return Route(method, path, respond, answers=answers)


NUMBERS, AGENTS, CONNECTIONS = "/phone-numbers", "/agents", "/channels/sip-trunk/connections"
TRUNKS, CHANNELS = f"{NUMBERS}/trunks", f"{AGENTS}/{{uuid}}/channels"
CREATED = HTTPStatus.CREATED

ROUTES: tuple[Route[Inventory], ...] = (
    _route(
        "GET",
        NUMBERS,
        _by_query(listing.NUMBERS.read, operations.list_numbers),
        samples.numbers,
        message="Phone numbers retrieved.",
    ),
    _route("POST", NUMBERS, _by_body(checks.PURCHASE, operations.buy), samples.number, status=CREATED),
    _route("GET", TRUNKS, _by_query(listing.TRUNKS.read, operations.list_trunks), samples.numbers),
    _route(
        "POST",
        TRUNKS,
        _by_body(checks.REGISTRATION, operations.register),
        samples.snapshot,
        status=CREATED,
        message="Trunk created.",
    ),
    _route(
        "PATCH",
        TRUNKS,
        _by_body(checks.TRUNK_CHANGE, operations.change_trunk),
        samples.snapshot,
        message="Trunk updated.",
    ),
    _route(
        "DELETE",
        TRUNKS,
        _by_query(checks.REMOVAL, operations.remove_trunk),
        NOT_DOCUMENTED,
        message="Trunk deleted.",
    ),
    _route(
        "PUT",
        f"{TRUNKS}/assign",
        _by_body(checks.ASSIGNMENT, operations.assign),
        samples.snapshot,
        message="Trunk assigned.",
    ),
    _route("GET", f"{NUMBERS}/channels", _by_query(checks.NUMBER, operations.channels_of), samples.snapshot),
    _route("GET", f"{NUMBERS}/rates", _by_query(listing.RATES.read, operations.list_rates), samples.rates),
    _route("GET", f"{NUMBERS}/search", _by_query(listing.OFFERS.read, operations.search), NOT_DOCUMENTED),
    _route(
        "GET",
        f"{NUMBERS}/search/requirements",
        _by_query(checks.REQUIREMENTS, operations.requirements),
        NOT_DOCUMENTED,
    ),
    _route("PATCH", f"{NUMBERS}/{{uuid}}", _at_uuid(checks.SETTINGS, operations.change_settings), samples.number),
    _route("GET", f"{NUMBERS}/{{uuid}}/channels", _by_uuid(operations.channels), samples.snapshot),
    _route("GET", AGENTS, _by_query(listing.AGENTS.read, operations.list_agents), NOT_DOCUMENTED),
    _route(
        "POST",
        f"{CHANNELS}/call/provision",
        _at_uuid(checks.PROVISION, operations.provision_call),
        NOT_DOCUMENTED,
    ),
    _route(
        "POST",
        f"{CHANNELS}/call/sip-trunk",
        _at_uuid(checks.SIP_ASSIGNMENT, operations.assign_sip_connection),
        samples.sip_assignment,
    ),
    _route("POST", f"{CHANNELS}/sms", _at_uuid(checks.PROVISION, operations.assign_sms), NOT_DOCUMENTED),
    _route(
        "POST",
        CONNECTIONS,
        _by_body(checks.SIP_CONNECTION, operations.create_sip_connection),
        samples.sip_connection,
        status=CREATED,
    ),
)


def answer(inventory: Inventory, request: JournalEntry, tell: Callable[[str], None] = lambda _: None) -> Answer:
    """Answer a request truthfully, change the state as it asks, and report everything in it that no page documents."""
    try:
        return find(request.method, request.path, ROUTES).operation(inventory, request)
    except RefusedError as error:
        if error.is_undocumented:
            tell(error.details)
        return failure(error)
