"""The state of the sandbox behind one lock, for tests to inspect and change."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import RLock
from time import monotonic
from typing import Any
from uuid import UUID

import attrs

from mihu_async.sandbox import rendering
from mihu_async.sandbox.ledger import Ledger
from mihu_async.sandbox.rendering import Json
from mihu_async.sandbox.rows import TRUNK_CHANNELS, Agent, check_changes


def utc_now() -> datetime:
    """Return the current time, to the second, as the answers do."""
    return datetime.now(UTC).replace(microsecond=0)


class Inventory:
    """Purchased numbers, external trunks, agents, SIP connections, rates and offers, determined by the arguments.

    The initial rows have made-up times from 2023 on. A row that is bought, inserted or changed later has the current
    time. Every method is safe to call from any thread while the sandbox serves; a walk in progress sees the listing
    shift.

    Args:
        numbers: The number of purchased numbers at the start.
        trunks: The number of external rows at the start.
        seed: The seed from which the rows are generated.
        agents: The uuids of additional agents that serve no number.
        purchase_limit: The most numbers that the workspace may have; None sets no limit.
        activation_delay: The seconds for which a number is pending after its purchase.
        now: The function that returns the time of a change.
        elapsed: The function that returns monotonic seconds, which measure the activation of a number.
        changed: The function that is called after every change.
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
        self.purchase_limit: int | None = purchase_limit
        """The most numbers that the workspace may have; None sets no limit. It may be changed at any time."""
        self.activation_delay: float = activation_delay
        """The seconds for which a number that is bought from now on is pending; 0 makes it active at once."""
        self.lag: float = 0.0
        """The seconds until a number that is bought, or a trunk that is registered, appears in the listings; 0 by
        default.
        """
        self.now: Callable[[], datetime] = now
        """The function that returns the time of a change."""
        self.elapsed: Callable[[], float] = elapsed
        """The function that returns monotonic seconds, which measure durations such as the activation of a number."""
        self._lock = RLock()
        self._changed = changed
        self._begin: Callable[[], Ledger] = partial(Ledger, numbers, trunks, seed, agents=uuids, changed=changed)
        self._first: tuple[int | None, float] = (purchase_limit, activation_delay)
        self._ledger: Ledger = self._begin()

    def __repr__(self) -> str:
        return f"Inventory(numbers={len(self._ledger.purchased)}, trunks={len(self._ledger.external)})"

    @property
    def agents(self) -> tuple[Agent, ...]:
        """All agents, as pairs of uuid and name."""
        with self._lock:
            return tuple(self._ledger.factory.agents)

    @property
    def sip_connections(self) -> tuple[Json, ...]:
        """All SIP connections as documented, each with the uuid of the agent that uses it for calls, or None."""
        with self._lock:
            found = self._ledger.connections
            return tuple({**rendering.sip_connection(one), "agent_uuid": one.agent_uuid} for one in found)

    @property
    def numbers(self) -> tuple[Json, ...]:
        """All purchased numbers, as in a listing without filters. They are copies: use `update` to change one."""
        with self._lock:
            self._activate()
            return self._ledger.items(self._ledger.purchased)

    @property
    def trunks(self) -> tuple[Json, ...]:
        """All external rows, as in a listing without filters. They are copies: use `update` to change one."""
        with self._lock:
            return self._ledger.items(self._ledger.external)

    @property
    def rates(self) -> tuple[Json, ...]:
        """The rates of outbound calls, as in a listing without filters."""
        with self._lock:
            return tuple(map(rendering.rate, self._ledger.rates))

    @property
    def offers(self) -> tuple[Json, ...]:
        """The numbers for sale, as in a search without filters."""
        with self._lock:
            return tuple(map(rendering.offer, self._ledger.offers()))

    def free_agents(self, channel: str) -> tuple[str, ...]:
        """Return the uuids of the agents that serve no number on a channel.

        Args:
            channel: call, sms or whatsapp.
        """
        with self._lock:
            return self._ledger.free_agents(channel)

    def insert(self, *, at: int | None = None, twice: bool = False, **fields: Any) -> Json:
        """Add a purchased number to the listing, and return its item.

        The purchase limit and the values are not checked.

        Args:
            at: The position in the listing; `None` adds it at the end.
            twice: True lets a number have another row.
            **fields: The fields of `rows.Row`, such as `number`, `country_code`, `location`, `type`, `status`,
                `compliance` (its status), `monthly_fee`, `agents` (uuid by channel) and `purchased_at`. Missing fields
                are made up.

        Raises:
            ValueError: The number exists already, and `twice` is not set.
        """
        with self._lock:
            now, ledger = self.now(), self._ledger
            dated = ledger.factory.purchased_row(ledger.new_number())
            row = attrs.evolve(dated, **{"purchased_at": now, "updated_at": now, **fields})
            if not twice and (ledger.is_purchased(row.number) or ledger.is_external(row.number)):
                raise ValueError(f"{row.number} is already in the inventory")
            return ledger.items([ledger.place(row, at)])[0]

    def insert_trunk(
        self,
        *,
        at: int | None = None,
        number: str | None = None,
        channel: str = "call",
        agent_uuid: str | None = None,
    ) -> Json:
        """Add an external row to the listing of trunks, and return its item.

        Args:
            at: The position in the listing; `None` adds it at the end.
            number: The number; None makes up a new one.
            channel: call or whatsapp.
            agent_uuid: The agent; None uses a free one.

        Raises:
            ValueError: The number is purchased or has a row on the channel, or trunks do not have this channel.
        """
        with self._lock:
            ledger = self._ledger
            number = number or ledger.new_number().number
            if channel not in TRUNK_CHANNELS:
                raise ValueError(f"a trunk has no channel {channel}")
            if ledger.is_purchased(number) or ledger.trunk_row(number, channel):
                raise ValueError(f"{number} is already in the inventory")
            row = ledger.factory.trunk_row(number, channel, agent_uuid or ledger.free_agent(channel))
            placed = ledger.place(attrs.evolve(row, updated_at=self.now()), at)
            return ledger.items([placed])[0]

    def update(self, phone_number_uuid: str, **fields: Any) -> Json:
        """Change fields of a purchased number or an external row, and return its item.

        Args:
            phone_number_uuid: The uuid of the row.
            **fields: The fields of `insert`, such as `status="active"`; `updated_at` is the current time by default.

        Raises:
            KeyError: No row has this uuid.
            TypeError: There is no such field.
            ValueError: No page documents the value, the number exists already, or the field is null for external
                numbers.
        """
        with self._lock:
            ledger = self._ledger
            row = ledger.row(phone_number_uuid)
            if row is None:
                raise KeyError(phone_number_uuid)
            check_changes(row, fields)
            number = fields.get("number", row.number)
            if number != row.number and (ledger.is_purchased(number) or ledger.is_external(number)):
                raise ValueError(f"{number} is already in the inventory")
            if "status" in fields:
                ledger.activations.pop(phone_number_uuid, None)
            changed = ledger.replace(row, **{"updated_at": self.now(), **fields})
            return ledger.items([changed])[0]

    def delete(self, phone_number_uuid: str) -> None:
        """Remove a purchased number or an external row.

        Args:
            phone_number_uuid: The uuid of the row.

        Raises:
            KeyError: No row has this uuid.
        """
        with self._lock:
            self._ledger.remove(phone_number_uuid)

    def reset(self) -> None:
        """Restore the initial state: rows, agents, connections, the purchase limit and both delays."""
        with self._lock:
            self._ledger = self._begin()
            self.purchase_limit, self.activation_delay = self._first
            self.lag = 0.0
        self._changed()

    def next_activation(self) -> float | None:
        """Return the seconds until the next pending number becomes active, or None if none will."""
        with self._lock:
            moments = self._ledger.activations.values()
            return max(0.0, min(moments) - self.elapsed()) if moments else None

    @contextmanager
    def opened(self) -> Generator[Ledger]:
        """Yield the current rows to the operations of the endpoints, and lock them against other changes."""
        with self._lock:
            self._activate()
            yield self._ledger

    def _activate(self) -> None:
        """Activate the numbers that have been pending long enough."""
        elapsed, activations = self.elapsed(), self._ledger.activations
        for phone_number_uuid in [uuid for uuid, moment in activations.items() if moment <= elapsed]:
            del activations[phone_number_uuid]
            if row := self._ledger.row(phone_number_uuid):
                self._ledger.replace(row, status="active", updated_at=self.now())
