import typing
from contextlib import suppress
from types import UnionType

import aiohttp
import attrs
import pytest

from mihu_async import NumberChannels, Page, PhoneNumber, Rate, SipAssignment, SipConnection
from mihu_async.sandbox import (
    Change,
    JournalEntry,
    Reset,
    Sandbox,
    Status,
    Truncate,
    UndocumentedError,
    WrongContentType,
)
from mihu_async.sandbox.answers import Answer, json_answer
from mihu_async.sandbox.routes import ROUTES, _route
from mihu_async.sandbox.strictness import shape, shapes, strangers, undocumented_fields

LIST = JournalEntry(method="GET", path="/api/v1/phone-numbers")
PURCHASE = {"number": "+390790080041", "country_code": "IT", "type": "local"}


def fields_of(kind):
    """Return the shape of a model, field by field; what is no model has no fields."""
    models = [one for one in parts_of(kind) if attrs.has(typing.get_origin(one) or one)]
    if not models:
        return {}
    (model,) = models
    (row,) = typing.get_args(model) or (None,)
    named = typing.get_type_hints(typing.get_origin(model) or model)
    return {
        field.name.rstrip("_"): fields_of(row if field.name == "items" else named[field.name])
        for field in attrs.fields(typing.get_origin(model) or model)
        if field.name not in NOTED
    }


NOTED = ("problems", "problem_count", "left_out")
"""What the SDK itself notes of a page."""


def parts_of(kind):
    """Return the types that a hint is made of: those of a union, and of a tuple."""
    if isinstance(kind, UnionType) or typing.get_origin(kind) in {tuple, typing.Union}:
        return [part for one in typing.get_args(kind) for part in parts_of(one)]
    return [kind]


@pytest.mark.parametrize(
    ("route", "model"),
    [
        pytest.param(("GET", "/phone-numbers"), Page[PhoneNumber], id="numbers"),
        pytest.param(("GET", "/phone-numbers/trunks"), Page[PhoneNumber], id="trunks"),
        pytest.param(("GET", "/phone-numbers/rates"), Page[Rate], id="rates"),
        pytest.param(("PATCH", "/phone-numbers/{uuid}"), PhoneNumber, id="number"),
        pytest.param(("PUT", "/phone-numbers/trunks/assign"), NumberChannels, id="snapshot"),
        pytest.param(("POST", "/channels/sip-trunk/connections"), SipConnection, id="connection"),
        pytest.param(("POST", "/agents/{uuid}/channels/call/sip-trunk"), SipAssignment, id="assignment"),
    ],
)
def test_what_is_documented_is_what_the_models_know(route, model):
    """The fields that the sandbox takes for documented are those of the SDK's models, and no others."""
    assert fields_of(model) == shapes()[route]


def test_what_is_not_documented_is_said():
    """A route says what its answer holds, or that no page does; it cannot leave it out."""
    assert {
        ("DELETE", "/phone-numbers/trunks"),
        ("GET", "/phone-numbers/search"),
        ("GET", "/phone-numbers/search/requirements"),
        ("GET", "/agents"),
        ("POST", "/agents/{uuid}/channels/call/provision"),
        ("POST", "/agents/{uuid}/channels/sms"),
    } == {(route.method, route.path) for route in ROUTES} - shapes().keys()
    with pytest.raises(TypeError, match="answers"):
        _route("GET", "/phone-numbers/weather", lambda *_: None)  # type: ignore[call-arg]  # it is what is left out


def test_shape_of_samples():
    """A shape has every field of every sample; rows share one, and null hides nothing that another sample shows."""
    rows = [{"a": None, "b": 1}, {"a": {"c": "x"}}]

    assert {"items": {"a": {"c": {}}, "b": {}}, "total": {}} == shape({"items": rows}, {"items": None, "total": 2})


def test_strangers_by_path():
    """Each field that is not in the shape is named by its path, and not what it holds."""
    value = {"data": {"items": [{"a": 1}, {"b": {"c": 1}}]}, "meta": 1}

    assert ["data.items[1].b", "meta"] == list(strangers(value, {"data": {"items": {"a": {}}}}))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        pytest.param(LIST, Answer(body=b"<html>"), id="no JSON"),
        pytest.param(LIST, json_answer([1]), id="no object"),
        pytest.param(LIST, json_answer({"success": False, "why": "x"}), id="a failure"),
        pytest.param(LIST, json_answer({"success": True, "message": "x", "data": None}), id="no data"),
        pytest.param(
            JournalEntry(method="GET", path="/api/v1/phone-numbers/search"),
            json_answer({"success": True, "data": {"x": 1}}),
            id="an answer that is not documented",
        ),
        pytest.param(
            JournalEntry(method="GET", path="/api/v1/weather"),
            json_answer({"success": True, "data": {"x": 1}}),
            id="an endpoint that is not documented",
        ),
    ],
)
def test_what_cannot_be_judged_is_let_be(request_, answer):
    """Only the success of an endpoint whose answer is documented can have a field too many."""
    assert [] == undocumented_fields(request_, answer)


@pytest.mark.parametrize(
    ("method", "path", "options", "problem"),
    [
        pytest.param("GET", "/phone-numbers?colour=red", {}, "colour is not a documented parameter", id="parameter"),
        pytest.param(
            "POST", "/phone-numbers", {"json": {**PURCHASE, "fee": 1}}, "fee is not a documented field", id="field"
        ),
        pytest.param("GET", "/weather", {}, "there is no /api/v1/weather", id="path"),
        pytest.param("PUT", "/phone-numbers", {}, "/api/v1/phone-numbers does not take PUT", id="verb"),
    ],
)
async def test_requests_that_no_page_documents(sandbox, call, method, path, options, problem):
    """A parameter, a field, a path and a verb that are not documented are reported, with the request."""
    await call(method, path, **options)

    assert (f"{method} /api/v1{path.partition('?')[0]}: {problem}",) == sandbox.undocumented


async def test_requests_that_are_merely_refused(sandbox, call):
    """A documented field with a value that is refused is nothing to tell, and neither is a number that is not there."""
    await call("GET", "/phone-numbers?per_page=0")
    await call("POST", "/phone-numbers", json={**PURCHASE, "number": "1"})
    await call("GET", "/phone-numbers/channels?number=%2B390790080099")

    assert () == sandbox.undocumented


async def test_a_request_is_reported_though_its_answer_is_lost(sandbox, call):
    """A request is reported even if a fault hides its answer from the client."""
    sandbox.faults.add(Status(500, after=True))
    await call("POST", "/phone-numbers", json={**PURCHASE, "fee": 1})

    assert ("POST /api/v1/phone-numbers: fee is not a documented field",) == sandbox.undocumented


async def test_answers_that_a_fault_made_up(sandbox, call):
    """A field that a fault adds to an answer is reported by its path."""
    sandbox.faults.add(Change(lambda body: body["data"]["items"][1]["billing"].update(fee=3)))
    await call("GET", "/phone-numbers")

    problem = "GET /api/v1/phone-numbers: data.items[1].billing.fee is not a documented field of the answer"
    assert (problem,) == sandbox.undocumented


@pytest.mark.parametrize("fault", [Truncate(), WrongContentType(), Status(503)])
async def test_faults_that_make_up_no_field(sandbox, call, fault):
    """Half an answer, a page of HTML and a refusal have no field that is not documented."""
    sandbox.faults.add(fault, path="/phone-numbers/rates")
    with suppress(aiohttp.ClientPayloadError):  # of half an answer
        await call("GET", "/phone-numbers/rates")

    assert () == sandbox.undocumented


async def test_verify_tells_once(sandbox, call):
    """`verify` raises for all that was reported since the last time, and for nothing after that."""
    await call("GET", "/weather")
    await call("GET", "/phone-numbers?colour=red")
    with pytest.raises(UndocumentedError) as raised:
        sandbox.verify()

    assert 2 == len(str(raised.value).splitlines())
    sandbox.verify()


async def test_leaving_a_strict_sandbox(caller_of):
    """Leaving the block of a strict sandbox raises what it met, when it serves already no more."""
    with pytest.raises(UndocumentedError, match="there is no /api/v1/weather"):
        async with Sandbox(strict=True) as sandbox:
            await caller_of(sandbox)("GET", "/weather")

    assert "stopped" in repr(sandbox)


async def test_leaving_a_strict_sandbox_of_a_thread(caller_of):
    """The same holds for a sandbox that serves from a thread."""
    with pytest.raises(UndocumentedError, match="there is no /api/v1/weather"):  # noqa: SIM117 (what is left is inside)
        with Sandbox(strict=True) as sandbox:
            await caller_of(sandbox)("GET", "/weather")


async def fail(call) -> None:
    """Ask for what is not documented, and fail for another reason."""
    await call("GET", "/weather")
    raise ZeroDivisionError


@pytest.mark.parametrize("strict", [True, False])
async def test_the_error_of_the_block_goes_first(caller_of, strict):
    """A strict sandbox hides no error of the block that is left; one that is not strict raises nothing itself."""
    with pytest.raises(ZeroDivisionError):
        async with Sandbox(strict=strict) as sandbox:
            await fail(caller_of(sandbox))
    with pytest.raises(ZeroDivisionError), Sandbox(strict=strict) as sandbox:
        await fail(caller_of(sandbox))
    with Sandbox() as sandbox:
        await caller_of(sandbox)("GET", "/weather")

    assert 1 == len(sandbox.undocumented)


async def test_a_fault_without_an_answer(sandbox, call):
    """A fault that breaks the connection leaves nothing to look at."""
    sandbox.faults.add(Reset())
    with pytest.raises(aiohttp.ClientError):
        await call("POST", "/phone-numbers", json=PURCHASE)

    assert () == sandbox.undocumented
