"""The documented refusals, and the rows that accepted writes create.

A write is checked in the order in which the functions test it, which is inferred: no page states which refusal wins.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from mihu_async.sandbox.ledger import Ledger
from mihu_async.sandbox.refusals import conflict, invalid, not_found, phone_in_use, purchase_limit_reached
from mihu_async.sandbox.rows import Agent, ChannelSettings, Row, SipConnection, Trunk
from mihu_async.sandbox.seeding import default_settings, default_trunk_name
from mihu_async.sandbox.stock import asked_for, unmet


def refuse_answers(purchase: Mapping[str, Any]) -> None:
    """Raise if an answer is not of the kind that its requirement takes (422; inferred)."""
    asked = asked_for(purchase["country_code"], purchase["type"])
    for index, answer in enumerate(purchase.get("requirements", ())):
        for one in asked:
            if one.is_named_by(answer) and (wrong := one.wrong_part(answer)):
                kind, takes = one.shown.type, " or ".join(one.takes)
                raise invalid(f"requirements.{index}.{wrong}", f"must be {takes}: {one.key} has the type {kind}")


def refuse_purchase(ledger: Ledger, number: str, limit: int | None) -> None:
    """Raise if the number exists already (409) or the workspace is full (403)."""
    if ledger.is_purchased(number):
        raise conflict(f"{number} is already in your inventory")
    if ledger.is_external(number):
        raise conflict(f"{number} is registered as an external trunk")
    if limit is not None and len(ledger.purchased) >= limit:
        raise purchase_limit_reached(limit=limit, current=len(ledger.purchased))


def refuse_registration(ledger: Ledger, number: str, channel: str, agent_uuid: str) -> None:
    """Raise if the agent is unknown (404), or the number or the agent is taken (409)."""
    known_agent(ledger, agent_uuid)
    if ledger.is_purchased(number):
        raise conflict(f"{number} is in your purchased inventory")
    if ledger.trunk_row(number, channel):
        raise conflict(f"{number} is already bound on {channel}")
    _require_free(ledger, number, channel, agent_uuid)


def refuse_assignment(ledger: Ledger, number: str, channel: str, agent_uuid: str) -> Row:
    """Return the row to move; raise if it or the agent is unknown (404), or the agent is taken (409).

    That a taken agent is refused here, as on registration, is inferred. The current agent of the row is accepted.
    """
    row, _ = known_trunk(ledger, number, channel)
    known_agent(ledger, agent_uuid)
    _require_free(ledger, number, channel, agent_uuid)
    return row


def refuse_provision(ledger: Ledger, agent_uuid: str, phone_number_uuid: str) -> Row:
    """Return the number to bind; raise if it or the agent is unknown (404), or one of them cannot be bound (409).

    Inferred: an external number is refused, because it is bound as a trunk; an agent that answers the calls of another
    number is refused; a number that another agent answers is moved.
    """
    known_agent(ledger, agent_uuid)
    row = _known_purchased(ledger, phone_number_uuid)
    _require_free(ledger, row.number, "call", agent_uuid)
    return row


def refuse_sms(ledger: Ledger, agent_uuid: str, phone_number_uuid: str) -> Row:
    """Return the number to bind; raise if it or the agent is unknown (404), or it is an external trunk (409).

    That a trunk is refused is inferred: trunks have no SMS channel. An agent that answers the messages of another
    number is accepted, because the assignment replaces that one; that a number of another agent is moved is inferred.
    """
    known_agent(ledger, agent_uuid)
    return _known_purchased(ledger, phone_number_uuid)


def refuse_connection(ledger: Ledger, agent_uuid: str, uuid: str, *, force: bool) -> SipConnection:
    """Return the SIP connection to use; raise if it or the agent is unknown (404), or its number is in use (409).

    The number is in use if another agent answers its calls, through a row or a connection: `phone_in_use`, unless
    `force` is set. That an agent that serves another number is refused even then is inferred, as on provision.
    """
    known_agent(ledger, agent_uuid)
    connection = ledger.connection(uuid)
    if connection is None:
        raise not_found(f"there is no SIP connection {uuid}")
    if ledger.call_agents(connection.e164) - {agent_uuid} and not force:
        raise phone_in_use(f"another agent answers the calls of {connection.e164}")
    _require_free(ledger, connection.e164, "call", agent_uuid)
    return connection


def known_agent(ledger: Ledger, agent_uuid: str) -> Agent:
    """Return an agent; raise if there is none (404)."""
    if agent := ledger.agent(agent_uuid):
        return agent
    raise not_found(f"there is no agent {agent_uuid}")


def known_trunk(ledger: Ledger, number: str, channel: str) -> tuple[Row, Trunk]:
    """Return the row of a number on a channel, and its stored settings; raise if there is none (404)."""
    row = ledger.trunk_row(number, channel)
    if row is None or row.trunk is None:
        raise not_found(f"{number} has no trunk on {channel}")
    return row, row.trunk


def known_row(ledger: Ledger, phone_number_uuid: str) -> Row:
    """Return the row with a uuid; raise if there is none (404)."""
    if row := ledger.row(phone_number_uuid):
        return row
    raise not_found(f"there is no number {phone_number_uuid}")


def known_number(ledger: Ledger, number: str) -> Row:
    """Return a number's row; raise if the workspace has no such number (404)."""
    if row := ledger.row_of(number):
        return row
    raise not_found(f"{number} is neither in your inventory nor an external trunk")


def refuse_settings(ledger: Ledger, phone_number_uuid: str) -> tuple[Row, ChannelSettings]:
    """Return the row to change and its settings; raise if it is unknown (404) or has none (409).

    That an external number is refused is inferred from its null settings.
    """
    row = known_row(ledger, phone_number_uuid)
    if row.channel_settings is None:
        raise conflict(f"{row.number} has no channel settings")
    return row, row.channel_settings


def changed_settings(settings: ChannelSettings, changes: Mapping[str, Mapping[str, Any] | None]) -> ChannelSettings:
    """Return settings with the given changes; channels and fields that were not given stay unchanged.

    Inferred: null removes a limit, and otherwise leaves a field unchanged.
    """
    given = {name: _what_counts(fields) for name, fields in changes.items() if fields}
    return attrs.evolve(settings, **{name: attrs.evolve(getattr(settings, name), **given[name]) for name in given})


def changed_trunk(trunk: Trunk, change: Mapping[str, Any]) -> Trunk:
    """Return a trunk with the given changes: an empty text clears a SIP credential, other settings are replaced."""
    sip = {name: value for name, value in {**trunk.sip, **change.get("sip", {})}.items() if value != ""}
    fields = {name: change[name] for name in ("name", "direction", "additional_settings") if name in change}
    return attrs.evolve(trunk, **fields, sip=sip)


def bought_row(ledger: Ledger, purchase: Mapping[str, Any], now: datetime) -> Row:
    """Create the row of a purchase.

    It is active, and complete unless it leaves a requirement of its country and type open, which it then shows
    (inferred). Missing flags stay unknown; the fee is stored as given, and the free first number of the page is not
    modelled.
    """
    country_code = purchase["country_code"]
    answers, address = purchase.get("requirements", ()), purchase.get("address")
    requirements = unmet(country_code, purchase["type"], answers, address=address)
    capabilities: Mapping[str, bool | None] | None = purchase.get("capabilities")
    return Row(
        phone_number_uuid=ledger.factory.uuid(),
        number=purchase["number"],
        country_code=country_code,
        location=purchase.get("location", country_code),
        type=purchase["type"],
        status="active",
        compliance="requirement_pending" if requirements else "completed",
        requirements=requirements,
        capabilities=capabilities,
        channel_settings=default_settings(country_code, sms=bool(capabilities and capabilities.get("sms"))),
        monthly_fee=purchase.get("monthly_fee"),
        purchased_at=now,
        updated_at=now,
    )


def registered_row(ledger: Ledger, registration: Mapping[str, Any], now: datetime) -> Row:
    """Create the row of a registration; the SIP credentials are stored and never shown."""
    number, channel = registration["phone_number"], registration["channel"]
    row = ledger.factory.trunk_row(number, channel, registration["agent_uuid"])
    trunk = Trunk(
        channel=channel,
        name=registration.get("name", default_trunk_name(number, channel)),
        direction=registration.get("direction", "both"),
        sip=registration.get("sip", {}),
        additional_settings=registration.get("additional_settings", {}),
    )
    return attrs.evolve(row, updated_at=now, trunk=trunk)


def created_connection(ledger: Ledger, connection: Mapping[str, Any], now: datetime) -> SipConnection:
    """Create the SIP connection of a body; its credentials are not kept, because no answer shows them."""
    kept = {name: value for name, value in connection.items() if name not in {"username", "password"}}
    return SipConnection(uuid=ledger.factory.uuid(), **kept, created_at=now, updated_at=now)


def _what_counts(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None or name == "channel_limit"}


def _known_purchased(ledger: Ledger, phone_number_uuid: str) -> Row:
    row = known_row(ledger, phone_number_uuid)
    if row.trunk is not None:
        raise conflict(f"{row.number} is an external trunk")
    return row


def _require_free(ledger: Ledger, number: str, channel: str, agent_uuid: str) -> None:
    served = ledger.served(agent_uuid, channel)
    if served and served.number != number:
        raise conflict(f"the agent already serves {served.number} on {channel}")
