"""Serves a listing of one shape from its own process, on another core than the measured process.

Usage: python -m benchmarks.server SHAPE PAGES PER_PAGE DELAY; prints the port that it serves on. DELAY is in seconds.
A page costs the server some ten microseconds. Every PUT is answered like the assignment of a trunk. ``GET /requests``
returns the number of answered requests.
"""

import asyncio
import json
import sys
from typing import cast

from benchmarks.processes import pin
from benchmarks.shapes import SHAPES, Listing, assigned

COUNT = b"GET /requests "
ASSIGNED = assigned()


class Pages(asyncio.Protocol):
    """Answers each request with the page that it names, or as a PUT, and ignores everything else in it."""

    answered = 0
    transport: asyncio.Transport

    def __init__(self, listing: Listing, delay: float) -> None:
        self._listing = listing
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer. On loopback, the head of a request fits into one segment, and its body comes with it or alone."""
        if data.startswith(COUNT):
            self.transport.write(_answer(json.dumps(Pages.answered).encode()))
            return
        if data.startswith(b"{"):
            return
        Pages.answered += 1
        answer = _answer(ASSIGNED if data.startswith(b"PUT ") else self._listing.body(self._listing.asked(data)))
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self.transport.write, answer)
        else:
            self.transport.write(answer)


def _answer(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


async def main(shape: str, pages: int, per_page: int, delay: float) -> None:
    """Serve until the input ends, as it does when the process that started the server ends."""
    listing = Listing(SHAPES[shape], pages, per_page)
    server = await asyncio.get_running_loop().create_server(lambda: Pages(listing, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    pin(-1)
    name, pages, per_page, delay = sys.argv[1:]
    asyncio.run(main(name, int(pages), int(per_page), float(delay)))
