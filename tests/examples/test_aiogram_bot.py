"""The Telegram bot, from its first poll to its last answer."""

import asyncio
from datetime import UTC, datetime

import pytest

from mihu_async.sandbox import Delay, Status
from tests.examples.hosts import bot, terminate, until

pytestmark = pytest.mark.slow

CHAT = 7
TRUNK = "/phone-numbers/trunks/assign"


@pytest.fixture
async def telegram():
    """Serve the Bot API."""
    from tests.examples.telegram import Telegram  # noqa: PLC0415 (aiogram takes seconds to import)

    async with Telegram() as served:
        yield served


@pytest.fixture
async def running(telegram, _clients):
    """Run the bot for one chat, until it is asked to stop."""
    from examples import aiogram_bot  # noqa: PLC0415 (aiogram takes seconds to import)

    async with bot(aiogram_bot.main(telegram.bot(), {CHAT}), telegram.connected) as task:
        yield task


@pytest.fixture
def assignment(workspace):
    """Give a trunk, an agent that is free to serve it, and the command for that."""
    trunk = next(row["number"] for row in workspace.inventory.trunks if row["bindings"]["call"]["agent_uuid"])
    agent = workspace.inventory.free_agents("call")[0]
    return trunk, agent, f"/assign {trunk} {agent}"


@pytest.mark.usefixtures("running")
async def test_it_lists_numbers(telegram, workspace):
    """Those of the country that was named, or the first twenty; each answer costs one request."""
    old = dict.fromkeys(("purchased_at", "updated_at"), datetime(2026, 1, 1, tzinfo=UTC))  # a walk counts what is old
    for number in ("+390790080041", "+390790080042"):
        workspace.inventory.insert(number=number, country_code="IT", status="active", **old)
    first = [f"{row['number']} {row['status']}" for row in workspace.inventory.numbers[:20]]

    assert "+390790080041 active\n+390790080042 active" == await telegram.ask("/numbers IT", chat=CHAT)
    assert [*first, "and more"] == (await telegram.ask("/numbers", chat=CHAT)).splitlines()
    assert "There are none." == await telegram.ask("/numbers AQ", chat=CHAT)
    assert 3 == len(workspace.journal)


@pytest.mark.usefixtures("running")
async def test_it_assigns_a_trunk(telegram, workspace, assignment):
    """The chat is told who answers, and the workspace shows it."""
    trunk, agent, command = assignment
    told = await telegram.ask(command, chat=CHAT)

    (row,) = (row for row in workspace.inventory.trunks if row["number"] == trunk)
    assert agent == row["bindings"]["call"]["agent_uuid"]
    assert f"{trunk} is answered by {row['bindings']['call']['agent_name']} now." == told


@pytest.mark.usefixtures("running")
async def test_it_tells_the_chat_what_went_wrong(telegram, workspace, assignment):
    """And goes on: one failure after the other, and then all is well."""
    _, agent, command = assignment
    failures = [
        (Status(404), "Mihu refused: A fault of the sandbox's script."),
        (Status(429, retry_after=120), "Mihu is busy. Try again in 120 s."),
        (Status(200, body="no JSON"), "Mihu gave no usable answer. To send the command again is safe."),
    ]
    told: list[str] = []
    for fault, _ in failures:
        workspace.faults.add(fault, path=TRUNK, times=None)
        told.append(await telegram.ask(command, chat=CHAT))
        workspace.faults.clear()

    assert [says for _, says in failures] == told
    assert (await telegram.ask(f"/assign 0790 {agent}", chat=CHAT)).startswith("phone_number must")
    assert " now." in await telegram.ask(command, chat=CHAT)


@pytest.mark.usefixtures("running")
async def test_it_answers_no_other_chat(telegram, workspace):
    """What anyone writes to the bot costs no request, and neither does a command that is incomplete."""
    telegram.say("/numbers", chat=CHAT + 1)

    assert "/assign +12345678901 agent-uuid" == await telegram.ask("/assign", chat=CHAT)
    assert 0 == len(workspace.journal)


async def test_a_command_under_way_is_answered_before_the_client_is_closed(telegram, workspace, assignment, running):
    """Then the bot ends by itself."""
    workspace.faults.add(Delay(0.3), path=TRUNK)
    telegram.say(assignment[2], chat=CHAT)
    await until(lambda: bool(workspace.journal.select(path=TRUNK)))
    terminate()
    async with asyncio.timeout(10):
        await running

    assert " now." in telegram.answers.get_nowait()[1]
