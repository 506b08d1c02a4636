"""Every row of the decision on a write whose answer was lost."""

from typing import Any

import pytest

from mihu_async import APIError, ConnectionLostError, DecodeError, RequestTimeoutError, RetryPolicy, ServerError
from mihu_async.core.reconcile import (
    Absent,
    Found,
    Give,
    Look,
    Refused,
    Send,
    Taken,
    Unknown,
    Unseen,
    ended,
    settle,
)
from mihu_async.core.retry import Again, GiveUp

WHERE: dict[str, Any] = {"method": "POST", "url": "https://acme.mihu.ai/api/v1/phone-numbers"}
OURS = Found("it", ours=True, told="there")
THEIRS = Found("it", ours=False, told="held before")
UNCLEAR = Found("it", ours=None, told="no date")
LATE = "it is not there now, which a write that is applied late may still change"


def settled(sight, then, **known):
    """Decide with time left and looks left."""
    given: dict[str, Any] = {"over": False, "looks": 1, "policy": RetryPolicy(), "left": 60.0, "jitter": 1.0} | known
    return settle(sight, then=then, **given)


@pytest.mark.parametrize("then", [Again(1.0), GiveUp("any")])
@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("left", [60.0, 0.0, -1.0])
@pytest.mark.parametrize(
    ("sight", "expected"),
    [
        (OURS, Give("it")),
        (THEIRS, Taken("held before")),
        (UNCLEAR, Unknown("no date")),
        (Unseen("the look-up failed: 503"), Unknown("the look-up failed: 503")),
    ],
)
def test_what_was_seen_decides_whatever_else_is_known(sight, expected, then, over, left):
    """A sight is evidence; neither attempts nor time change what it says."""
    assert expected == settled(sight, then, over=over, left=left)


@pytest.mark.parametrize(
    ("then", "known", "expected"),
    [
        (Again(1.0), {}, Send()),
        (Again(1.0), {"looks": 9}, Send()),
        (Again(1.0), {"left": 0.0}, Unknown("it is not there now, and the call's time is up")),
        (GiveUp("no"), {"left": 0.0}, Unknown("it is not there now, and the call's time is up")),
        (GiveUp("no"), {"over": True}, Refused()),
        (GiveUp("no"), {"over": True, "looks": 9}, Refused()),
        (GiveUp("no"), {}, Look(0.5)),
        (GiveUp("no"), {"looks": 3}, Look(2.0)),
        (GiveUp("no"), {"looks": 3, "jitter": 0.25}, Look(0.5)),
        (GiveUp("no"), {"looks": 4}, Unknown(LATE)),
        (GiveUp("no"), {"looks": 3, "left": 2.0}, Unknown(LATE)),
        (GiveUp("no"), {"policy": RetryPolicy(max_attempts=1)}, Unknown(LATE)),
    ],
)
def test_what_is_not_there_is_never_taken_for_not_done(then, known, expected):
    """It is sent again where the service would refuse a second one, and otherwise looked for again, then unknown."""
    assert expected == settled(Absent(), then, **known)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError("", status=500, **WHERE), True),
        (ServerError("", status=503, **WHERE), True),
        (ServerError("", status=502, **WHERE), False),
        (ServerError("", status=504, **WHERE), False),
        (APIError("", status=408, **WHERE), False),
        (RequestTimeoutError("", **WHERE), False),
        (ConnectionLostError("", **WHERE), False),
        (DecodeError("", status=200, content_type="", excerpt="", **WHERE), False),
    ],
)
def test_only_the_services_own_failure_ends_a_request(error, expected):
    """A gateway that stopped waiting, a timeout and a loss leave the service at work."""
    assert expected is ended(error)
