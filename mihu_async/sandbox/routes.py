"""The endpoints, as a table; requests and answers are values here, and there is no I/O.

Of GET /phone-numbers/search and GET /phone-numbers/search/requirements only the paths are documented, and what each
must carry; of GET /agents the items, and of POST /agents/{uuid}/channels/sms the path and what it does. All else of
them is inferred.
"""

from collections.abc import Callable
from http import HTTPStatus

from mihu_async.sandbox import checks, listing
from mihu_async.sandbox.answers import Answer, failure, success
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.journal import JournalEntry
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.routing import Route, find, read_body, uuid_in


def _list_numbers(inventory: Inventory, request: JournalEntry) -> Answer:
    wanted = listing.NUMBERS.read(request.query)
    return success(inventory.list_numbers(wanted), message="Phone numbers retrieved.")


def _buy_number(inventory: Inventory, request: JournalEntry) -> Answer:
    purchase = read_body(request, checks.PURCHASE)
    return success(inventory.buy(purchase), status=HTTPStatus.CREATED)


def _list_trunks(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_trunks(listing.TRUNKS.read(request.query)))


def _register_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    registration = read_body(request, checks.REGISTRATION)
    return success(inventory.register(registration), status=HTTPStatus.CREATED, message="Trunk created.")


def _assign_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = read_body(request, checks.ASSIGNMENT)
    return success(inventory.assign(assignment), message="Trunk assigned.")


def _change_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    change = read_body(request, checks.TRUNK_CHANGE)
    return success(inventory.change_trunk(change), message="Trunk updated.")


def _remove_trunk(inventory: Inventory, request: JournalEntry) -> Answer:
    """Answer with no data; what the service answers was not seen."""
    inventory.remove_trunk(checks.REMOVAL(request.query))
    return success(None, message="Trunk deleted.")


def _change_settings(inventory: Inventory, request: JournalEntry) -> Answer:
    change = read_body(request, checks.SETTINGS)
    return success(inventory.change_settings(uuid_in(request.path), change["channel_settings"]))


def _channels(inventory: Inventory, request: JournalEntry) -> Answer:
    checks.NOTHING(request.query)
    return success(inventory.channels(uuid_in(request.path)))


def _channels_of(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.channels_of(checks.NUMBER(request.query)["number"]))


def _list_rates(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_rates(listing.RATES.read(request.query)))


def _search(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.search(listing.OFFERS.read(request.query)))


def _requirements(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.requirements(checks.REQUIREMENTS(request.query)))


def _provision_call(inventory: Inventory, request: JournalEntry) -> Answer:
    provision = read_body(request, checks.PROVISION)
    return success(inventory.provision_call(uuid_in(request.path), provision))


def _list_agents(inventory: Inventory, request: JournalEntry) -> Answer:
    return success(inventory.list_agents(listing.AGENTS.read(request.query)))


def _assign_sms(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = read_body(request, checks.PROVISION)
    return success(inventory.assign_sms(uuid_in(request.path), assignment))


def _create_sip_connection(inventory: Inventory, request: JournalEntry) -> Answer:
    connection = read_body(request, checks.SIP_CONNECTION)
    return success(inventory.create_sip_connection(connection), status=HTTPStatus.CREATED)


def _assign_sip_connection(inventory: Inventory, request: JournalEntry) -> Answer:
    assignment = read_body(request, checks.SIP_ASSIGNMENT)
    return success(inventory.assign_sip_connection(uuid_in(request.path), assignment))


ROUTES: tuple[Route[Inventory], ...] = (
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
        return find(request.method, request.path, ROUTES).operation(inventory, request)
    except RefusedError as error:
        if error.is_undocumented:
            tell(error.details)
        return failure(error)
