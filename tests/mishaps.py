"""What can befall a request besides the sandbox's own faults: what comes late, and someone else who is quicker."""

import asyncio
from collections.abc import Callable
from typing import Any

from attrs import evolve, field, frozen

from mihu_async.sandbox import Answer, Change, Exchange, Fault, Faults, JournalEntry, Status


@frozen
class Truth:
    """No fault: the true answer, so that the next fault meets the next request."""

    async def around(self, exchange: Exchange) -> Answer:
        return await exchange.apply()


@frozen
class Late:
    """Another fault, after a wait that may be longer than the client waits."""

    seconds: float
    fault: Fault

    async def around(self, exchange: Exchange) -> Answer | None:
        await asyncio.sleep(self.seconds)
        return await self.fault.around(exchange)


@frozen
class Behind:
    """A gateway that gives up at once on a service that carries the request out later."""

    status: int
    seconds: float
    _under_way: set[asyncio.Task[Answer | None]] = field(factory=set, init=False, repr=False)

    async def around(self, exchange: Exchange) -> Answer:
        task = asyncio.create_task(Late(self.seconds, Truth()).around(exchange))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await Status(self.status).around(exchange)


@frozen
class Overtaken:
    """Another fault, but someone else is there first."""

    change: Callable[[], object] = field(repr=False)
    fault: Fault

    async def around(self, exchange: Exchange) -> Answer | None:
        self.change()
        return await self.fault.around(exchange)


@frozen
class Dated:
    """Another fault, whose answer is dated by a clock of the edge."""

    date: Callable[[], str]
    fault: Fault

    async def around(self, exchange: Exchange) -> Answer | None:
        answer = await self.fault.around(exchange)
        return answer and evolve(answer, headers={**answer.headers, "Date": self.date()})


class Edge(Faults):
    """The faults of a service whose edge dates every answer by a clock of its own.

    Args:
        date: A function that returns the time as a ``Date`` header.
    """

    def __init__(self, date: Callable[[], str]) -> None:
        super().__init__()
        self._date = date

    def take(self, request: JournalEntry) -> Fault:
        return Dated(self._date, super().take(request) or Truth())


@frozen
class Written:
    """The true answer, but a listing writes its numbers in another form, of three parts of their digits."""

    form: str

    async def around(self, exchange: Exchange) -> Answer:
        return await Change(self._rewrite).around(exchange)

    def _rewrite(self, body: Any) -> None:
        for row in (body.get("data") or {}).get("items", ()):
            digits = row["number"].removeprefix("+")
            row["number"] = self.form.format(digits[:2], digits[2:5], digits[5:])
