import math
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from mihu_async import NumberStatus, SipCredentials, UsageError
from mihu_async.core.request import RAW, describe, encode_method, encode_path, encode_query, segment

AGENT = UUID("3c90c3cc-0d44-4b50-8888-8dd25736052a")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("+12084439178", "%2B12084439178"),
        (True, "true"),
        (False, "false"),
        (25, "25"),
        (1.5, "1.5"),
        (Decimal("1.10"), "1.10"),
        (AGENT, "3c90c3cc-0d44-4b50-8888-8dd25736052a"),
        (NumberStatus.ACTIVE, "active"),
        ("a b&c=d#é", "a%20b%26c%3Dd%23%C3%A9"),
    ],
)
def test_query_values_become_what_the_api_documents(value, expected):
    """Each kind of value has one spelling, and no character of it can mean anything else."""
    assert f"q={expected}" == encode_query({"q": value})


def test_what_is_none_is_not_sent():
    """A filter that was not given leaves no trace."""
    assert "b=1" == encode_query({"a": None, "b": 1})


@pytest.mark.parametrize(
    "value", [[[1]], {"a": 1}, ["x", {"a": 1}], {"x"}, b"x", math.nan, math.inf, Decimal("NaN"), object], ids=repr
)
def test_a_query_value_that_has_no_spelling_is_refused(value):
    """The error names the parameter."""
    with pytest.raises(UsageError, match="'q'"):
        encode_query({"q": value})
    with pytest.raises(UsageError, match="'q'"):
        describe("GET", "/x", RAW, query={"q": value})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"ids[]": ["a", "b"]}, "ids%5B%5D=a&ids%5B%5D=b"),
        ({"a": (1, None, True), "b": []}, "a=1&a=true"),
        ([("a", 1), ("b", 2), ("a", 3)], "a=1&b=2&a=3"),
        ((("a", ["x", "y"]), ["b", None]), "a=x&a=y"),
        ([], ""),
    ],
)
def test_a_name_is_sent_as_often_as_it_has_values(query, expected):
    """Lists and pairs keep their order; what is None, and an empty list, leave no trace."""
    assert expected == encode_query(query)
    assert expected == describe("GET", "/x", RAW, query=query).query


@pytest.mark.parametrize("query", ["a=1", 5, [("a",)], ["ab"], [("a", 1, 2)], [{"a": 1}], {("a", 1)}], ids=repr)
def test_a_query_is_a_mapping_or_pairs(query):
    """What is neither is refused before anything is sent."""
    with pytest.raises(UsageError) as caught:
        describe("GET", "/x", RAW, query=query)

    assert "query" == caught.value.argument


def test_secrets_in_a_query_are_known_in_each_form():
    """Also in lists and in pairs."""
    for query in ({"token": ["hush-1", "hush-2"]}, [("token", "hush-1"), ("token", ["hush-2"])]):
        assert ("hush-1", "hush-2") == describe("GET", "/x", RAW, query=query).secrets


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_any_text_comes_through_a_query_whole(query):
    """What a server decodes is what was given, also past the URL library."""
    url = str(URL(f"http://acme.mihu.ai/?{encode_query(query)}", encoded=True))

    assert query == dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=bool(query)))


@pytest.mark.parametrize(
    "path", ["/phone-numbers", "phone-numbers", "/phone-numbers/", "/api/v1/phone-numbers", "api/v1/phone-numbers"]
)
def test_a_path_may_come_with_or_without_its_root(path):
    """All spellings of an endpoint name the same one."""
    assert "/api/v1/phone-numbers" == encode_path(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/agents/a:b@c", "/api/v1/agents/a:b@c"), ("/agents/é", "/api/v1/agents/%C3%A9"), ("/api", "/api/v1/api")],
)
def test_a_path_is_encoded(path, expected):
    """What a path cannot hold is encoded, the rest stays."""
    assert expected == encode_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api/v1",
        "/phone-numbers/../agents",
        "/phone-numbers/%2e%2E/agents",
        "/phone-numbers/./x",
        "/phone-numbers/..%2fagents",
        "/phone-numbers/..\\agents",
        "/phone-numbers/%5c",
        "/phone-numbers/%252e%252e/agents",
        "/phone-numbers/%25252E/agents",
        "/phone-numbers/x%252f..",
        "/phone-numbers/%255c",
        "/phone-numbers/%0d%0a",
        "//evil.example/x",
        "https://evil.example/x",
        "/phone-numbers?page=1",
        "/phone-numbers#x",
        "/phone numbers",
        "/phone-numbers\n",
        "/\ud800",
    ],
)
def test_a_path_cannot_leave_the_api(path):
    """Nothing climbs, names another host or smuggles a query."""
    with pytest.raises(UsageError) as caught:
        encode_path(path)

    assert "path" == caught.value.argument


@given(st.text(min_size=1))
def test_a_segment_stays_one_segment(value):
    """Whatever an id holds, it reaches no other endpoint."""
    if value in {".", ".."}:
        with pytest.raises(UsageError):
            segment(value)
    else:
        url = URL(f"http://acme.mihu.ai/api/v1/{segment(value)}/channels", encoded=True)
        assert ("api", "v1", value, "channels") == tuple(url.parts[1:])


@pytest.mark.parametrize("value", ["", "%2e%2e", "%252E"])
def test_a_segment_that_would_name_the_endpoint_above_is_refused(value):
    """It is empty, or becomes dots for whoever decodes it twice."""
    with pytest.raises(UsageError):
        segment(value)


def test_a_method_is_one_of_the_apis():
    """Verbs are taken in any case, and others are refused."""
    assert "PATCH" == encode_method("patch")
    with pytest.raises(UsageError, match="method must be one of"):
        encode_method("BREW")


def test_a_body_is_json_without_what_is_none():
    """Inputs are written with the fields that were given, money as a number to the digit."""
    sip = SipCredentials(gateway="sip.acme.com", port=5060, username="", password="hunter22")
    request = describe("POST", "/x", RAW, json={"sip": sip, "fee": Decimal("1.10")})

    expected = b'{"sip":{"gateway":"sip.acme.com","port":5060,"username":"","password":"hunter22"},"fee":1.10}'
    assert expected == request.body
    assert ("", "hunter22") == request.secrets
    assert "hunter22" not in repr(request)


def test_no_body_is_no_body():
    """A request without json sends nothing, and an empty object is something."""
    assert describe("POST", "/x", RAW).body is None
    assert b"{}" == describe("POST", "/x", RAW, json={}).body


def nested(depth: int) -> list[Any]:
    """Nest lists deeper than any JSON is."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [{"a": object()}, {1j: 1}, {"a": "\ud800"}, {"a": math.nan}, [Decimal("sNaN")], nested(5000)],
    ids=["object", "complex", "surrogate", "nan", "snan", "deep"],
)
def test_what_is_no_json_is_refused(value):
    """The error says what was wrong with it."""
    with pytest.raises(UsageError, match="json cannot be sent"):
        describe("POST", "/x", RAW, json=value)


@pytest.mark.parametrize("query", [["a"], "a=1", 5, {"a": "\ud800"}], ids=repr)
def test_a_query_maps_names_to_values(query):
    """Anything else is refused, without showing its values."""
    with pytest.raises(UsageError) as caught:
        encode_query(query)

    assert "query" == caught.value.argument


def test_a_method_is_text():
    """What is no text is no verb."""
    with pytest.raises(UsageError, match="method must be one of"):
        encode_method(5)


def test_secrets_are_found_in_the_query_too():
    """A password in a filter is redacted like one in the body."""
    request = describe("GET", "/x", RAW, query={"api_token": "hunter22", "page": 1})

    assert ("hunter22",) == request.secrets
