import getpass
import json
from typing import Any

import pytest

from mihu_async.cli.errors import Exit

TRUNK = "+12345678901 --channel call"
LOGIN = {"username": "acme-user", "password": "hunter22"}


@pytest.fixture
def agents(sandbox) -> list[str]:
    """Return agents that serve nobody's calls."""
    return list(sandbox.inventory.free_agents("call"))


def bodies(sandbox) -> list[dict[str, Any]]:
    """Return the bodies of the changes that arrived."""
    return [entry.json for entry in sandbox.journal if entry.method in {"POST", "PATCH", "PUT"}]


def test_a_trunk_lives_and_dies(command, sandbox, agents):
    """It is registered, changed, moved and removed."""
    first, second, *_ = agents
    registered = command(f"trunks register {TRUNK} --agent-uuid {first} --name Desk --direction both")
    command(f"trunks update {TRUNK} --name Front --direction inbound")
    moved = command(f"trunks assign {TRUNK} --agent-uuid {second} --output csv")
    removed = command(f"trunks delete {TRUNK} --yes")

    assert first == json.loads(registered.out)["channels"]["call"]["agent_uuid"]
    assert second in moved.rows[1]
    assert (Exit.DONE, "") == (removed.code, removed.out)
    assert "+12345678901" not in {row["number"] for row in sandbox.inventory.trunks}


def test_a_removal_asks(command, sandbox, agents, typed):
    """A no leaves the trunk where it is."""
    command(f"trunks register {TRUNK} --agent-uuid {agents[0]}")
    typed("n\n")
    done = command(f"trunks delete {TRUNK}")

    assert Exit.DECLINED == done.code
    assert "Remove the trunk +12345678901 from call? [y/N]" in done.err
    assert "+12345678901" in {row["number"] for row in sandbox.inventory.trunks}


@pytest.mark.parametrize("words", ["register", "assign", "ensure"])
def test_a_dry_run_changes_nothing(command, sandbox, agents, words):
    """It shows the request."""
    done = command(f"trunks {words} {TRUNK} --agent-uuid {agents[0]} --dry-run")

    assert done.out.startswith("curl --request P")
    assert [] == bodies(sandbox)


@pytest.mark.parametrize("source", ["file", "env", "ask"])
def test_a_login_comes_from_anywhere_but_the_command_line(
    command, sandbox, agents, source, tmp_path, monkeypatch, typed
):
    """A file, the environment or a prompt; and it shows nowhere."""
    if source == "file":
        (tmp_path / "login.json").write_text(json.dumps(LOGIN))
        source = str(tmp_path / "login.json")
    monkeypatch.setenv("MIHU_SIP_USERNAME", LOGIN["username"])
    monkeypatch.setenv("MIHU_SIP_PASSWORD", LOGIN["password"])
    # patched, because it reads from the terminal that the process belongs to
    monkeypatch.setattr(getpass, "getpass", lambda asked, **_: LOGIN[asked.removeprefix("SIP ").removesuffix(": ")])
    typed("")
    options = f"{TRUNK} --sip-gateway sip.acme.com --sip-port 5061 --sip-secondary-gateway sip2.acme.com --debug"
    done = command(f"trunks register --agent-uuid {agents[0]} {options} --sip-login", source)
    command(f"trunks update {options} --sip-login", source)

    sip = {"gateway": "sip.acme.com", "port": 5061, "secondary_gateway": "sip2.acme.com", **LOGIN}
    assert [sip, sip] == [body["sip"] for body in bodies(sandbox)]
    assert "hunter22" not in done.out + done.err


@pytest.mark.parametrize(
    ("source", "text", "message"),
    [
        ("env", None, "--sip-login env must provide MIHU_SIP_USERNAME or MIHU_SIP_PASSWORD"),
        ("file", '{"user": "hunter22"}', "must provide username or password and nothing else"),
        ("file", "{}", "must provide username or password and nothing else"),
        ("file", '{"password": "hunter22"', "is not JSON"),
        ("file", '{"password": 22}', "SipCredentials.password must be text"),
    ],
)
def test_a_login_that_is_none_is_refused(command, sandbox, agents, source, text, message, tmp_path):
    """Nothing is sent, and nothing of it is shown."""
    if text is not None:
        source = str(tmp_path / "login.json")
        (tmp_path / "login.json").write_text(text)
    done = command(f"trunks register {TRUNK} --agent-uuid {agents[0]} --sip-login", source)

    assert (Exit.USAGE, []) == (done.code, bodies(sandbox))
    assert message in done.err
    assert "hunter22" not in done.err


def test_settings_come_from_a_file(command, sandbox, agents, tmp_path):
    """As a JSON object, for all that store them."""
    (tmp_path / "settings.json").write_text('{"a": [1]}')
    settings = ("--additional-settings", str(tmp_path / "settings.json"))
    command(f"trunks register {TRUNK} --agent-uuid {agents[0]}", *settings)
    command(f"trunks update {TRUNK}", *settings)
    command(f"trunks ensure +12345678902 --channel call --agent-uuid {agents[1]}", *settings)

    assert [{"a": [1]}] * 3 == [body["additional_settings"] for body in bodies(sandbox)]


def test_settings_that_are_no_text_are_refused(command, sandbox, agents, tmp_path):
    """A file of bytes was not meant, and nothing is sent."""
    (tmp_path / "settings.json").write_bytes(b"\xff")
    settings = ("--additional-settings", str(tmp_path / "settings.json"))
    done = command(f"trunks register {TRUNK} --agent-uuid {agents[0]}", *settings)

    assert (Exit.USAGE, []) == (done.code, bodies(sandbox))
    assert "settings.json is not text in UTF-8." in done.err


def test_a_trunk_is_ensured(command, agents):
    """Created, left as it is, and moved; what was not sent is said."""
    first, second, *_ = agents
    runs = [command(f"trunks ensure {TRUNK} --agent-uuid {agent} --name Desk") for agent in (first, first, second)]

    assert ["created", "unchanged", "reassigned"] == [json.loads(done.out)["outcome"] for done in runs]
    assert [
        "",
        *[
            (
                "mihu-async: The trunk existed already, so these settings were not sent: name. "
                "Use trunks update to send them.\n"
            )
        ]
        * 2,
    ] == [done.err for done in runs]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "+12345678901 --channel call",
        f"{TRUNK} --agent-uuid a --results x.csv",
        "+12345678901 --from trunks.csv",
        "--from trunks.csv --sip-port 5060",
        "--from trunks.csv --name Desk",
    ],
)
def test_a_trunk_or_a_file_is_ensured(command, sandbox, words):
    """And never both, or half of one."""
    done = command("trunks ensure", *[words] * bool(words))

    assert Exit.USAGE == done.code
    assert not sandbox.journal
