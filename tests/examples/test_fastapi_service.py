"""The FastAPI service, in this process and as uvicorn runs it."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from signal import SIGTERM
from typing import Any
from unittest.mock import Mock

import pytest
import uvicorn
from aiohttp import ClientSession

from examples import fastapi_service
from mihu_async import LedgerError
from mihu_async.ledger import SqliteLedger
from mihu_async.sandbox import Delay, Reset, Status
from tests.examples.hosts import EXAMPLES, free_port, server, until

ORDER = {"number": "+390790080041", "country_code": "IT", "type": "local", "monthly_fee": "1.15"}
KEY = {"Idempotency-Key": "4711"}
BUY: dict[str, Any] = {"method": "POST", "path": "/phone-numbers"}


@pytest.fixture
async def service(_clients):
    """Serve in this process, and give a session of its address."""
    port = free_port()
    host = uvicorn.Server(uvicorn.Config(fastapi_service.app, port=port, ws="none", log_config=None))
    served = asyncio.create_task(host.serve())
    await until(lambda: host.started)
    async with ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    host.should_exit = True
    await served


async def test_it_gives_numbers_as_json(service, workspace):
    """Money is text, times are ISO 8601 and enum members their words."""
    async with service.get("/numbers", params={"country_code": "US", "limit": 2}) as answer:
        numbers = await answer.json()

    held = [row for row in workspace.inventory.numbers if row["country_code"] == "US"]
    assert [row["number"] for row in held[:2]] == [number["number"] for number in numbers]
    assert held[0]["status"] == numbers[0]["status"]
    assert Decimal(str(held[0]["billing"]["monthly_fee"])) == Decimal(numbers[0]["billing"]["monthly_fee"])


async def test_it_buys_a_number(service, workspace):
    """What was bought is in the inventory, and is what is answered."""
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        bought = await answer.json()

    assert (201, ORDER["number"]) == (answer.status, bought["number"])
    assert bought["phone_number_uuid"] in {row["phone_number_uuid"] for row in workspace.inventory.numbers}


async def test_an_order_comes_from_an_offer_that_was_seen(service):
    """Offers within the bound are shown with their fees, and each is an order as it stands."""
    async with service.get("/offers", params={"country_code": "US", "type": "local", "limit": 2}) as answer:
        offers = await answer.json()
    async with service.post("/numbers", json=offers[1], headers=KEY) as answer:
        bought = await answer.json()

    assert len(offers) == 2
    assert all(Decimal(offer["monthly_fee"]) <= 5 for offer in offers)
    assert (201, offers[1]["number"]) == (answer.status, bought["number"])


async def test_an_order_that_comes_again_buys_nothing_more(service, workspace):
    """With the same key the same number is answered; without one nothing is bought."""
    numbers: list[str] = []
    for _ in range(2):
        async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
            numbers.append((await answer.json())["phone_number_uuid"])
    async with service.post("/numbers", json=ORDER) as keyless:
        pass

    assert numbers[0] == numbers[1]
    assert 422 == keyless.status
    assert 1 == len(workspace.journal.select(**BUY))


async def test_no_more_is_spent_than_the_bound(service, workspace):
    """The order is refused before anything is sent."""
    async with service.post("/numbers", json=ORDER | {"monthly_fee": "5.01"}, headers=KEY) as answer:
        body = await answer.json()

    assert 422 == answer.status
    assert "above max_monthly_fee=5" in body["detail"]
    assert 0 == len(workspace.journal)


async def test_a_ledger_that_cannot_be_used_buys_nothing(service, workspace, monkeypatch):
    """The answer says so, though it is not Mihu's fault."""
    monkeypatch.setattr(SqliteLedger, "take", Mock(side_effect=LedgerError("the disk is full")))
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        body = await answer.json()

    assert (503, "The purchase ledger is unavailable. Nothing was bought.") == (answer.status, body["detail"])
    assert 0 == len(workspace.journal.select(**BUY))


async def test_an_answer_that_is_none_changed_nothing(service, workspace):
    """For a read, the answer says so."""
    workspace.faults.add(Status(200, body="no JSON"), times=None)
    async with service.get("/numbers") as answer:
        body = await answer.json()

    assert (502, "Mihu gave no usable answer. Nothing was changed.") == (answer.status, body["detail"])


@pytest.mark.parametrize(
    ("fault", "status", "says"),
    [
        (Status(404), 404, "A fault of the sandbox's script."),
        (Status(409), 409, "A fault of the sandbox's script."),
        (Status(429, retry_after=120), 503, "Mihu is busy. Nothing was changed."),
        (Status(401), 502, "Mihu refused: A fault of the sandbox's script. Nothing was changed."),
    ],
    ids=["not found", "conflict", "too many", "token"],
)
async def test_a_refusal_is_answered_by_whose_fault_it_was(service, workspace, fault, status, says):
    """The caller's faults are 4xx, the service's and the network's 5xx."""
    workspace.faults.add(fault, **BUY)
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        body = await answer.json()

    assert (status, {"detail": says}) == (answer.status, body)
    assert ("120" if status == 503 else None) == answer.headers.get("Retry-After")


async def test_a_number_that_a_look_up_found_held_before_is_a_conflict(service, workspace):
    """The answer says so, though the service said nothing of it."""
    workspace.inventory.insert(number=ORDER["number"], country_code="IT", purchased_at=datetime(2020, 1, 1, tzinfo=UTC))
    workspace.faults.add(Reset(), **BUY)
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        body = await answer.json()

    assert 409 == answer.status
    assert "bought before this call" in body["detail"]


async def test_what_can_never_be_accepted_is_not_sent(service, workspace):
    """The answer names what to correct."""
    async with service.post("/numbers", json=ORDER | {"number": "0790"}, headers=KEY) as answer:
        body = await answer.json()

    assert 422 == answer.status
    assert "number" in body["detail"]
    assert 0 == len(workspace.journal)


async def test_a_full_workspace_is_a_conflict(service, workspace):
    """The limit is the caller's to mend."""
    workspace.inventory.purchase_limit = 250
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        body = await answer.json()

    assert 409 == answer.status
    assert body["detail"]


async def test_a_purchase_that_may_have_been_made_says_so(service, workspace):
    """So that nobody orders again without looking."""
    workspace.faults.add(Reset(after=True), **BUY)
    workspace.faults.add(Status(403), method="GET", times=None, after_write=True)
    async with service.post("/numbers", json=ORDER, headers=KEY) as answer:
        body = await answer.json()

    assert 504 == answer.status
    assert body["detail"].startswith("The outcome is unknown. ")
    assert "numbers.channels_of(" in body["detail"]


@pytest.mark.slow
async def test_a_request_under_way_is_answered_before_the_client_is_closed(workspace):
    """The service stops when it is asked to, after that, and without a warning."""
    workspace.faults.add(Delay(0.3), **BUY)
    command = ("-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "{port}", "fastapi_service:app")
    async with server(*command) as host, ClientSession(host.url) as session:
        order = asyncio.create_task(session.post("/numbers", json=ORDER, headers=KEY))
        await until(lambda: bool(workspace.journal.select(**BUY)))
        stopped = asyncio.create_task(host.stop())

        assert 201 == (await order).status
        code, said = await stopped

    assert -SIGTERM == code  # uvicorn hands on what it was sent, when it is done
    assert "Application shutdown complete" in said
    assert "Warning" not in said
    assert "Unclosed" not in said
