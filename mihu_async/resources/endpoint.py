"""Listings: their filters and pages, and a pager over them."""

from asyncio import Event
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from attrs import frozen

from mihu_async.core.admission import Prefetch, Progress
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import Request, describe, encode_query
from mihu_async.core.server_clock import parse_date
from mihu_async.errors import UsageError
from mihu_async.hooks import tell
from mihu_async.models.pages import Page
from mihu_async.paging.page import Answer, Moment
from mihu_async.paging.pager import Pager, Shard
from mihu_async.paging.proof import Dates
from mihu_async.paging.walk import Listing, WalkOptions
from mihu_async.reports import PageReport, Problem, WalkReport
from mihu_async.validation import instance_of, positive_int
from mihu_async.value import replace

T = TypeVar("T")

PER_PAGE = 100
"""The most items that the service puts on a page; a list requests as many by default."""
SECOND = timedelta(seconds=1)


@frozen
class Endpoint(Generic[T]):
    """``GET path`` that returns pages: the type of its answer, and the key of an item.

    ``key`` returns text, because a checkpoint names items by it; ``most`` is the most items on a page. ``dates``
    returns the times at which an item was created and last changed, by which a walk counts; None if items have no
    dates.
    """

    path: str
    answer: type[Page[T]]
    key: Callable[[T], str]
    most: int = PER_PAGE
    dates: Dates[T] | None = None

    @cached_property
    def request(self) -> Request[Page[T]]:
        """The request for every page, without its query."""
        return describe("GET", self.path, self.answer)

    def pager(
        self, pipeline: Pipeline, concurrency: int, filters: Mapping[str, Any], *, page: int, per_page: int
    ) -> Pager[T]:
        """Return a pager of the listing.

        Args:
            pipeline: The pipeline of the client.
            concurrency: The most pages under way at a time.
            filters: The filters; a filter of None is not sent.
            page: The page to begin with, counted from 1.
            per_page: The number of items on a page.

        Raises:
            UsageError: At once, if a value can never be accepted.
        """
        size = f"per_page={positive_int('per_page', per_page, most=self.most)}"
        asked = encode_query(filters)
        query = f"{asked}&{size}" if asked else size
        return Pager(
            self._listing(pipeline, query, start=positive_int("page", page)), WalkOptions(concurrency=concurrency)
        )

    def part(self, pipeline: Pipeline, concurrency: int, shard: Shard) -> Pager[T]:
        """Return the pager of a part of the listing.

        Args:
            pipeline: The pipeline of the client.
            concurrency: The most pages under way at a time.
            shard: The part.

        Raises:
            UsageError: If it is a part of another listing.
        """
        theirs, ours = (instance_of(Shard)("shard", shard).base_url, shard.path), (pipeline.base_url, self.path)
        if theirs != ours:
            raise UsageError(f"shard is a part of {''.join(theirs)}, not of {''.join(ours)}.", argument="shard")
        listing = self._listing(pipeline, shard.query, start=shard.first)
        return Pager(replace(listing, end=shard.last, total=shard.total), WalkOptions(concurrency=concurrency))

    def _listing(self, pipeline: Pipeline, query: str, *, start: int) -> Listing[T]:
        return Listing(
            fetch=partial(self._fetch, pipeline, query, Progress()),
            key=self.key,
            dates=self.dates,
            path=self.path,
            query=query,
            room=pipeline.throttle.room,
            base_url=pipeline.base_url,
            start=start,
            on_page=page_hook(pipeline, self.request.path),
        )

    async def _fetch(
        self, pipeline: Pipeline, query: str, progress: Progress, number: int, ready: Event | None
    ) -> Answer[T]:
        prefetch = None if ready is None else Prefetch(progress, ready)
        page = await pipeline.run(self.request.with_query(f"{query}&page={number}"), prefetch)
        return Answer(page, moment_of(prefetch) if prefetch and self.dates else None)


def moment_of(page: Prefetch) -> Moment | None:
    """Return the time at which a page was made, on the service's clock; None if its answer had no ``Date``.

    A ``Date`` has whole seconds, and the page may be older than its ``Date`` by the duration of the answer. A further
    second allows for dates of items that are cut to whole seconds.

    Args:
        page: The prefetch of the page, which knows when its answer came.
    """
    date = parse_date(page.date)
    if date is None:
        return None
    way = timedelta(seconds=page.received - page.sent)
    return Moment(date - way - SECOND, date + SECOND)


def page_hook(pipeline: Pipeline, path: str) -> Callable[[int, int, tuple[Problem, ...], WalkReport], None] | None:
    """Return the function that calls a client's hooks with a walk's pages; None if the client has no hooks.

    Args:
        pipeline: The pipeline of the client.
        path: The path of the listing.
    """
    if not pipeline.hooks:
        return None

    def report(number: int, items: int, problems: tuple[Problem, ...], walk: WalkReport) -> None:
        tell("on_page", pipeline.hooks, PageReport(path, number, items, pipeline.base_url, problems), walk)

    return report
