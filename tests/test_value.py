import pickle
from copy import copy

import pytest

from mihu_async.core.redaction import Redactor
from mihu_async.core.request import RAW, Request, describe
from mihu_async.core.response import Response
from mihu_async.core.server_clock import Moment
from mihu_async.value import replace


def test_values_are_equal_by_their_fields_and_cannot_be_changed():
    """Two moments at the same time are one value, also after a copy and a pickle."""
    moment = Moment(1.0, 2.0)

    assert moment == Moment(1.0, 2.0) == copy(moment) == pickle.loads(pickle.dumps(moment))
    assert moment != Moment(1.0, 3.0)
    assert 1 == len({moment, Moment(1.0, 2.0)})
    with pytest.raises(AttributeError):
        moment.calendar = 3.0  # type: ignore[misc]  # the point of the test


def test_a_copy_differs_in_what_is_given():
    """All other fields stay, and the value itself too."""
    moment = Moment(1.0, 2.0)

    assert Moment(1.0, 3.0) == replace(moment, calendar=3.0)
    assert Moment(1.0, 2.0) == moment
    assert "Moment(monotonic=1.0, calendar=2.0)" == repr(moment)


def test_a_repr_shows_no_secret():
    """Neither a body nor headers nor a token stand in it."""
    described = describe("POST", "/x", RAW, json={"password": "hunter22"}, headers={"X-Api-Key": "key-hunter22"})
    request: Request[object] = replace(described, token="token-hunter22")
    response = Response("http://127.0.0.1", 200, {"Set-Cookie": "hunter22"}, b"hunter22")

    assert "Request(method='POST', path='/api/v1/x', returns=<class 'object'>" in repr(request)
    assert "Response(url='http://127.0.0.1', status=200, complete=True" in repr(response)
    assert "hunter22" not in repr((request, response))


def test_an_object_that_changes_equals_only_itself_and_shows_nothing():
    """A redactor knows every secret of its call."""
    redactor = Redactor(("hunter22",))

    assert Redactor(("hunter22",)) != redactor
    assert "<Redactor>" == repr(redactor)
