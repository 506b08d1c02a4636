"""The operations of the endpoints: each function answers one, for a query or a body that a check has read."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from mihu_async.sandbox import listing, rendering
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.ledger import Ledger
from mihu_async.sandbox.rendering import Json
from mihu_async.sandbox.rows import Row
from mihu_async.sandbox.rules import (
    bought_row,
    changed_settings,
    changed_trunk,
    created_connection,
    known_agent,
    known_number,
    known_row,
    known_trunk,
    refuse_answers,
    refuse_assignment,
    refuse_connection,
    refuse_provision,
    refuse_purchase,
    refuse_registration,
    refuse_settings,
    refuse_sms,
    registered_row,
)
from mihu_async.sandbox.stock import asked_for

R = TypeVar("R")


def list_numbers(inventory: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /phone-numbers for a query that `listing.NUMBERS` read."""
    with inventory.opened() as ledger:
        with_external = wanted.get("include_external") in {"1", "true"}
        rows = _shown(ledger, ledger.rows() if with_external else ledger.purchased)
        kept = listing.NUMBERS.keep(rows, wanted)
        found, pagination = _cut(listing.ordered(kept, wanted.get("sort")), wanted)
        return {"items": ledger.items(found), "pagination": pagination}


def list_trunks(inventory: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /phone-numbers/trunks for a query that `listing.TRUNKS` read."""
    with inventory.opened() as ledger:
        rows = _shown(ledger, ledger.external)
        found, pagination = _cut(listing.TRUNKS.keep(rows, wanted), wanted)
        return {"items": ledger.items(found), "pagination": pagination}


def list_rates(inventory: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /phone-numbers/rates for a query that `listing.RATES` read."""
    with inventory.opened() as ledger:
        found, pagination = _cut(listing.RATES.keep(ledger.rates, wanted), wanted)
        return {"items": tuple(map(rendering.rate, found)), "pagination": pagination}


def list_agents(inventory: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /agents for a query that `listing.AGENTS` read, in order of creation."""
    with inventory.opened() as ledger:
        found, pagination = _cut(ledger.factory.agents, wanted)
        return {"items": tuple(map(rendering.agent, found)), "pagination": pagination}


def search(inventory: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /phone-numbers/search for a query that `listing.OFFERS` read; the shape is inferred."""
    with inventory.opened() as ledger:
        found, pagination = _cut(listing.OFFERS.keep(ledger.offers(), wanted), wanted)
        return {"items": tuple(map(rendering.offer, found)), "pagination": pagination}


def requirements(_: Inventory, wanted: Mapping[str, Any]) -> Json:
    """Answer GET /phone-numbers/search/requirements for a query that `checks.REQUIREMENTS` read; inferred shape."""
    return {"items": tuple(map(rendering.asked, asked_for(wanted["country_code"], wanted["type"])))}


def channels(inventory: Inventory, phone_number_uuid: str) -> Json:
    """Answer GET /phone-numbers/{uuid}/channels."""
    with inventory.opened() as ledger:
        return ledger.snapshot(known_row(ledger, phone_number_uuid))


def channels_of(inventory: Inventory, wanted: Mapping[str, str]) -> Json:
    """Answer GET /phone-numbers/channels for a query that `checks.NUMBER` read."""
    with inventory.opened() as ledger:
        return ledger.snapshot(known_number(ledger, wanted["number"]))


def change_settings(inventory: Inventory, phone_number_uuid: str, change: Mapping[str, Any]) -> Json:
    """Answer PATCH /phone-numbers/{uuid} for a body that `checks.SETTINGS` read."""
    with inventory.opened() as ledger:
        row, settings = refuse_settings(ledger, phone_number_uuid)
        settings = changed_settings(settings, change["channel_settings"])
        changed = ledger.replace(row, channel_settings=settings, updated_at=inventory.now())
        return ledger.items([changed])[0]


def buy(inventory: Inventory, purchase: Mapping[str, Any]) -> Json:
    """Answer POST /phone-numbers for a body that `checks.PURCHASE` read."""
    with inventory.opened() as ledger:
        refuse_answers(purchase)
        refuse_purchase(ledger, purchase["number"], inventory.purchase_limit)
        row = bought_row(ledger, purchase, inventory.now())
        if inventory.activation_delay > 0:
            row = attrs.evolve(row, status="pending")
            ledger.activations[row.phone_number_uuid] = inventory.elapsed() + inventory.activation_delay
        _hide(inventory, ledger, row)
        return ledger.items([ledger.place(row)])[0]


def register(inventory: Inventory, registration: Mapping[str, Any]) -> Json:
    """Answer POST /phone-numbers/trunks for a body that `checks.REGISTRATION` read."""
    with inventory.opened() as ledger:
        refuse_registration(ledger, *_address(registration))
        row = registered_row(ledger, registration, inventory.now())
        _hide(inventory, ledger, row)
        ledger.place(row)
        return ledger.snapshot(row)


def assign(inventory: Inventory, assignment: Mapping[str, Any]) -> Json:
    """Answer PUT /phone-numbers/trunks/assign for a body that `checks.ASSIGNMENT` read."""
    number, channel, agent_uuid = _address(assignment)
    with inventory.opened() as ledger:
        row = refuse_assignment(ledger, number, channel, agent_uuid)
        moved = ledger.replace(row, agents={channel: agent_uuid}, updated_at=inventory.now())
        return ledger.snapshot(moved)


def provision_call(inventory: Inventory, agent_uuid: str, provision: Mapping[str, Any]) -> Json:
    """Answer POST /agents/{uuid}/channels/call/provision for a body that `checks.PROVISION` read."""
    with inventory.opened() as ledger:
        row = refuse_provision(ledger, agent_uuid, provision["phone_number_uuid"])
        agents = {**row.agents, "call": agent_uuid}
        ledger.replace(row, agents=agents, updated_at=inventory.now())
        return {"agent": rendering.agent(known_agent(ledger, agent_uuid))}


def assign_sms(inventory: Inventory, agent_uuid: str, assignment: Mapping[str, Any]) -> Json:
    """Answer POST /agents/{uuid}/channels/sms for a body that `checks.PROVISION` read; the answer is inferred."""
    with inventory.opened() as ledger:
        now = inventory.now()
        row = refuse_sms(ledger, agent_uuid, assignment["phone_number_uuid"])
        before = ledger.served(agent_uuid, "sms")
        if before and before != row:
            others = {name: agent for name, agent in before.agents.items() if name != "sms"}
            ledger.replace(before, agents=others, updated_at=now)
        ledger.replace(row, agents={**row.agents, "sms": agent_uuid}, updated_at=now)
        return {"agent": rendering.agent(known_agent(ledger, agent_uuid))}


def create_sip_connection(inventory: Inventory, connection: Mapping[str, Any]) -> Json:
    """Answer POST /channels/sip-trunk/connections for a body that `checks.SIP_CONNECTION` read."""
    with inventory.opened() as ledger:
        created = created_connection(ledger, connection, inventory.now())
        ledger.add_connection(created)
        return rendering.sip_connection(created)


def assign_sip_connection(inventory: Inventory, agent_uuid: str, assignment: Mapping[str, Any]) -> Json:
    """Answer POST /agents/{uuid}/channels/call/sip-trunk for a body that `checks.SIP_ASSIGNMENT` read.

    Inferred: the agent leaves its previous connection; with `force`, a previous agent of the number's calls no longer
    answers them.
    """
    uuid, force = assignment["connection_uuid"], assignment.get("force", False)
    with inventory.opened() as ledger:
        found = refuse_connection(ledger, agent_uuid, uuid, force=force)
        connected = ledger.connect(found, agent_uuid, inventory.now())
        return {"agent_uuid": agent_uuid, "connection_uuid": uuid, "phone_number": connected.phone_number}


def change_trunk(inventory: Inventory, change: Mapping[str, Any]) -> Json:
    """Answer PATCH /phone-numbers/trunks for a body that `checks.TRUNK_CHANGE` read."""
    with inventory.opened() as ledger:
        row, trunk = known_trunk(ledger, change["phone_number"], change["channel"])
        changed = ledger.replace(row, trunk=changed_trunk(trunk, change), updated_at=inventory.now())
        return ledger.snapshot(changed)


def remove_trunk(inventory: Inventory, removal: Mapping[str, Any]) -> None:
    """Answer DELETE /phone-numbers/trunks for a query that `checks.REMOVAL` read."""
    number = f"+{removal['phone_number'].removeprefix('+')}"
    with inventory.opened() as ledger:
        row, _ = known_trunk(ledger, number, removal["channel"])
        ledger.remove(row.phone_number_uuid)


def _hide(inventory: Inventory, ledger: Ledger, row: Row) -> None:
    if inventory.lag:
        ledger.hidden[row.phone_number_uuid] = loop_seconds() + inventory.lag


def _shown(ledger: Ledger, rows: Sequence[Row]) -> Sequence[Row]:
    now = loop_seconds()
    return [row for row in rows if ledger.hidden.get(row.phone_number_uuid, now) <= now]


def loop_seconds() -> float:
    """Return the time of the running event loop, which a test may replace, or else the machine's monotonic time."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def _cut(rows: Sequence[R], wanted: Mapping[str, Any]) -> tuple[Sequence[R], Json]:
    return listing.cut(rows, page=wanted["page"], per_page=wanted["per_page"])


def _address(body: Mapping[str, Any]) -> tuple[str, str, str]:
    return (body["phone_number"], body["channel"], body["agent_uuid"])
