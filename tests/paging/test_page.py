from mihu_async import Page, Pagination


def test_a_page_can_be_iterated_and_counted():
    """It behaves as its items do."""
    pagination = Pagination(current_page=1, per_page=2, total=2, last_page=1, has_more=False)
    page = Page(items=("a", "b"), pagination=pagination)

    assert ["a", "b"] == list(page)
    assert 2 == len(page)
