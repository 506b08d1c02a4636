"""The Slack bot, from its connection to its last answer."""

import asyncio
from datetime import UTC, datetime

import pytest

from examples import slack_bot
from mihu_async.sandbox import Delay, Reset, Status
from tests.examples.hosts import bot, terminate, until
from tests.examples.slack import APP_TOKEN, Slack

BUY = "/buy +390790080041 IT local"


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
    assert "There are none." == await slack.ask("/numbers AQ")


async def test_it_buys_a_number(slack, workspace):
    """Once, and says so."""
    assert "Bought +390790080041." == await slack.ask(BUY)
    assert "+390790080041" in {row["number"] for row in workspace.inventory.numbers}


async def test_it_says_that_a_number_was_held_before(slack, workspace):
    """Also where a look-up found it, and the service said nothing of it."""
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    workspace.inventory.insert(number="+390790080041", country_code="IT", purchased_at=long_ago)
    workspace.faults.add(Reset(), method="POST", path="/phone-numbers")

    assert "bought before this call" in await slack.ask(BUY)


async def test_it_shows_how_to_buy(slack, workspace):
    """Where the command is incomplete, nothing is sent."""
    assert "/buy +390790080041 IT local" == await slack.ask("/buy +390790080041")
    assert 0 == len(workspace.journal)


async def test_it_says_how_many_numbers_a_full_workspace_holds(slack, workspace):
    """With the service's figures."""
    workspace.inventory.purchase_limit = 250

    assert "The workspace holds 250 of 250 numbers." == await slack.ask(BUY)


@pytest.mark.parametrize(
    ("faults", "command", "says"),
    [
        ([], "/buy 0790 IT local", "number must"),
        ([Status(404)], BUY, "Mihu refused: A fault of the sandbox's script."),
        ([Status(429, retry_after=120)], BUY, "Mihu is busy. Try again in 120 s."),
        ([Reset(after=True), *[Status(403)] * 9], BUY, "It is not known whether this was done. "),
        ([Status(200, body="no JSON")] * 9, "/numbers", "Mihu gave no usable answer. Nothing was changed."),
    ],
    ids=["no number", "not found", "too many", "not known", "no answer"],
)
async def test_it_says_what_went_wrong(slack, workspace, faults, command, says):
    """And goes on."""
    for fault in faults:
        workspace.faults.add(fault)
    told = await slack.ask(command)
    workspace.faults.clear()

    assert told.startswith(says)
    assert "There are none." == await slack.ask("/numbers AQ")


async def test_a_command_that_cannot_be_answered_ends_nothing(slack, caplog):
    """The log says so, and the next one is answered."""
    await slack.say("/numbers", answerable=False)
    await until(lambda: "A command was not answered" in caplog.text)

    assert "There are none." == await slack.ask("/numbers AQ")


async def test_a_command_under_way_is_answered_before_the_client_is_closed(slack, workspace, running):
    """Then the bot ends by itself."""
    workspace.faults.add(Delay(0.3), method="POST")
    await slack.say(BUY)
    await until(lambda: bool(workspace.journal))
    terminate()
    async with asyncio.timeout(10):
        await running

    assert "Bought +390790080041." == slack.answers.get_nowait()
