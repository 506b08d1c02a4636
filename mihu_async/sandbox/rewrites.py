"""Faults of the service itself: an answer that is well-formed but not as documented."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import attrs

from mihu_async.sandbox.answers import Answer, json_answer
from mihu_async.sandbox.exchange import Exchange


@attrs.frozen
class Change:
    """Applies the request, and passes the decoded JSON of the true answer to a function."""

    function: Callable[[Any], Any]
    """The function, which changes the value in place and returns None, or returns another value to send."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the answer with the changed JSON."""
        return changed(await exchange.apply(), self.function)


@attrs.frozen
class Dated:
    """Applies the request, and dates the answer wrongly.

    An edge server with a wrong clock does so; so does a cache, which gives the answer an age.
    """

    ahead: float = 0.0
    """The seconds by which the `Date` header is ahead, negative if behind."""
    age: int | None = attrs.field(default=None, kw_only=True)
    """The `Age` header in seconds, which also makes the `Date` older by as much; None sends none."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the true answer with a wrong date."""
        answer = await exchange.apply()
        date = datetime.now(UTC) + timedelta(seconds=self.ahead - (self.age or 0))
        age = {} if self.age is None else {"Age": str(self.age)}
        headers = {**answer.headers, "Date": format_datetime(date, usegmt=True), **age}
        return attrs.evolve(answer, headers=headers)


@attrs.frozen
class UnknownEnum:
    """Applies the request, and sets a field of every row to a value that no page names."""

    field: str = "status"
    """The field, which may be dotted: `compliance.status`."""
    value: str = "quarantined"
    """The unknown value."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the answer with the unknown value."""
        return changed(await exchange.apply(), lambda body: put(body, self.field, self.value))


@attrs.frozen(init=False)
class NullFields:
    """Applies the request, and sets fields of every row to null.

    A field may be dotted: `NullFields("billing", "compliance.status")`.
    """

    names: tuple[str, ...]
    """The names of the fields."""

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)

    async def around(self, exchange: Exchange) -> Answer:
        """Return the answer with the nulls."""
        return changed(await exchange.apply(), self._empty)

    def _empty(self, body: Any) -> None:
        for name in self.names:
            put(body, name, None)


@attrs.frozen
class RepeatPage:
    """Answers a listing with a page other than the requested one.

    The pagination block is also that of the other page, which reveals the fault, unless `keep_echo` is set.
    """

    page: int = 1
    """The page to send."""
    keep_echo: bool = attrs.field(default=False, kw_only=True)
    """True sends the pagination block of the requested page, so that only the items reveal the fault."""

    async def around(self, exchange: Exchange) -> Answer:
        """Return the other page."""
        other = [(name, value) for name, value in exchange.request.query if name != "page"]
        query = (*other, ("page", str(self.page)))
        answer = await exchange.apply(attrs.evolve(exchange.request, query=query))
        return await self._with_true_echo(exchange, answer) if self.keep_echo else answer

    async def _with_true_echo(self, exchange: Exchange, answer: Answer) -> Answer:
        items = answer.json["data"]["items"]
        return changed(await exchange.apply(), lambda body: body["data"].update(items=items))


def changed(answer: Answer, function: Callable[[Any], Any]) -> Answer:
    """Return an answer with its JSON changed in place by a function, or replaced by the function's result."""
    body = answer.json
    replaced = function(body)
    content = body if replaced is None else replaced
    return attrs.evolve(answer, body=json_answer(content).body)


def put(body: Any, path: str, value: object) -> None:
    """Set a dotted field in every row of a listing, or in the data of a single answer.

    If a parent of the field is missing or null, nothing is set; a failure or an answer without data is left unchanged.
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
