"""The endpoints, as a table; requests and answers are values here, and there is no I/O.

Of GET /phone-numbers/search and GET /phone-numbers/search/requirements only the paths are documented, and what each
must carry; of GET /agents the items, and of POST /agents/{uuid}/channels/sms the path and what it does. All else of
them is inferred.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
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


def _change_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    change = _body(request, checks.TRUNK_CHANGE)
    return success(inventory.change_trunk(change), message="Trunk updated.")


def _remove_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    """Answer with no data; what the service answers was not seen."""
    inventory.remove_trunk(checks.REMOVAL(request.query))
    return success(None, message="Trunk deleted.")


def _change_settings(inventory: Inventory, request: JournalEntry) -> Answer:
    change = _body(request, checks.SETTINGS)
    return success(inventory.change_settings(_uuid_in(request.path), change["channel_settings"]))


def _channels(inventory: Inventory, request: JournalEntry) -> Answer:
    checks.NOTHING(request.query)
    return success(inventory.channels(_uuid_in(request.path)))


def _channels_of(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.channels_of(checks.NUMBER(request.query)["number"]))


def _list_rates(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_rates(listing.RATES.read(request.query)))


def _search(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.search(listing.OFFERS.read(request.query)))


def _requirements(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.requirements(checks.REQUIREMENTS(request.query)))


def _provision_call(inventory: Inventory, request: JournalEntry) -> Answer:
    provision = _body(request, checks.PROVISION)
    return success(inventory.provision_call(_uuid_in(request.path), provision))


def _list_agents(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_agents(listing.AGENTS.read(request.query)))


def _assign_sms(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = _body(request, checks.PROVISION)
    return success(inventory.assign_sms(_uuid_in(request.path), assignment))


def _create_sip_connection(inventory: Inventory, request: JournalEntry) -> Answer:
    connection = _body(request, checks.SIP_CONNECTION)
    return success(inventory.create_sip_connection(connection), status=HTTPStatus.CREATED)


def _assign_sip_connection(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = _body(request, checks.SIP_ASSIGNMENT)
    return success(inventory.assign_sip_connection(_uuid_in(request.path), assignment))


@attrs.frozen
class Route:
    """A verb and a path below `/api/v1`, in which `{uuid}` stands for any, and what answers it."""

    method: str
    path: str
    operation: Operation

    def covers(self, path: str) -> bool:
        """Tell whether a path is this one."""
        return _pattern(self.path).fullmatch(path) is not None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(API_PREFIX + path).replace(re.escape("{uuid}"), checks.UUID_PATTERN))


ROUTES = (
    Route("GET", "/phone-numbers", _list_numbers),
    Route("POST", "/phone-numbers", _buy_number),
    Route("GET", "/phone-numbers/trunks", _list_trunks),
    Route("POST", "/phone-numbers/trunks", _register_trunk),
    Route("PATCH", "/phone-numbers/trunks", _change_trunk),
    Route("DELETE", "/phone-numbers/trunks", _remove_trunk),
    Route("PUT", "/phone-numbers/trunks/assign", _assign_trunk),
    Route("GET", "/phone-numbers/channels", _channels_of),
    Route("GET", "/phone-numbers/rates", _list_rates),
    Route("GET", "/phone-numbers/search", _search),
    Route("GET", "/phone-numbers/search/requirements", _requirements),
    Route("PATCH", "/phone-numbers/{uuid}", _change_settings),
    Route("GET", "/phone-numbers/{uuid}/channels", _channels),
    Route("GET", "/agents", _list_agents),
    Route("POST", "/agents/{uuid}/channels/call/provision", _provision_call),
    Route("POST", "/agents/{uuid}/channels/call/sip-trunk", _assign_sip_connection),
    Route("POST", "/agents/{uuid}/channels/sms", _assign_sms),
    Route("POST", "/channels/sip-trunk/connections", _create_sip_connection),
)


def answer(inventory: Inventory, request: JournalEntry, tell: Callable[[str], None] = lambda _: None) -> Answer:
    """Answer a request truly, changing the state as it asks, and tell what of it no page documents."""
    try:
        return find(request.method, request.path).operation(inventory, request)
    except RefusedError as error:
        if error.is_undocumented:
            tell(error.details)
        return failure(error)


def find(method: str, path: str, routes: Iterable[Route] = ROUTES) -> Route:
    """Find the route of a request; raise 404 for the path or 405 for the method, whose codes are inferred."""
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


def _uuid_in(path: str) -> str:
    """Take the uuid out of a path, in small letters; a route with `{uuid}` covers no path without one."""
    return checks.uuid("uuid", re.findall(checks.UUID_PATTERN, path)[0])


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
