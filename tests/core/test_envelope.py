import pickle
from typing import Any

import pytest

from mihu_async import APIError, Billing, ConflictError, DecodeError, Page, PhoneNumber, ValidationError
from mihu_async.core.envelope import read_closely
from mihu_async.core.redaction import Redactor
from mihu_async.core.request import NOTHING, RAW, describe
from mihu_async.core.response import Reading, read_fast
from tests.doubles import TOKEN, URL, FakeClock, ok, reading, response

GET = describe("GET", "/phone-numbers", Billing)


def outcome(answer, request: Any = GET):
    """Read an answer, and give its data."""
    return reading(answer, request).data


def unreadable(answer, request: Any = GET, *, strict: bool = False) -> DecodeError:
    """Read an answer that cannot be read, and give what was raised."""
    with pytest.raises(DecodeError) as caught:
        reading(answer, request, strict=strict)
    return caught.value


def test_the_data_of_a_success_is_read_as_the_requests_answer():
    """The envelope is taken off, whatever its message says."""
    assert Billing(currency="EUR") == outcome(
        response(201, {"success": True, "message": "m", "data": {"currency": "EUR"}})
    )


@pytest.mark.parametrize("request_", [GET, describe("GET", "/x", RAW), describe("DELETE", "/x", NOTHING)])
@pytest.mark.parametrize(
    ("message", "expected"), [("Done.", "Done."), (None, None), (["Done."], None)], ids=["text", "none", "list"]
)
def test_the_message_of_a_success_is_read(request_, message, expected):
    """It is a text, or it is None."""
    answer = response(200, {"success": True, "message": message, "data": {}})

    assert expected == reading(answer, request_).message


def test_another_attempt_may_mend_bytes_that_are_no_json():
    """JSON of a wrong shape comes the same again, and so does an answer that is too large."""
    html = response(200, body=b"<html>", Content_Type="text/html")
    for answer, transient in (
        (html, True),
        (response(200, body=b'{"success": tr'), True),
        (response(200, ["gone"]), False),
        (ok("much"), False),
        (response(200, body=b"{}", complete=False), False),
    ):
        assert transient is unreadable(answer).transient


def test_an_envelope_without_success_is_read_by_its_status():
    """What is missing is no contradiction."""
    assert Billing() == outcome(response(200, {"data": {}}))


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"]
)
def test_json_is_known_by_its_content_type(content_type):
    """Parameters, case and a suffix do not matter."""
    assert Billing() == outcome(ok({}, Content_Type=content_type))


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "", "text/json"])
def test_another_content_type_is_not_read(content_type):
    """An HTML page with status 200 is no model, and neither is JSON that does not say that it is."""
    error = unreadable(response(200, body=b"<html>maintenance</html>", Content_Type=content_type))

    assert 200 == error.status
    assert (content_type.partition(";")[0] or "no content type") == error.content_type
    assert "<html>maintenance</html>" == error.excerpt
    assert () == error.paths
    assert ("GET", URL) == (error.method, error.url)
    assert "it is not JSON. It begins with '<html>maintenance</html>'." in str(error)


@pytest.mark.parametrize("body", [b"", b'{"success": true, "da', b"\xff"])
def test_broken_json_is_not_read(body):
    """The error shows the beginning of what came."""
    error = unreadable(response(body=body))

    assert body.decode("utf-8", "replace") == error.excerpt
    assert error.transient


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], "$"),
        ("text", "$"),
        (None, "$"),
        ({"success": "false", "data": {}}, "$.success"),
        ({"success": 1, "data": {}}, "$.success"),
        ({"success": True}, "$.data"),
        ({}, "$.data"),
        ({"success": True, "data": None}, "$.data"),
        ({"success": True, "data": [1]}, "$.data"),
    ],
)
def test_another_shape_is_not_read(document, path):
    """The error names the place."""
    error = unreadable(response(document=document))

    assert (path,) == error.paths
    assert f"its shape is not the documented one; {path} " in str(error)
    assert not error.transient


def test_a_null_for_success_is_no_word_on_it():
    """PHP writes it for what is not set, and the status says that the call succeeded."""
    assert Billing() == outcome(response(200, {"success": None, "data": {}}))


def test_a_message_comes_along():
    """What the service says to people is kept; where that is no text, it is a problem."""
    said = reading(response(200, {"message": "Bought.", "data": {}}), GET)
    odd = reading(response(200, {"message": 5, "data": {}}), GET)

    assert ("Bought.", ()) == (said.message, said.problems)
    assert (None, ("$.message must be text",)) == (odd.message, tuple(map(str, odd.problems)))


def test_the_fast_path_takes_what_is_small_and_good():
    """It reads what the closer look reads, and leaves the rest to it."""
    good = response(200, {"message": "m", "data": {"currency": "EUR"}})
    large = response(200, {"data": {"currency": "EUR"}, "unknown": "x" * 2**20})

    assert reading(good, GET) == read_fast(good, GET) == Reading(Billing(currency="EUR"), "m")
    assert read_fast(large, GET) is None
    assert Billing(currency="EUR") == outcome(large)
    assert read_fast(good, describe("GET", "/x", RAW)) is None
    assert read_fast(ok({"currency": 5}), GET) is None


def test_strictness_makes_an_error_of_the_first_problems():
    """It names their places, and the answer is not asked for again."""
    answer = ok({"currency": 1, "monthly_fee": "free"})
    error = unreadable(answer, strict=True)

    assert ("$.data.monthly_fee", "$.data.currency") == error.paths
    assert not error.transient
    assert Billing() == outcome(answer)


def test_of_many_problems_some_are_named_and_few_are_spelled_out():
    """A page of a hundred wrong items does not make a message of a hundred lines."""
    page = {"items": [1] * 100, "pagination": None}
    answer = response(document={"success": True, "data": page})
    error = unreadable(answer, describe("GET", "/x", Page[PhoneNumber]), strict=True)

    assert 64 == len(error.paths)
    assert "$.data.items[8] must be an object" in str(error)
    assert "$.data.items[9] " not in str(error)
    assert "and 91 more" in str(error)


def test_a_body_above_the_bound_is_not_read():
    """What was cut is not mistaken for broken JSON."""
    assert "larger than max_response_bytes" in str(unreadable(response(document={}, complete=False)))


def test_an_answer_without_data_is_none_where_any_will_do():
    """A call whose answer is not documented takes what comes."""
    raw = describe("DELETE", "/x", RAW)

    assert outcome(response(204, body=b"", Content_Type=""), raw) is None
    assert outcome(response(200, {"success": True, "message": "gone"}), raw) is None
    assert {"a": 1.5} == outcome(ok({"a": 1.5}), raw)
    assert ("$.data",) == unreadable(response(200, {"status": "fine"}), raw).paths


@pytest.mark.parametrize(
    "answer",
    [
        response(204, body=b"", Content_Type=""),
        response(200, body=b"", Content_Type="text/html"),
        response(200, {"success": True, "data": None}),
        response(200, {"success": True, "data": {"number": 5}}),
        response(200, {"success": True}),
        response(202, {"message": "gone"}),
        response(200, {}),
    ],
    ids=lambda answer: f"{answer.status} {answer.body.decode() or 'nothing'}",
)
def test_a_call_that_asks_for_nothing_takes_any_success(answer):
    """It is None whatever data came, or none."""
    assert outcome(answer, describe("DELETE", "/x", NOTHING)) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (response(200, body=b"<html>sign in</html>", Content_Type="text/html"), DecodeError),
        (response(200, body=b'{"success": tr'), DecodeError),
        (response(200, ["gone"]), DecodeError),
        (response(200, {"success": "no"}), DecodeError),
        (response(200, {"success": False, "message": "no"}), APIError),
    ],
    ids=lambda value: value.body.decode() if hasattr(value, "body") else "",
)
def test_a_call_that_asks_for_nothing_still_checks_its_answer(answer, kind):
    """A sign-in page is no success, and neither is an envelope that says so."""
    with pytest.raises(kind):
        outcome(answer, describe("DELETE", "/x", NOTHING))


def test_success_false_is_an_error_whatever_the_status():
    """The service's word goes before the status line's."""
    failure = {"success": False, "message": "no", "error": {"code": "NOPE", "details": "d", "field": "f"}}
    with pytest.raises(APIError) as caught:
        outcome(response(200, failure))

    assert (200, "NOPE", "no", "d", "f") == (
        caught.value.status,
        caught.value.code,
        caught.value.message,
        caught.value.details,
        caught.value.field,
    )


def test_a_refusal_is_raised_by_its_status():
    """The class of the error is the status's, also where the body is no JSON."""
    with pytest.raises(ConflictError):
        outcome(response(409, {"success": False, "message": "taken"}))
    with pytest.raises(ConflictError):
        outcome(response(409, body=b"<html>", Content_Type="text/html"))


def test_an_echoed_token_is_redacted():
    """A debug page that shows the request's headers does not carry the token into the error, nor into its pickle."""
    error = unreadable(
        response(200, body=f"<pre>Authorization: Bearer {TOKEN}</pre>".encode(), Content_Type="text/html")
    )

    assert "<pre>Authorization: Bearer ***</pre>" == error.excerpt
    assert TOKEN not in str(error)
    assert TOKEN.encode() not in pickle.dumps(error)


def test_a_refusal_of_very_many_fields_is_bounded():
    """The first hundred are kept, and few of them stand in the message."""
    errors = {"field": ["no" * 1_000] * 50} | {f"field{index}": ["no"] for index in range(30_000)}
    with pytest.raises(ValidationError) as caught:
        outcome(response(422, {"message": "no", "errors": errors}))

    assert 100 == len(caught.value.fields)
    assert (10, 1_000) == (len(caught.value.fields["field"]), len(caught.value.fields["field"][0]))
    assert len(str(caught.value)) < 600


def test_a_very_large_refusal_is_quoted_and_not_read():
    """Its status says what it is."""
    with pytest.raises(ValidationError) as caught:
        outcome(response(422, {"errors": {"a" * 2**20: ["no"]}}))

    assert {} == caught.value.fields


def test_a_secret_in_the_content_type_is_hidden():
    """Also where it has capitals, which a media type is compared without."""
    answer = response(200, body=b"x", Content_Type="Text/S3cret-Token; charset=utf-8")
    with pytest.raises(DecodeError) as caught:
        list(read_closely(answer, GET, Redactor(("S3cret-Token",)), now=FakeClock().now(), strict=False))

    assert "text/***" == caught.value.content_type
