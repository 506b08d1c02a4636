import json

import pytest

from mihu_async.cli.app import code_of
from mihu_async.cli.errors import Exit
from mihu_async.doctor import Check, Diagnosis, Finding, Level


def test_the_doctor_tells_all(command):
    """As text, or as rows."""
    text, rows = command("doctor"), command("doctor --output jsonl")

    assert (Exit.DONE, Exit.DONE) == (text.code, rows.code)
    assert list(Check) == [line.split()[1] for line in text.rows]
    assert list(Check) == [json.loads(row)["check"] for row in rows.rows]


def test_the_doctor_finds_a_wrong_token(command, monkeypatch):
    """With its exit code."""
    monkeypatch.setenv("MIHU_API_TOKEN", "another")
    done = command("doctor")

    assert Exit.REFUSED == done.code
    assert "The service rejected it (401)." in done.out


def test_the_doctor_finds_that_nobody_listens(command):
    """In the time that it was given."""
    done = command("doctor --deadline 5 --base-url http://127.0.0.1:1")
    listed = command("numbers list --max-attempts 1 --base-url http://127.0.0.1:1")

    assert [Exit.NETWORK] * 2 == [done.code, listed.code]
    assert "Nothing accepted the connection: is the address right, and is the service running?" in done.out
    assert (
        "mihu-async: Nothing accepted the connection: is the address right, and is the service running?\n" in listed.err
    )
    assert Exit.USAGE == command("doctor --deadline 0").code


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ([], Exit.DONE),
        ([Check.TOKEN], Exit.REFUSED),
        ([Check.SERVICE], Exit.NETWORK),
        ([Check.NAMES, Check.TOKEN], Exit.NETWORK),
    ],
)
def test_the_exit_code_is_what_is_broken_first(broken, code):
    """A warning breaks nothing."""
    findings = [Finding(Check.CLOCK, Level.WARNING, "")] + [Finding(check, Level.PROBLEM, "") for check in broken]

    assert code is code_of(Diagnosis(tuple(findings)))


@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_that_cannot_be_used_is_named_with_its_variable(command, sandbox, monkeypatch, variable):
    """By every command, with the option that goes without it; and the doctor finds it."""
    monkeypatch.setenv(variable, "socks5://user:hunter22@192.0.2.1:1080")
    listed, report = command("numbers list --limit 1"), command("doctor")
    without = [command(f"{words} --no-trust-env") for words in ("numbers list --limit 1", "doctor")]
    reason = f"{variable} names a proxy that cannot be used: socks5:// is not supported, only http:// and https://."

    assert (Exit.USAGE, Exit.NETWORK) == (listed.code, report.code)
    assert f"mihu-async: {reason} Nothing was sent.\n" in listed.err
    assert "--no-trust-env" in listed.err
    assert f"problem  proxy     {reason} The other checks did not use it." in report.rows
    assert [Exit.DONE] * 2 == [done.code for done in without]
    assert "hunter22" not in listed.err + report.out


def test_a_proxy_that_is_not_for_the_address_is_no_fault(command, monkeypatch):
    """As where NO_PROXY names the host."""
    monkeypatch.setenv("HTTP_PROXY", "socks5://192.0.2.1:1080")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert Exit.DONE == command("numbers list --limit 1").code


def test_the_doctor_advises_in_the_commands_words(command, monkeypatch):
    """Where a proxy is named and left out on purpose."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:3128")
    done = command("doctor --no-trust-env")

    assert "If calls must go through it, leave out --no-trust-env; otherwise nothing is wrong." in done.out
    assert "trust_env=" not in done.out
