"""What the documentation says is refused, and what a write that is not refused adds.

A write is checked in the order of the functions' lines, which is inferred: no page says which refusal wins.
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
    """Raise when an answer is of another kind than its requirement takes (422; inferred)."""
    asked = asked_for(purchase["country_code"], purchase["type"])
    for index, answer in enumerate(purchase.get("requirements", ())):
        for one in asked:
            if one.is_named_by(answer) and (wrong := one.wrong_part(answer)):
                kind, takes = one.shown.type, " or ".join(one.takes)
                raise invalid(f"requirements.{index}.{wrong}", f"must be {takes}, for {one.key} is of the type {kind}")


def refuse_purchase(ledger: Ledger, number: str, limit: int | None) -> None:
    """Raise when a number is here already (409) or the workspace is full (403)."""
    if ledger.is_purchased(number):
        raise conflict(f"{number} is already in your inventory")
    if ledger.is_external(number):
        raise conflict(f"{number} is registered as an external trunk")
    if limit is not None and len(ledger.purchased) >= limit:
        raise purchase_limit_reached(limit=limit, current=len(ledger.purchased))


def refuse_registration(ledger: Ledger, number: str, channel: str, agent_uuid: str) -> None:
    """Raise when the agent is unknown (404), or the number or the agent is taken (409)."""
    known_agent(ledger, agent_uuid)
    if ledger.is_purchased(number):
        raise conflict(f"{number} is in your purchased inventory")
    if ledger.trunk_row(number, channel):
        raise conflict(f"{number} is already bound on {channel}")
    _require_free(ledger, number, channel, agent_uuid)


def refuse_assignment(ledger: Ledger, number: str, channel: str, agent_uuid: str) -> Row:
    """Return the row to move; raise when it or the agent is unknown (404), or the agent is taken (409).

    That a taken agent is refused here as on registration is inferred. The agent that serves the row already is fine.
    """
    row, _ = known_trunk(ledger, number, channel)
    known_agent(ledger, agent_uuid)
    _require_free(ledger, number, channel, agent_uuid)
    return row


def refuse_provision(ledger: Ledger, agent_uuid: str, phone_number_uuid: str) -> Row:
    """Return the number to bind; raise when it or the agent is unknown (404), or one of them cannot be bound (409).

    Inferred: an external number is refused, for it is bound as a trunk; so is an agent that answers the calls of
    another number; and a number that another agent answers is moved.
    """
    known_agent(ledger, agent_uuid)
    row = _known_purchased(ledger, phone_number_uuid)
    _require_free(ledger, row.number, "call", agent_uuid)
    return row


def refuse_sms(ledger: Ledger, agent_uuid: str, phone_number_uuid: str) -> Row:
    """Return the number to bind; raise when it or the agent is unknown (404), or it is an external trunk (409).

    That a trunk is refused is inferred: SMS is no channel of trunks. An agent that answers the messages of another
    number is not refused, for that assignment is replaced; that a number which another agent answers is moved is
    inferred.
    """
    known_agent(ledger, agent_uuid)
    return _known_purchased(ledger, phone_number_uuid)


def refuse_connection(ledger: Ledger, agent_uuid: str, uuid: str, *, force: bool) -> SipConnection:
    """Return the SIP connection to use; raise when it or the agent is unknown (404), or its number is used (409).

    The number is used where another agent answers its calls, by a row of it or by a connection: `phone_in_use`, unless
    `force` is set. That an agent which serves another number is refused even then is inferred, as on provision.
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
    """Return an agent; raise when there is none (404)."""
    if agent := ledger.agent(agent_uuid):
        return agent
    raise not_found(f"there is no agent {agent_uuid}")


def known_trunk(ledger: Ledger, number: str, channel: str) -> tuple[Row, Trunk]:
    """Return the row of a number on a channel and what it stores; raise when there is none (404)."""
    row = ledger.trunk_row(number, channel)
    if row is None or row.trunk is None:
        raise not_found(f"{number} has no trunk on {channel}")
    return row, row.trunk


def known_row(ledger: Ledger, phone_number_uuid: str) -> Row:
    """Return the row with a uuid; raise when there is none (404)."""
    if row := ledger.row(phone_number_uuid):
        return row
    raise not_found(f"there is no number {phone_number_uuid}")


def known_number(ledger: Ledger, number: str) -> Row:
    """Return a number's row; raise when the workspace has no such number (404)."""
    if row := ledger.row_of(number):
        return row
    raise not_found(f"{number} is neither in your inventory nor an external trunk")


def refuse_settings(ledger: Ledger, phone_number_uuid: str) -> tuple[Row, ChannelSettings]:
    """Return the row to change and its settings; raise when it is unknown (404) or has none (409).

    That an external number is refused is inferred from its settings being null.
    """
    row = known_row(ledger, phone_number_uuid)
    if row.channel_settings is None:
        raise conflict(f"{row.number} has no channel settings")
    return row, row.channel_settings


def changed_settings(settings: ChannelSettings, changes: Mapping[str, Mapping[str, Any] | None]) -> ChannelSettings:
    """Put what was given into the settings; channels and fields that were not given stay.

    Inferred: null lifts a limit, and anywhere else it leaves things as they are.
    """
    given = {name: _what_counts(fields) for name, fields in changes.items() if fields}
    return attrs.evolve(settings, **{name: attrs.evolve(getattr(settings, name), **given[name]) for name in given})


def changed_trunk(trunk: Trunk, change: Mapping[str, Any]) -> Trunk:
    """Put what was given into a trunk: an empty text clears a SIP credential, additional settings replace the old."""
    sip = {name: value for name, value in {**trunk.sip, **change.get("sip", {})}.items() if value != ""}
    fields = {name: change[name] for name in ("name", "direction", "additional_settings") if name in change}
    return attrs.evolve(trunk, **fields, sip=sip)


def bought_row(ledger: Ledger, purchase: Mapping[str, Any], now: datetime) -> Row:
    """Make the row of a purchase.

    It is active, and complete unless it leaves a requirement of its country and type open, which it then shows
    (inferred). Flags that were not given stay unknown; the fee is stored as given, and the free first number of the
    page is not modelled.
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
    """Make the row of a registration; the SIP credentials are stored and never answered."""
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
    """Make the SIP connection of a body; its credentials are not kept, for nothing ever shows them."""
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
