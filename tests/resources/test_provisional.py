"""Endpoints of which only the path is known: what is sent, in how many shapes an answer is read, and the warning."""

import warnings
from decimal import Decimal

import pytest
from yarl import URL

from mihu_async import (
    AvailableNumber,
    Capabilities,
    DecodeError,
    Hooks,
    MihuClient,
    NumberType,
    PageReport,
    PaginationError,
    ProvisionalWarning,
    PurchaseRequirement,
    PurchaseRequirements,
    UsageError,
)
from mihu_async.resources.provisional import warn_provisional
from tests.doubles import client

SEARCH = "https://acme.mihu.ai/api/v1/phone-numbers/search"
OFFER = {"number": "+390790080041", "country_code": "IT", "type": "local"}
ASKED = {"key": "proof_of_address", "requirement_id": "r", "type": "document"}
PAGINATION = {"current_page": 1, "per_page": 2, "total": 2, "last_page": 1, "has_more": False}


@pytest.fixture
def _unsaid():
    """Forget that the warning was said."""
    warn_provisional.cache_clear()
    yield
    warn_provisional.cache_clear()


def answers(wire, query, data, *, path="") -> None:
    """Answer a query with some data."""
    wire.get(URL(f"{SEARCH}{path}?{query}", encoded=True), payload={"success": True, "data": data})


@pytest.mark.parametrize(
    ("arguments", "filters", "query"),
    [
        (("IT",), {}, "country_code=IT"),
        (("IT", "local"), {}, "country_code=IT&type=local"),
        (("IT", NumberType.TOLL_FREE), {}, "country_code=IT&type=toll_free"),
        ((), {"country_code": "IT", "type": "local"}, "country_code=IT&type=local"),
        (
            ("IT",),
            {"near": "Sàssari", "limit": 5, "x": None},
            "country_code=IT&near=S%C3%A0ssari&limit=5",
        ),
        (("IT",), {"page": 3}, "country_code=IT&page=3"),
    ],
)
async def test_a_search_sends_its_filters(wire, arguments, filters, query):
    """What is not known of the service is for the caller to name, and the first page has no number."""
    answers(wire, query, [])
    async with client() as mihu:
        assert await mihu.numbers.search(*arguments, **filters).first() is None

    assert [("GET", query, None)] == [(verb, url.raw_query_string, sent["data"]) for verb, url, sent in wire.sent]


@pytest.mark.parametrize(
    ("arguments", "filters", "argument"),
    [
        (("it",), {}, "country_code"),
        (("IT", "satellite"), {}, "type"),
        (("IT",), {"page": 0}, "page"),
        (("IT",), {"near": {"lat": 1}}, "query"),
    ],
)
async def test_a_search_that_can_never_match_is_refused_at_once(wire, arguments, filters, argument):
    """The error names the argument, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError) as caught:
            mihu.numbers.search(*arguments, **filters)

    assert argument == caught.value.argument
    assert [] == wire.sent


@pytest.mark.parametrize(
    "shape",
    [
        lambda items: items,
        lambda items: {"items": items},
        lambda items: {"items": items, "pagination": None},
        lambda items: {"items": items, "pagination": PAGINATION, "currency": "EUR"},
    ],
    ids=["a bare list", "items", "items without pages", "a page"],
)
async def test_a_search_is_read_in_each_shape(wire, shape):
    """A list of all there is, or one of several pages: it is one page then, and all numbers are given."""
    other = OFFER | {"number": "+390790080042"}
    for _ in range(2):
        answers(wire, "country_code=IT", shape([OFFER, other]))
    async with client() as mihu:
        pager = mihu.numbers.search("IT")
        page = await pager
        found = await pager.collect()

    assert ["+390790080041", "+390790080042"] == [offer.number for offer in found]
    assert tuple(found) == page.items
    assert (1, 2, 1, False) == tuple(
        getattr(page.pagination, name) for name in ("current_page", "total", "last_page", "has_more")
    )
    assert pager.report.complete


async def test_a_search_that_finds_nothing_is_an_empty_page(wire):
    """It has no positions, and is complete."""
    answers(wire, "country_code=IT", [])
    async with client() as mihu:
        page = await mihu.numbers.search("IT")

    assert (0, None, None) == (page.pagination.total, page.pagination.from_, page.pagination.to)


async def test_a_search_in_pages_is_walked_to_its_end(wire):
    """The next page is asked for by its number, only because the first says that there is one."""
    numbers = [OFFER | {"number": f"+39079008004{digit}"} for digit in range(3)]
    ahead = {"current_page": 1, "per_page": 2, "total": 3, "last_page": 2, "has_more": True}
    answers(wire, "country_code=IT", {"items": numbers[:2], "pagination": ahead})
    behind = ahead | {"current_page": 2, "has_more": False}
    answers(wire, "country_code=IT&page=2", {"items": numbers[2:], "pagination": behind})
    async with client() as mihu:
        found = await mihu.numbers.search("IT").collect()

    assert [number["number"] for number in numbers] == [offer.number for offer in found]


async def test_a_search_is_a_listing_as_others_are(wire):
    """Hooks get its pages, and its checkpoint is its own workspace's; but nothing walks parts of it."""
    reports: list[PageReport] = []
    answers(wire, "country_code=IT", [OFFER])
    async with client(hooks=Hooks(on_page=lambda page, walk: reports.append(page))) as mihu:
        pager = mihu.numbers.search("IT")
        await pager.collect()
        with pytest.raises(UsageError, match="/phone-numbers/search has no parts"):
            await pager.split(2)
    with pytest.raises(UsageError, match="another workspace"):
        MihuClient("t", subdomain="beta").numbers.search("IT").with_options(resume=pager.checkpoint())

    assert [PageReport("/api/v1/phone-numbers/search", 1, 1, "https://acme.mihu.ai")] == reports


async def test_a_search_that_ignores_the_page_does_not_repeat_it_for_ever(wire):
    """As with every listing, the page must be the one that was asked for."""
    ahead = {"current_page": 1, "per_page": 2, "total": 3, "last_page": 2, "has_more": True}
    for query in ("country_code=IT", "country_code=IT&page=2"):
        answers(wire, query, {"items": [OFFER], "pagination": ahead})
    async with client() as mihu:
        with pytest.raises(PaginationError):
            await mihu.numbers.search("IT").collect()


async def test_a_result_is_read_whole(wire):
    """What a purchase takes over is typed, and all else is extra, an unknown capability too."""
    capabilities = {"voice": True, "a2p": True}
    details = {"monthly_fee": 1.10, "capabilities": capabilities, "location": "Sassari, Sardegna", "setup_fee": 0.5}
    answers(wire, "country_code=IT", [OFFER | details])
    async with client() as mihu:
        found = await mihu.numbers.search("IT").first()

    assert found == AvailableNumber(
        number="+390790080041",
        country_code="IT",
        type=NumberType.LOCAL,
        monthly_fee=Decimal("1.1"),
        capabilities=Capabilities(voice=True),
        location="Sassari, Sardegna",
        extra={"setup_fee": Decimal("0.5"), "capabilities": {"a2p": True}},
    )


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"offers": [OFFER]}, r"\$\.data\.items must be a list, not null"),
        ({"items": "none"}, r"\$\.data\.items must be a list, not text"),
        ("none", r"\$\.data must be an object, not text"),
    ],
)
async def test_an_answer_of_another_shape_is_refused(wire, data, path):
    """It is not guessed at: the error says where it is wrong."""
    answers(wire, "country_code=IT", data)
    async with client() as mihu:
        with pytest.raises(DecodeError, match=path):
            await mihu.numbers.search("IT")


@pytest.mark.parametrize("container", ["items", "numbers", "requirements", "data"])
async def test_rows_are_found_wherever_they_are_likely_to_be(wire, container):
    """An odd row does not take the others with it, and what the API's relatives call by other names is understood."""
    other = {"phone_number": "+390790080042", "monthly_fee": "1.10", "capabilities": ["voice", "SMS", "a2p"]}
    answers(wire, "country_code=IT", {container: [OFFER, 5, other, {"number": ""}]})
    async with client() as mihu:
        page = await mihu.numbers.search("IT")

    assert ["+390790080041", "+390790080042"] == [offer.number for offer in page]
    assert Decimal("1.10") == page.items[1].monthly_fee
    assert Capabilities(voice=True, sms=True) == page.items[1].capabilities
    assert {"capabilities": {"a2p": True}} == page.items[1].extra
    assert 2 == page.left_out == page.problem_count
    assert [
        f"$.data.{container}[1] must be an object, not a whole number",
        f"$.data.{container}[3].number is empty",
    ] == [str(problem) for problem in page.problems]


@pytest.mark.parametrize("data", [None, [], {}, {"items": {}}, {"numbers": []}, {"items": None}])
async def test_nothing_is_for_sale(wire, data):
    """However the service writes that."""
    answers(wire, "country_code=IT", data)
    async with client() as mihu:
        assert await mihu.numbers.search("IT").first() is None


async def test_the_list_is_taken_where_several_names_hold_something(wire):
    """A name that holds null does not hide it."""
    answers(wire, "country_code=IT", {"items": None, "numbers": [OFFER | {"number": None, "phone_number": "+1"}]})
    async with client() as mihu:
        (offer,) = await mihu.numbers.search("IT").collect()

    assert "+1" == offer.number


@pytest.mark.parametrize("pagination", [None, [], {}])
async def test_pagination_that_is_nothing_is_none(wire, pagination):
    """So what came is all that there is, and it is asked for once."""
    answers(wire, "country_code=IT", {"items": [OFFER], "pagination": pagination})
    async with client() as mihu:
        page = await mihu.numbers.search("IT")

    assert (1, ()) == (page.pagination.last_page, page.problems)


async def test_pagination_of_another_shape_is_a_problem(wire):
    """The rows are read, and what cannot be read of their place is None."""
    answers(wire, "country_code=IT", {"items": [OFFER], "pagination": {"page": 1}})
    async with client() as mihu:
        page = await mihu.numbers.search("IT")

    assert 1 == len(page)
    assert page.pagination.total is None
    assert "$.data.pagination.current_page is missing" == str(page.problems[0])


@pytest.mark.parametrize(
    ("shape", "beside"),
    [
        (lambda items: items, {}),
        (lambda items: {"items": items, "address": "required"}, {"address": "required"}),
        (lambda items: {"items": items, "pagination": PAGINATION}, {}),
    ],
    ids=["a bare list", "items", "a page"],
)
async def test_requirements_are_read_in_each_shape(wire, shape, beside):
    """They are all there, in order, and what stands beside them is kept."""
    other = {"requirement_id": "s", "name": "Business name", "optional": True}
    answers(wire, "country_code=IT&type=local", shape([ASKED, other]), path="/requirements")
    async with client() as mihu:
        found = await mihu.numbers.requirements("IT", "local")

    expected = (
        PurchaseRequirement(key="proof_of_address", requirement_id="r", type="document"),
        PurchaseRequirement(requirement_id="s", name="Business name", extra={"optional": True}),
    )
    assert PurchaseRequirements(items=expected, extra=beside) == found
    assert (expected, 2) == (tuple(found), len(found))


async def test_requirements_of_several_pages_are_given_together(wire):
    """What must be answered is known only when all of it is."""
    ahead = {"current_page": 1, "per_page": 1, "total": 2, "last_page": 2, "has_more": True}
    query = "country_code=IT&type=local&lang=en"
    answers(wire, query, {"items": [ASKED], "pagination": ahead}, path="/requirements")
    behind = {"items": [{"name": "Business name"}], "pagination": ahead | {"current_page": 2, "has_more": False}}
    answers(wire, f"{query}&page=2", behind, path="/requirements")
    async with client() as mihu:
        found = await mihu.numbers.requirements("IT", NumberType.LOCAL, lang="en")

    assert ["proof_of_address", "Business name"] == [requirement.label for requirement in found]


@pytest.mark.parametrize(("arguments", "argument"), [(("it", "local"), "country_code"), (("IT", None), "type")])
async def test_requirements_that_cannot_be_asked_for_are_refused(wire, arguments, argument):
    """Country and type must be what the API knows, and nothing is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match=f"^{argument} must be"):
            await mihu.numbers.requirements(*arguments)

    assert [] == wire.sent


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"key": "k", "requirement_id": "r"}, "k"),
        ({"requirement_id": "r", "name": "n"}, "r"),
        ({"name": "n"}, "n"),
        ({}, ""),
    ],
)
def test_a_requirement_is_called_what_is_known_of_it(fields, label):
    """The key before the id before the name."""
    assert label == PurchaseRequirement(**fields).label


@pytest.mark.usefixtures("_unsaid")
async def test_the_warning_comes_once_and_names_the_caller(wire):
    """It is said for the first provisional call of a process, where that call stands, and for no other."""
    answers(wire, "country_code=IT&type=local", [], path="/requirements")
    async with client() as mihu:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            mihu.numbers.search("IT")
            mihu.numbers.search("IT")
            await mihu.numbers.requirements("IT", "local")

    (warning,) = caught
    assert warning.category is ProvisionalWarning
    assert __file__ == warning.filename
    assert "are provisional" in str(warning.message)


@pytest.mark.usefixtures("_unsaid")
async def test_a_coroutine_warns_at_its_caller_too(wire):
    """Requirements are asked for where they are awaited."""
    answers(wire, "country_code=IT&type=local", [], path="/requirements")
    async with client() as mihu:
        with pytest.warns(ProvisionalWarning) as caught:
            await mihu.numbers.requirements("IT", "local")

    assert [__file__] == [warning.filename for warning in caught]


@pytest.mark.usefixtures("_unsaid")
async def test_a_warning_that_is_an_error_sends_nothing_each_time(wire):
    """A filter that makes an error of it holds, and lets everything by once it is taken back."""
    async with client() as mihu:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(2):
                with pytest.raises(ProvisionalWarning):
                    mihu.numbers.search("IT")
                with pytest.raises(ProvisionalWarning):
                    await mihu.numbers.requirements("IT", "local")
            warnings.filterwarnings("ignore", category=ProvisionalWarning)
            mihu.numbers.search("IT")

    assert [] == wire.sent


@pytest.mark.usefixtures("_unsaid")
async def test_what_is_documented_does_not_warn(wire):
    """Warnings are errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with client() as mihu:
            mihu.numbers.list()
            mihu.numbers.rates()


async def test_a_requirement_that_cannot_be_read_is_reported(wire):
    """It is left out, and the requirements say so: the buyer sees that there may be one more."""
    answers(wire, "country_code=IT&type=local", {"requirements": [ASKED, "a name"]}, path="/requirements")
    async with client() as mihu:
        asked = await mihu.numbers.requirements("IT", "local")

    assert 1 == len(asked)
    assert ["$.data.requirements[1] must be an object, not text"] == [str(problem) for problem in asked.problems]
