"""The service's clock as an interval, and how a date stands to a call on it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async.core.server_clock import (
    BLUR,
    KEPT,
    NEAR,
    CallWindow,
    Dated,
    Dating,
    Moment,
    ServerClock,
    TimeInterval,
    date_against,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EPOCH = NOON.timestamp()


def header(at: datetime) -> str:
    """Write a Date header, which cuts fractions."""
    return format_datetime(at.replace(microsecond=0), usegmt=True)


def our(seconds: float, *, slept: float = 0.0) -> Moment:
    """Make a moment of ours; the calendar has gone on while the machine slept."""
    return Moment(seconds, EPOCH + seconds + slept)


def bounds(interval: TimeInterval | None) -> tuple[float, float] | None:
    """Return an interval in seconds from noon."""
    if interval is None:
        return None
    return (interval.earliest - NOON).total_seconds(), (interval.latest - NOON).total_seconds()


def clock(*answers: tuple[float, float, float], slept: float = 0.0) -> ServerClock:
    """Make a clock of answers: the service's time, and when the request was sent and its answer came."""
    made = ServerClock()
    for theirs, sent, received in answers:
        made.answers.append(Dated(header(NOON + timedelta(seconds=theirs)), sent, our(received, slept=slept)))
    return made


def test_an_answer_bounds_the_clock_by_its_way_and_a_second():
    """It was dated between the request and its head, in a second that is cut."""
    assert (100.0 - 2, 101.0 - 1) == bounds(clock((100, 11, 12)).at(our(10)))


@pytest.mark.parametrize("date", ["nonsense", "", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_without_a_date_nothing_is_known(date):
    """None that can be read, and one that no service means."""
    made = ServerClock()
    made.answers.append(Dated(date, 0, our(1)))

    assert made.at(our(1)) is None


def test_answers_that_agree_bound_it_more_closely():
    """Each cuts off a part that the others allow."""
    assert (110.0, 110.5) == bounds(clock((100, 0, 0), (100, 0.5, 0.5)).at(our(10)))


def test_answers_that_contradict_each_other_leave_all_that_any_allows():
    """A wrong one among them cannot be told apart."""
    assert (-60.0 + 10, 11.0) == bounds(clock((0, 0, 0), (-60, 0, 0)).at(our(10)))


def test_the_latest_answers_count():
    """One odd answer is forgotten."""
    assert (5.0, 6.0) == bounds(clock((-60, 0, 0), *[(0, 0, 0)] * KEPT).at(our(5)))


@pytest.mark.parametrize(("slept", "expected"), [(5.0, (5.0, 16.0)), (-5.0, (5.0, 16.0)), (0.4, (10.0, 11.0))])
def test_a_jump_of_our_own_clocks_makes_it_wider(slept, expected):
    """The machine slept between a moment and the answer, or its calendar was set; a little is the calendar's drift."""
    assert expected == bounds(clock((10, 10, 10), slept=slept).at(our(10)))


@given(
    truth=st.floats(-1e6, 1e6),
    ways=st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=KEPT),
)
def test_the_truth_is_within_what_true_answers_allow(truth, ways):
    """Whatever the clock is ahead by, and however long each answer took."""
    answers = [(truth + sent + took * when, sent, sent + took) for sent, took, when in ways]
    low, high = bounds(clock(*answers).at(our(50))) or (0, 0)

    assert low - 0.001 <= truth + 50 <= high + 0.001


def window(*, began=(0.0, 1.0), now=(2.0, 3.0)) -> CallWindow:
    """Make a call's window in seconds from noon."""

    def interval(ends: tuple[float, float]) -> TimeInterval:
        earliest, latest = (NOON + timedelta(seconds=end) for end in ends)
        return TimeInterval(earliest, latest)

    return CallWindow(interval(began), interval(now))


EDGE = timedelta(seconds=1) + NEAR


@pytest.mark.parametrize(
    ("seconds", "given_window", "expected"),
    [
        pytest.param(0, {}, Dating.DURING, id="beginning"),
        pytest.param(2.5, {}, Dating.DURING, id="end"),
        pytest.param(-1, {}, Dating.DURING, id="cut to its second"),
        pytest.param(-1.001, {}, Dating.UNCLEAR, id="a little before"),
        pytest.param(3.001, {}, Dating.UNCLEAR, id="beyond now"),
        pytest.param(86_400, {}, Dating.UNCLEAR, id="tomorrow"),
        pytest.param(-EDGE.total_seconds(), {}, Dating.UNCLEAR, id="a minute before"),
        pytest.param(-EDGE.total_seconds() - 1, {}, Dating.BEFORE, id="more than a minute before"),
        pytest.param(0, {"began": (-60, 1), "now": (-58, 3)}, Dating.UNCLEAR, id="a clock that is not known, late"),
        pytest.param(-30, {"began": (-60, 1), "now": (-58, 3)}, Dating.UNCLEAR, id="a clock that is not known"),
        pytest.param(-60, {"began": (-60, 1), "now": (-58, 3)}, Dating.UNCLEAR, id="a clock that is not known, early"),
        pytest.param(-3 * 365 * 86_400, {}, Dating.BEFORE, id="years before"),
        *[
            pytest.param(-hours * 3600 + 1, {}, Dating.UNCLEAR, id=f"local time, {hours} h west")
            for hours in (0.25, 1, 3.5, 5, 8, 9.75, 12, 14)
        ],
        *[
            pytest.param(hours * 3600 + 1, {}, Dating.UNCLEAR, id=f"local time, {hours} h east")
            for hours in (0.25, 1, 5.75, 14)
        ],
        pytest.param(-14.25 * 3600 + 1, {}, Dating.BEFORE, id="no zone is so far"),
        pytest.param(-24 * 3600, {}, Dating.BEFORE, id="yesterday"),
        pytest.param(-7.5 * 60, {}, Dating.BEFORE, id="between two zones"),
    ],
)
def test_a_date_stands_to_a_call_as_far_as_it_tells(seconds, given_window: dict[str, Any], expected):
    """During it, clearly before it, or neither."""
    assert expected is date_against(NOON + timedelta(seconds=seconds), window(**given_window))


@given(
    ahead=st.floats(-1e7, 1e7),
    call=st.floats(0, 60),
    part=st.floats(0, 1),
    way=st.floats(0, 0.9),
    when=st.floats(0, 1),
)
def test_an_own_purchase_is_never_taken_for_one_from_before(ahead, call, part, way, when):
    """And where the clocks agree and answers come soon, it is reported as the call's."""
    start = 1000.0
    end = start + call
    made = clock((ahead + end + way * when, end, end + way))
    began, now = made.at(our(start)), made.at(our(end + way))
    assert began
    assert now
    bought = (NOON + timedelta(seconds=ahead + start + call * part)).replace(microsecond=0)

    assert Dating.DURING is date_against(bought, CallWindow(began, now))


@given(
    before=st.floats(BLUR.total_seconds() + 1, 50_000),
    slow=st.floats(0, 60),
    call=st.floats(0, 10),
)
def test_anothers_purchase_is_not_claimed_where_answers_contradict_each_other(before, slow, call):
    """One of two answers is slow, so that neither the beginning nor now is known."""
    made = clock((1000 - slow, 1000, 1000), (1000 + call, 1000 + call, 1000 + call))
    began, now = made.at(our(1000)), made.at(our(1000 + call))
    assert began
    assert now

    assert Dating.DURING is not date_against(NOON + timedelta(seconds=1000 - before), CallWindow(began, now))
