"""The current rows in listing order, and their lookup. Has no rules and no lock."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import attrs

from mihu_async.sandbox.ranges import FictionalNumber
from mihu_async.sandbox.rendering import Json, external_snapshot, item, purchased_snapshot
from mihu_async.sandbox.rows import CHANNELS, Agent, Offer, Rate, Row, SipConnection
from mihu_async.sandbox.seeding import RowFactory
from mihu_async.sandbox.stock import make_stock
from mihu_async.sandbox.tariff import make_rates

SPARE_AGENTS = 50


@lru_cache(maxsize=8)
def _offered(seed: int) -> tuple[tuple[Rate, ...], tuple[Offer, ...]]:
    """Return the rates and the stock of a seed. They never change, and all sandboxes with this seed share them."""
    return tuple(make_rates(seed)), tuple(make_stock(seed))


class Ledger:
    """Purchased and external rows, the factory that creates rows, SIP connections, rates and offers.

    `activations` maps the uuid of a pending number to the time when it becomes active, and `hidden` that of a new row
    to the time when it appears in the listings. `changed()` is called after every change of a row or a connection.
    """

    def __init__(
        self,
        numbers: int,
        trunks: int,
        seed: int,
        *,
        agents: Iterable[str] = (),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._changed = changed
        self.factory: RowFactory = RowFactory(seed)
        self.purchased: list[Row] = list(self.factory.purchased_rows(numbers))
        self.external: list[Row] = list(self.factory.trunk_rows(trunks))
        self.connections: list[SipConnection] = []
        rates, stock = _offered(seed)
        self.rates: list[Rate] = list(rates)
        self.stock: list[Offer] = list(stock)
        self.activations: dict[str, float] = {}
        self.hidden: dict[str, float] = {}
        for uuid in agents:
            self.factory.hire(uuid)
        for _ in range(SPARE_AGENTS):
            self.factory.hire()

    def rows(self) -> list[Row]:
        """Return every row, purchased ones first."""
        return [*self.purchased, *self.external]

    def is_purchased(self, number: str) -> bool:
        """Return True if a number is in the purchased inventory."""
        return any(row.number == number for row in self.purchased)

    def is_external(self, number: str) -> bool:
        """Return True if a number has an external row on any channel."""
        return any(row.number == number for row in self.external)

    def offers(self) -> list[Offer]:
        """Return the numbers for sale: the stock that is in no row."""
        taken = {row.number for row in self.rows()}
        return [offer for offer in self.stock if offer.number not in taken]

    def row(self, phone_number_uuid: str) -> Row | None:
        """Find a row by its uuid."""
        return next((row for row in self.rows() if row.phone_number_uuid == phone_number_uuid), None)

    def row_of(self, number: str) -> Row | None:
        """Find a number's row, the first if it has two."""
        return next((row for row in self.rows() if row.number == number), None)

    def trunk_row(self, number: str, channel: str) -> Row | None:
        """Find the external row of a number on a channel; there is at most one."""
        return next((row for row in self.external if row.number == number and channel in row.agents), None)

    def agent(self, agent_uuid: str) -> Agent | None:
        """Find an agent by its uuid."""
        return next((agent for agent in self.factory.agents if agent.uuid == agent_uuid), None)

    def connection(self, uuid: str) -> SipConnection | None:
        """Find a SIP connection by its uuid."""
        return next((connection for connection in self.connections if connection.uuid == uuid), None)

    def call_agents(self, number: str) -> set[str]:
        """Return the agents that answer a number's calls, through a row or a SIP connection."""
        rows = {row.agents.get("call") for row in self.rows() if row.number == number}
        connections = {connection.agent_uuid for connection in self.connections if connection.e164 == number}
        return {agent for agent in rows | connections if agent}

    def connect(self, connection: SipConnection, agent_uuid: str, now: datetime) -> SipConnection:
        """Assign an agent to a SIP connection, in place of its previous connection and the number's previous agent."""
        number, connected = connection.e164, attrs.evolve(connection, agent_uuid=agent_uuid, updated_at=now)
        for row in self.rows():
            if row.number == number and "call" in row.agents:
                self.replace(row, agents={**row.agents, "call": agent_uuid}, updated_at=now)
        for position, other in enumerate(self.connections):
            if other.uuid == connection.uuid:
                self.connections[position] = connected
            elif other.agent_uuid == agent_uuid or other.e164 == number:
                self.connections[position] = attrs.evolve(other, agent_uuid=None)
        self._changed()
        return connected

    def served(self, agent_uuid: str, channel: str) -> Row | None:
        """Find the row of the number that an agent serves on a channel."""
        return next((row for row in self.rows() if row.agents.get(channel) == agent_uuid), None)

    def free_agents(self, channel: str) -> tuple[str, ...]:
        """Return the agents that serve no number on a channel."""
        if channel not in CHANNELS:
            raise ValueError(f"there is no channel {channel}; the channels are {', '.join(CHANNELS)}")
        busy = {row.agents.get(channel) for row in self.rows()}
        if channel == "call":
            busy |= {connection.agent_uuid for connection in self.connections}
        return tuple(agent.uuid for agent in self.factory.agents if agent.uuid not in busy)

    def free_agent(self, channel: str) -> str:
        """Return an agent that serves no number on a channel, a new one if all are busy."""
        return next(iter(self.free_agents(channel)), None) or self.factory.hire().uuid

    def new_number(self) -> FictionalNumber:
        """Return the next fictional number that is in no row."""
        taken = {row.number for row in self.rows()}
        while (found := self.factory.number()).number in taken:
            pass
        return found

    def place(self, row: Row, at: int | None = None) -> Row:
        """Insert a new row at a position of its listing; None is the end."""
        rows = self._rows_of(row)
        rows.insert(len(rows) if at is None else at, row)
        self._changed()
        return row

    def add_connection(self, connection: SipConnection) -> None:
        """Add a new SIP connection."""
        self.connections.append(connection)
        self._changed()

    def replace(self, row: Row, **changes: Any) -> Row:
        """Replace a row by a changed copy."""
        changed = attrs.evolve(row, **changes)
        rows = self._rows_of(row)
        rows[rows.index(row)] = changed
        self._changed()
        return changed

    def remove(self, phone_number_uuid: str) -> None:
        """Remove a row; raise `KeyError` if none has this uuid."""
        for rows in (self.purchased, self.external):
            for position, row in enumerate(rows):
                if row.phone_number_uuid == phone_number_uuid:
                    del rows[position]
                    self._changed()
                    return
        raise KeyError(phone_number_uuid)

    def items(self, rows: Sequence[Row]) -> tuple[Json, ...]:
        """Render rows as listing items."""
        names = dict(self.factory.agents)
        return tuple(item(row, names) for row in rows)

    def snapshot(self, row: Row) -> Json:
        """Render the snapshot of a row's number."""
        names = dict(self.factory.agents)
        if row.trunk is None:
            return purchased_snapshot(row, names)
        siblings = (sibling for sibling in self.external if sibling.number == row.number)
        return external_snapshot(row, siblings, names)

    def _rows_of(self, row: Row) -> list[Row]:
        return self.external if row.trunk else self.purchased
