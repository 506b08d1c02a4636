import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import (
    APIError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ConnectTimeoutError,
    DecodeError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
)
from mihu_async.core.options import Bounds
from mihu_async.core.refusal import parse_retry_after
from mihu_async.core.retry import Ambiguous, GiveUp, Retry, Throttled, backoff, decide, failed_while_blocked
from mihu_async.core.server_clock import parse_date

WHERE: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/phone-numbers"}
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
POLICY = RetryPolicy()


def api(kind: type[APIError], status: int, retry_after: float | None = None) -> APIError:
    """Make a refusal with a status."""
    return kind("refused", status=status, retry_after=retry_after, **WHERE)


NEVER_SENT: list[Any] = [ConnectError("", **WHERE), ConnectTimeoutError("", **WHERE)]
THROTTLED = [api(RateLimitError, 429)]
LOST = [
    RequestTimeoutError("", **WHERE),
    ConnectionLostError("", **WHERE),
    DecodeError("", status=200, content_type="text/html", excerpt="", transient=True, **WHERE),
    *(api(APIError, status) for status in (408, 499)),
    *(api(ServerError, status) for status in (500, 502, 503, 504, 507, 520, 524, 599)),
]
REFUSED = [
    *(api(APIError, status) for status in (200, 400)),
    api(ConflictError, 409),
    *(api(ServerError, status) for status in (501, 505)),
]


UNREADABLE = DecodeError("", status=200, content_type="application/json", excerpt="", **WHERE)
"""What comes the same again."""


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("lost", [False, True])
def test_what_comes_the_same_again_is_not_asked_for_again(method, lost):
    """JSON of a wrong shape, and what HTTP forbids, are raised at once."""
    assert GiveUp() == decide(UNREADABLE, method=method, attempt=1, policy=POLICY, left=60, jitter=1.0, lost=lost)


def test_a_purchase_whose_answer_comes_the_same_again_is_looked_up():
    """It may have been made, and may be sent again where it was not."""
    assert isinstance(decide(UNREADABLE, method="POST", attempt=1, policy=POLICY, left=60, jitter=1.0), Ambiguous)


def name(error) -> str:
    """Name an error for a test's id."""
    return f"{type(error).__name__}-{getattr(error, 'status', '')}"


def decided(error, *, method="GET", attempt=1, left=60.0, policy=POLICY):
    """Decide with defaults that are far from every bound, and without chance."""
    return decide(error, method=method, attempt=attempt, policy=policy, left=left, jitter=1.0)


@pytest.mark.parametrize("error", NEVER_SENT + THROTTLED, ids=name)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_not_carried_out_is_sent_again(error, method):
    """No connection and 429 mean that nothing happened, so even a purchase is sent again."""
    assert Retry(0.5) == decided(error, method=method)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_would_fail_again_is_not_tried_again(method):
    """Such as a certificate that is not trusted; a write that may have left is looked up all the same."""
    never, cut_off = ConnectError("", **WHERE), ConnectionLostError("", **WHERE)
    never.is_permanent = cut_off.is_permanent = True

    assert GiveUp() == decided(never, method=method)
    assert (GiveUp() if method == "GET" else Ambiguous(GiveUp())) == decided(cut_off, method=method)


@pytest.mark.parametrize("error", LOST, ids=name)
def test_a_lost_answer_is_asked_for_again_where_that_is_safe(error):
    """A write that may have been applied is repeated only if twice is as good as once."""
    assert Retry(0.5) == decided(error)
    assert Ambiguous(Retry(0.5)) == decided(error, method="POST")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_json_of_a_wrong_shape_is_not_asked_for_again(method):
    """Another attempt would bring the same; of a purchase, it tells no more than a lost answer."""
    error = DecodeError("", status=200, content_type="application/json", excerpt="", paths=("$.data",), **WHERE)

    assert GiveUp() == decided(error, method=method)
    assert Ambiguous(Retry(0.5)) == decided(error, method="POST")


@pytest.mark.parametrize("error", REFUSED, ids=name)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_is_final(error, method):
    """Every other status is an answer, and asking again would get the same one."""
    assert GiveUp() == decided(error, method=method)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_no_answer_to_a_write_that_is_not_repeatable(status):
    """It may point to what was made, so that is looked up, and nothing is sent again; elsewhere it is a refusal."""
    assert GiveUp() == decided(api(APIError, status), method="GET")
    assert GiveUp() == decided(api(APIError, status), method="PUT")
    assert Ambiguous(GiveUp("it was redirected")) == decided(api(APIError, status), method="POST")


def test_attempts_are_bounded():
    """The last attempt that the policy allows is the last one, and the error says so."""
    assert GiveUp("max_attempts=4") == decided(LOST[0], attempt=4)
    assert GiveUp() == decided(LOST[0], attempt=1, policy=RetryPolicy(max_attempts=1))


@pytest.mark.parametrize("error", [api(RateLimitError, 429, 7.0), api(ServerError, 503, 7.0)], ids=name)
def test_the_service_says_how_long(error):
    """A Retry-After is waited for exactly."""
    assert Retry(7.0) == decided(error)


def test_a_pause_of_nothing_is_a_pause_of_our_own():
    """Retry-After: 0 does not make the SDK hammer the service."""
    assert Retry(0.5) == decided(api(RateLimitError, 429, 0.0))


def test_a_long_pause_is_not_slept_through():
    """A Retry-After above the cap ends the call at once, with the figure."""
    verdict = decided(api(RateLimitError, 429, 3600.0))

    assert GiveUp("the service asks for a pause of 3600 s, above max_retry_after=60") == verdict


def test_no_wait_goes_past_the_deadline():
    """A wait that would end after the call's total time is not begun."""
    verdict = decided(LOST[0], left=0.5)

    assert isinstance(verdict, GiveUp)
    assert "0.5 s are left" in verdict.why


@given(attempt=st.integers(1, 10_000), jitter=st.floats(0, 1), base=st.floats(0, 100), most=st.floats(0, 100))
def test_backoff_stays_between_nothing_and_the_cap(attempt, jitter, base, most):
    """However many attempts were made, the wait is never above max_delay and never negative."""
    wait = backoff(RetryPolicy(base_delay=base, max_delay=most), attempt, jitter)

    assert 0 <= wait <= most


def test_backoff_doubles():
    """Without chance, the waits are the documented ones."""
    assert [0.5, 1.0, 2.0, 4.0, 8.0, 8.0] == [backoff(POLICY, attempt, 1.0) for attempt in range(1, 7)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("9" * 400, math.inf),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("٣", None),
        ("Thu, 99 Jan 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value, expected):
    """Seconds and dates are read, and anything else says nothing."""
    assert expected == parse_retry_after(value, now=NOW)


@given(st.text())
def test_the_retry_after_parser_never_raises(value):
    """Whatever the header holds, the parser gives seconds from 0 or None."""
    seconds = parse_retry_after(value, now=NOW)

    assert seconds is None or seconds >= 0


@given(st.integers(0, 10**6))
def test_a_date_is_read_as_the_seconds_until_then(seconds):
    """A date so many seconds ahead is that many seconds."""
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert seconds == parse_retry_after(header, now=NOW)


@pytest.mark.parametrize(
    ("error", "took", "only"),
    [
        (RequestTimeoutError("", **WHERE), 29.9, True),
        (RequestTimeoutError("", **WHERE), 30.0, False),
        (ConnectTimeoutError("", **WHERE), 9.9, True),
        (ConnectTimeoutError("", **WHERE), 10.0, False),
        (ConnectionLostError("", **WHERE), 1.0, True),
        (api(ServerError, 500), 1.0, False),
    ],
    ids=["read", "slow", "connect", "slow to connect", "lost", "answered"],
)
def test_an_attempt_failed_only_for_a_standstill_where_it_had_time_left_beside_that(error, took, only):
    """What the service answered is no failure of the loop."""
    assert only == failed_while_blocked(error, took=took, bounds=Bounds(60.0, 10.0, 30.0))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("lost", [False, True])
def test_a_throttled_request_is_sent_again_after_the_pause_of_the_client(method, lost):
    """Whatever its number, and whatever the budget holds."""
    verdict = decide(
        THROTTLED[0],
        method=method,
        attempt=9,
        policy=POLICY,
        left=8,
        jitter=1,
        affordable=False,
        pause_left=7,
        lost=lost,
    )

    assert Throttled(7) == verdict


def test_a_throttled_request_whose_pause_is_too_long_is_given_up():
    """Longer than the call has time, or than the policy waits; a purchase whose answer was lost is looked up then."""

    def decided(retry_after=None, *, pause=7.0, method="GET", lost=False):
        error = api(RateLimitError, 429, retry_after)
        return decide(error, method=method, attempt=1, policy=POLICY, left=7, jitter=1, pause_left=pause, lost=lost)

    late = GiveUp("the next attempt would begin after the call's total time, of which 7 s are left")

    assert late == decided()
    assert GiveUp("the service asks for a pause of 61 s, above max_retry_after=60") == decided(61.0)
    assert Ambiguous(late) == decided(method="POST", lost=True)


@pytest.mark.parametrize(
    "text",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "Thu, 01 Jan 1969 00:00:00 GMT", "soon"],
)
def test_a_date_from_which_nothing_can_be_counted_is_none(text):
    """A moment before or after it would be no date any more, and no clock shows it."""
    assert parse_date(text) is None
