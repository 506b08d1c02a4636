"""The Slack bot, from its connection to its last answer."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest

from examples import slack_bot
from mihu_async import ConnectionLostError, LedgerError
from mihu_async.ledger import SqliteLedger
from mihu_async.sandbox import Change, Delay, Reset, Status
from tests.examples.hosts import bot, raise_fees, terminate, until
from tests.examples.slack import APP_TOKEN, Slack

OFFER = "/buy IT local"
BUY: dict[str, Any] = {"method": "POST", "path": "/phone-numbers"}


@pytest.fixture
async def slack():
    """Serve Slack."""
    async with Slack() as served:
        yield served


@pytest.fixture(autouse=True)
async def running(slack, _clients):
    """Run the bot until it is asked to stop."""
    async with bot(slack_bot.main(slack.client(), APP_TOKEN), slack.connected) as task:
        yield task


async def test_it_lists_numbers(slack, workspace):
    """Those of the country that was named, or the first fifty."""
    for number in ("+390790080041", "+390790080042"):
        workspace.inventory.insert(number=number, country_code="IT")

    assert "+390790080041\n+390790080042" == await slack.ask("/numbers IT")
    assert [row["number"] for row in workspace.inventory.numbers[:50]] == (await slack.ask("/numbers")).splitlines()
    assert "No numbers found." == await slack.ask("/numbers AQ")


@pytest.fixture
async def button(slack):
    """Ask for an offer, and give its button."""
    assert "Buy +390790080041 for 1.15 a month?" == await slack.ask(OFFER)
    (found,) = slack.buttons
    return found


async def test_it_asks_before_it_buys(slack, workspace, button):
    """Nothing is bought before the button is pressed; then it is, once, and the bot says so."""
    assert 0 == len(workspace.journal.select(**BUY))
    answers = [await slack.choose(button) for _ in range(2)]

    assert ["Bought +390790080041."] * 2 == answers
    assert 1 == len(workspace.journal.select(**BUY))
    assert "+390790080041" in {row["number"] for row in workspace.inventory.numbers}


async def test_a_button_that_is_pressed_again_finds_out(slack, workspace, button):
    """A purchase whose answer was lost is found when the button is pressed again."""
    workspace.faults.play("unknown-outcome")
    first = await slack.choose(button)
    workspace.faults.clear()

    assert first.startswith("The outcome is unknown. Press again to find out, or check: ")
    assert "Bought +390790080041." == await slack.choose(button)
    assert 1 == len(workspace.journal.select(**BUY))


async def test_it_spends_no_more_than_the_bound(slack, workspace, button):
    """No offer above it is shown, and no button of before it is taken for an order."""
    workspace.faults.add(Change(raise_fees), path="/phone-numbers/search")
    dear = {**button, "value": button["value"].replace("1.15", "5.01")}

    assert "No such number is for sale for up to 5 a month." == await slack.ask(OFFER)
    assert (await slack.choose(dear)).startswith("monthly_fee is 5.01, above max_monthly_fee=5.")
    assert 0 == len(workspace.journal.select(**BUY))


async def test_it_says_that_a_number_was_held_before(slack, workspace, button):
    """Also where a lookup found it, and the service said nothing of it."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    workspace.inventory.insert(number="+390790080041", country_code="IT", purchased_at=long_ago)
    workspace.faults.add(Reset(), **BUY)

    assert "bought before this call" in await slack.choose(button)


async def test_it_shows_how_to_buy(slack, workspace):
    """Where the command is incomplete, nothing is sent."""
    assert "/buy IT local" == await slack.ask("/buy IT")
    assert 0 == len(workspace.journal)


async def test_it_says_how_many_numbers_a_full_workspace_holds(slack, workspace, button):
    """With the service's reason and its figures."""
    workspace.inventory.purchase_limit = 250
    answer = await slack.choose(button)

    assert answer.endswith(" The workspace holds 250 of 250 numbers.")
    assert not answer.startswith(("Mihu refused.", " "))


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ([Status(404)], "Mihu refused: A fault of the sandbox's script."),
        ([Status(429, retry_after=120)], "Mihu is busy. Try again in 120 s."),
    ],
    ids=["not found", "too many"],
)
async def test_it_says_why_a_purchase_was_refused(slack, workspace, button, faults, says):
    """And goes on."""
    for fault in faults:
        workspace.faults.add(fault, **BUY)

    assert says == await slack.choose(button)
    assert "Bought +390790080041." == await slack.choose(button)


async def test_it_says_that_nothing_was_changed(slack, workspace):
    """Where no answer to a read could be read; what it does not understand is not sent."""
    workspace.faults.add(Status(200, body="no JSON"), times=None)
    answer = await slack.ask("/numbers")
    workspace.faults.clear()

    assert "Mihu gave no usable answer. Nothing was changed." == answer
    assert (await slack.ask("/numbers it")).startswith("country_code must")
    assert "No numbers found." == await slack.ask("/numbers AQ")


async def test_a_ledger_that_cannot_be_used_buys_nothing(slack, workspace, button, monkeypatch):
    """The bot says so, though it is not Mihu's fault."""
    monkeypatch.setattr(SqliteLedger, "take", Mock(side_effect=LedgerError("the disk is full")))

    assert "The purchase ledger is unavailable. Nothing was bought." == await slack.choose(button)
    assert 0 == len(workspace.journal.select(**BUY))


@pytest.mark.parametrize(("method", "effect"), [("PUT", "It may have been applied"), ("GET", "Nothing was changed.")])
def test_it_knows_what_a_lost_answer_means(method, effect):
    """An error says by itself whether anything can have changed."""
    lost = ConnectionLostError("Lost.", method=method, url="https://acme.mihu.ai")

    assert slack_bot.explain(lost).startswith(f"Mihu gave no usable answer. {effect}")


async def test_a_command_that_cannot_be_answered_ends_nothing(slack, caplog):
    """The log says so, and the next one is answered."""
    await slack.say("/numbers", answerable=False)
    await until(lambda: "A command was not answered" in caplog.text)

    assert "No numbers found." == await slack.ask("/numbers AQ")


async def test_a_purchase_under_way_is_answered_before_the_client_is_closed(slack, workspace, button, running):
    """Then the bot ends by itself."""
    workspace.faults.add(Delay(0.3), **BUY)
    await slack.press(button)
    await until(lambda: bool(workspace.journal.select(**BUY)))
    terminate()
    async with asyncio.timeout(10):
        await running

    assert "Bought +390790080041." == slack.answers.get_nowait()
