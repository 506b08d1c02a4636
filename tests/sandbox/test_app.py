import json
import re
from email.utils import parsedate_to_datetime
from io import BytesIO

import pytest

from mihu_async.sandbox import Sandbox, Status, operations

NUMBER = "+390790080041"
PURCHASE = {"number": NUMBER, "country_code": "IT", "type": "local"}


async def test_list_of_numbers(sandbox, call):
    """GET /phone-numbers answers the envelope with a message, the items and the pagination."""
    reply = await call("GET", "/phone-numbers?per_page=5&page=2")

    assert {
        "success": True,
        "message": "Phone numbers retrieved.",
        "data": {
            "items": list(sandbox.inventory.numbers[5:10]),
            "pagination": {
                "current_page": 2,
                "per_page": 5,
                "total": 12,
                "last_page": 3,
                "from": 6,
                "to": 10,
                "has_more": True,
            },
        },
    } == reply.json


async def test_list_of_trunks(sandbox, call):
    """GET /phone-numbers/trunks answers the envelope without a message."""
    reply = await call("GET", "/phone-numbers/trunks")

    assert {"success", "data"} == set(reply.json)
    assert list(sandbox.inventory.trunks) == reply.json["data"]["items"]


async def test_purchase(sandbox, call):
    """POST /phone-numbers answers 201 with the number, without a message."""
    reply = await call("POST", "/phone-numbers", json=PURCHASE)

    assert 201 == reply.status
    assert {"success": True, "data": sandbox.inventory.numbers[-1]} == reply.json
    assert NUMBER == reply.json["data"]["number"]


async def test_fee_is_a_json_number(call):
    """A fee with cents goes out digit by digit as it came in."""
    reply = await call("POST", "/phone-numbers", json=PURCHASE | {"monthly_fee": 1.15})

    assert b'"monthly_fee":1.15,' in reply.body


async def test_registration_and_assignment(sandbox, call):
    """Registering answers 201, assigning 200, both with a message and the snapshot; the password never comes back."""
    first, second = [agent for agent, _ in sandbox.inventory.agents][-2:]
    trunk = {"phone_number": NUMBER, "channel": "call", "agent_uuid": first}
    registered = await call("POST", "/phone-numbers/trunks", json=trunk | {"sip": {"password": "hush"}})
    assigned = await call("PUT", "/phone-numbers/trunks/assign", json=trunk | {"agent_uuid": second})
    listed = await call("GET", "/phone-numbers/trunks?channel=call&search=0790080041")

    assert [(201, "Trunk created."), (200, "Trunk assigned.")] == [
        (reply.status, reply.json["message"]) for reply in (registered, assigned)
    ]
    assert [first, second] == [reply.json["data"]["channels"]["call"]["agent_uuid"] for reply in (registered, assigned)]
    assert [second] == [row["bindings"]["call"]["agent_uuid"] for row in listed.json["data"]["items"]]
    assert not [reply for reply in (registered, assigned, listed) if b"hush" in reply.body]


async def test_change_and_removal_of_a_trunk(sandbox, call):
    """Both answer 200 with a message, the change with the snapshot and the removal with no data."""
    number = sandbox.inventory.insert_trunk(number="+12345678901")["number"]
    changed = await call("PATCH", "/phone-numbers/trunks", json={"phone_number": number, "channel": "call"})
    snapshot = operations.channels_of(sandbox.inventory, {"number": number})
    removed = await call("DELETE", "/phone-numbers/trunks?phone_number=12345678901&channel=call")
    again = await call("DELETE", "/phone-numbers/trunks?phone_number=%2B12345678901&channel=call")

    assert {"success": True, "message": "Trunk updated.", "data": snapshot} == changed.json
    assert {"success": True, "message": "Trunk deleted.", "data": None} == removed.json
    assert [200, 200, 404] == [reply.status for reply in (changed, removed, again)]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, "MISSING_AUTH_TOKEN", id="missing"),
        pytest.param({"Authorization": "Bearer nonsense"}, "INVALID_AUTH_TOKEN", id="another token"),
        pytest.param({"Authorization": "Bearer"}, "INVALID_AUTH_TOKEN", id="no token"),
        pytest.param({"Authorization": "Basic sandbox-test"}, "INVALID_AUTH_TOKEN", id="another scheme"),
    ],
)
async def test_unauthorized(caller_of, headers, code):
    """A request without the right token is refused with 401 and uses no fault up."""
    async with Sandbox(1, 0, token="sandbox-test") as sandbox:
        sandbox.faults.add(Status(503))
        reply = await caller_of(sandbox)("GET", "/phone-numbers", headers=headers)

        assert (401, code) == (reply.status, reply.code)
        assert (Status(503),) == sandbox.faults.pending
        assert 401 == sandbox.journal[0].status


async def test_scheme_in_small_letters(sandbox, call):
    """The scheme of the Authorization header is read without regard to case."""
    reply = await call("GET", "/phone-numbers", headers={"authorization": f"bearer {sandbox.token}"})

    assert 200 == reply.status


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        pytest.param("GET", "/numbers", {}, (404, "NOT_FOUND", None), id="unknown path"),
        pytest.param("GET", "/phone-numbers/", {}, (404, "NOT_FOUND", None), id="slash at the end"),
        pytest.param("DELETE", "/phone-numbers", {}, (405, "METHOD_NOT_ALLOWED", None), id="wrong method"),
        pytest.param("GET", "/phone-numbers?page=0", {}, (422, "VALIDATION_ERROR", "page"), id="wrong parameter"),
        pytest.param("POST", "/phone-numbers", {"json": {}}, (422, "VALIDATION_ERROR", "number"), id="wrong body"),
        pytest.param("DELETE", "/phone-numbers/trunks", {}, (422, "VALIDATION_ERROR", "phone_number"), id="no trunk"),
        pytest.param("POST", "/phone-numbers", {"json": []}, (422, "VALIDATION_ERROR", None), id="no object"),
        pytest.param("POST", "/phone-numbers", {"data": {"a": "b"}}, (415, "UNSUPPORTED_MEDIA_TYPE", None), id="form"),
        pytest.param("POST", "/phone-numbers", {}, (415, "UNSUPPORTED_MEDIA_TYPE", None), id="no body"),
    ],
)
async def test_refusals_have_one_shape(call, method, path, options, expected):
    """Every refusal comes in the documented envelope, with a message and details for people."""
    reply = await call(method, path, **options)
    error = reply.json["error"]

    assert expected == (reply.status, error["code"], error["field"])
    assert {"success", "message", "error"} == set(reply.json)
    assert (False, True, True) == (reply.json["success"], bool(reply.json["message"]), bool(error["details"]))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'"\xff"', b'"\\ud800"', b'{"monthly_fee": NaN}', b'{"monthly_fee": 1e999}', b"[" * 100_000],
    ids=["nothing", "half", "a byte", "not UTF-8", "half a pair", "NaN", "beyond numbers", "deep"],
)
async def test_body_that_is_no_json(sandbox, call, body):
    """A body that says it is JSON and is not is refused with 400."""
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json; charset=utf-8"}
    reply = await call("POST", "/phone-numbers", data=body, headers=headers)

    assert (400, "INVALID_JSON") == (reply.status, reply.code)


async def test_large_body_is_read(sandbox, call):
    """A body over a megabyte is read like any other."""
    headers = {"Authorization": f"Bearer {sandbox.token}", "Content-Type": "application/json"}
    body = BytesIO(json.dumps(PURCHASE | {"location": "x" * 2**21}).encode())
    reply = await call("POST", "/phone-numbers", data=body, headers=headers)

    assert 201 == reply.status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("HEAD", "/phone-numbers", "GET, POST"),
        ("PUT", "/phone-numbers/trunks", "GET, POST, PATCH, DELETE"),
        ("PATCH", "/phone-numbers/rates", "GET"),
        ("GET", "/phone-numbers/3c90c3cc-0d44-4b50-8888-8dd25736052a", "PATCH"),
        ("POST", "/phone-numbers/trunks/assign", "PUT"),
    ],
)
async def test_methods_that_are_allowed(call, method, path, allowed):
    """A method that is not allowed is answered with those that are."""
    reply = await call(method, path)

    assert (405, allowed) == (reply.status, reply.headers["Allow"])


async def test_purchase_limit(caller_of):
    """A purchase over the limit is refused with 403 in the second documented shape."""
    async with Sandbox(3, 0, purchase_limit=3) as sandbox:
        reply = await caller_of(sandbox)("POST", "/phone-numbers", json=PURCHASE)

    assert 403 == reply.status
    assert {
        "success": False,
        "message": "The purchase limit of this workspace is reached.",
        "data": {"error": "purchase_limit_reached", "limit": 3, "current": 3},
    } == reply.json


async def test_headers_of_an_answer(call):
    """Each answer has a date, a type and a request id that counts."""
    first, second = await call("GET", "/phone-numbers"), await call("GET", "/nowhere")

    assert ["sandbox-000001", "sandbox-000002"] == [reply.headers["X-Request-Id"] for reply in (first, second)]
    assert {"application/json"} == {reply.headers["Content-Type"] for reply in (first, second)}
    assert parsedate_to_datetime(first.headers["Date"]).tzinfo


async def test_journal_of_a_query(sandbox, call):
    """The journal keeps a query decoded, in its order, and as it was on the wire."""
    await call("GET", "/phone-numbers?search=%2B39&status=&search=a+b%20c&page=1")
    entry = sandbox.journal[0]

    assert ("GET", "/api/v1/phone-numbers", 422) == (entry.method, entry.path, entry.status)
    assert (("search", "+39"), ("status", ""), ("search", "a b c"), ("page", "1")) == entry.query
    assert "search=%2B39&status=&search=a+b%20c&page=1" == entry.raw_query


async def test_journal_of_a_body(sandbox, call):
    """The journal keeps the body, its JSON, and the headers without regard to case."""
    await call("POST", "/phone-numbers", json=PURCHASE)
    entry = sandbox.journal.select(method="POST", path="/phone-numbers")[0]

    assert (PURCHASE, 201, None) == (entry.json, entry.status, entry.fault)
    assert f"Bearer {sandbox.token}" == entry.headers["authorization"]
    assert re.fullmatch(rb"\{.*\}", entry.body)
