import copy
import inspect
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from mihu_async import errors

CALL: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/x"}
ANSWER: dict[str, Any] = {
    "status": 409,
    "code": "C",
    "message": "m",
    "details": "d",
    "field": "f",
    "request_id": "r",
    "retry_after": 1.5,
}
EXTRA = {
    errors.UsageError: {"argument": "number"},
    errors.CheckpointInUseError: {"path": "numbers.place"},
    errors.DryRun: CALL | {"json": {"a": 1}, "curl": "curl"},
    errors.OutcomeUnknownError: CALL | {"how_to_check": "Look."},
    errors.DecodeError: CALL | {"status": 200, "content_type": "text/html", "excerpt": "<", "paths": ("$.a",)},
    errors.WaitError: {"number": "+390790080041", "status": "active", "last_status": "pending"},
    errors.WaitTimeoutError: {"number": "+390790080041", "status": "active", "last_status": None},
    errors.LedgerError: {},
    errors.NoOfferError: {"offers": 12, "refused": 3},
    errors.BindingError: {"number": "+390790080041", "agent_uuid": "a"},
    errors.PaginationError: {"requested": 2, "received": 1},
    errors.DriftError: {"requested": 2, "received": 2},
    errors.PurchaseLimitError: CALL | ANSWER | {"limit": 3, "current": 3},
    errors.ValidationError: CALL | ANSWER | {"fields": {"number": ("is taken",)}},
}
KINDS = [
    kind
    for name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.MihuError) and not name.startswith("_")
]


def make(kind) -> errors.MihuError:
    """Make an error of a class, with every attribute and a journal."""
    fallback = CALL | ANSWER if issubclass(kind, errors.APIError) else CALL
    fields = {} if kind is errors.MihuError else EXTRA.get(kind, fallback)
    attempt = errors.Attempt(1, datetime(2026, 1, 1, tzinfo=UTC), 0.5, 409, "refused", 2.0)
    error: errors.MihuError = kind("What happened.", **fields)
    return error.after((attempt, attempt), "max_attempts=2")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copy", "pickle"])
def test_every_error_survives_copying_and_pickling(kind, way):
    """It comes back with its class, its words, its attributes and its journal."""
    error = make(kind)
    again = way(error)

    assert kind is type(again)
    assert (str(error), error.args, vars(error)) == (str(again), again.args, vars(again))
    assert 2 == len(again.attempts)


def test_the_text_says_how_often_and_why_no_more():
    """The journal's sum is in the message."""
    assert "What happened. Tried 2 times. Not tried again: max_attempts=2." == str(make(errors.MihuError))
    assert "What happened." == str(errors.MihuError("What happened."))


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.UsageError, ValueError),
        (errors.RequestTimeoutError, TimeoutError),
        (errors.ConnectTimeoutError, TimeoutError),
        (errors.WaitTimeoutError, TimeoutError),
    ],
)
def test_errors_are_what_python_calls_them(kind, builtin):
    """Code that knows nothing of the SDK still catches the right thing."""
    assert issubclass(kind, builtin)


def test_an_api_error_advises():
    """What to do stands at the end."""
    assert str(errors.AuthenticationError("Refused.", **CALL, status=401)).startswith("Refused. Check the token")


LOST = errors.Attempt(1, datetime(2026, 1, 1, tzinfo=UTC), 0.5, None, "lost", lost=True)
SENT = errors.Attempt(2, datetime(2026, 1, 1, tzinfo=UTC), 0.5, 409, "refused")
OPEN = (errors.TransportError, errors.RequestTimeoutError, errors.ConnectionLostError, errors.DecodeError)
STATUSES = {
    True: [0, 101, 199, 300, 302, 303, 307, 308, 408, 499, 500, 502, 503, 504, 524, 599],
    False: [200, 400, 401, 403, 404, 405, 409, 410, 412, 422, 423, 429, 451, 501, 505],
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_says_whether_anything_can_have_changed(kind):
    """By its class and verb, and True for each where an attempt's answer was lost."""
    error = make(kind)
    read, write = (make(kind) for _ in range(2))
    vars(read).update(method="GET")
    vars(write).update(method="PUT")
    always = kind in {errors.OutcomeUnknownError, errors.BindingError}
    expected = kind in OPEN or always

    assert expected is write.may_have_changed
    assert read.may_have_changed is always
    assert error.after((LOST, SENT), "").may_have_changed
    assert expected is write.after((SENT,), "").may_have_changed
    assert expected is pickle.loads(pickle.dumps(write)).may_have_changed


@pytest.mark.parametrize(
    ("status", "expected"), [(status, expected) for expected, known in STATUSES.items() for status in known]
)
def test_a_status_says_whether_a_write_can_have_been_carried_out(status, expected):
    """A redirect and what a gateway says do not tell; a read changes nothing."""
    for kind in (errors.APIError, errors.ServerError):
        assert expected is kind("Refused.", method="POST", url="u", status=status).may_have_changed
        assert not kind("Refused.", method="GET", url="u", status=status).may_have_changed


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"details": "d", "message": "m", "code": "c"}, "d"),
        ({"message": "m", "code": "c"}, "m"),
        ({"code": "c"}, "c"),
        ({}, None),
    ],
)
def test_a_reason_is_the_sentence_that_says_why(said, expected):
    """Details, else the message, else the code."""
    assert expected == errors.APIError("Refused.", **CALL, status=409, **said).reason
