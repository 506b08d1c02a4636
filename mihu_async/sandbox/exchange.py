"""What a fault is given: one request, and the power to answer it truly."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import attrs

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.journal import JournalEntry


@attrs.frozen
class Exchange:
    """One request under way.

    A fault that waits for ever waits for `closing`. A fault that goes on after its client left is let go on, so that a
    change can come late; when the sandbox stops it is cancelled.
    """

    request: JournalEntry
    """The request as it arrived."""
    closing: asyncio.Event
    """Set when nobody waits for the answer any more: the client has left or the sandbox stops."""
    _operation: Callable[[JournalEntry], Answer]

    async def apply(self, request: JournalEntry | None = None) -> Answer:
        """Change the state as the request asks and return the true answer; nothing is sent yet.

        Given another request, that one is answered in its place. Called twice, the request is applied twice.
        """
        return self._operation(request or self.request)


class Fault(Protocol):
    """Something that goes wrong around one exchange; your own class with this method is one too."""

    async def around(self, exchange: Exchange) -> Answer | None:
        """Return what is to be sent, or `None` to break the connection with a TCP reset."""
        ...
