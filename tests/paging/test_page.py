from typing import Any

import pytest

from mihu_async import Page, Pagination, PaginationError
from mihu_async.paging.page import check_progress, has_more, stated
from tests.paging.listings import keep, page_of, pager_of


def test_a_page_can_be_iterated_and_counted():
    """It behaves as its items do."""
    pagination = Pagination(current_page=1, per_page=2, total=2, last_page=1, has_more=False)
    page = Page(items=("a", "b"), pagination=pagination)

    assert ["a", "b"] == list(page)
    assert 2 == len(page)
    assert ((), 0) == (page.problems, page.left_out)


def page_with(items: str = "ab", **fields: Any) -> Page[Any]:
    """Make a page of which only some fields could be read."""
    unread: dict[str, Any] = dict.fromkeys(("current_page", "per_page", "total", "last_page", "has_more"))
    return Page(items=tuple(items), pagination=Pagination(**unread | fields))


@pytest.mark.parametrize(
    ("page", "number", "more"),
    [
        (page_with(has_more=True, last_page=1), 1, True),
        (page_with(has_more=False, last_page=9), 1, False),
        (page_with(last_page=2), 1, True),
        (page_with(last_page=2), 2, False),
        (page_with(total=5, per_page=2), 2, True),
        (page_with(total=5, per_page=2), 3, False),
        (page_with(total=0, per_page=2), 1, False),
        (page_with(total=5), 3, True),
        (page_with(), 7, True),
    ],
)
def test_whether_a_page_follows_is_read_from_what_can_be_read(page, number, more):
    """First has_more tells, then last_page, then total; else any page with items is followed by another one."""
    known = check_progress(page, requested=number)

    assert more is has_more(known, number=number, items=len(page))


def test_an_empty_page_that_does_not_say_whether_there_is_more_is_an_error():
    """Going on would be a guess, and so would the end."""
    with pytest.raises(PaginationError, match="does not say whether there is more"):
        has_more(stated(page_with("")), number=4, items=0)

    assert stated(page_with("")).last_page is None


async def test_a_listing_whose_pagination_cannot_be_read_is_walked_to_an_empty_page():
    """All is given, and then the error says what is not known."""
    asked: list[int] = []
    given: list[str] = []

    async def fetch(number, ready):
        asked.append(number)
        return page_with("".join(page_of("abcde", number, 2).items))

    with pytest.raises(PaginationError, match="does not say"):
        await keep(given, pager_of(fetch, concurrency=4))

    assert [*"abcde"] == given
    assert [1, 2, 3, 4] == asked


async def test_a_listing_of_unknown_length_is_not_cut():
    """A part has an end, and the total at the cut."""

    async def fetch(number, ready):
        return page_with("ab", has_more=False)

    with pytest.raises(PaginationError, match="cannot be split"):
        await pager_of(fetch).split(2)


async def test_without_a_total_nothing_is_proved(caplog):
    """The walk ends where has_more says, as often as it may, and says why it is not complete."""

    async def fetch(number, ready):
        return page_with("".join(page_of("abcd", number, 2).items), has_more=number < 2)

    pager = pager_of(fetch)

    assert [*"abcd"] == await pager.collect()
    assert (False, None, None) == (pager.report.complete, pager.report.proof, pager.report.expected)
    assert "does not say how many items there were" in caplog.text


async def test_a_listing_that_counts_and_never_ends_is_broken_off():
    """A service that says 6 items on 3 pages, and has more and other items on every page, is not followed for ever."""
    asked: list[int] = []

    async def fetch(number, ready):
        asked.append(number)
        pagination = Pagination(current_page=number, per_page=2, total=6, last_page=3, has_more=True)
        return Page(items=(f"{number}-a", f"{number}-b"), pagination=pagination)

    with pytest.raises(PaginationError, match=r"Page 23 has 2 items, .* past last_page 3 \(total 6\)"):
        await pager_of(fetch).collect()

    assert 23 == len(asked)
