import inspect

import attrs
import pytest

from mihu_async.sandbox import (
    Dated,
    Delay,
    Faults,
    Hang,
    NullFields,
    OversizeBody,
    Redirect,
    RepeatPage,
    Reset,
    SlowBody,
    Status,
    Truncate,
    UnknownEnum,
    WrongContentType,
    faults,
    rewrites,
)
from mihu_async.sandbox.admin.kinds import KINDS, play
from mihu_async.sandbox.refusals import RefusedError


def classes_of_faults():
    """Return every class of the sandbox that is a fault, by its name."""
    found = {**vars(faults), **vars(rewrites)}.items()
    return {name: kind for name, kind in found if inspect.isclass(kind) and attrs.has(kind) and hasattr(kind, "around")}


def played(body):
    """Return the lines that a body adds to an empty script."""
    script = Faults()
    play(script, body)
    return script.lines()


def test_every_fault_can_be_named():
    """All classes of faults but `Change`, which takes a function, are there with all of their fields."""
    known = classes_of_faults()
    del known["Change"]

    assert {name: {field.name for field in attrs.fields(kind)} for name, kind in known.items()} == {
        name: set(kind.fields) for name, kind in KINDS.items()
    }


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param({"fault": "Status", "status": 503}, Status(503), id="Status"),
        pytest.param(
            {
                "fault": "Status",
                "status": 429,
                "retry_after": 3,
                "headers": {"X-A": "b"},
                "body": {"c": [1]},
                "after": True,
            },
            Status(429, 3, headers={"X-A": "b"}, body={"c": [1]}, after=True),
            id="Status with all fields",
        ),
        pytest.param(
            {"fault": "Status", "status": 429, "retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"},
            Status(429, "Wed, 21 Oct 2015 07:28:00 GMT"),
            id="Status with a date",
        ),
        pytest.param({"fault": "Redirect", "location": "/x", "status": 301}, Redirect("/x", 301), id="Redirect"),
        pytest.param(
            {"fault": "WrongContentType", "content_type": "text/plain", "body": "no", "after": True},
            WrongContentType("text/plain", "no", after=True),
            id="WrongContentType",
        ),
        pytest.param({"fault": "Delay", "seconds": 0.5}, Delay(0.5), id="Delay"),
        pytest.param({"fault": "Hang", "after": True}, Hang(after=True), id="Hang"),
        pytest.param({"fault": "Reset"}, Reset(), id="Reset"),
        pytest.param({"fault": "Truncate"}, Truncate(), id="Truncate"),
        pytest.param({"fault": "SlowBody", "seconds": 1, "chunks": 3}, SlowBody(1, 3), id="SlowBody"),
        pytest.param({"fault": "OversizeBody", "size": 9}, OversizeBody(9), id="OversizeBody"),
        pytest.param({"fault": "Dated", "ahead": -60, "age": 5}, Dated(-60, age=5), id="Dated"),
        pytest.param({"fault": "UnknownEnum", "field": "a", "value": "x"}, UnknownEnum("a", "x"), id="UnknownEnum"),
        pytest.param({"fault": "NullFields", "names": ["a", "b"]}, NullFields("a", "b"), id="NullFields"),
        pytest.param({"fault": "RepeatPage", "page": 2, "keep_echo": True}, RepeatPage(2, keep_echo=True), id="page"),
    ],
)
def test_a_fault_by_its_name(body, fault):
    """A fault is added as in Python, with the fields that it takes."""
    assert [fault] == [line.fault for line in played(body)]


def test_when_it_is_played():
    """The arguments of `Faults.add` stand beside the fault's own fields."""
    when = {"method": "POST", "path": "/phone-numbers*", "times": None, "skip": 2, "after_write": True}
    (line,) = played({"fault": "Reset", **when})

    assert ("POST", "/phone-numbers*") == (line.selector.method, line.selector.path)
    assert (None, 2, True) == (line.times, line.skip, line.is_asleep)


def test_a_script_by_its_name():
    """The script of a name is added whole."""
    assert [Reset(), Truncate(), Status(503)] == [line.fault for line in played({"script": "flaky"})]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "script", id="nothing"),
        pytest.param({"script": "rain"}, "script", id="unknown script"),
        pytest.param({"script": "busy", "times": 1}, "times", id="script with more"),
        pytest.param({"fault": "Change"}, "fault", id="a fault that takes a function"),
        pytest.param({"fault": "Status"}, "status", id="without its status"),
        pytest.param({"fault": "Status", "status": 101}, "status", id="a status that is no answer"),
        pytest.param({"fault": "Status", "status": 600}, "status", id="a status that there is not"),
        pytest.param({"fault": "Status", "status": 429, "retry_after": "1\r\nX: y"}, "retry_after", id="two headers"),
        pytest.param({"fault": "Status", "status": 429, "headers": {"a b": "c"}}, "headers", id="no header's name"),
        pytest.param({"fault": "Status", "status": 429, "headers": {"a": "\n"}}, "headers.a", id="no header's text"),
        pytest.param({"fault": "Delay", "seconds": -1}, "seconds", id="a negative time"),
        pytest.param({"fault": "Reset", "seconds": 1}, "seconds", id="a field of another fault"),
        pytest.param({"fault": "Reset", "times": 0}, "times", id="never"),
    ],
)
def test_what_is_refused(body, field):
    """A value that no fault can have is refused with 422, which names the field."""
    with pytest.raises(RefusedError) as caught:
        played(body)

    assert (422, field) == (caught.value.status, caught.value.field)
