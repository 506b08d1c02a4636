"""The worker of a queue, run again and again, and killed."""

import asyncio
import json
import sys
from functools import partial
from typing import Any

import pytest

from examples import order_worker
from mihu_async import AuthenticationError, MihuClient, RateLimitError, ValidationError
from mihu_async.ledger import SqliteLedger
from mihu_async.sandbox import Hang, Status
from tests.examples.hosts import EXAMPLES, environment, until

ORDER: dict[str, Any] = {"country_code": "IT", "type": "local", "max_monthly_fee": 5}
BUY: dict[str, Any] = {"method": "POST", "path": "/phone-numbers"}
LEASE = 0.2  # seconds, so that a killed worker's key is soon free
WORKER = f"""
import asyncio, sys
from functools import partial
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import order_worker
from mihu_async.ledger import SqliteLedger
order_worker.SqliteLedger = partial(SqliteLedger, lease={LEASE})
asyncio.run(order_worker.main(Path(sys.argv[2])))
"""

closing = pytest.mark.usefixtures("_clients")


@pytest.fixture
def orders(tmp_path):
    """Return a folder with one order."""
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "4711.json").write_text(json.dumps(ORDER))
    return folder


def names(folder) -> list[str]:
    """Tell what stands in the folder."""
    return sorted(path.name for path in folder.iterdir())


def result(folder) -> str:
    """Read the number that came of the order."""
    number: str = json.loads((folder / "4711.done").read_text())["number"]
    return number


@closing
async def test_an_order_becomes_a_number(orders, workspace):
    """Its result takes its place; an agent that is named answers the number."""
    agent = workspace.inventory.free_agents("call")[0]
    (orders / "4711.json").write_text(json.dumps(ORDER | {"agent_uuid": agent}))

    assert 0 == await order_worker.main(orders)
    assert ["4711.done"] == names(orders)
    assert "+390790080041" == result(orders)
    (row,) = (row for row in workspace.inventory.numbers if row["number"] == "+390790080041")
    assert agent == row["bindings"]["call"]["agent_uuid"]


@closing
async def test_a_job_that_is_handed_out_again_buys_nothing_more(orders, workspace):
    """Also where it was done, and only its removal was lost."""
    assert 0 == await order_worker.main(orders)
    (orders / "4711.json").write_text(json.dumps(ORDER))

    assert 0 == await order_worker.main(orders)
    assert "+390790080041" == result(orders)
    assert 1 == len(workspace.journal.select(**BUY))


@closing
async def test_a_worker_that_is_killed_after_its_purchase_leaves_none_to_make(orders, workspace, monkeypatch):
    """The next one finds what was bought, when the killed one's hold has ended."""
    monkeypatch.setattr(order_worker, "SqliteLedger", partial(SqliteLedger, lease=LEASE))
    workspace.faults.add(Hang(after=True), **BUY)
    command = [sys.executable, "-c", WORKER, str(EXAMPLES), str(orders)]
    process = await asyncio.create_subprocess_exec(*command, env=environment())
    await until(lambda: bool(workspace.journal.select(**BUY)) or process.returncode is not None)
    process.kill()
    await process.wait()

    assert ["4711.json"] == names(orders)
    assert 0 == await order_worker.main(orders)
    assert "+390790080041" == result(orders)
    assert 1 == len(workspace.journal.select(**BUY))


@closing
@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("no JSON", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"country_code": "IT", "type": "local"}', "KeyError: 'max_monthly_fee'"),
        (json.dumps(ORDER | {"max_monthly_fee": None}), "max_monthly_fee must be a number"),
        (json.dumps(ORDER | {"type": "golden"}), "type must be one of"),
    ],
    ids=["no JSON", "a list", "no bound", "null", "a wrong type"],
)
async def test_an_order_that_cannot_succeed_is_put_aside(orders, workspace, caplog, order, says):
    """The log says why, and nothing is bought."""
    (orders / "4711.json").write_text(order)

    assert 0 == await order_worker.main(orders)
    assert ["4711.refused"] == names(orders)
    assert says in caplog.text
    assert 0 == len(workspace.journal.select(**BUY))


@closing
async def test_an_order_that_may_succeed_stays(orders, workspace, caplog):
    """The service is away; the next run tries it again, and the others go on."""
    (orders / "4712.json").write_text("[]")
    workspace.faults.add(Status(503), times=None)

    assert 1 == await order_worker.main(orders)
    assert ["4711.json", "4712.refused"] == names(orders)
    assert "A fault of the sandbox's script." in caplog.text
    workspace.faults.clear()
    assert 0 == await order_worker.main(orders)


@closing
async def test_an_order_for_which_nothing_is_for_sale_stays(orders, workspace, caplog):
    """It spends no more than its bound; another day there may be an offer within it."""
    (orders / "4711.json").write_text(json.dumps(ORDER | {"max_monthly_fee": 0.5}))

    assert 1 == await order_worker.main(orders)
    assert ["4711.json"] == names(orders)
    assert "no local number of IT was bought" in caplog.text
    assert 0 == len(workspace.journal.select(**BUY))


@closing
async def test_a_purchase_that_may_have_been_made_is_looked_for_by_the_next_run(orders, workspace, caplog):
    """The order stays, the log says so, and the next run finds the number."""
    workspace.faults.play("unknown-outcome")

    assert 1 == await order_worker.main(orders)
    assert "A number may have been bought; the next run will find out." in caplog.text
    workspace.faults.clear()
    assert 0 == await order_worker.main(orders)
    assert 1 == len(workspace.journal.select(**BUY))


@closing
async def test_two_workers_share_the_work(orders, workspace):
    """Both may take one order; one number is bought."""
    ended = await asyncio.gather(order_worker.main(orders), order_worker.main(orders))

    assert 0 in ended  # one that finds nothing for sale looks again in its next run
    assert ["4711.done"] == names(orders)
    assert 1 == len(workspace.journal.select(**BUY))


async def test_an_order_that_another_worker_took_is_done(orders):
    """It was there when the folder was read, and is gone now."""
    async with MihuClient() as mihu:
        assert await order_worker.handle(mihu, orders / "4712.json")
    assert order_worker.put_aside(orders / "4712.json")


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [(ValidationError, 422, True), (AuthenticationError, 401, False), (RateLimitError, 429, False)],
)
def test_an_order_is_put_aside_for_faults_of_its_own(kind, status, expected):
    """A revoked token and a limit say nothing of it."""
    fields: dict[str, Any] = {"fields": {}} if kind is ValidationError else {}
    error = kind("Refused.", **fields, status=status, method="POST", url="https://acme.mihu.ai")

    assert expected is order_worker.is_final(error)
