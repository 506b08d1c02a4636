import json

import pytest

from mihu_async.cli.errors import Exit
from mihu_async.sandbox import Reset, Status


@pytest.fixture
def agent(sandbox) -> str:
    """Return an agent that serves nobody's calls."""
    return str(sandbox.inventory.free_agents("call")[0])


@pytest.fixture
def number(sandbox) -> str:
    """Return a purchased number that nobody answers."""
    return str(sandbox.inventory.insert()["phone_number_uuid"])


def bindings(sandbox) -> dict[str, str | None]:
    """Return who answers the number on each channel."""
    return {channel: binding["agent_uuid"] for channel, binding in sandbox.inventory.numbers[-1]["bindings"].items()}


@pytest.mark.parametrize("output", ["table", "csv", "jsonl", "json"])
def test_agents_are_listed(command, sandbox, output):
    """All of them, in every format, and with the name that tells them apart."""
    done = command(f"agents list --per-page 50 --output {output}")
    known = sandbox.inventory.agents

    assert (Exit.DONE, "") == (done.code, done.err)
    assert all(agent.uuid in done.out and agent.name in done.out for agent in known)
    if output == "csv":
        assert "agent_uuid,name,status,language,timezone,description" == done.rows[0]
        assert len(known) + 1 == len(done.rows)


def test_an_agent_answers_calls_and_messages(command, sandbox, agent, number):
    """Both are reported on standard error; only calls write the agent, because no answer about messages is known."""
    calls = command(f"agents provision-call {agent} {number}")
    messages = command(f"agents assign-sms {agent} {number}")

    assert agent == json.loads(calls.out)["agent_uuid"]
    assert calls.err == f"mihu-async: Agent {agent} answers the calls of {number} now.\n"
    assert (Exit.DONE, "", f"mihu-async: Agent {agent} answers the text messages of {number} now.\n") == messages
    assert {"call": agent, "sms": agent, "whatsapp": None} == bindings(sandbox)


@pytest.mark.parametrize("word", ["provision-call", "assign-sms"])
def test_a_dry_run_changes_nothing(command, sandbox, agent, number, word):
    """It shows the request."""
    done = command(f"agents {word} {agent} {number} --dry-run")

    assert done.out.startswith("curl --request POST")
    assert number in done.out
    assert {None} == set(bindings(sandbox).values())


@pytest.mark.parametrize("word", ["provision-call", "assign-sms"])
def test_failures_have_their_exit_codes(command, sandbox, agent, number, word):
    """Words that no id has, a refusal, and an answer that was lost and cannot be looked up."""
    wrong = command(f"agents {word} a/b {number}")
    refused = command(f"agents {word} {number} {number}")
    sandbox.faults.add(Reset(after=True), method="POST")
    sandbox.faults.add(Status(404), method="GET", times=None)
    unknown = command(f"agents {word} {agent} {number}")

    assert [Exit.USAGE, Exit.REFUSED, Exit.UNKNOWN] == [wrong.code, refused.code, unknown.code]
    assert "AGENT_UUID must be an id" in wrong.err
    assert f"there is no agent {number}" in refused.err
    assert f"Check mihu-async numbers channels {number} before you send it again." in unknown.err
