import io
import json
import sys

import pytest

from mihu_async.cli.errors import Exit


def test_any_endpoint_can_be_asked(command, sandbox):
    """With parameters, of which one name may come twice; the data of its answer is JSON."""
    done = command("request get /phone-numbers --query per_page=2 --query country_code=US")
    twice = command("request DELETE /phone-numbers --query ids[]=a --query ids[]=b --dry-run")

    assert Exit.DONE == done.code
    assert 2 == len(json.loads(done.out)["items"])
    assert 1 == len(done.rows)
    assert {"per_page": "2", "country_code": "US"} == dict(sandbox.journal[0].query)
    assert "ids%5B%5D=a&ids%5B%5D=b" in twice.out


def test_at_a_terminal_the_data_is_set_out(command, monkeypatch):
    """A field a line."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert '  "items": [' in command("request GET /phone-numbers --query per_page=1").rows


@pytest.mark.parametrize("source", ["file", "-"])
def test_a_body_comes_from_a_file_or_standard_input(command, sandbox, tmp_path, monkeypatch, source):
    """It is sent as it is."""
    agent = sandbox.inventory.free_agents("call")[0]
    body = {"phone_number": "+12345678901", "channel": "call", "agent_uuid": agent}
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(body)))
    path = tmp_path / "body.json"
    path.write_text(json.dumps(body))
    done = command("request", "POST", "/phone-numbers/trunks", "--json", str(path) if source == "file" else "-")

    assert Exit.DONE == done.code
    assert body == sandbox.journal[0].json


def test_an_answer_without_data_is_nothing(command, sandbox):
    """Such as that of a removal."""
    agent = sandbox.inventory.free_agents("call")[0]
    command(f"trunks register +12345678901 --channel call --agent-uuid {agent}")
    trunk = "--query phone_number=+12345678901 --query channel=call"
    done = command(f"request DELETE /phone-numbers/trunks {trunk}")

    assert Exit.DONE == done.code
    assert done.out in {"", "[]\n", "{}\n"} or json.loads(done.out)


def test_a_dry_run_sends_nothing(command, sandbox):
    """It shows the request."""
    done = command("request DELETE /phone-numbers/trunks --dry-run")

    assert done.out.startswith("curl --request DELETE ")
    assert not sandbox.journal


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("GET /phone-numbers --query per_page", "A query parameter must be KEY=VALUE, not 'per_page'."),
        ("GET /phone-numbers --query =2", "A query parameter must be KEY=VALUE, not '=2'."),
        ("POST /phone-numbers --json BODY", "body.json is not JSON"),
        ("POST /x --json {}", "--json takes a file, or - for standard input, not JSON itself. Nothing was sent."),
        ("FETCH /phone-numbers", "METHOD must be one of"),
        ("GET https://example.com/x", "path"),
    ],
)
def test_what_cannot_be_sent_is_refused(command, sandbox, tmp_path, words, message):
    """Without what the body holds, which may be a secret."""
    (tmp_path / "body.json").write_text('{"password": "hunter22"')
    done = command(f"request {words}".replace("BODY", str(tmp_path / "body.json")))

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert message in done.err
    assert "hunter22" not in done.err
