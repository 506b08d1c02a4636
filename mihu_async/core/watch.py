"""The moment of one page on the service's clock: its ``Date`` header, and when it was asked for on ours."""

from datetime import datetime
from typing import Any

from attrs import define

from mihu_async.core.clock import Clock
from mihu_async.core.mask import Mask
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.retry import parse_date
from mihu_async.core.sender import Sender
from mihu_async.core.timeout import Bounds


@define
class Watch:
    """A sender that reads the service's clock from each answer that passes."""

    sender: Sender
    clock: Clock
    date: datetime | None = None
    sent_at: float = 0.0
    read_at: float = 0.0

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask) -> Response:
        """Send a request and give the response."""
        sent_at = self.clock.monotonic()
        response = await self.sender.send(request, bounds, mask)
        if date := parse_date(response.headers.get("Date", "")):
            self.date, self.sent_at, self.read_at = date, sent_at, self.clock.monotonic()
        return response
