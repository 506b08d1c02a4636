import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mihu_async import (
    AuthenticationError,
    DecodeError,
    MihuClient,
    OutcomeUnknownError,
    PaginationError,
    RetryPolicy,
    ServerError,
    Timeout,
)
from mihu_async.sandbox import Faults, Sandbox
from mihu_async.sandbox.scripts import SCRIPTS

ROOT = Path(__file__).parent.parent.parent
NUMBER = {"number": "+390790080041", "country_code": "IT", "type": "local"}


async def walk(mihu):
    """Walk all numbers."""
    return await mihu.numbers.list(per_page=20).collect()


async def buy(mihu):
    """Buy a number."""
    return await mihu.numbers.buy(**NUMBER)


async def register(mihu, agent):
    """Register a trunk."""
    return await mihu.trunks.register(phone_number="+12345678901", channel="call", agent_uuid=agent)


@pytest.fixture
async def played():
    """Return what serves a script, with an impatient client of it."""
    async with AsyncExitStack() as running:

        async def play(name):
            sandbox = await running.enter_async_context(Sandbox(numbers=50, script=name))
            mihu = MihuClient(
                token=sandbox.token,
                base_url=sandbox.base_url,
                retries=RetryPolicy(base_delay=0),
                timeout=Timeout(total=2, read=0.2),
            )
            return sandbox, await running.enter_async_context(mihu)

        yield play


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        pytest.param("busy", [429, 429, 200], id="busy"),
        pytest.param("flaky", [None, 200, 503, 200], id="flaky"),
        pytest.param("hanging", [None, 200], id="hanging"),
    ],
)
async def test_scripts_that_are_got_over(played, name, statuses):
    """What goes wrong for a time costs the client attempts and nothing else."""
    sandbox, mihu = await played(name)
    await mihu.numbers.list()

    assert statuses == [entry.status for entry in sandbox.journal]
    assert () == sandbox.faults.pending


@pytest.mark.parametrize(
    ("name", "error"),
    [
        pytest.param("outage", ServerError, id="outage"),
        pytest.param("revoked-token", AuthenticationError, id="revoked-token"),
        pytest.param("sign-in-wall", DecodeError, id="sign-in-wall"),
        pytest.param("repeated-page", PaginationError, id="repeated-page"),
    ],
)
async def test_scripts_that_end_a_walk(played, name, error):
    """What goes wrong for ever ends a walk, with the error that says so."""
    _, mihu = await played(name)
    with pytest.raises(error):
        await walk(mihu)


async def test_lost_purchase(played):
    """A purchase whose answer is lost is found, and not made twice."""
    sandbox, mihu = await played("lost-purchase")
    bought = await buy(mihu)

    assert bought.phone_number_uuid in {row["phone_number_uuid"] for row in sandbox.inventory.numbers}
    assert 1 == len(sandbox.journal.select(method="POST"))
    assert mihu.last_call.found


async def test_lost_registration(played):
    """The same holds for a trunk."""
    sandbox, mihu = await played("lost-registration")
    agent = sandbox.inventory.free_agents("call")[0]
    snapshot = await register(mihu, agent)

    assert agent == snapshot.channels.call.agent_uuid
    assert 1 == len(sandbox.journal.select(method="POST"))


async def test_unknown_outcome(played):
    """A purchase and a registration without an answered lookup say that nobody knows; both were made."""
    sandbox, mihu = await played("unknown-outcome")
    with pytest.raises(OutcomeUnknownError):
        await buy(mihu)

    assert NUMBER["number"] in {row["number"] for row in sandbox.inventory.numbers}


async def test_unknown_outcome_after_a_search(played):
    """What goes before the purchase is answered, so that it is sent."""
    sandbox, mihu = await played("unknown-outcome")
    purchase = await mihu.numbers.prepare(await mihu.numbers.search("IT").first())
    for key in purchase.missing:
        purchase = purchase.answer(key, value="an answer")
    with pytest.raises(OutcomeUnknownError):
        await purchase.commit()

    assert purchase.offer.number in {row["number"] for row in sandbox.inventory.numbers}


async def test_new_status(played):
    """A status that no page names is kept and said to be unknown."""
    _, mihu = await played("new-status")

    assert {("quarantined", False)} == {(number.status, number.status.is_known) for number in await walk(mihu)}


async def test_empty_fields(played):
    """What is null is None."""
    _, mihu = await played("empty-fields")

    assert {(None, None)} == {(number.billing, number.compliance) for number in await walk(mihu)}


def test_several_scripts():
    """Several scripts are played in their order, as `play` does one by one."""
    faults = Faults()
    faults.play("busy")
    faults.play("outage")

    assert faults.pending == Sandbox(script=("busy", "outage")).faults.pending


def test_unknown_script():
    """A name that is not there is refused, with those that are."""
    with pytest.raises(ValueError, match="there is no script 'rain'; the scripts are busy, flaky"):
        Faults().play("rain")


def test_scripts_are_in_the_docs():
    """The table of docs/testing.md names each script, with what it does."""
    table = re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", (ROOT / "docs" / "testing.md").read_text(), re.MULTILINE)

    assert {name: script.meaning for name, script in SCRIPTS.items()} == dict(table)
