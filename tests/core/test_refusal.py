import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    PurchaseLimitError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from mihu_async.core.redaction import Redactor
from mihu_async.core.refusal import parse_refusal, refused
from mihu_async.core.request import RAW, describe
from tests.doubles import TOKEN, URL, FakeClock, response

REDACTOR = Redactor((TOKEN,))
GET = describe("GET", "/phone-numbers", RAW)
POST = describe("POST", "/phone-numbers", RAW)
DOCUMENTED = {"success": False, "message": "m", "error": {"code": "C", "details": "d", "field": "number"}}


def refusal(status, document, request=GET, **headers) -> APIError:
    """Make the error of a refusal."""
    return refused(response(status, document, **headers), request, document, REDACTOR, now=FakeClock().now())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
        (503, ServerError),
        (599, ServerError),
        (200, APIError),
        (302, APIError),
        (405, APIError),
        (418, APIError),
    ],
)
def test_the_status_chooses_the_class(status, kind):
    """Each documented status has its class, and any other one is an APIError or a ServerError."""
    error = refusal(status, DOCUMENTED, X_Request_Id="req-1")

    assert kind is type(error)
    assert (status, "C", "m", "d", "number", "req-1") == (
        error.status,
        error.code,
        error.message,
        error.details,
        error.field,
        error.request_id,
    )
    assert ("GET", URL) == (error.method, error.url)


def test_the_purchase_limit_comes_with_its_figures():
    """The second documented shape of a refusal is read too."""
    data = {"error": "purchase_limit_reached", "limit": 10, "current": 10}
    error = refusal(403, {"success": False, "message": "Cap reached", "data": data}, POST)

    assert isinstance(error, PurchaseLimitError)
    assert (10, 10, "purchase_limit_reached") == (error.limit, error.current, error.code)
    assert str(error) == (
        "POST /api/v1/phone-numbers was refused with 403 purchase_limit_reached: 'Cap reached' (limit 10, current 10). "
        "Nothing was changed. Release a number, or ask Mihu for a higher limit."
    )


def test_the_fields_of_a_documented_refusal():
    """The one field that the service names is in .fields, with what it said of it."""
    error = refusal(422, DOCUMENTED, POST)

    assert isinstance(error, ValidationError)
    assert {"number": ("d",)} == error.fields
    assert "was refused with 422 C: 'm' (d). Nothing was changed." in str(error)


def test_the_fields_of_a_laravel_refusal():
    """The framework beneath the service has a shape of its own."""
    errors = {"number": ["is taken", "is too long"], "type": "is wrong"}
    error = refusal(422, {"message": "The given data was invalid.", "errors": errors}, POST)

    assert isinstance(error, ValidationError)
    assert {"number": ("is taken", "is too long"), "type": ("is wrong",)} == error.fields
    assert "(number: is taken is too long; type: is wrong)" in str(error)


@pytest.mark.parametrize(
    ("status", "request_", "effect"),
    [
        (404, GET, "404 Not Found: 'm'."),
        (409, POST, "409 Conflict: 'm'. Nothing was changed."),
        (503, POST, "503 Service Unavailable: 'm'. It may have been applied."),
        (499, POST, "499 (no standard status): 'm'. It may have been applied."),
        (524, POST, "524 (no standard status): 'm'. It may have been applied."),
        (501, POST, "501 Not Implemented: 'm'. Nothing was changed."),
        (418, POST, "418 I'm a Teapot: 'm'. Nothing was changed."),
        (
            302,
            GET,
            "302 Found: 'm'. A redirect is not followed, so that the token goes nowhere else; correct the base URL.",
        ),
        (304, GET, "304 Not Modified: 'm'."),
        (304, POST, "304 Not Modified: 'm'. It may have been applied."),
    ],
)
def test_the_message_says_what_was_changed(status, request_, effect):
    """A refused write changed nothing, a failed one may have, and a read never does."""
    expected = f"{request_.method} /api/v1/phone-numbers was refused with {effect}"

    assert expected == str(refusal(status, {"message": "m"}, request_))


def test_a_redirect_says_where_it_points():
    """Without what may open the place, and so that nothing acts on a terminal."""
    place = "https://user:pw@sso.example/login\x1b[2J/t0ken-t0ken?ticket=1#x"
    answer = response(307, body=b"", Location=place)
    error = refused(answer, POST, None, Redactor(("t0ken-t0ken",)), now=FakeClock().now())

    assert r"A redirect to 'https://sso.example/login\x1b[2J/***' is not followed" in str(error)
    assert str(error).endswith("correct the base URL. It may have been applied.")


def test_a_request_id_can_be_printed():
    """It acts on no terminal and forges no log line."""
    answer = response(500, body=b"", X_Request_Id="a\x1b[2Jb")

    assert r"a\x1b[2Jb" == refused(answer, GET, None, REDACTOR, now=FakeClock().now()).request_id


def test_a_body_that_is_no_json_is_quoted():
    """A gateway's page is shown by its beginning."""
    answer = response(502, body=b"<h1>Bad gateway</h1>", Content_Type="text/html")
    error = refused(answer, GET, None, REDACTOR, now=FakeClock().now())

    assert "GET /api/v1/phone-numbers was refused with 502 Bad Gateway: '<h1>Bad gateway</h1>'." == str(error)
    assert error.message is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry_After": "30"}, 30.0),
        ({"Retry_After": "Thu, 01 Jan 2026 12:00:30 GMT", "Date": "Thu, 01 Jan 2026 12:00:00 GMT"}, 30.0),
        ({"Retry_After": "Thu, 01 Jan 2026 00:17:00 GMT"}, 20.0),
        ({"Retry_After": "later"}, None),
        ({}, None),
    ],
)
def test_a_pause_is_measured_on_the_services_clock(headers, expected):
    """A date counts from the answer's own Date, and from our clock only where it has none."""
    assert expected == refusal(429, DOCUMENTED, **headers).retry_after


def test_an_echoed_token_is_redacted_everywhere():
    """No part of what the service says can carry the token."""
    echo = {"message": TOKEN, "error": {"code": TOKEN, "details": TOKEN, "field": TOKEN}, "errors": {TOKEN: [TOKEN]}}
    error = refusal(422, echo, X_Request_Id=TOKEN)

    assert TOKEN not in f"{error} {error!r} {vars(error)}"
    assert "***" == error.message


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "data", "errors", "code", "message", "limit"]) | st.text(), inner)
    ),
    max_leaves=10,
)


@given(_json, st.sampled_from([200, 302, 400, 403, 422, 500]))
def test_any_body_makes_an_error(document, status):
    """Whatever a refusal holds, it becomes an APIError of its status."""
    error = refusal(status, document)

    assert status == error.status
    assert f"was refused with {status}" in str(error)


def test_what_is_not_as_documented_is_left_out():
    """A message that is no text is no message."""
    parsed = parse_refusal({"message": 5, "error": {"code": []}, "data": {"limit": True, "current": "3.5"}}, REDACTOR)

    assert (None, None, None, None) == (parsed.message, parsed.code, parsed.limit, parsed.current)


@pytest.mark.parametrize("errors", ["It is taken.", ["It is taken.", 5, None]])
def test_errors_without_fields_are_the_details(errors):
    """They are texts, and what is none is left out."""
    error = refusal(422, {"message": "The given data was invalid.", "errors": errors})

    assert isinstance(error, ValidationError)
    assert ("It is taken.", {}) == (error.details, error.fields)
    assert "'The given data was invalid.' (It is taken.)" in str(error)


def test_numbers_of_a_refusal_may_come_as_text():
    """So PHP writes some."""
    parsed = parse_refusal({"data": {"error": "purchase_limit_reached", "limit": "10", "current": "9"}}, REDACTOR)

    assert (True, 10, 9) == (parsed.limited, parsed.limit, parsed.current)
