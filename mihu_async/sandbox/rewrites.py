"""Faults of the service itself: an answer that is well-formed and not as documented."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import attrs

from mihu_async.sandbox.answers import Answer, json_answer
from mihu_async.sandbox.exchange import Exchange


@attrs.frozen
class Change:
    """Apply, then let a function change the decoded JSON of the true answer."""

    function: Callable[[Any], Any]
    """Changes the value in place and returns nothing, or returns another one to send."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the changed JSON."""
        return changed(await exchange.apply(), self.function)


@attrs.frozen
class Dated:
    """Apply, then date the answer wrongly, as an edge whose clock is off does, or give it an age, as a cache does."""

    ahead: float = 0.0
    """How many seconds its `Date` is ahead; behind where negative."""
    age: int | None = attrs.field(default=None, kw_only=True)
    """Its `Age` in seconds, by which its `Date` is older, too; None sends none."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer truly, dated wrongly."""
        answer = await exchange.apply()
        date = datetime.now(UTC) + timedelta(seconds=self.ahead - (self.age or 0))
        age = {} if self.age is None else {"Age": str(self.age)}
        headers = {**answer.headers, "Date": format_datetime(date, usegmt=True), **age}
        return attrs.evolve(answer, headers=headers)


@attrs.frozen
class UnknownEnum:
    """Apply, then put a value that no page names into a field of every row."""

    field: str = "status"
    """Which field; it may be dotted: `compliance.status`."""
    value: str = "quarantined"
    """What it holds then."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the unknown value."""
        return changed(await exchange.apply(), lambda body: put(body, self.field, self.value))


@attrs.frozen(init=False)
class NullFields:
    """Apply, then set fields of every row to null; one may be dotted: `NullFields("billing", "compliance.status")`."""

    names: tuple[str, ...]
    """Which fields."""

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the nulls."""
        return changed(await exchange.apply(), self._empty)

    def _empty(self, body: Any) -> None:
        for name in self.names:
            put(body, name, None)


@attrs.frozen
class RepeatPage:
    """Answer a listing with another page than was asked for.

    The pagination block is the other page's too, so it gives the fault away, unless `keep_echo` is set.
    """

    page: int = 1
    """The page that is sent."""
    keep_echo: bool = attrs.field(default=False, kw_only=True)
    """Whether the pagination block is that of the page asked for, so that only the items tell."""

    async def around(self, exchange: Exchange) -> Answer:
        """Answer with the other page."""
        other = [(name, value) for name, value in exchange.request.query if name != "page"]
        query = (*other, ("page", str(self.page)))
        answer = await exchange.apply(attrs.evolve(exchange.request, query=query))
        return await self._with_true_echo(exchange, answer) if self.keep_echo else answer

    async def _with_true_echo(self, exchange: Exchange, answer: Answer) -> Answer:
        items = answer.json["data"]["items"]
        return changed(await exchange.apply(), lambda body: body["data"].update(items=items))


def changed(answer: Answer, function: Callable[[Any], Any]) -> Answer:
    """Return an answer whose JSON a function changed in place, or replaced by what it returned."""
    body = answer.json
    replaced = function(body)
    content = body if replaced is None else replaced
    return attrs.evolve(answer, body=json_answer(content).body)


def put(body: Any, path: str, value: object) -> None:
    """Set a dotted field in every row of a listing, or in the data of a single answer.

    Where a parent of the field is missing or null there is nothing to set, and a failure or an answer without data
    stays as it is.
    """
    *parents, name = path.split(".")
    for row in _rows(body):
        holder: Any = row
        for parent in parents:
            holder = holder.get(parent) if holder else None
        if holder:
            holder[name] = value


def _rows(body: Any) -> Iterable[Any]:
    data: Any = (body["data"] if body["success"] else None) or {"items": []}
    rows: Iterable[Any] = data.get("items", [data])
    return rows
