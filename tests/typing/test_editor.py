"""What an editor says: asked of pyright's language server, which is what many editors ask."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SERVER = Path(sys.executable).parent / "pyright-langserver"

PROBE = """
from mihu_async import APIError, EnsureOutcome, MihuClient, PhoneNumber, RetryPolicy
from mihu_async.sandbox import Sandbox

def probe(mihu: MihuClient, number: PhoneNumber, error: APIError, sandbox: Sandbox):
    number.billing
    error.retry_after
    sandbox.journal
    EnsureOutcome.REASSIGNED
    RetryPolicy(max_attempts=2)
    mihu.numbers.list(status="")
    mihu.trunks.assign(channel="")
"""

pytestmark = pytest.mark.skipif(not SERVER.exists(), reason="pyright is installed for make check only")


class Editor:
    """An editor with one file open, which is not saved."""

    def __init__(self, server: "subprocess.Popen[bytes]", text: str) -> None:
        self.server = server
        self.text = text
        self.uri = (ROOT / "tests" / "typing" / "probe.py").as_uri()
        folders = [{"uri": ROOT.as_uri(), "name": "project"}]
        self.ask("initialize", processId=None, rootUri=None, workspaceFolders=folders, capabilities={})
        self.send(method="initialized", params={})
        opened = {"uri": self.uri, "languageId": "python", "version": 1, "text": text}
        self.send(method="textDocument/didOpen", params={"textDocument": opened})

    def send(self, **message: Any) -> None:
        """Send a message."""
        assert self.server.stdin
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.server.stdin.flush()

    def ask(self, method: str, **params: Any) -> Any:
        """Send a request, wait for its answer, and answer all that is asked meanwhile with nothing."""
        self.send(id=method, method=method, params=params)
        while True:
            message = self.receive()
            if "method" not in message and message.get("id") == method:
                return message["result"]
            if "method" in message and "id" in message:
                self.send(id=message["id"], result=None)

    def receive(self) -> Any:
        """Wait for a message."""
        assert self.server.stdout
        length = 0
        while header := self.server.stdout.readline().strip():
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return json.loads(self.server.stdout.read(length))

    def at(self, method: str, code: str, offset: int) -> Any:
        """Ask about a place: so many characters before the end of the code, which stands in the file once."""
        before = self.text[: self.text.index(code) + len(code) - offset]
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return self.ask(f"textDocument/{method}", textDocument={"uri": self.uri}, position=position)


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    """Open the probe."""
    with subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as server:
        try:
            yield Editor(server, PROBE)
        finally:
            server.kill()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("number.billing", "The cost of the number."),
        ("error.retry_after", "The pause in seconds that the service asked for."),
        ("sandbox.journal", "The requests that arrived."),
        ("EnsureOutcome.REASSIGNED", "The trunk served another agent"),
        ("max_attempts", "A call is sent at most this often"),
        ("mihu.numbers", "The workspace's numbers: list"),
        ("mihu.trunks.assign", "PUT /phone-numbers/trunks/assign"),
    ],
)
def test_what_is_pointed_at_is_explained(editor, code, expected):
    """A field, an attribute, an enum's member, an option and a method show their docstrings."""
    assert expected in editor.at("hover", code, 1)["contents"]["value"]


@pytest.mark.parametrize(
    ("code", "words"),
    [('status=""', ["active", "pending", "inactive"]), ('channel=""', ["call", "whatsapp"])],
)
def test_the_words_of_an_enum_are_proposed(editor, code, words):
    """Between the quotes, whatever else may stand there."""
    assert [f'"{word}"' for word in words] == [item["label"] for item in editor.at("completion", code, 1)["items"]]
