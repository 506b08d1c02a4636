"""Samples of the data of documented answers, from an inventory, which together have every documented field."""

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.rendering import Json


def number(inventory: Inventory) -> list[Json]:
    """Return numbers of both kinds."""
    return [*inventory.numbers, *inventory.trunks]


def numbers(inventory: Inventory) -> Json:
    """Return a listing of numbers of both kinds."""
    return {**_page(inventory), "items": number(inventory)}


def rates(inventory: Inventory) -> Json:
    """Return a listing of rates."""
    return {**_page(inventory), "items": inventory.rates}


def snapshot(inventory: Inventory) -> list[Json]:
    """Return the channels of numbers of both kinds."""
    return [operations.channels(inventory, row["phone_number_uuid"]) for row in number(inventory)]


def sip_connection(inventory: Inventory) -> Json:
    """Return a new SIP connection."""
    wanted = {"name": "Front desk", "phone_number": "+12345678901", "gateway": "sip.acme.com"}
    return operations.create_sip_connection(inventory, wanted)


def sip_assignment(inventory: Inventory) -> Json:
    """Return the answer to the assignment of a new SIP connection."""
    agent, connection = inventory.free_agents("call")[0], sip_connection(inventory)
    return operations.assign_sip_connection(inventory, agent, {"connection_uuid": connection["uuid"]})


def _page(inventory: Inventory) -> Json:
    return operations.list_numbers(inventory, {"page": 1, "per_page": 1})
