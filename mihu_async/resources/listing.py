"""What all listings have in common: filters, a page number, and a page of models back."""

from collections.abc import Mapping
from typing import Any, TypeVar

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.paging.page import Page
from mihu_async.paging.pager import Pager
from mihu_async.resources.arguments import whole

T = TypeVar("T")

PER_PAGE = 100
"""The most items that the service gives on a page; a list asks for as many unless told otherwise."""


def listing(
    pipeline: Pipeline,
    path: str,
    answer: type[Page[T]],
    filters: Mapping[str, Any],
    *,
    page: int,
    per_page: int,
) -> Pager[T]:
    """Make the pager of ``GET path``. A filter of None is not sent; a wrong page or size raises UsageError at once."""
    query = {**filters, "per_page": whole("per_page", per_page, most=PER_PAGE)}

    async def fetch(number: int) -> Page[T]:
        return await pipeline.run(describe("GET", path, answer, query={**query, "page": number}))

    return Pager(fetch, start=whole("page", page))
