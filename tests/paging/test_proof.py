from datetime import UTC, datetime, timedelta

import pytest

from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Evidence, came_since, certificate, older, shortfall
from mihu_async.value import replace

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SINCE = Moment(NOON, NOON + 2 * SECOND)
STILL = Evidence(nth=1, total=3, shown=3)
COUNTED = Evidence(nth=1, total=3, first=3, old=3, there=3, shown=4, dated=True, moved=True)
PART = Evidence(nth=1, total=3, shown=3, part=True)
LATER = Evidence(nth=2, total=3, there=3, shown=4, quiet=False, moved=True)


@pytest.mark.parametrize(
    ("evidence", "proof"),
    [
        (COUNTED, "counted"),
        (replace(COUNTED, resumed=True), "counted"),
        (replace(COUNTED, nth=2, total=5), "counted"),
        (replace(COUNTED, old=2), None),
        (replace(COUNTED, old=4), None),
        (replace(COUNTED, first=None), None),
        (replace(COUNTED, left_out=1), None),
        (replace(COUNTED, total=None), None),
        (replace(COUNTED, part=True), None),
        (replace(COUNTED, total=0, first=0, old=0, shown=100, dated=False), None),
        (Evidence(nth=1, total=0, first=0), "counted"),
        (replace(COUNTED, forgot=True), None),
        (STILL, "still"),
        (replace(STILL, moved=True), None),
        (replace(STILL, shown=2), None),
        (replace(STILL, dated=True), None),
        (PART, "still"),
        (replace(PART, dated=True), None),
        (replace(PART, dated=True, there=3), "still"),
        (replace(PART, nth=2, there=3), "still"),
        (LATER, "confirmed"),
        (replace(LATER, there=2), None),
        (replace(LATER, there=2, shown=3), None),
        (replace(LATER, there=2, shown=3, quiet=True), "confirmed"),
        (replace(LATER, there=2, quiet=True), None),
        (replace(LATER, resumed=True), None),
        (replace(LATER, part=True), None),
    ],
)
def test_a_certificate_holds_for_what_it_says(evidence, proof):
    """Each needs all that was there; a missing part leaves none."""
    assert proof == certificate(evidence)


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (replace(COUNTED, left_out=2), "2 rows of its answers could not be read"),
        (replace(COUNTED, total=None), "does not say how many"),
        (replace(PART, moved=True), "a part cannot be counted, and it did not stand still (3 of 3 items)"),
        (replace(LATER, there=2), "2 of the 3 items that were there when pass 2 began are known to have been yielded"),
        (replace(COUNTED, there=2, resumed=True), "cannot read the items before it again"),
    ],
)
def test_a_walk_says_why_it_is_not_proved(evidence, why):
    """The reason names the figures."""
    assert why in shortfall(evidence)


@pytest.mark.parametrize(
    ("bought", "changed", "old"),
    [
        (NOON - SECOND, NOON - SECOND, 1),
        (None, NOON - SECOND, 1),
        (NOON - SECOND, NOON, 0),
        (NOON, NOON - SECOND, 0),
        (NOON - SECOND, None, 0),
        (None, None, 0),
    ],
)
def test_an_item_is_old_where_all_its_dates_are(bought, changed, old):
    """The date of its last change must be known, for what comes into a filter is changed."""
    assert old == older([(bought, changed)], lambda item: item, SINCE)


@pytest.mark.parametrize(
    ("date", "now", "came"),
    [
        (None, None, False),
        (NOON - SECOND, None, False),
        (NOON, None, True),
        (NOON, NOON, True),
        (NOON + SECOND, NOON, False),
    ],
)
def test_a_date_tells_that_an_item_came_since(date, now, came):
    """A date beyond now does not tell."""
    assert came == came_since((None, date), NOON, now)
