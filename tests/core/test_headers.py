from typing import Any

import pytest

from mihu_async import UsageError
from mihu_async.core.headers import check_headers, combined, is_secret, secrets_of, shown
from mihu_async.core.redaction import Redactor
from mihu_async.reports import Headers


def test_headers_are_taken_as_they_are():
    """Names and values keep their spelling and their order."""
    given = {"X-Api-Key": "k3y-k3y", "Accept-Language": "it, en;q=0.5", "x_odd!": "~"}

    assert tuple(given.items()) == check_headers("headers", given)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "accept",
        "ACCEPT-ENCODING",
        "Connection",
        "Content-Type",
        "content-length",
        "Host",
        "Transfer-Encoding",
        "User-Agent",
    ],
)
def test_what_carries_meaning_cannot_be_replaced(name):
    """The error names it, and never shows its value."""
    with pytest.raises(UsageError, match=name) as caught:
        check_headers("headers", {name: "hush-hush"})

    assert "headers" == caught.value.argument
    assert "hush-hush" not in str(caught.value)
    assert ("user_agent=" in str(caught.value)) is (name == "User-Agent")


@pytest.mark.parametrize(
    "headers",
    [
        [("X-A", "b")],
        "X-A: b",
        {"": "b"},
        {"X A": "b"},
        {"X-A:": "b"},
        {"X-Ä": "b"},
        {5: "b"},
        {"X-A\r\nX-B": "b"},
        {"X-A": ""},
        {"X-A": " b"},
        {"X-A": "b\r\nX-B: c"},
        {"X-A": "b\n"},
        {"X-A": "bä"},
        {"X-A": b"b"},
        {"X-A": None},
        {"X-A": "b", "x-a": "c"},
    ],
    ids=repr,
)
def test_what_cannot_be_a_header_is_refused(headers):
    """A name is a token of HTTP's, a value visible ASCII; case tells no names apart."""
    with pytest.raises(UsageError) as caught:
        check_headers("headers", headers)

    assert "headers" == caught.value.argument


def test_the_headers_of_a_call_go_before_those_of_the_client():
    """Where both have a name, whatever its case, one value is sent."""
    assert (("B", "2"), ("a", "3")) == combined((("A", "1"), ("B", "2")), (("a", "3"),))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("X-Api-Key", True),
        ("X-Auth", True),
        ("Cookie", True),
        ("Set-Cookie", True),
        ("Authorization", True),
        ("Proxy-Authorization", True),
        ("X-CSRF-Token", True),
        ("Ocp-Apim-Subscription-Key", True),
        ("WWW-Authenticate", False),
        ("Idempotency-Key", False),
        ("X-Request-Id", False),
        ("X-Author", False),
        ("Date", False),
    ],
)
def test_a_header_says_by_its_name_that_it_is_secret(name, expected):
    """Words count, and not letters within one."""
    assert expected is is_secret(name)


def test_a_secret_is_known_with_its_scheme_and_without():
    """A service may echo either."""
    headers = (("X-Auth", "Basic aGVsbG8="), ("X-Tenant", "acme"), ("X-Api-Key", "k3y-k3y"))

    assert ("Basic aGVsbG8=", "aGVsbG8=", "k3y-k3y") == secrets_of(headers)


def test_what_is_shown_of_an_answer_holds_no_secret():
    """What a cookie holds is hidden, an echoed secret is redacted, and nothing acts on a terminal."""
    pairs = (("Set-Cookie", "a=b"), ("X-Echo", "Bearer hush-hush"), ("X-Odd", "\x1b[2J" + "a" * 3000))
    headers = shown(pairs, Redactor(("hush-hush",)))

    assert {"Set-Cookie": "***", "X-Echo": "Bearer ***"} == {name: headers[name] for name in list(headers)[:2]}
    assert headers["x-odd"].startswith(r"\x1b[2Jaaa")
    assert len(headers["x-odd"]) >= 3000
    assert {} == shown((), Redactor(("hush-hush",)))


def test_headers_do_not_tell_case_and_keep_what_came_twice():
    """They are a mapping like any other."""
    headers = Headers((("Via", "a"), ("Date", "now"), ("via", "b")))
    missing: Any = headers.get("x")

    assert "a, b" == headers["VIA"]
    assert ["Via", "Date"] == list(headers)
    assert 2 == len(headers)
    assert missing is None
    assert {"Via": "a, b", "Date": "now"} == headers
