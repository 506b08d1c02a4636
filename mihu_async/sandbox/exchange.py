"""The interface between a fault and one request, which the fault can answer truthfully."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import attrs

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.journal import JournalEntry


@attrs.frozen
class Exchange:
    """A request in progress.

    A fault that waits indefinitely waits for `closing`. A fault that continues after its client has left keeps running,
    so that a change can arrive late; it is cancelled when the sandbox stops.
    """

    request: JournalEntry
    """The request as it arrived."""
    closing: asyncio.Event
    """The event that is set once nobody waits for the answer: the client has left, or the sandbox stops."""
    _operation: Callable[[JournalEntry], Answer]

    async def apply(self, request: JournalEntry | None = None) -> Answer:
        """Change the state as the request asks, and return the true answer, which is not yet sent.

        Each call applies the request again.

        Args:
            request: Another request to answer in its place; None answers the request that arrived.
        """
        return self._operation(request or self.request)


class Fault(Protocol):
    """A fault of one exchange. Any class with this method is a fault."""

    async def around(self, exchange: Exchange) -> Answer | None:
        """Return the answer to send, or `None` to break the connection with a TCP reset.

        Args:
            exchange: The request, with the method that answers it truthfully.
        """
        ...
