"""An inventory that tells the client's own purchases and registrations from those of others."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mihu_async.sandbox import Inventory


class Witness(Inventory):
    """An inventory that remembers which rows came over the network: the client's own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(2, 2, now=now, changed=self._look)
        self.made: list[str] = []
        self._known = {row["phone_number_uuid"] for row in (*self.numbers, *self.trunks)}

    def _look(self) -> None:
        found = {row["phone_number_uuid"] for row in (*self.numbers, *self.trunks)} - self._known
        self._known |= found
        self.made.extend(found)

    def insert(self, *, at: int | None = None, twice: bool = False, **fields: Any) -> dict[str, Any]:
        item = super().insert(at=at, twice=twice, **fields)
        self.made.remove(item["phone_number_uuid"])
        return item

    def insert_trunk(self, **fields: Any) -> dict[str, Any]:
        item = super().insert_trunk(**fields)
        self.made.remove(item["phone_number_uuid"])
        return item

    def rows_of(self, number: str) -> list[dict[str, Any]]:
        return [row for row in (*self.numbers, *self.trunks) if row["number"] == number]

    def in_force(self, number: str) -> list[str]:
        """Return the uuids of a number's rows that are not of the past."""
        return [row["phone_number_uuid"] for row in self.rows_of(number) if row["status"] != "inactive"]

    def trunk(self, number: str, channel: str) -> dict[str, Any] | None:
        """Return the one row of a trunk."""
        rows = [row for row in self.trunks if row["number"] == number and row["bindings"][channel]["bound"]]
        assert len(rows) <= 1
        return next(iter(rows), None)

    def agent_of(self, number: str, channel: str) -> str | None:
        """Return the agent that a trunk serves, or None where there is no such trunk."""
        row = self.trunk(number, channel)
        return None if row is None else row["bindings"][channel]["agent_uuid"]
