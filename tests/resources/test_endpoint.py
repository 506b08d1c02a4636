import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from mihu_async import MihuClient, Pager
from mihu_async.core.admission import Prefetch, Progress
from mihu_async.paging.page import Moment
from mihu_async.resources.endpoint import moment_of
from mihu_async.sandbox import Sandbox

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_moment_of_an_answer_has_bounds():
    """A date has whole seconds, the page may be as much older as the answer took, and items' dates may be cut too."""
    page = Prefetch(Progress(), asyncio.Event())

    assert moment_of(page) is None
    page.date, page.sent, page.received = "Thu, 01 Jan 2026 12:00:00 GMT", 7.0, 9.5
    assert Moment(NOON - timedelta(seconds=3.5), NOON + timedelta(seconds=1)) == moment_of(page)


async def test_numbers_and_trunks_are_counted_by_their_dates():
    """A listing that does not move costs its pages, and is proved by them; a rate has no dates, and holds still."""
    async with Sandbox(numbers=25, trunks=25) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        walks: list[Pager[Any]] = [mihu.numbers.list(per_page=10), mihu.trunks.list(per_page=10), mihu.numbers.rates()]
        for walk in walks:
            await walk.collect()

        assert ["counted", "counted", "still"] == [walk.report.proof for walk in walks]
        assert sum(walk.report.pages for walk in walks) == len(sandbox.journal)


async def test_a_number_that_is_bought_during_a_walk_is_told_from_those_that_were_there():
    """Its date is new, so that nothing has to be read again."""
    async with Sandbox(numbers=25) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        walk = mihu.numbers.list(per_page=10)
        async for page in walk.pages():
            if page.pagination.current_page == 1:
                sandbox.inventory.insert(at=0)

        assert "counted" == walk.report.proof
        assert 3 == len(sandbox.journal)
