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
    assert "The service does not accept it (401)." in done.out


def test_the_doctor_finds_that_nobody_listens(command):
    """In the time that it was given."""
    assert Exit.NETWORK == command("doctor --deadline 5 --base-url http://127.0.0.1:1").code
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
