"""A sender for dry runs: reads go through, and a write becomes an error that shows what would have been sent."""

import shlex
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mihu_async.core import codec
from mihu_async.core.headers import Extra, combined, shown
from mihu_async.core.mask import HIDDEN, Mask, hide_secrets
from mihu_async.core.options import Bounds
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.core.sender import Sender
from mihu_async.errors import DryRun


@frozen
class DryRunSender:
    """Sends reads, and raises DryRun for writes.

    ``base_url`` is where they would go, and ``headers`` are those that the caller adds to each.
    """

    sender: Sender
    base_url: str
    headers: Extra = field(default=(), repr=False)

    async def send(self, request: Request[Any], bounds: Bounds, mask: Mask) -> Response:
        """Send a read."""
        if request.method == "GET":
            return await self.sender.send(request, bounds, mask)
        path = mask.name(request.path)
        url = mask.name(f"{self.base_url}{request.path}{'?' if request.query else ''}{request.query}")
        json = None if request.body is None else hide_secrets(codec.parse(request.body, exact=False))
        raise DryRun(
            f"{request.method} {path} was not sent: this client makes a dry run. Nothing was changed.",
            method=request.method,
            url=url,
            json=json,
            curl=curl(request.method, url, json, shown(combined(self.headers, request.headers), mask)),
        )


def curl(method: str, url: str, json: Any, headers: Mapping[str, str]) -> str:
    """Write a request as a command line, with the token hidden."""
    words = ["curl", "--request", method, url, "--header", f"Authorization: Bearer {HIDDEN}"]
    for name, value in headers.items():
        words += ["--header", f"{name}: {value}"]
    if json is not None:
        words += ["--header", "Content-Type: application/json", "--data", codec.dump(json).decode()]
    return shlex.join(words)
