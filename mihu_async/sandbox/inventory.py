"""The state of the sandbox behind one lock: what tests change and look at, and what the endpoints ask for."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from threading import RLock
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import attrs

from mihu_async.sandbox import listing, rendering
from mihu_async.sandbox.ledger import Ledger
from mihu_async.sandbox.rendering import Json
from mihu_async.sandbox.rows import TRUNK_CHANNELS, Agent, Row, check_changes
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


def utc_now() -> datetime:
    """Tell the time, to the second, as the answers do."""
    return datetime.now(UTC).replace(microsecond=0)


class Inventory:
    """Purchased numbers, external trunks, agents, SIP connections, rates and offers; the same for the same arguments.

    The rows it begins with have made-up times from 2023 on. What is bought, inserted or changed later carries the real
    time, or what `now()` tells. Every method may be called from any thread while the sandbox serves; a walk that is
    under way sees the listing shift. `agents` are the uuids of agents that are there besides those that are made up,
    and that serve no number yet; `changed()` is called after every change.
    """

    def __init__(
        self,
        numbers: int = 250,
        trunks: int = 40,
        *,
        seed: int = 7,
        agents: Iterable[str | UUID] = (),
        purchase_limit: int | None = None,
        activation_delay: float = 0.0,
        now: Callable[[], datetime] = utc_now,
        elapsed: Callable[[], float] = monotonic,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        uuids = tuple(str(UUID(str(uuid))) for uuid in agents)
        self.purchase_limit = purchase_limit
        """How many numbers may be held; it may be set anew at any time, and `None` is no limit."""
        self.activation_delay = activation_delay
        """For how many seconds a number that is bought from now on is pending; 0 makes it active at once."""
        self.lag: float = 0.0
        """Seconds after which a number that is bought, or a trunk that is registered, shows in the listings (0)."""
        self._now = now
        self._elapsed = elapsed
        self._lock = RLock()
        self._changed = changed
        self._begin: Callable[[], Ledger] = partial(Ledger, numbers, trunks, seed, agents=uuids, changed=changed)
        self._first: tuple[int | None, float] = (purchase_limit, activation_delay)
        self._hidden: dict[str, float] = {}
        self._ledger: Ledger = self._begin()

    def __repr__(self) -> str:
        return f"Inventory(numbers={len(self._ledger.purchased)}, trunks={len(self._ledger.external)})"

    @property
    def agents(self) -> tuple[Agent, ...]:
        """All agents, each a pair of uuid and name."""
        with self._lock:
            return tuple(self._ledger.factory.agents)

    @property
    def sip_connections(self) -> tuple[Json, ...]:
        """All SIP connections, as documented and with the uuid of the agent that uses each for its calls, or None."""
        with self._lock:
            found = self._ledger.connections
            return tuple({**rendering.sip_connection(one), "agent_uuid": one.agent_uuid} for one in found)

    @property
    def numbers(self) -> tuple[Json, ...]:
        """All purchased numbers, as a listing without filters returns them. They are copies: `update` changes one."""
        with self._lock:
            self._activate()
            return self._ledger.items(self._ledger.purchased)

    @property
    def trunks(self) -> tuple[Json, ...]:
        """All external rows, as a listing without filters returns them. They are copies: `update` changes one."""
        with self._lock:
            return self._ledger.items(self._ledger.external)

    @property
    def rates(self) -> tuple[Json, ...]:
        """What outbound calls cost, as a listing without filters returns it."""
        with self._lock:
            return tuple(map(rendering.rate, self._ledger.rates))

    @property
    def offers(self) -> tuple[Json, ...]:
        """What is for sale, as a search without filters would return it."""
        with self._lock:
            return tuple(map(rendering.offer, self._ledger.offers()))

    def free_agents(self, channel: str) -> tuple[str, ...]:
        """Return the uuids of the agents that serve no number on a channel: call, sms or whatsapp."""
        with self._lock:
            return self._ledger.free_agents(channel)

    def insert(self, *, at: int | None = None, twice: bool = False, **fields: Any) -> Json:
        """Add a purchased number at a position of the listing, `None` for its end, and return its item.

        Keywords are the fields of `rows.Row`: `number`, `country_code`, `location`, `type`, `status`, `compliance`
        (its status), `monthly_fee`, `agents` (uuid by channel), `purchased_at` and so on; what is left out is made up.
        `ValueError` when the number is here already, unless `twice` lets it have another row; the purchase limit and
        the values are not checked.
        """
        with self._lock:
            now, ledger = self._now(), self._ledger
            dated = ledger.factory.purchased_row(ledger.new_number())
            row = attrs.evolve(dated, **{"purchased_at": now, "updated_at": now, **fields})
            if not twice and (ledger.is_purchased(row.number) or ledger.is_external(row.number)):
                raise ValueError(f"{row.number} is in the inventory already")
            return ledger.items([ledger.place(row, at)])[0]

    def insert_trunk(
        self,
        *,
        at: int | None = None,
        number: str | None = None,
        channel: str = "call",
        agent_uuid: str | None = None,
    ) -> Json:
        """Add an external row at a position of the trunks' listing, `None` for its end, and return its item.

        A new number and a free agent are made up when left out. `ValueError` when the number is purchased or has a row
        on the channel, or the channel is not one of trunks.
        """
        with self._lock:
            ledger = self._ledger
            number = number or ledger.new_number().number
            if channel not in TRUNK_CHANNELS:
                raise ValueError(f"a trunk has no channel {channel}")
            if ledger.is_purchased(number) or ledger.trunk_row(number, channel):
                raise ValueError(f"{number} is in the inventory already")
            row = ledger.factory.trunk_row(number, channel, agent_uuid or ledger.free_agent(channel))
            placed = ledger.place(attrs.evolve(row, updated_at=self._now()), at)
            return ledger.items([placed])[0]

    def update(self, phone_number_uuid: str, **fields: Any) -> Json:
        """Change fields of a purchased number or an external row, and return its item.

        Keywords are those of `insert`, such as `status="active"`; `updated_at` is now unless given. `KeyError` when
        none has this uuid, `TypeError` for a field that there is not, and `ValueError` for a word that no page lists, a
        number that is here already, or a field that is null for external numbers.
        """
        with self._lock:
            ledger = self._ledger
            row = ledger.row(phone_number_uuid)
            if row is None:
                raise KeyError(phone_number_uuid)
            check_changes(row, fields)
            number = fields.get("number", row.number)
            if number != row.number and (ledger.is_purchased(number) or ledger.is_external(number)):
                raise ValueError(f"{number} is in the inventory already")
            if "status" in fields:
                ledger.activations.pop(phone_number_uuid, None)
            changed = ledger.replace(row, **{"updated_at": self._now(), **fields})
            return ledger.items([changed])[0]

    def delete(self, phone_number_uuid: str) -> None:
        """Remove a purchased number or an external row; `KeyError` when none has this uuid."""
        with self._lock:
            self._ledger.remove(phone_number_uuid)

    def reset(self) -> None:
        """Put everything back as it was made: rows, agents, connections, the purchase limit and both delays."""
        with self._lock:
            self._ledger = self._begin()
            self._hidden.clear()
            (self.purchase_limit, self.activation_delay), self.lag = self._first, 0.0
        self._changed()

    def next_activation(self) -> float | None:
        """Return in how many seconds the next pending number becomes active, None where none does by itself."""
        with self._lock:
            moments = self._ledger.activations.values()
            return max(0.0, min(moments) - self._elapsed()) if moments else None

    def list_numbers(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /phone-numbers for a query that `listing.NUMBERS` read."""
        with self._lock:
            self._activate()
            with_external = wanted.get("include_external") in {"1", "true"}
            rows = self._shown(self._ledger.rows() if with_external else self._ledger.purchased)
            kept = listing.NUMBERS.keep(rows, wanted)
            found, pagination = _cut(listing.ordered(kept, wanted.get("sort")), wanted)
            return {"items": self._ledger.items(found), "pagination": pagination}

    def list_trunks(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /phone-numbers/trunks for a query that `listing.TRUNKS` read."""
        with self._lock:
            rows = self._shown(self._ledger.external)
            found, pagination = _cut(listing.TRUNKS.keep(rows, wanted), wanted)
            return {"items": self._ledger.items(found), "pagination": pagination}

    def list_rates(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /phone-numbers/rates for a query that `listing.RATES` read."""
        with self._lock:
            found, pagination = _cut(listing.RATES.keep(self._ledger.rates, wanted), wanted)
            return {"items": tuple(map(rendering.rate, found)), "pagination": pagination}

    def list_agents(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /agents for a query that `listing.AGENTS` read; in the order in which they were made."""
        with self._lock:
            found, pagination = _cut(self._ledger.factory.agents, wanted)
            return {"items": tuple(map(rendering.agent, found)), "pagination": pagination}

    def search(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /phone-numbers/search for a query that `listing.OFFERS` read; the shape is inferred."""
        with self._lock:
            found, pagination = _cut(listing.OFFERS.keep(self._ledger.offers(), wanted), wanted)
            return {"items": tuple(map(rendering.offer, found)), "pagination": pagination}

    def requirements(self, wanted: Mapping[str, Any]) -> Json:
        """Answer GET /phone-numbers/search/requirements for a query that `checks.REQUIREMENTS` read, as `search`."""
        return {"items": tuple(map(rendering.asked, asked_for(wanted["country_code"], wanted["type"])))}

    def channels(self, phone_number_uuid: str) -> Json:
        """Answer GET /phone-numbers/{uuid}/channels."""
        with self._lock:
            return self._ledger.snapshot(known_row(self._ledger, phone_number_uuid))

    def channels_of(self, number: str) -> Json:
        """Answer GET /phone-numbers/channels for a number."""
        with self._lock:
            return self._ledger.snapshot(known_number(self._ledger, number))

    def change_settings(self, phone_number_uuid: str, changes: Mapping[str, Any]) -> Json:
        """Answer PATCH /phone-numbers/{uuid} for the channel settings of a body that `checks.SETTINGS` read."""
        with self._lock:
            self._activate()
            row, settings = refuse_settings(self._ledger, phone_number_uuid)
            settings = changed_settings(settings, changes)
            changed = self._ledger.replace(row, channel_settings=settings, updated_at=self._now())
            return self._ledger.items([changed])[0]

    def buy(self, purchase: Mapping[str, Any]) -> Json:
        """Answer POST /phone-numbers for a body that `checks.PURCHASE` read."""
        with self._lock:
            refuse_answers(purchase)
            refuse_purchase(self._ledger, purchase["number"], self.purchase_limit)
            row = bought_row(self._ledger, purchase, self._now())
            if self.activation_delay > 0:
                row = attrs.evolve(row, status="pending")
                self._ledger.activations[row.phone_number_uuid] = self._elapsed() + self.activation_delay
            self._hide(row)
            return self._ledger.items([self._ledger.place(row)])[0]

    def register(self, registration: Mapping[str, Any]) -> Json:
        """Answer POST /phone-numbers/trunks for a body that `checks.REGISTRATION` read."""
        with self._lock:
            refuse_registration(self._ledger, *_address(registration))
            row = registered_row(self._ledger, registration, self._now())
            self._hide(row)
            self._ledger.place(row)
            return self._ledger.snapshot(row)

    def assign(self, assignment: Mapping[str, Any]) -> Json:
        """Answer PUT /phone-numbers/trunks/assign for a body that `checks.ASSIGNMENT` read."""
        number, channel, agent_uuid = _address(assignment)
        with self._lock:
            row = refuse_assignment(self._ledger, number, channel, agent_uuid)
            moved = self._ledger.replace(row, agents={channel: agent_uuid}, updated_at=self._now())
            return self._ledger.snapshot(moved)

    def provision_call(self, agent_uuid: str, provision: Mapping[str, Any]) -> Json:
        """Answer POST /agents/{uuid}/channels/call/provision for a body that `checks.PROVISION` read."""
        with self._lock:
            row = refuse_provision(self._ledger, agent_uuid, provision["phone_number_uuid"])
            agents = {**row.agents, "call": agent_uuid}
            self._ledger.replace(row, agents=agents, updated_at=self._now())
            return {"agent": rendering.agent(known_agent(self._ledger, agent_uuid))}

    def assign_sms(self, agent_uuid: str, assignment: Mapping[str, Any]) -> Json:
        """Answer POST /agents/{uuid}/channels/sms for a body that `checks.PROVISION` read; the answer is inferred."""
        with self._lock:
            ledger, now = self._ledger, self._now()
            row = refuse_sms(ledger, agent_uuid, assignment["phone_number_uuid"])
            before = ledger.served(agent_uuid, "sms")
            if before and before != row:
                others = {name: agent for name, agent in before.agents.items() if name != "sms"}
                ledger.replace(before, agents=others, updated_at=now)
            ledger.replace(row, agents={**row.agents, "sms": agent_uuid}, updated_at=now)
            return {"agent": rendering.agent(known_agent(ledger, agent_uuid))}

    def create_sip_connection(self, connection: Mapping[str, Any]) -> Json:
        """Answer POST /channels/sip-trunk/connections for a body that `checks.SIP_CONNECTION` read."""
        with self._lock:
            created = created_connection(self._ledger, connection, self._now())
            self._ledger.add_connection(created)
            return rendering.sip_connection(created)

    def assign_sip_connection(self, agent_uuid: str, assignment: Mapping[str, Any]) -> Json:
        """Answer POST /agents/{uuid}/channels/call/sip-trunk for a body that `checks.SIP_ASSIGNMENT` read.

        Inferred: the agent leaves the connection that it used before, and with `force` whoever answered the number's
        calls answers them no more.
        """
        uuid, force = assignment["connection_uuid"], assignment.get("force", False)
        with self._lock:
            found = refuse_connection(self._ledger, agent_uuid, uuid, force=force)
            connected = self._ledger.connect(found, agent_uuid, self._now())
            return {"agent_uuid": agent_uuid, "connection_uuid": uuid, "phone_number": connected.phone_number}

    def change_trunk(self, change: Mapping[str, Any]) -> Json:
        """Answer PATCH /phone-numbers/trunks for a body that `checks.TRUNK_CHANGE` read."""
        with self._lock:
            row, trunk = known_trunk(self._ledger, change["phone_number"], change["channel"])
            changed = self._ledger.replace(row, trunk=changed_trunk(trunk, change), updated_at=self._now())
            return self._ledger.snapshot(changed)

    def remove_trunk(self, removal: Mapping[str, Any]) -> None:
        """Answer DELETE /phone-numbers/trunks for a query that `checks.REMOVAL` read."""
        number = f"+{removal['phone_number'].removeprefix('+')}"
        with self._lock:
            row, _ = known_trunk(self._ledger, number, removal["channel"])
            self._ledger.remove(row.phone_number_uuid)

    def _activate(self) -> None:
        """Make the numbers active that were pending for long enough."""
        elapsed, activations = self._elapsed(), self._ledger.activations
        for phone_number_uuid in [uuid for uuid, moment in activations.items() if moment <= elapsed]:
            del activations[phone_number_uuid]
            if row := self._ledger.row(phone_number_uuid):
                self._ledger.replace(row, status="active", updated_at=self._now())

    def _hide(self, row: Row) -> None:
        if self.lag:
            self._hidden[row.phone_number_uuid] = _seconds() + self.lag

    def _shown(self, rows: list[Row]) -> list[Row]:
        now = _seconds()
        return [row for row in rows if self._hidden.get(row.phone_number_uuid, now) <= now]


def _seconds() -> float:
    """Tell the time of the running event loop, which a test may have its own of, or elsewhere of the machine."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


def _cut(rows: Sequence[R], wanted: Mapping[str, Any]) -> tuple[Sequence[R], Json]:
    return listing.cut(rows, page=wanted["page"], per_page=wanted["per_page"])


def _address(body: Mapping[str, Any]) -> tuple[str, str, str]:
    return (body["phone_number"], body["channel"], body["agent_uuid"])
