"""The seam to the network: the transport stands behind it, and a dry run or a test's own sender in its place."""

from typing import Any, Protocol

from attrs import define, evolve

from mihu_async.core.mask import Mask
from mihu_async.core.options import Bounds
from mihu_async.core.request import Request
from mihu_async.core.response import Response


class Sender(Protocol):
    """Makes one attempt."""

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask, /) -> Response:
        """Send a request and return the response, or raise a TransportError."""
        ...


@define
class UncachedSender:
    """Sends requests that no cache may answer, and notes where one did nevertheless."""

    sender: Sender
    cached: str | None = None
    """The ``Age`` of an answer that came from a cache; None where none did."""

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask) -> Response:
        """Send a request and return the response."""
        response = await self.sender.send(evolve(request, uncached=True), bounds, mask)
        if response.is_cached:
            self.cached = response.headers.get("Age")
        return response
