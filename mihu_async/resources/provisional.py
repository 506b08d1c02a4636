"""The endpoints whose paths are documented, and whose parameters and answers are not."""

import warnings
from asyncio import Event
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from mihu_async.core.admission import Prefetch, Progress
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe, encode_query
from mihu_async.models.pages import Page, Pagination
from mihu_async.models.provisional import Items
from mihu_async.paging.page import Answer
from mihu_async.paging.pager import Pager
from mihu_async.paging.walk import Listing, WalkOptions
from mihu_async.resources.endpoint import page_hook
from mihu_async.validation import positive_int
from mihu_async.value import Value

T = TypeVar("T")

Tell = Callable[[Items[T]], None]
"""Receives each answer, for the fields beside its items."""


class ProvisionalWarning(UserWarning):
    """A provisional method was called: its parameters and its answer are not documented, and may change.

    The warning comes once per process, before anything is sent. If a filter turns it into an error, every call of a
    provisional method raises it and sends nothing; ``warnings.filterwarnings("ignore", category=ProvisionalWarning)``
    silences it.
    """


@cache  # a call that raises is not cached, so a filter that makes it an error does so each time
def warn_provisional() -> None:
    """Warn the caller of the calling method, the first time."""
    message = (
        "numbers.search, numbers.requirements, numbers.prepare, numbers.acquire, agents.list and agents.assign_sms are "
        "provisional: the paths that they call are documented, but the parameters and answers are not, or only in "
        "part, so these methods may change in any release. This warning appears once per process."
    )
    warnings.warn(message, ProvisionalWarning, stacklevel=3)


class ProvisionalEndpoint(Value, Generic[T], frozen=True):
    """``GET path`` that returns some items, in one of several shapes; ``key`` identifies an item."""

    path: str
    answer: type[Items[T]]
    key: Callable[[T], str]

    def pager(
        self,
        pipeline: Pipeline,
        concurrency: int,
        filters: Mapping[str, Any],
        *,
        page: int = 1,
        tell: Tell[T] | None = None,
    ) -> Pager[T]:
        """Return a pager of the items.

        The first page is requested without a number, and another one only if the answer before says that there is more.

        Args:
            pipeline: The pipeline of the client.
            concurrency: The most pages under way at a time.
            filters: The filters; a filter of None is not sent.
            page: The page to begin with, counted from 1.
            tell: Receives each answer; None for nothing.

        Raises:
            UsageError: At once, if a value cannot be sent.
        """
        request = describe("GET", self.path, self.answer, query=filters)
        progress = Progress()

        async def fetch(number: int, ready: Event | None) -> Answer[T]:
            query = request.query if number == 1 else f"{request.query}&{encode_query({'page': number})}"
            prefetch = None if ready is None else Prefetch(progress, ready)
            found = await pipeline.run(request.with_query(query), prefetch)
            if tell:
                tell(found)
            return Answer(page_of(found, number))

        listing = Listing(
            fetch=fetch,
            key=self.key,
            path=self.path,
            query=request.query,
            room=pipeline.throttle.room,
            base_url=pipeline.base_url,
            start=positive_int("page", page),
            divisible=False,
            on_page=page_hook(pipeline, request.path),
        )
        return Pager(listing, WalkOptions(concurrency=concurrency))


def page_of(found: Items[T], number: int) -> Page[T]:
    """Return a page of some items; if they came without pagination, they are all that there is.

    Args:
        found: The items.
        number: The number of the page.
    """
    count = len(found.items)
    alone = Pagination(
        current_page=number,
        per_page=max(count, 1),
        total=count,
        last_page=number,
        has_more=False,
        from_=1 if count else None,
        to=count or None,
    )
    return Page(
        items=found.items,
        pagination=found.pagination or alone,
        problems=found.problems,
        problem_count=found.problem_count,
        left_out=found.left_out,
    )
