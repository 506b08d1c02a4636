"""The Telegram bot, from its first poll to its last answer."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from mihu_async import LedgerError, MihuClient
from mihu_async.ledger import SqliteLedger
from mihu_async.sandbox import Change, Delay, Status
from tests.examples.hosts import bot, raise_fees, terminate, until

pytestmark = pytest.mark.slow

CHAT = 7
BUY: dict[str, Any] = {"method": "POST", "path": "/phone-numbers"}
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
    """Return a trunk, an agent that is free to serve it, and the command for that."""
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
    assert "No numbers found." == await telegram.ask("/numbers AQ", chat=CHAT)
    assert 3 == len(workspace.journal)


@pytest.mark.usefixtures("running")
async def test_it_assigns_a_trunk(telegram, workspace, assignment):
    """The chat is told who answers, and the workspace shows it."""
    trunk, agent, command = assignment
    answer = await telegram.ask(command, chat=CHAT)

    (row,) = (row for row in workspace.inventory.trunks if row["number"] == trunk)
    assert agent == row["bindings"]["call"]["agent_uuid"]
    assert f"{row['bindings']['call']['agent_name']} now answers {trunk}." == answer


@pytest.mark.usefixtures("running")
async def test_it_tells_the_chat_what_went_wrong(telegram, workspace, assignment):
    """And goes on: one failure after the other, and then all is well."""
    _, agent, command = assignment
    failures = [
        (Status(404), "Mihu refused: A fault of the sandbox's script."),
        (Status(429, retry_after=120), "Mihu is busy. Try again in 120 s."),
        (
            Status(200, body="no JSON"),
            "Mihu gave no usable answer. It may have been applied; asking again is safe.",
        ),
    ]
    answers: list[str] = []
    for fault, _ in failures:
        workspace.faults.add(fault, path=TRUNK, times=None)
        answers.append(await telegram.ask(command, chat=CHAT))
        workspace.faults.clear()

    assert [says for _, says in failures] == answers
    assert (await telegram.ask(f"/assign 0790 {agent}", chat=CHAT)).startswith("phone_number must")
    assert " now answers " in await telegram.ask(command, chat=CHAT)


@pytest.fixture
async def button(telegram, running):
    """Ask for an offer, and give its button."""
    assert "Buy +390790080041 for 1.15 a month?" == await telegram.ask("/buy IT local", chat=CHAT)
    (found,) = telegram.buttons
    return found


async def test_it_asks_before_it_buys(telegram, workspace, button):
    """Nothing is bought before the button is pressed; then it is, once, and the chat is told."""
    assert 0 == len(workspace.journal.select(**BUY))
    answers = [await telegram.choose(button, chat=CHAT) for _ in range(2)]

    assert ["Bought +390790080041."] * 2 == answers
    assert 1 == len(workspace.journal.select(**BUY))


async def test_a_button_that_is_pressed_again_finds_out(telegram, workspace, button):
    """A purchase whose answer was lost is found, and not made again."""
    workspace.faults.play("unknown-outcome")
    first = await telegram.choose(button, chat=CHAT)
    workspace.faults.clear()

    assert first.startswith("The outcome is unknown. Press again to find out, or check: ")
    assert "Bought +390790080041." == await telegram.choose(button, chat=CHAT)
    assert 1 == len(workspace.journal.select(**BUY))


async def test_it_spends_no_more_than_the_bound(telegram, workspace, button):
    """No offer above it is shown, and no button of before it is taken for an order."""
    workspace.faults.add(Change(raise_fees), path="/phone-numbers/search")
    dear = {**button, "callback_data": button["callback_data"].replace("1.15", "5.01")}

    answer = await telegram.ask("/buy IT local", chat=CHAT)
    assert "No such number is for sale for up to 5 a month." == answer
    assert (await telegram.choose(dear, chat=CHAT)).startswith("monthly_fee is 5.01, above max_monthly_fee=5.")
    assert 0 == len(workspace.journal.select(**BUY))


async def test_a_ledger_that_cannot_be_used_buys_nothing(telegram, workspace, button, monkeypatch):
    """The chat is told so, though it is not Mihu's fault."""
    monkeypatch.setattr(SqliteLedger, "take", Mock(side_effect=LedgerError("the disk is full")))

    answer = await telegram.choose(button, chat=CHAT)
    assert "The purchase ledger is unavailable. Nothing was bought." == answer
    assert 0 == len(workspace.journal.select(**BUY))


async def test_a_button_in_another_chat_buys_nothing(telegram, workspace, button):
    """It was passed on to somebody who may not."""
    workspace.journal.clear()
    telegram.press(button, chat=CHAT + 1)

    assert "/buy IT local" == await telegram.ask("/buy IT", chat=CHAT)
    assert 0 == len(workspace.journal)


async def test_a_button_of_a_message_that_is_gone_buys_nothing(workspace):
    """Without the message there is no key."""
    from aiogram.types import CallbackQuery, User  # noqa: PLC0415 (aiogram takes seconds to import)

    from examples import aiogram_bot  # noqa: PLC0415 (same)

    pressed = CallbackQuery(id="1", from_user=User(id=CHAT, is_bot=False, first_name="Ada"), chat_instance="1")
    order = aiogram_bot.Order(number="+390790080041", country_code="IT", type="local", monthly_fee=Decimal(1))
    async with MihuClient() as mihu:
        await aiogram_bot.buy(pressed, order, mihu)

    assert 0 == len(workspace.journal)


@pytest.mark.usefixtures("running")
async def test_an_answer_that_is_none_changed_nothing(telegram, workspace):
    """The chat is told so for a read."""
    workspace.faults.add(Status(200, body="no JSON"), times=None)

    assert "Mihu gave no usable answer. Nothing was changed." == await telegram.ask("/numbers", chat=CHAT)


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

    assert " now answers " in telegram.answers.get_nowait()[1]
