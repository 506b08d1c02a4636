from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import RateLimit
from mihu_async.core.rate_limit import parse_rate_limit

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
