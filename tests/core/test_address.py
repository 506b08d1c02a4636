import pytest
from yarl import URL

from mihu_async import UsageError
from mihu_async.core.address import check_user_agent, find_base_url, find_proxy, find_token


def test_a_token_given_goes_before_the_environment():
    """The environment is read only where nothing was given."""
    assert "given" == find_token("given", {"MIHU_API_TOKEN": "found"})
    assert "found" == find_token(None, {"MIHU_API_TOKEN": "found"})


@pytest.mark.parametrize(
    ("token", "environment"),
    [
        (None, {}),
        ("", {"MIHU_API_TOKEN": "found"}),
        (None, {"MIHU_API_TOKEN": ""}),
        ("secret token", {}),
        ("secret\n", {}),
        ("sécret", {}),
        (b"secret", {}),
    ],
    ids=["none", "empty", "empty variable", "space", "line end", "accent", "bytes"],
)
def test_a_token_that_cannot_be_is_refused_unseen(token, environment):
    """The error names the argument and never shows the value."""
    with pytest.raises(UsageError, match="token") as caught:
        find_token(token, environment)

    assert "token" == caught.value.argument
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("subdomain", "base_url", "environment", "expected"),
    [
        ("acme", None, {}, "https://acme.mihu.ai"),
        ("Acme-2", None, {"MIHU_BASE_URL": "https://x.y"}, "https://acme-2.mihu.ai"),
        (None, "https://acme.mindhunters.ai", {"MIHU_TENANT": "x"}, "https://acme.mindhunters.ai"),
        (None, "https://acme.mihu.ai/", {}, "https://acme.mihu.ai"),
        (None, "https://acme.mihu.ai/api/v1", {}, "https://acme.mihu.ai"),
        (None, "https://acme.mihu.ai/api/v1/", {}, "https://acme.mihu.ai"),
        (None, "https://gateway.example/mihu/api/v1", {}, "https://gateway.example/mihu"),
        (None, URL("http://127.0.0.1:8080"), {}, "http://127.0.0.1:8080"),
        (None, None, {"MIHU_TENANT": "acme"}, "https://acme.mihu.ai"),
        (None, None, {"MIHU_TENANT": "acme", "MIHU_BASE_URL": "https://x.y"}, "https://x.y"),
        (None, None, {"MIHU_TENANT": "acme", "MIHU_BASE_URL": ""}, "https://acme.mihu.ai"),
    ],
)
def test_the_address_comes_from_arguments_then_the_environment(subdomain, base_url, environment, expected):
    """A base URL may come with or without /api/v1."""
    assert expected == str(find_base_url(subdomain, base_url, environment)).rstrip("/")


@pytest.mark.parametrize(
    ("subdomain", "base_url", "argument"),
    [
        (None, None, "base_url"),
        ("acme", "https://acme.mihu.ai", "base_url"),
        ("acme.mihu.ai", None, "subdomain"),
        ("", None, "subdomain"),
        ("-acme", None, "subdomain"),
        ("evil/..", None, "subdomain"),
        (5, None, "subdomain"),
        (None, "", "base_url"),
        (None, "acme.mihu.ai", "base_url"),
        (None, "ftp://acme.mihu.ai", "base_url"),
        (None, "https://user:pw@acme.mihu.ai", "base_url"),
        (None, "https://acme.mihu.ai?x=1", "base_url"),
        (None, "https://acme.mihu.ai#x", "base_url"),
        (None, "http://[bad", "base_url"),
        (None, "https://acme.mihu.ai/\r\nx", "base_url"),
        (None, "https://acme.\tmihu.ai", "base_url"),
        (None, "https://acme.mihu.ai/%0d%0ax", "base_url"),
        (None, "https://acme.mihu.ai/\x85", "base_url"),
        (None, "https://acme.mihu.ai ", "base_url"),
        (None, "https://acme mihu.ai", "base_url"),
        (None, 5, "base_url"),
    ],
)
def test_an_address_that_cannot_be_is_refused(subdomain, base_url, argument):
    """The error names the argument, and shows no credentials."""
    with pytest.raises(UsageError) as caught:
        find_base_url(subdomain, base_url, {})

    assert argument == caught.value.argument
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("proxy", "trust_env", "variables", "expected"),
    [
        (None, False, {"https_proxy": "http://env:1"}, None),
        (None, True, {}, None),
        (None, True, {"https_proxy": "http://env:1"}, "http://env:1"),
        (None, True, {"all_proxy": "http://all:1"}, "http://all:1"),
        (None, True, {"http_proxy": "http://other:1"}, None),
        (None, True, {"https_proxy": "http://env:1", "no_proxy": "mihu.ai"}, None),
        ("http://given:1", True, {"https_proxy": "http://env:1"}, "http://given:1"),
        (URL("https://given:1"), False, {}, "https://given:1"),
    ],
)
def test_the_proxy_is_the_one_given_or_the_environments(proxy, trust_env, variables, expected, monkeypatch):
    """HTTPS_PROXY, ALL_PROXY and NO_PROXY count only where the caller trusts them."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = find_proxy(proxy, URL("https://acme.mihu.ai"), trust_env=trust_env)

    assert (None if expected is None else URL(expected)) == found


@pytest.mark.parametrize("proxy", ["", "given:1", "socks5://user:pw@given:1", "http://[bad", 5])
def test_a_proxy_that_cannot_be_is_refused(proxy):
    """The error shows no credentials."""
    with pytest.raises(UsageError) as caught:
        find_proxy(proxy, URL("https://acme.mihu.ai"), trust_env=False)

    assert "proxy" == caught.value.argument
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("value", ["", "a\r\nX-Injected: 1", "é", 5])
def test_a_user_agent_cannot_smuggle_a_header(value):
    """Line ends are refused before they reach the wire."""
    assert "acme-bot/1.2 (x)" == check_user_agent("acme-bot/1.2 (x)")
    with pytest.raises(UsageError, match="user_agent"):
        check_user_agent(value)
