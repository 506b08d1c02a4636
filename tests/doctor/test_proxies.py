import pytest
from yarl import URL

from mihu_async.core.address import find_proxy
from mihu_async.doctor.proxies import UnusableProxy, find_unusable, why_unusable
from mihu_async.errors import UsageError

FAULTS = {
    "socks5://192.0.2.1:1080": "socks5:// is not supported, only http:// and https://",
    "http://": "it names no host",
    "http://:3128": "it is not an address such as http://proxy.example.com:3128",
    "http://192.0.2.1:port": "it is not an address such as http://proxy.example.com:3128",
    "http://192.0.2.1:99999": "it is not an address such as http://proxy.example.com:3128",
    f"http://{'a' * 64}.example.com:3128": "its host is not a valid name",
    "http://us%3Aer:hunter22@192.0.2.1:3128": "its user contains a colon, which Basic authentication cannot send",
    "http://user:h%C3%BCnter22@192.0.2.1:3128": "its user or password is not ASCII",
}
GOOD = ["http://192.0.2.1:3128", "192.0.2.1:3128", "https://user:hunter22@proxy.example.com", "proxy.example.com"]


@pytest.mark.parametrize("proxy", FAULTS)
def test_what_is_wrong_with_a_proxy_is_told_apart(proxy, monkeypatch):
    """Where the client would refuse it; and it shows no password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError):
        find_proxy(None, URL("https://acme.mihu.ai"), trust_env=True)

    assert FAULTS[proxy] == why_unusable(proxy)
    assert "nter22" not in why_unusable(proxy)


@pytest.mark.parametrize("proxy", GOOD)
def test_a_proxy_that_can_be_used_has_no_fault(proxy, monkeypatch):
    """The client takes it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)

    assert find_proxy(None, URL("https://acme.mihu.ai"), trust_env=True)
    assert "" == why_unusable(proxy)


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"HTTPS_PROXY": "x://"}, "HTTPS_PROXY"),
        ({"https_proxy": "x://", "HTTPS_PROXY": "y://"}, "https_proxy"),
        ({"ALL_PROXY": "socks5://192.0.2.1", "HTTP_PROXY": "x://"}, "ALL_PROXY"),
        ({"ALL_PROXY": "socks5://192.0.2.1", "HTTPS_PROXY": "http://192.0.2.1"}, None),
        ({"HTTP_PROXY": "x://"}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({}, None),
    ],
)
def test_the_variable_that_counts_is_named(environment, variable):
    """The scheme's own before the one for all, and small letters before capitals."""
    found = find_unusable("https", environment)

    assert variable == (found and found.variable)


def test_it_is_a_sentence():
    """For whoever reads it."""
    assert "A names a proxy that cannot be used: why." == str(UnusableProxy("A", "why"))
