from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Evidence, came_since, certificate, older, shortfall

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
        (evolve(COUNTED, resumed=True), "counted"),
        (evolve(COUNTED, nth=2, total=5), "counted"),
        (evolve(COUNTED, old=2), None),
        (evolve(COUNTED, old=4), None),
        (evolve(COUNTED, first=None), None),
        (evolve(COUNTED, left_out=1), None),
        (evolve(COUNTED, total=None), None),
        (evolve(COUNTED, part=True), None),
        (evolve(COUNTED, total=0, first=0, old=0, shown=100, dated=False), None),
        (Evidence(nth=1, total=0, first=0), "counted"),
        (evolve(COUNTED, forgot=True), None),
        (STILL, "still"),
        (evolve(STILL, moved=True), None),
        (evolve(STILL, shown=2), None),
        (evolve(STILL, dated=True), None),
        (PART, "still"),
        (evolve(PART, dated=True), None),
        (evolve(PART, dated=True, there=3), "still"),
        (evolve(PART, nth=2, there=3), "still"),
        (LATER, "confirmed"),
        (evolve(LATER, there=2), None),
        (evolve(LATER, there=2, shown=3), None),
        (evolve(LATER, there=2, shown=3, quiet=True), "confirmed"),
        (evolve(LATER, there=2, quiet=True), None),
        (evolve(LATER, resumed=True), None),
        (evolve(LATER, part=True), None),
    ],
)
def test_a_certificate_holds_for_what_it_says(evidence, proof):
    """Each needs all that was there; what cannot be told leaves none."""
    assert proof == certificate(evidence)


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (evolve(COUNTED, left_out=2), "2 rows of its answers could not be read"),
        (evolve(COUNTED, total=None), "does not say how many"),
        (evolve(PART, moved=True), "a part cannot be counted, and it did not stand still (3 of 3 items)"),
        (evolve(LATER, there=2), "2 of the 3 items that were there when pass 2 began are known to have been yielded"),
        (evolve(COUNTED, there=2, resumed=True), "cannot read the items before it again"),
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
