"""The aiohttp.web application, in this process and as its file runs it."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from examples import aiohttp_app
from mihu_async.sandbox import Delay, Reset, Status
from tests.examples.hosts import EXAMPLES, server, until

ASSIGN: dict[str, Any] = {"method": "PUT", "path": "/phone-numbers/trunks/assign"}


@pytest.fixture
async def service(_clients):
    """Serve in this process."""
    async with TestClient(TestServer(aiohttp_app.make_app())) as client:
        yield client


@pytest.fixture
def trunk(workspace):
    """Return the number of a trunk for calls."""
    return next(row["number"] for row in workspace.inventory.trunks if row["bindings"]["call"]["agent_uuid"])


@pytest.fixture
def agent(workspace):
    """Return an agent that answers no calls yet."""
    return workspace.inventory.free_agents("call")[0]


async def test_it_gives_the_trunks_and_their_agents(service, workspace):
    """All of them, also where they fill more than a page."""
    for _ in range(120):
        workspace.inventory.insert_trunk(channel="call")
    async with service.get("/trunks") as answer:
        body = await answer.json()

    held = [(row["number"], row["bindings"]["call"]["agent_uuid"]) for row in workspace.inventory.trunks]
    assert {number: agent for number, agent in held if agent} == body
    assert len(body) > 120


async def test_it_assigns_a_trunk(service, workspace, trunk, agent):
    """The workspace shows it."""
    async with service.put(f"/trunks/{trunk}", json={"agent_uuid": agent}) as answer:
        body = await answer.json()

    assert {"number": trunk, "agent_uuid": agent} == body
    (row,) = (row for row in workspace.inventory.trunks if row["number"] == trunk)
    assert agent == row["bindings"]["call"]["agent_uuid"]


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        (Status(404), 404, "A fault of the sandbox's script."),
        (Status(409), 409, "A fault of the sandbox's script."),
        (Status(429, retry_after=120), 503, "Mihu is busy. Nothing was changed."),
        (Status(403), 502, "Mihu refused: A fault of the sandbox's script. Nothing was changed."),
        (Reset(after=True), 502, "Mihu gave no usable answer. It may have been applied."),
    ],
    ids=["not found", "conflict", "too many", "not allowed", "lost"],
)
async def test_a_refusal_is_answered_by_whose_fault_it_was(service, workspace, trunk, agent, fault, status, says):
    """The caller's faults are 4xx, the service's and the network's 5xx."""
    workspace.faults.add(fault, **ASSIGN, times=None)
    async with service.put(f"/trunks/{trunk}", json={"agent_uuid": agent}) as answer:
        body = await answer.json()

    assert (status, {"detail": says}) == (answer.status, body)
    assert ("120" if status == 503 else None) == answer.headers.get("Retry-After")


@pytest.mark.parametrize(
    ("number", "body", "status"),
    [
        ("+12345678901", b"", 400),
        ("+12345678901", b"[]", 400),
        ("+12345678901", b"{}", 400),
        ("0790", b'{"agent_uuid": "6c2f7d0e-8f3f-4c55-9d33-0c6f0a1d7b11"}', 422),
        ("+12345678901", b'{"agent_uuid": 7}', 422),
    ],
    ids=["nothing", "a list", "no agent", "no number", "a wrong agent"],
)
async def test_what_can_never_be_accepted_is_not_sent(service, workspace, number, body, status):
    """The answer says what is wrong."""
    async with service.put(f"/trunks/{number}", data=body) as answer:
        said = await answer.text()

    assert status == answer.status
    assert said
    assert 0 == len(workspace.journal)


@pytest.mark.slow
async def test_a_request_under_way_is_answered_before_the_client_is_closed(workspace, trunk, agent):
    """The application stops when it is asked to, after that, and without a warning."""
    workspace.faults.add(Delay(0.3), **ASSIGN)
    async with server(str(EXAMPLES / "aiohttp_app.py")) as host, ClientSession(host.url) as session:
        request = asyncio.create_task(session.put(f"/trunks/{trunk}", json={"agent_uuid": agent}))
        await until(lambda: bool(workspace.journal.select(**ASSIGN)))
        stopped = asyncio.create_task(host.stop())
        async with await request as answer:
            body = await answer.json()
        code, said = await stopped

    assert {"number": trunk, "agent_uuid": agent} == body
    assert 0 == code
    assert "Running on" in said
    assert "Warning" not in said
    assert "Unclosed" not in said
