import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import RateLimit
from mihu_async.core.rate_limit import Pace, parse_rate_limit

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DATE = {"Date": "Thu, 01 Jan 2026 13:00:00 GMT"}
"""The service's clock is an hour ahead."""


def headers(limit="60", remaining="0", reset=None, **others):
    """Make the headers of an answer."""
    named = {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset}
    return {name: value for name, value in named.items() if value is not None} | others


@pytest.mark.parametrize(
    ("reset", "date", "moment", "left"),
    [
        (str(int(NOW.timestamp()) + 7), {}, NOW + timedelta(seconds=7), 7.0),
        ("7", {}, NOW + timedelta(seconds=7), 7.0),
        ("7", DATE, NOW + timedelta(hours=1, seconds=7), 7.0),
        (str(int(NOW.timestamp()) + 3607), DATE, NOW + timedelta(hours=1, seconds=7), 7.0),
        (str(int(NOW.timestamp()) - 7), {}, NOW - timedelta(seconds=7), 0.0),
        (None, {}, None, None),
        ("soon", {}, None, None),
        ("-7", {}, None, None),
        ("999999999999", {}, None, None),
        ("9" * 13, {}, None, None),
    ],
    ids=["epoch", "seconds", "seconds there", "epoch there", "past", "none", "word", "negative", "too far", "too long"],
)
def test_a_reset_is_a_moment_of_the_services_clock_or_seconds_from_now(reset, date, moment, left):
    """Which of them shows in its size; what is neither is not known."""
    assert (RateLimit(60, 0, moment), left) == parse_rate_limit(headers(reset=reset, **date), now=NOW)


@pytest.mark.parametrize(
    ("limit", "remaining"),
    [(None, "3"), ("60", None), ("", "3"), ("60", ""), ("sixty", "3"), ("60", "-1"), ("60", "3.5"), ("60", "٣")],
)
def test_headers_that_make_no_sense_say_nothing(limit, remaining):
    """Nothing is guessed."""
    assert parse_rate_limit(headers(limit, remaining), now=NOW) is None


@given(st.text(), st.text(), st.text(), st.text())
def test_no_header_breaks_the_reading(limit, remaining, reset, date):
    """Whatever a gateway writes."""
    said = parse_rate_limit(headers(limit, remaining, reset, Date=date), now=NOW)

    assert said is None or (said[0].remaining >= 0 and (said[1] is None or said[1] >= 0))


def paced(passed, *, refused_at=1.0, resumes=2.0) -> Pace:
    """Make a pace that saw requests pass at some moments, and then a refusal."""
    pace = Pace()
    for moment in passed:
        pace.passed.append(moment)
    pace.note_refused(refused_at, resumes=resumes)
    return pace


def test_nothing_is_spaced_before_a_refusal():
    """No rate is known, however much passes."""
    pace = Pace()
    pace.passed.append(1.0)

    assert math.inf == pace.rate(1.0)


@pytest.mark.parametrize(("passed", "rate"), [(20, 16.0), (5, 4.0), (1, 1.6), (0, 1.6)])
def test_the_first_refusal_leads_to_a_little_less_than_what_passed_in_a_second(passed, rate):
    """That is the window of many a limit; it is never less than a first guess."""
    pace = paced([*[-5.0] * 9, *[0.5] * passed])

    assert rate == pace.rate(1.0)
    assert rate == pace.rate(2.0)


def test_what_was_guessed_is_doubled_each_second():
    """So a limit with a small burst and a high rate is found soon; beyond a bound nothing is spaced."""
    pace = paced([0.5] * 5)

    assert [4.0, 8.0, 16.0] == [pace.rate(moment) for moment in (2.0, 3.0, 4.0)]
    assert math.inf == pace.rate(9.0)
    assert math.inf == pace.rate(1e9)


def test_a_second_refusal_measures_what_the_service_takes():
    """What passed since the first one counts, with the pause, or in the last second, if that is more."""
    slow, fast = paced([0.5] * 9), paced([0.5] * 9)
    for moment in (2.0, 3.0, 4.0, 5.0, 6.0):
        slow.passed.append(moment)
    slow.note_refused(6.0, resumes=7.0)
    for _ in range(8):
        fast.passed.append(10.5)
    fast.note_refused(11.0, resumes=12.0)

    assert pytest.approx(0.8 * 7.2 * 2**4 / 4) == slow.rate(7.0)  # no less than a quarter of what was tried
    assert pytest.approx(0.8 * 8) == fast.rate(12.0)


def settled(rate=10) -> Pace:
    """Make a pace that has measured a rate, from the moment 3 on."""
    pace = paced([0.5] * rate)
    for _ in range(rate):
        pace.passed.append(2.5)
    pace.note_refused(3.0, resumes=3.0)
    return pace


def test_a_measured_rate_is_approached_kept_and_then_tried_to_be_passed():
    """It comes near soon, stays for a while, and goes on faster and faster."""
    pace = settled()
    rates = [round(pace.rate(moment), 2) for moment in (3, 7, 11, 15, 19, 27)]

    assert [8.0, 9.75, 10.0, 10.25, 12.0, 26.0] == rates


def test_a_refusal_never_lowers_a_measured_rate_by_more_than_half_and_a_fifth():
    """One slip of a service is no new limit."""
    pace = settled()
    pace.passed.append(11.0)
    pace.note_refused(13.0, resumes=13.0)

    assert 0.8 * 5 == pytest.approx(pace.rate(13.0), rel=0.01)


def test_a_refusal_after_which_nothing_passed_tells_no_rate():
    """It came too soon: only the distance begins anew."""
    pace = settled()
    pace.note_refused(4.0, resumes=9.0)

    assert 8.0 == pace.rate(9.0)


def test_no_rate_below_one_a_second_is_kept():
    """A service that takes fewer is obeyed by pauses."""
    pace = paced([], refused_at=1.0)
    for moment in (2.0, 30.0):
        pace.passed.append(moment)
    for moment in range(40, 400, 40):
        pace.passed.append(moment - 2.0)
        pace.note_refused(moment, resumes=moment)

    assert 0.8 <= pace.rate(360.0) <= 1.6


def test_a_rate_can_be_forgotten():
    """Then nothing is spaced."""
    pace = settled()
    pace.forget()

    assert math.inf == pace.rate(3.0)


def test_what_passes_in_another_thread_does_not_disturb_a_measurement():
    """A client may be used from several threads, so an answer can arrive in the middle of it."""
    pace = Pace()

    class Passed(float):
        def __gt__(self, other: float) -> bool:
            pace.passed.append(0.0)
            return super().__gt__(other)

    pace.passed.extend([Passed(0.5)] * 2)
    pace.note_refused(1.0, resumes=1.0)

    assert 1.6 == pace.rate(1.0)
