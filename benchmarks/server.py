"""Serves a listing of full numbers as prebuilt bytes, so that what is measured is the client.

Usage: python benchmarks/server.py PAGES PER_PAGE [DELAY]; prints the port that it serves on. DELAY is in seconds.
"""

import asyncio
import json
import re
import sys
from typing import Any, cast

PAGE = re.compile(rb"[?&]page=(\d+)")


def item(index: int) -> dict[str, Any]:
    """Make a number with every documented field: 13 objects, 41 leaves."""
    outbound = {"enabled": True, "channel_limit": 10, "whitelisted_destinations": ["US", "CA"]}
    agent = f"3c90c3cc-0d44-4b50-8888-{index:012d}"
    binding = {"bound": True, "agent_uuid": agent, "agent_name": f"Agent {index}"}
    return {
        "phone_number_uuid": f"9bcb8f00-c0c5-4ee1-9b75-{index:012d}",
        "number": f"+1208555{index:07d}",
        "country_code": "US",
        "location": "Boise, Idaho",
        "type": "local",
        "is_external": False,
        "source": "purchased",
        "status": "active",
        "compliance": {
            "status": "completed",
            "requirements": [{"name": "Address", "type": "textual", "description": "Where the number is used."}],
        },
        "capabilities": dict.fromkeys(("voice", "sms", "mms", "fax", "emergency", "local_calling"), True),
        "channel_settings": {"voice": outbound, "sms": outbound, "inbound": {"enabled": True, "channel_limit": 10}},
        "billing": {"monthly_fee": 1.15, "currency": "EUR"},
        "bindings": {"call": binding, "sms": binding, "whatsapp": binding},
        "purchased_at": "2023-11-07T05:31:56Z",
        "updated_at": "2023-11-07T05:31:56Z",
    }


class Pages(asyncio.Protocol):
    """Answers each request with the page that it names, and looks at nothing else."""

    answers: tuple[bytes, ...] = ()
    delay: float = 0.0
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where answers go."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer; a request fits into one segment on loopback."""
        found = PAGE.search(data)
        answer = self.answers[int(found[1]) - 1 if found else 0]
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self.transport.write, answer)
        else:
            self.transport.write(answer)


def answer(page: int, pages: int, per_page: int) -> bytes:
    """Build one answer, head and all."""
    items = json.dumps([item(index) for index in range((page - 1) * per_page, page * per_page)], separators=(",", ":"))
    pagination = {
        "current_page": page,
        "per_page": per_page,
        "total": pages * per_page,
        "last_page": pages,
        "from": (page - 1) * per_page + 1,
        "to": page * per_page,
        "has_more": page < pages,
    }
    body = f'{{"success":true,"data":{{"items":{items},"pagination":{json.dumps(pagination)}}}}}'.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def main(pages: int, per_page: int, delay: float) -> None:
    """Serve until killed."""
    Pages.answers = tuple(answer(page, pages, per_page) for page in range(1, pages + 1))
    Pages.delay = delay
    server = await asyncio.get_running_loop().create_server(Pages, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    pages, per_page, *delay = sys.argv[1:]
    asyncio.run(main(int(pages), int(per_page), float(*delay)))
