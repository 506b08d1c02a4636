"""The curl examples of the five published pages, run as they stand."""

import html
import json
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
import trustme

from mihu_async.sandbox import Sandbox
from tests.platforms import posix_only

PAGES = Path(__file__).parents[1] / "contract" / "pages"
AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
ORDER = (
    "list-your-phone-numbers",
    "list-external-trunks",
    "buy-a-phone-number",
    "register-an-external-trunk",
    "assign-an-external-trunk",
)
"""A trunk is assigned after it was registered; else the pages may come in any order."""
HOSTS = ("subdomain.mihu.ai", "subdomain.mindhunters.ai")
"""How curl reads the pages' addresses: `{subdomain}` is a choice of one word to it."""


def example(page):
    """Return the command of a page."""
    text = html.unescape((PAGES / f"{page}.txt").read_text())
    found = re.search(r"^curl .*?(?=^\{)", text.replace("--data '\n{", "--data '{"), re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Serve a sandbox for the pages' hosts, to which a .curlrc leads, with their token and their agent."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with Sandbox(3, 2, token="<token>", agents=[AGENT], ssl=context) as sandbox:
        port = sandbox.base_url.rpartition(":")[2]
        settings = f'connect-to = "::127.0.0.1:{port}"\ncacert = "{tmp_path}/authority.pem"\nsilent\nshow-error\n'
        (tmp_path / ".curlrc").write_text(settings)
        monkeypatch.setenv("CURL_HOME", str(tmp_path))
        yield sandbox


@posix_only("has no /bin/sh")
def test_the_pages_examples(served):
    """Each answers as its page says, under the older pages' host and the newer ones', and binds the pages' agent."""
    answers = {}
    for page in ORDER:
        shell = subprocess.run(["/bin/sh", "-c", example(page)], capture_output=True, text=True, check=False)
        assert (0, "") == (shell.returncode, shell.stderr), page
        answers[page] = json.loads(shell.stdout)

    assert [True] * len(ORDER) == [answer["success"] for answer in answers.values()]
    assert [200, 200, 201, 201, 200] == [entry.status for entry in served.journal]
    assert set(HOSTS) == {entry.headers["Host"] for entry in served.journal}
    assert AGENT == answers[ORDER[-1]]["data"]["channels"]["call"]["agent_uuid"]
    assert {page.stem for page in PAGES.glob("*.txt")} == set(ORDER)
