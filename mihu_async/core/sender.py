"""The seam to the network. The transport stands behind it; a dry run, or a test's own sender, takes its place."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from mihu_async.core import codec
from mihu_async.core.headers import Extra, combined, shown
from mihu_async.core.options import Bounds
from mihu_async.core.redaction import HIDDEN, Redactor, hide_secrets
from mihu_async.core.request import Request
from mihu_async.core.response import Response
from mihu_async.errors import DryRun
from mihu_async.value import Value


class Sender(Protocol):
    """Makes one attempt."""

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor, /) -> Response:
        """Send a request and return the response, or raise a TransportError."""
        ...


class DryRunSender(Value, frozen=True):
    """Sends reads, and raises DryRun for writes.

    Attributes:
        sender: The sender of the reads.
        base_url: The address that the writes would go to.
        headers: The headers that the caller adds to each request.
    """

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"headers"})

    sender: Sender
    base_url: str
    headers: Extra = ()

    async def send(self, request: Request[Any], bounds: Bounds, redact: Redactor) -> Response:
        """Send a read and return the response.

        Raises:
            DryRun: If the request is a write. The error shows what would have been sent, with secrets hidden.
        """
        if request.method == "GET":
            return await self.sender.send(request, bounds, redact)
        path = redact.name(request.path)
        url = redact.name(f"{self.base_url}{request.path}{'?' if request.query else ''}{request.query}")
        json = None if request.body is None else hide_secrets(codec.parse(request.body, exact=False))
        raise DryRun(
            f"{request.method} {path} was not sent: this client makes a dry run. Nothing was changed.",
            method=request.method,
            url=url,
            json=json,
            curl=curl(request.method, url, json, shown(combined(self.headers, request.headers), redact)),
        )


def curl(method: str, url: str, json: Any, headers: Mapping[str, str]) -> str:
    """Return a request as a curl command, with the token hidden."""
    words = ["curl", "--request", method, url, "--header", f"Authorization: Bearer {HIDDEN}"]
    for name, value in headers.items():
        words += ["--header", f"{name}: {value}"]
    if json is not None:
        words += ["--header", "Content-Type: application/json", "--data", codec.dump(json).decode()]
    return shlex.join(words)
