"""Purchases that have a key, acquisitions, and what became of those that were cut off."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Hang, Reset, Status

BUY = "numbers buy +390790080041 --country-code IT --type local --yes"
ACQUIRE = "numbers acquire --country-code IT --type local"


@pytest.fixture
def ledger(tmp_path) -> tuple[str, ...]:
    """Return the options of a purchase with a key."""
    return ("--idempotency-key", "order-4711", "--ledger", str(tmp_path / "purchases.db"))


def bought(sandbox) -> list[dict[str, Any]]:
    """Return the bodies of the purchases that arrived."""
    return [entry.json for entry in sandbox.journal if entry.method == "POST" and entry.path.endswith("/phone-numbers")]


@pytest.mark.parametrize("how", ["", " --no-search"])
def test_a_second_purchase_says_that_the_number_is_held(command, sandbox, how):
    """With its row; nothing is bought, and nothing is proposed."""
    first = command(BUY)
    second = command(f"{BUY}{how}")

    assert (Exit.DONE, Exit.REFUSED) == (first.code, second.code)
    assert json.loads(first.out)["phone_number_uuid"] == json.loads(second.out)["phone_number_uuid"]
    assert "mihu-async: The workspace already has +390790080041 (active): nothing was bought." in second.err
    assert "--no-search" not in second.err


@pytest.mark.parametrize("status", [401, 403])
def test_a_purchase_that_failed_otherwise_is_reported_as_it_is(command, sandbox, status):
    """The inventory does not tell why the service refused."""
    command(BUY)
    sandbox.faults.add(Status(status), method="POST", times=None)
    done = command(f"{BUY} --no-search")

    assert (Exit.REFUSED, False) == (done.code, "already" in done.err)


def test_a_number_that_cannot_be_looked_for_is_not_for_sale(command, sandbox):
    """The lookup is a help, and its failure none."""
    sandbox.faults.add(Status(403), path="/phone-numbers", times=None)
    done = command("numbers buy +390790080042 --country-code IT --type local --yes")

    assert (Exit.REFUSED, True) == (done.code, "is not among the local numbers for sale" in done.err)


def test_a_purchase_with_a_key_is_made_once(command, sandbox, ledger, typed):
    """The same command returns the same number, asks nothing, and says that it bought nothing now."""
    first = command(BUY, *ledger)
    second = command(BUY.removesuffix(" --yes"), *ledger, "--max-monthly-fee", "5")

    assert (Exit.DONE, first.out) == (second.code, second.out)
    assert "mihu-async: Bought +390790080041" in first.err
    assert "+390790080041 was bought earlier under the key order-4711; nothing was bought now;" in second.err
    assert "Bought" not in second.err
    assert "It costs" not in second.err
    assert 1 == len(bought(sandbox))


def test_a_purchase_that_was_cut_off_is_taken_up(command, sandbox, ledger):
    """It is asked about again, for it may be sent again; then it is looked up first."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    cut_off = command(BUY, *ledger, "--max-attempts", "1")
    sandbox.faults.clear()
    asked = command(BUY.removesuffix(" --yes"), *ledger)
    taken_up = command(BUY, *ledger)

    assert [Exit.UNKNOWN, Exit.DECLINED, Exit.DONE] == [done.code for done in (cut_off, asked, taken_up)]
    assert 1 == len(bought(sandbox))


def test_a_purchase_that_was_cut_off_keeps_its_bound(command, sandbox, ledger):
    """It may be sent again, and the price is what the search says now."""
    sandbox.faults.add(Reset(), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    cut_off = command(BUY, *ledger, "--max-attempts", "1")
    sandbox.faults.clear()
    refused = command(BUY, *ledger, "--max-monthly-fee", "1")
    bought_now = command(BUY, *ledger, "--max-monthly-fee", "2")

    assert [Exit.UNKNOWN, Exit.USAGE, Exit.DONE] == [done.code for done in (cut_off, refused, bought_now)]
    assert "The monthly fee is 1.15, above --max-monthly-fee 1." in refused.err
    assert "+390790080041" == json.loads(bought_now.out)["number"]


def test_a_key_is_for_one_request(command, sandbox, ledger):
    """Another number under it is refused."""
    command(BUY, *ledger)
    other = command(BUY.replace("0041", "0042"), *ledger)

    assert (Exit.USAGE, 1) == (other.code, len(bought(sandbox)))
    assert "order-4711" in other.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--idempotency-key k", "--idempotency-key needs --ledger FILE."),
        ("--ledger x.db", "--ledger FILE needs --idempotency-key."),
    ],
)
@pytest.mark.parametrize("purchase", [BUY, f"{ACQUIRE} --yes"])
def test_a_key_needs_a_ledger(command, sandbox, tmp_path, monkeypatch, purchase, words, message):
    """And a ledger a key; nothing is sent."""
    monkeypatch.chdir(tmp_path)
    done = command(f"{purchase} {words}")

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert message in done.err


def test_a_ledger_that_is_none_is_refused(command, sandbox, tmp_path):
    """Nothing is bought without its protection."""
    (tmp_path / "purchases.db").write_text("not a database" * 100)
    done = command(BUY, "--idempotency-key", "k", "--ledger", str(tmp_path / "purchases.db"))

    assert (Exit.USAGE, []) == (done.code, bought(sandbox))
    assert "purchases.db" in done.err


def test_the_outcome_that_is_unknown_is_reported_in_the_commands_words(command, sandbox):
    """Once, with the command that checks it, and without advice for Python."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    done = command(f"{BUY} --max-attempts 1")

    assert Exit.UNKNOWN == done.code
    assert done.err.splitlines()[-1] == (
        "mihu-async: Before you buy it again, check that mihu-async numbers channels +390790080041 does not find it."
    )
    assert 1 == done.err.count("numbers channels")
    assert "channels_of" not in done.err


def test_a_number_is_acquired_and_answered(command, sandbox, typed):
    """What is bought, for whom and for how much is said before it is asked."""
    agent = sandbox.inventory.free_agents("call")[0]
    typed("y\n")
    done = command(f"{ACQUIRE} --max-monthly-fee 5 --agent-uuid {agent}")
    row = json.loads(done.out)

    assert Exit.DONE == done.code
    assert (
        f"A local number of IT, for 5 a month at most, for the workspace {sandbox.base_url}, for agent {agent}.\n"
        f"The first offer that fits is {row['number']}. It costs 1.15 a month; the search does not show the currency.\n"
        "Buy one? [y/N] " in done.err
    )
    assert f"Bought {row['number']}; agent {agent} answers its calls." in done.err
    assert agent == sandbox.inventory.numbers[-1]["bindings"]["call"]["agent_uuid"]


def test_an_acquisition_with_a_key_buys_one(command, sandbox, ledger):
    """However often it is run."""
    runs = [command(f"{ACQUIRE} --yes", *ledger), command(ACQUIRE, *ledger)]

    assert [Exit.DONE] * 2 == [done.code for done in runs]
    assert 1 == len({json.loads(done.out)["phone_number_uuid"] for done in runs})
    assert 1 == len(bought(sandbox))
    assert "at any price" in runs[0].err
    assert "Buy one" not in runs[1].err
    assert "was bought earlier under the key order-4711; nothing was bought now" in runs[1].err


def test_nothing_is_acquired_without_a_yes(command, sandbox, typed):
    """Nor in a dry run, which shows the request."""
    typed("n\n")
    declined, dry = command(ACQUIRE), command(f"{ACQUIRE} --dry-run")

    assert [Exit.DECLINED, Exit.DONE] == [declined.code, dry.code]
    assert dry.out.startswith("curl --request POST ")
    assert [] == bought(sandbox)


def test_requirements_are_answered_by_their_keys(command, sandbox, tmp_path):
    """What is missing is named, with the options that answer it."""
    (tmp_path / "address.json").write_text('{"locality": "London"}')
    acquire = "numbers acquire --country-code GB --type mobile --yes --document proof_of_address=d-1"
    missing = command(acquire)
    done = command(acquire, "--answer", "business_name=Acme", "--address-file", str(tmp_path / "address.json"))
    (body,) = bought(sandbox)

    assert Exit.USAGE == missing.code
    assert "'business_name' (textual). Nothing was bought. Put them into --answer and --document" in missing.err
    assert Exit.DONE == done.code
    assert {"Acme", None} == {answer.get("value") for answer in body["requirements"]}


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (
            404,
            "The agent may not exist: agents list shows the agents, and agents provision-call AGENT_UUID {} binds one.",
        ),
        (409, "Choose another agent or another number; agents provision-call AGENT_UUID {} binds one."),
        (422, "Run mihu-async agents provision-call {agent} {}{again}."),
    ],
)
def test_a_number_that_is_bought_and_not_bound_is_shown(command, sandbox, ledger, status, advice, has_key):
    """The advice fits the refusal and mentions the key only if there is one; the exit code says half done."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.faults.add(Status(status), method="POST", path=f"/agents/{agent}/channels/call/provision", times=None)
    done = command(f"{ACQUIRE} --agent-uuid {agent} --yes", *(ledger if has_key else ()))
    number = json.loads(done.out)["number"]
    again = ", or run the same command again with the same key" if has_key else ""

    assert Exit.INCOMPLETE == done.code
    assert f"{number} was bought, but agent {agent} could not be bound to its calls: POST " in done.err
    assert f"mihu-async: {advice.format(number, agent=agent, again=again)}" == done.err.splitlines()[-1]


@pytest.mark.parametrize("words", [f"{ACQUIRE} --yes --agent-uuid bob", "agents provision-call bob +12345678901"])
def test_the_name_of_an_agent_is_refused(command, sandbox, words):
    """Nothing is bought for an agent whose uuid cannot be one."""
    done = command(words)

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert "'bob' is not a uuid; agents list shows the uuids." in done.err


def test_an_acquisition_that_nothing_fits_says_so_before_it_asks(command, sandbox, typed):
    """The person can decline, or try all the same."""
    typed("n\n")
    done = command(f"{ACQUIRE} --max-monthly-fee 0.01")

    assert "No offer fits now.\nBuy one? [y/N] " in done.err


@pytest.mark.parametrize("has_key", [True, False])
def test_an_interrupted_acquisition_says_that_a_number_may_be_bought(command, sandbox, ledger, interrupt, has_key):
    """And how to find it: it was, and its agent was being bound."""
    agent = sandbox.inventory.free_agents("call")[0]
    sandbox.faults.add(Hang(), path=f"/agents/{agent}/channels/call/provision")
    interrupt(lambda: bool(sandbox.journal) and sandbox.journal[-1].path.endswith("/provision"))
    done = command(f"{ACQUIRE} --agent-uuid {agent} --yes", *(ledger if has_key else ()))

    assert (Exit.UNKNOWN, 1) == (done.code, len(bought(sandbox)))
    assert done.err.splitlines()[-2:] == [
        "mihu-async: Interrupted: a number may have been bought already.",
        "mihu-async: Run the same command again with the same key: it looks the purchase up first, and buys nothing "
        "twice."
        if has_key
        else "mihu-async: Check numbers list for a new number before you run the command again: it would buy "
        "another one.",
    ]


def test_nothing_that_fits_is_a_refusal(command, sandbox):
    """It says what to ask for instead."""
    done = command(f"{ACQUIRE} --max-monthly-fee 0.01 --yes")

    assert (Exit.REFUSED, []) == (done.code, bought(sandbox))
    assert done.err.endswith("Search again later, or with a higher --max-monthly-fee.\n")


def test_what_was_cut_off_is_recovered(command, sandbox, tmp_path, ledger):
    """A row says of each key how its purchase ended, and nothing is bought."""
    path = tmp_path / "purchases.db"
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    command(BUY, *ledger, "--max-attempts", "1")
    unknown = command("numbers recover --max-attempts 1 --ledger", str(path))
    sandbox.faults.clear()
    settled = command("numbers recover --output csv --ledger", str(path))
    nothing = command("numbers recover --ledger", str(path))

    assert [Exit.UNKNOWN, Exit.DONE, Exit.DONE] == [done.code for done in (unknown, settled, nothing)]
    assert "unknown" == json.loads(unknown.out)["outcome"]
    assert "The outcome of 1 purchase is still unknown." in unknown.err
    assert "channels_of" not in json.loads(unknown.out)["reason"]
    assert "1 purchase was interrupted; its outcome is now known." in settled.err
    assert ["order-4711", "+390790080041", "bought"] == settled.rows[1].split(",")[:3]
    assert "No purchase was interrupted." in nothing.err
    assert 1 == len(bought(sandbox))
    with sqlite3.connect(path) as known:
        assert [("settled",)] == known.execute("SELECT state FROM entries").fetchall()
    known.close()


def test_a_ledger_that_is_not_there_is_not_made(command, sandbox, tmp_path):
    """It was spelled wrongly, rather."""
    done = command("numbers recover --ledger", str(tmp_path / "other.db"))

    assert (Exit.USAGE, False) == (done.code, (tmp_path / "other.db").exists())
    assert "does not exist" in done.err


def test_a_number_that_an_agent_answers_is_said_to_be_answered(command, sandbox, ledger):
    """As where its key has bought it before; and a number is bound by itself, without its uuid."""
    agent = sandbox.inventory.free_agents("call")[0]
    command(BUY, *ledger)
    bound = command(f"agents provision-call {agent} +390790080041")
    again = command(BUY, *ledger)

    assert agent == json.loads(bound.out)["agent_uuid"]
    assert agent == sandbox.inventory.numbers[-1]["bindings"]["call"]["agent_uuid"]
    assert again.err.endswith(f"nothing was bought now; agent {agent} answers its calls.\n")


def cut_off(command, sandbox, ledger) -> None:
    """Interrupt a purchase after it was sent."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    command(BUY, *ledger, "--max-attempts", "1")
    sandbox.faults.clear()


def hold(path: Path, until: float) -> None:
    """Write into the ledger until when a process holds every key."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE entries SET owner = 'other', held_until = ?", (until,))


def test_an_acquisition_that_was_cut_off_tries_its_number_first(command, sandbox, ledger, typed):
    """The question names it."""
    cut_off(command, sandbox, ledger)
    typed("n\n")
    asked = command(ACQUIRE, *ledger)

    assert "An earlier run began to buy +390790080041, which is tried first.\nBuy one? [y/N] " in asked.err


def test_an_unknown_purchase_with_a_key_is_to_be_repeated(command, sandbox, ledger):
    """The key makes that safe, so the advice is not to look by hand."""
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(503), method="GET", times=None, after_write=True)
    done = command(BUY, *ledger, "--max-attempts", "1")

    assert Exit.UNKNOWN == done.code
    assert done.err.splitlines()[-1] == (
        "mihu-async: Run the same command again with the same key: it looks the purchase up first, and buys nothing "
        "twice. numbers recover only looks it up."
    )


def test_a_purchase_under_way_is_not_recovered(command, sandbox, tmp_path, ledger):
    """It is listed, and the command ends as one whose outcome is unknown; its key is not forgotten either."""
    cut_off(command, sandbox, ledger)
    path = tmp_path / "purchases.db"
    hold(path, time.time() + 10)
    done = command("numbers recover --ledger", str(path))
    forgotten = command("numbers recover --yes --forget order-4711 --ledger", str(path))

    assert [Exit.UNKNOWN] * 2 == [done.code, forgotten.code]
    assert "under_way" == json.loads(done.out)["outcome"]
    assert "mihu-async: 1 purchase may still be under way; run this again in 15 s.\n" in done.err
    assert "A process holds the key order-4711, or held it less than 15 s ago: nothing was changed." in forgotten.err


def test_a_key_is_forgotten_on_the_word_of_a_person(command, sandbox, tmp_path, ledger, typed):
    """It is free afterwards, and the question says what that means."""
    cut_off(command, sandbox, ledger)
    path = tmp_path / "purchases.db"
    words = ("numbers recover --forget order-4711 --ledger", str(path))
    typed("n\n")
    declined = command(*words)
    typed("y\n")
    done, again = command(*words), command(*words)

    assert [Exit.DECLINED, Exit.DONE, Exit.REFUSED] == [ended.code for ended in (declined, done, again)]
    assert (
        "Forget it only if you have checked that +390790080041 was not bought: the key can then buy again." in done.err
    )
    assert "The key order-4711 is free: the next purchase under it is a new one." in done.err
    assert "No interrupted purchase has the key order-4711: nothing was changed." in again.err
