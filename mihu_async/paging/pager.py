"""The pager: what a ``list()`` gives. Knows pages and nothing of how they are fetched."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from mihu_async.errors import UsageError
from mihu_async.paging.page import Page, check_progress

T = TypeVar("T")

Fetch = Callable[[int], Awaitable[Page[T]]]
"""Gives the page with a number, counted from 1."""


class Pager(Generic[T]):
    """A listing that is read as it is used; nothing is sent before.

    ``async for item in pager`` walks every item of every page; ``await pager`` gives the first :class:`Page`; see also
    :meth:`pages`, :meth:`collect` and :meth:`first`. Each of them reads the listing anew. ``async with pager`` ends its
    walks at the end of the block, also those that were left by ``break``.

    A walk ends where the service says that there is no more, never because a page is empty. It raises PaginationError
    where the service's pages contradict themselves, and the errors of the listing's calls.
    """

    def __init__(self, fetch: Fetch[T], *, start: int = 1) -> None:
        self._fetch = fetch
        self._start = start
        self._walks: list[AsyncGenerator[Any]] | None = None

    def __await__(self) -> Generator[Any, None, Page[T]]:
        """Fetch the first page, or the one that ``page=`` named."""
        return self._page(self._start).__await__()

    def __aiter__(self) -> AsyncIterator[T]:
        """Walk all items."""
        return self._tracked(self._walk_items())

    def pages(self) -> AsyncIterator[Page[T]]:
        """Walk page by page."""
        return self._tracked(self._walk_pages())

    async def collect(self, limit: int | None = None) -> list[T]:
        """Give all items as a list, or the first ``limit``; pages past those are not asked for."""
        if limit is not None and (type(limit) is not int or limit < 0):
            raise UsageError(f"limit must be a whole number from 0, or None for all, not {limit!r}.", argument="limit")
        items: list[T] = []
        if limit == 0:
            return items
        async with aclosing(self._walk_pages()) as pages:
            async for page in pages:
                items.extend(page.items)
                if limit is not None and len(items) >= limit:
                    break
        return items[:limit]

    async def first(self) -> T | None:
        """Give the first item, or None where there is none."""
        return next(iter(await self.collect(limit=1)), None)

    async def __aenter__(self) -> Self:
        self._walks = []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        walks, self._walks = self._walks or [], None
        for walk in walks:
            await walk.aclose()

    def _tracked(self, walk: AsyncGenerator[Any]) -> AsyncGenerator[Any]:
        if self._walks is not None:
            self._walks.append(walk)
        return walk

    async def _walk_items(self) -> AsyncGenerator[T]:
        async with aclosing(self._walk_pages()) as pages:
            async for page in pages:
                for item in page.items:
                    yield item

    async def _walk_pages(self) -> AsyncGenerator[Page[T]]:
        number = self._start
        while True:
            page = await self._page(number)
            yield page
            if not page.pagination.has_more:
                return
            number += 1

    async def _page(self, number: int) -> Page[T]:
        page = await self._fetch(number)
        check_progress(page, requested=number)
        return page
