"""Every row of the decision on a write whose answer was lost."""

from typing import Any

import pytest

from mihu_async import RetryPolicy
from mihu_async.core.lookup import Absent, Found, LookupFailed
from mihu_async.core.retry import LOOKS, Conflict, GiveUp, LookAgain, Resend, Retry, Return, Unknown, settle

OURS = Found("it", ours=True, reason="there")
THEIRS = Found("it", ours=False, reason="held before")
PERHAPS_THEIRS = Found("it", ours=False, reason="an old row", is_final=False)
UNCLEAR = Found("it", ours=None, reason="no date")
LATE = "it is not there now, which may still change, because a write may be applied late and a listing may lag"


def settled(result, then, **known):
    """Decide with time left and looks left."""
    given: dict[str, Any] = {"looks": 1, "policy": RetryPolicy(), "left": 60.0} | known
    return settle(result, then=then, **given)


@pytest.mark.parametrize("then", [Retry(1.0), GiveUp("any")])
@pytest.mark.parametrize("left", [60.0, 0.0, -1.0])
@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (OURS, Return("it")),
        (THEIRS, Conflict("held before")),
        (UNCLEAR, Unknown("no date")),
        (LookupFailed("the lookup failed: 503"), Unknown("the lookup failed: 503")),
    ],
)
def test_what_was_seen_decides_whatever_else_is_known(result, expected, then, left):
    """A result is evidence; neither attempts nor time change what it says."""
    assert expected == settled(result, then, left=left)


@pytest.mark.parametrize(
    ("then", "known", "expected"),
    [
        (Retry(1.0), {}, Resend()),
        (Retry(1.0), {"looks": 9}, Resend()),
        (Retry(1.0), {"left": 0.0}, Unknown("it is not there now, and the call's time is up")),
        (GiveUp("no"), {"left": 0.0}, Unknown("it is not there now, and the call's time is up")),
        (GiveUp("no"), {}, LookAgain(0.5)),
        (GiveUp("no"), {"looks": 3}, LookAgain(2.0)),
        (GiveUp("no"), {"looks": LOOKS - 1}, LookAgain(4.0)),
        (GiveUp("no"), {"looks": LOOKS}, Unknown(LATE)),
        (GiveUp("no"), {"looks": 3, "left": 2.0}, Unknown(LATE)),
        (GiveUp("no"), {"policy": RetryPolicy(max_attempts=1)}, LookAgain(0.5)),
        (GiveUp("no"), {"policy": RetryPolicy(base_delay=0)}, LookAgain(0.0)),
    ],
)
def test_what_is_not_there_is_never_taken_for_not_done(then, known, expected):
    """It is sent again where the service would refuse a second one, and otherwise looked for again, then unknown."""
    assert expected == settled(Absent(), then, **known)


@pytest.mark.parametrize("then", [Retry(1.0), GiveUp("any")])
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, LookAgain(0.5)),
        ({"looks": LOOKS}, Conflict("an old row")),
        ({"left": 0.5}, Conflict("an old row")),
    ],
)
def test_beside_a_row_that_is_not_in_force_a_newer_one_may_come_up(then, known, expected):
    """It is looked for as long, and then it is a conflict; nothing is sent again."""
    assert expected == settled(PERHAPS_THEIRS, then, **known)
