import errno
import json
import sys
from typing import Any

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.cli.run import run
from mihu_async.sandbox import Status

BUY = "numbers buy +390790080041 --country-code IT --type local"


def bought(sandbox) -> list[dict[str, Any]]:
    """Return the bodies of the purchases that arrived."""
    return [entry.json for entry in sandbox.journal if entry.method == "POST"]


def test_a_purchase_shows_what_it_costs_and_asks(command, sandbox, typed):
    """A yes buys it, with what the search said of it."""
    typed("y\n")
    done = command(BUY)

    assert Exit.DONE == done.code
    (bought_row,) = (row for row in sandbox.inventory.numbers if row["number"] == "+390790080041")
    assert [
        "+390790080041, local, IT, Sassari, Sardegna",
        (
            f"It is bought for the workspace {sandbox.base_url}; no agent answers it until agents provision-call "
            "assigns one."
        ),
        "It costs 1.15 a month; the search does not show the currency.",
        (
            "Buy it? [y/N] mihu-async: Bought +390790080041; agents provision-call AGENT_UUID +390790080041 assigns an "
            "agent to its calls."
        ),
    ] == done.err.splitlines()
    assert bought_row["phone_number_uuid"] == json.loads(done.out)["phone_number_uuid"]
    assert "+390790080041" == json.loads(done.out)["number"]
    assert [("Sassari, Sardegna", 1.15)] == [(body["location"], body["monthly_fee"]) for body in bought(sandbox)]


def test_a_purchase_is_reported_though_its_row_cannot_be_written(sandbox, capsys, monkeypatch):
    """A closed pipe and a full disk hide nothing that was spent."""

    def closed(_) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sys.stdout, "write", closed)
    code = run([*BUY.split(), "--yes"])
    monkeypatch.undo()

    assert (Exit.CLOSED_PIPE, 1) == (code, len(bought(sandbox)))
    assert "mihu-async: Bought +390790080041" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yes please\n"])
def test_anything_but_a_yes_buys_nothing(command, sandbox, typed, answer):
    """The exit code says that it was declined."""
    typed(answer)
    done = command(BUY)

    assert (Exit.DECLINED, []) == (done.code, bought(sandbox))
    assert "Nothing was sent" in done.err


def test_nobody_to_ask_buys_nothing(command, sandbox):
    """A script must say --yes."""
    done = command(BUY)

    assert (Exit.DECLINED, []) == (done.code, bought(sandbox))
    assert "--yes" in done.err
    assert Exit.DONE == command(BUY, "--yes").code
    assert 1 == len(bought(sandbox))


def test_a_dry_run_shows_the_request(command, sandbox):
    """Nothing is asked, and nothing is sent."""
    done = command(BUY, "--dry-run")

    assert (Exit.DONE, []) == (done.code, bought(sandbox))
    assert done.out.startswith("curl --request POST ")
    assert "It costs 1.15 a month" in done.err
    assert sandbox.token not in done.out + done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--max-monthly-fee 1.14", "The monthly fee is 1.15, above --max-monthly-fee 1.14"),
        ("--no-search --max-monthly-fee 5", "--max-monthly-fee needs --monthly-fee"),
        ("--answer business_name", "An answer must be KEY=TEXT"),
        ("--document =x", "An answer must be KEY=TEXT"),
        ("--answer nothing=x", "key must name one of the requirements"),
    ],
)
def test_what_cannot_be_bought_is_refused_before_it_is_asked(command, sandbox, typed, words, message):
    """Nothing is sent."""
    typed("y\n")
    done = command(BUY, words)

    assert (Exit.USAGE, []) == (done.code, bought(sandbox))
    assert message in done.err
    assert "Buy it?" not in done.err


def test_the_command_lines_word_is_taken(command, sandbox):
    """Without a search, what is not said is not known."""
    done = command(BUY, "--yes --no-search --location Sassari --answer a=b --document c=d")
    (body,) = bought(sandbox)

    assert "Its cost is unknown." in done.err
    assert "monthly_fee" not in body
    assert "Sassari" == body["location"]
    assert [{"key": "a", "value": "b"}, {"key": "c", "document_id": "d"}] == body["requirements"]
    assert [entry.path for entry in sandbox.journal] == ["/api/v1/phone-numbers"]


def test_what_is_said_fills_in_what_the_search_does_not(command, sandbox):
    """A fee of its own, and a currency where the search has one."""
    offer = {"number": "+390790080041", "currency": "EUR"}
    sandbox.faults.add(Status(200, body={"success": True, "data": [offer]}), path="/phone-numbers/search", times=None)

    assert "It costs 2.5 EUR a month." in command(BUY, "--dry-run --monthly-fee 2.5").err
    assert "Its cost is unknown." in command(BUY, "--dry-run").err


def test_what_the_search_says_is_not_overruled(command, sandbox):
    """A fee on the command line hides no higher one, neither from the bound nor from who is asked."""
    shown = command(BUY, "--dry-run --monthly-fee 0.5 --location Rome")
    bounded = command(BUY, "--yes --monthly-fee 0.5 --max-monthly-fee 1")

    assert "+390790080041, local, IT, Sassari, Sardegna\n" in shown.err
    assert "It costs 1.15 a month" in shown.err
    assert (Exit.USAGE, []) == (bounded.code, bought(sandbox))
    assert "The monthly fee is 1.15, above --max-monthly-fee 1." in bounded.err


@pytest.mark.parametrize("offer", [{"type": "mobile"}, {"type": "local", "country_code": "DE"}])
def test_an_offer_that_is_another_one_is_not_bought(command, sandbox, offer):
    """The service may ignore what was searched for; what the offer says of itself counts."""
    body = {"success": True, "data": [{"number": "+390790080041", "monthly_fee": 9} | offer]}
    sandbox.faults.add(Status(200, body=body), path="/phone-numbers/search")
    done = command(BUY, "--yes")

    assert (Exit.USAGE, []) == (done.code, bought(sandbox))
    assert "According to the search, +390790080041 has the" in done.err


def test_a_number_that_is_not_for_sale_is_not_bought(command, sandbox):
    """It says how to buy it all the same."""
    done = command("numbers buy +390790080042 --country-code IT --type local --yes")

    assert (Exit.REFUSED, []) == (done.code, bought(sandbox))
    assert "is not among the local numbers for sale in IT" in done.err
    assert "--no-search" in done.err


def test_requirements_are_answered(command, sandbox, tmp_path):
    """What is missing is named, and an address goes along."""
    (number, *_) = (json.loads(row)["number"] for row in command("numbers search --country-code GB --type mobile").rows)
    buy = f"numbers buy {number} --country-code GB --type mobile --yes"
    missing = command(buy, "--document proof_of_address=d-1")
    address = tmp_path / "address.json"
    address.write_text('{"locality": "London"}')
    done = command(
        buy,
        "--document proof_of_address=d-1",
        "--answer",
        "business_name=Acme=Ltd",
        "--address-file",
        str(address),
    )
    (body,) = bought(sandbox)

    assert Exit.USAGE == missing.code
    assert "Unanswered requirements: business_name." in missing.err
    assert Exit.DONE == done.code
    assert "London" == body["address"]["locality"]
    assert {"Acme=Ltd", None} == {answer.get("value") for answer in body["requirements"]}


def test_an_address_has_known_names(command, tmp_path):
    """The error for a wrong one names the right ones."""
    address = tmp_path / "address.json"
    address.write_text('{"city": "London"}')
    done = command(BUY, "--address-file", str(address))

    assert Exit.USAGE == done.code
    assert "must contain only first_name, last_name" in done.err


def test_requirements_can_be_shown(command):
    """Each with what it is known by."""
    done = command("numbers requirements --country-code GB --type mobile --output csv")

    assert "key,requirement_id,name,type,description" == done.rows[0]
    assert ["proof_of_address", "business_name"] == [row.split(",")[0] for row in done.rows[1:]]


def test_channels_are_found_by_number_and_by_uuid(command, sandbox):
    """Both give the same."""
    row = sandbox.inventory.numbers[0]
    found = [command("numbers", "channels", row[name]).out for name in ("number", "phone_number_uuid")]

    assert found[0] == found[1]
    assert row["number"] == json.loads(found[0])["number"]


def test_an_update_sends_what_is_given(command, sandbox):
    """And nothing else; none lifts a limit, and an empty list of countries clears it."""
    uuid = sandbox.inventory.numbers[0]["phone_number_uuid"]
    command(f"numbers update {uuid} --no-voice-enabled --voice-channel-limit none --inbound-channel-limit 3")
    command(f"numbers update {uuid} --sms-enabled --voice-whitelisted-destinations", "US,CA")
    command("numbers", "update", uuid, "--sms-whitelisted-destinations", "", "--inbound-enabled")

    assert [
        {"voice": {"enabled": False, "channel_limit": None}, "inbound": {"channel_limit": 3}},
        {"voice": {"whitelisted_destinations": ["US", "CA"]}, "sms": {"enabled": True}},
        {"sms": {"whitelisted_destinations": []}, "inbound": {"enabled": True}},
    ] == [entry.json["channel_settings"] for entry in sandbox.journal]
