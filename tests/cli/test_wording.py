"""What the command says is said in its own words."""

import re

import pytest

from mihu_async.cli.app import app
from mihu_async.cli.errors import Exit
from mihu_async.cli.wording import in_words

PYTHON = re.compile(r"\w+=…|\b[a-z_]+=(?!\d)|\w+\(\)|\(…\)|MihuClient|await |mihu\.\w+\(|channels_of|\bNone\b|Errno")
"""Signs of advice for who writes Python."""

SAID = {
    "There is no token: pass token= or set MIHU_API_TOKEN. Without an account, mihu_async.sandbox has one.": (
        "There is no token: set MIHU_API_TOKEN, or use --token-file. Without an account, mihu-async sandbox has one."
    ),
    "There is no address: pass subdomain= or base_url=, or set MIHU_TENANT or MIHU_BASE_URL.": (
        "There is no address: pass --subdomain or --base-url, or set MIHU_TENANT or MIHU_BASE_URL."
    ),
    "Pass subdomain= or base_url=, not both.": "Pass --subdomain or --base-url, not both.",
    "must be one label; a whole address goes into base_url=, not 'x y'.": (
        "must be one label; a whole address goes into --base-url, not 'x y'."
    ),
    "without credentials and query (it comes from base_url= or MIHU_BASE_URL).": (
        "without credentials and query (it comes from --base-url or MIHU_BASE_URL)."
    ),
    "token must be visible ASCII (it comes from token= or MIHU_API_TOKEN).": (
        "token must be visible ASCII (it comes from --token-file or MIHU_API_TOKEN)."
    ),
    "Its certificate is for another host: check the address (base_url=…) and the proxy.": (
        "Its certificate is for another host: check the address (--base-url) and the proxy."
    ),
    "Where its authority is one of your own, name it: ssl=ssl.create_default_context(cafile=…).": (
        "Where its authority is one of your own, name its file in SSL_CERT_FILE."
    ),
    "What listens there speaks no TLS: check the scheme and the port (base_url=…, proxy=…).": (
        "What listens there speaks no TLS: check the scheme and the port (--base-url, HTTPS_PROXY)."
    ),
    "The proxy asks for other credentials: proxy='http://user:password@host:port'.": (
        "The proxy asks for other credentials: HTTPS_PROXY=http://user:password@host:port."
    ),
    "ask who runs it, or give another one (proxy=…).": "ask who runs it, or give another one (HTTPS_PROXY).",
    "trust its CA (SSL_CERT_FILE=, or ssl= with a context); check": "trust its CA (SSL_CERT_FILE); check",
    "name it (proxy=, or HTTPS_PROXY with trust_env=True).": "name it (HTTPS_PROXY).",
    "If calls must go through it, make the client with trust_env=True; otherwise nothing is wrong.": (
        "If calls must go through it, leave out --no-trust-env; otherwise nothing is wrong."
    ),
    "Not tried again: the service asks for a pause of 90 s, above max_retry_after=60.": (
        "Not tried again: the service asks for a pause of 90 s, longer than the 60 s that the command waits for."
    ),
    "Not tried again: max_attempts=4.": "Not tried again: --max-attempts 4.",
    "with a higher max_monthly_fee= or another choose=.": "with a higher --max-monthly-fee.",
    "monthly_fee is 9, above max_monthly_fee=5.": "The monthly fee is 9, above --max-monthly-fee 5.",
    "max_monthly_fee needs monthly_fee to compare.": "--max-monthly-fee needs --monthly-fee to compare.",
    "Check numbers.channels('a-1').call_agent before you send it again.": (
        "Check mihu-async numbers channels a-1 before you send it again."
    ),
    "check which agent it serves: numbers.channels_of('+12345678901').call_agent.": (
        "check which agent it serves: mihu-async numbers channels +12345678901."
    ),
    "mihu.request('GET', '/channels') may list them": "mihu-async request GET /channels may list them",
    "Repeat the call that has this key, or call numbers.recover().": (
        "Repeat the call that has this key, or call mihu-async numbers recover."
    ),
    "trunks.update(…) stores them": "mihu-async trunks update stores them",
    "look at numbers.list() before you buy again": "look at mihu-async numbers list before you buy again",
    "look at the number with numbers.find().": "look at the number with mihu-async numbers get.",
    "Timeout.total must be positive.": "--timeout must be positive.",
    "RetryPolicy.max_attempts must be 1.": "--max-attempts must be 1.",
    "There is nothing to change: pass voice or sms or inbound. Nothing was sent.": (
        "There is nothing to change: pass an option of a channel, such as --voice-enabled. Nothing was sent."
    ),
    "There is nothing to change: pass name or direction or sip or additional_settings. Nothing was sent.": (
        "There is nothing to change: pass an option of the trunk, such as --name. Nothing was sent."
    ),
    "it may still become so: wait for it again, with a longer timeout.": "it may still become so.",
    "mihu.doctor() says which way it goes.": "mihu-async doctor says which way it goes.",
}


@pytest.mark.parametrize("text", SAID, ids=range(len(SAID)))
def test_advice_for_python_is_said_in_options_and_commands(text):
    """And nothing else is touched."""
    assert SAID[text] == in_words(text)
    assert not PYTHON.search(in_words(text)) or "HTTPS_PROXY=" in in_words(text)
    assert in_words(text) == in_words(in_words(text))


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ("numbers list", {"MIHU_API_TOKEN": ""}),
        ("numbers list", {"MIHU_API_TOKEN": "a b"}),
        ("numbers list", {"MIHU_BASE_URL": ""}),
        ("numbers list", {"MIHU_BASE_URL": "acme"}),
        ("numbers list --subdomain acme --base-url https://acme.mihu.ai", {}),
        ("numbers list --subdomain acme.mihu.ai", {}),
        ("numbers list --max-attempts 1 --base-url http://127.0.0.1:1", {}),
        ("numbers list --timeout 0", {}),
        ("numbers list --page 0", {}),
        ("numbers list --file no/such/folder/x.csv", {}),
        ("trunks register 12345 --channel call --agent-uuid a", {}),
        ("trunks update +12345678901 --channel call", {}),
        ("numbers buy +390790080041 --country-code ITA --type local --yes", {}),
        ("numbers update +12345678901", {}),
        ("numbers list --max-attempts 1", {"HTTP_PROXY": "http://user:x@127.0.0.1:1"}),
    ],
)
def test_errors_name_options_and_say_nothing_twice(command, monkeypatch, words, variables):
    """Nobody who types a command wants advice for Python."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = command(words)
    sentences = re.split(r"(?<=[.:]) |\n", done.err.strip())

    assert Exit.DONE != done.code
    assert not PYTHON.search(done.err), done.err
    assert len(set(sentences)) == len([one for one in sentences if one != "mihu-async:"]) + ("mihu-async:" in sentences)


PLAIN_NO = {
    f"--no-{name}" for name in ("search", "trust-env", "admin", "voice-enabled", "sms-enabled", "inbound-enabled")
}


def commands() -> list[str]:
    """Return every command, as it is typed."""
    names = [name for name in app if not name.startswith("-")]
    groups = {name: [inner for inner in app[name] if not inner.startswith("-")] for name in names}
    return [f"{name} {inner}".strip() for name in names for inner in groups[name] or [""]]


@pytest.mark.parametrize("words", commands())
def test_help_is_without_noise(command, words):
    """No option is made up for one that is there or not, and no default is said that says nothing."""
    shown = re.sub(r"[\s│]+", " ", command(f"{words} --help").out)

    assert f"Usage: mihu-async {words}" in shown
    assert "--empty-" not in shown
    assert not re.search(r"\[default: (\(\)|False|None|True)\]", shown)
    assert PLAIN_NO >= set(re.findall(r"--no-[\w-]+", shown))


@pytest.mark.parametrize("name", ["x.xlsx", "x.txt", "x.csv.gz"])
def test_a_file_whose_ending_says_no_format_is_refused(command, sandbox, tmp_path, name):
    """Unless the format is said."""
    file = str(tmp_path / name)
    refused, written = command("numbers list --file", file), command("numbers list --output csv --file", file)

    assert (Exit.USAGE, Exit.DONE) == (refused.code, written.code)
    assert f"{name}: its ending is not that of a format. Nothing was sent." in refused.err
    assert "or use --output." in refused.err
