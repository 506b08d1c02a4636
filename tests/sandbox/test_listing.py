from typing import Any

import pytest

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.listing import NUMBERS, RATES, TRUNKS, cut
from mihu_async.sandbox.refusals import RefusedError


@pytest.fixture(scope="module")
def inventory():
    """Return an inventory with every kind of number."""
    return Inventory(120, 20)


def listed(inventory, **query) -> Any:
    """List numbers by a query of strings."""
    return operations.list_numbers(inventory, NUMBERS.read(query.items()))


def items(inventory, **query) -> Any:
    """List the items of the first hundred numbers."""
    return listed(inventory, per_page="100", **query)["items"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(
            1,
            {"current_page": 1, "per_page": 10, "total": 25, "last_page": 3, "from": 1, "to": 10, "has_more": True},
            id="first",
        ),
        pytest.param(
            3,
            {"current_page": 3, "per_page": 10, "total": 25, "last_page": 3, "from": 21, "to": 25, "has_more": False},
            id="last",
        ),
        pytest.param(
            4,
            {
                "current_page": 4,
                "per_page": 10,
                "total": 25,
                "last_page": 3,
                "from": None,
                "to": None,
                "has_more": False,
            },
            id="past the end",
        ),
    ],
)
def test_pagination(page, expected):
    """The pagination block tells the page, the totals and where the items stand; past the end it has no positions."""
    with Inventory(25, 0).opened() as ledger:
        rows = ledger.purchased
    found, pagination = cut(rows, page=page, per_page=10)

    assert expected == pagination
    assert rows[(page - 1) * 10 : page * 10] == found


def test_pagination_of_nothing():
    """An empty listing has one page, which is empty."""
    expected = {"current_page": 1, "per_page": 5, "total": 0, "last_page": 1, "from": None, "to": None}

    assert ([], expected | {"has_more": False}) == cut([], page=1, per_page=5)


def test_defaults(inventory):
    """Without parameters the first 25 purchased numbers come in the order of their purchase."""
    assert inventory.numbers[:25] == listed(inventory)["items"]


def test_pages_add_up(inventory):
    """The pages of a listing are the whole listing, in order."""
    pages = [listed(inventory, page=str(page), per_page="50")["items"] for page in (1, 2, 3)]

    assert inventory.numbers == tuple(row for page in pages for row in page)


@pytest.mark.parametrize(
    ("query", "passes"),
    [
        pytest.param({"status": "inactive"}, lambda row: row["status"] == "inactive", id="status"),
        pytest.param({"country_code": "GB"}, lambda row: row["country_code"] == "GB", id="country_code"),
        pytest.param({"type": "mobile"}, lambda row: row["type"] == "mobile", id="type"),
        pytest.param(
            {"compliance": "requirement_pending"},
            lambda row: row["compliance"]["status"] == "requirement_pending",
            id="compliance",
        ),
        pytest.param({"search": "+4477"}, lambda row: row["number"].startswith("+4477"), id="search by number"),
        pytest.param({"search": "fr"}, lambda row: row["country_code"] == "FR", id="search by country"),
        pytest.param(
            {"type": "local", "status": "active", "country_code": "US"},
            lambda row: (row["type"], row["status"], row["country_code"]) == ("local", "active", "US"),
            id="several",
        ),
        pytest.param({"include_external": "false"}, lambda row: True, id="external not wanted"),
    ],
)
def test_filters(inventory, query, passes):
    """A filter keeps the numbers that it is about, all of them, in their order."""
    expected = [row for row in inventory.numbers if passes(row)]

    assert expected
    assert expected[:100] == list(items(inventory, **query))


def test_filter_by_agent(inventory):
    """An agent's number is found on whatever channel it is bound, by a uuid in capitals too."""
    bound = next(row for row in inventory.numbers if row["bindings"]["whatsapp"]["bound"])
    agent_uuid = bound["bindings"]["whatsapp"]["agent_uuid"]

    assert (bound,) == items(inventory, bound_to_agent_uuid=agent_uuid.upper())


@pytest.mark.parametrize("wanted", ["1", "true"])
def test_external_rows_come_after_the_purchased(inventory, wanted):
    """With external numbers wanted, the listing is the purchased rows and then the external ones."""
    last = listed(inventory, include_external=wanted, per_page="100", page="2")

    assert inventory.numbers[100:] + inventory.trunks == last["items"]
    assert 140 == last["pagination"]["total"]


def test_filters_leave_out_external_rows(inventory):
    """An external row has no status, so no status finds it."""
    found = items(inventory, include_external="1", status="inactive")

    assert {False} == {row["is_external"] for row in found}


def test_sort_by_number(inventory):
    """Numbers go up when sorted by number, external ones between the purchased."""
    found = [row["number"] for row in items(inventory, include_external="1", sort="number")]

    assert sorted(row["number"] for row in inventory.numbers + inventory.trunks)[:100] == found


def test_sort_by_fee():
    """Fees go up when sorted by fee, equal ones by position, a missing one last."""
    inventory = Inventory(0, 0)
    uuids = [inventory.insert(monthly_fee=fee)["phone_number_uuid"] for fee in (2.5, None, 1.15, 2.5)]

    found = [row["phone_number_uuid"] for row in items(inventory, sort="monthly_fee")]
    assert [uuids[2], uuids[0], uuids[3], uuids[1]] == found


def test_sort_by_creation_is_the_default(inventory):
    """Sorting by `created_at` changes nothing."""
    assert items(inventory) == items(inventory, sort="created_at")


@pytest.mark.parametrize(
    ("listing", "query", "field"),
    [
        pytest.param(NUMBERS, [("page", "0")], "page", id="page 0"),
        pytest.param(NUMBERS, [("page", "-1")], "page", id="negative page"),
        pytest.param(NUMBERS, [("page", "")], "page", id="empty page"),
        pytest.param(NUMBERS, [("page", "two")], "page", id="page in words"),
        pytest.param(NUMBERS, [("page", "\u0661")], "page", id="page in other digits"),
        pytest.param(NUMBERS, [("page", "9" * 5000)], "page", id="page without end"),
        pytest.param(NUMBERS, [("per_page", "0")], "per_page", id="per_page 0"),
        pytest.param(NUMBERS, [("per_page", "101")], "per_page", id="per_page over the most"),
        pytest.param(NUMBERS, [("per_page", "5"), ("per_page", "6")], "per_page", id="twice"),
        pytest.param(NUMBERS, [("status", "asleep")], "status", id="status"),
        pytest.param(NUMBERS, [("type", "Local")], "type", id="type"),
        pytest.param(NUMBERS, [("compliance", "done")], "compliance", id="compliance"),
        pytest.param(NUMBERS, [("sort", "-number")], "sort", id="sort"),
        pytest.param(NUMBERS, [("include_external", "yes")], "include_external", id="include_external"),
        pytest.param(NUMBERS, [("bound_to_agent_uuid", "me")], "bound_to_agent_uuid", id="agent"),
        pytest.param(NUMBERS, [("country", "US")], "country", id="undocumented"),
        pytest.param(TRUNKS, [("status", "active")], "status", id="another listing's"),
        pytest.param(RATES, [("per_page", "201")], "per_page", id="per_page over the most of rates"),
        pytest.param(RATES, [("search", "39")], "search", id="a search of rates"),
        pytest.param(TRUNKS, [("channel", "sms")], "channel", id="trunk channel"),
        pytest.param(TRUNKS, [("agent_uuid", "me")], "agent_uuid", id="trunk agent"),
        pytest.param(TRUNKS, [("per_page", "101")], "per_page", id="trunk per_page"),
    ],
)
def test_refused_parameters(listing, query, field):
    """A parameter that is not as documented is refused with 422, by its name."""
    with pytest.raises(RefusedError) as caught:
        listing.read(query)

    assert (422, field) == (caught.value.status, caught.value.field)


@pytest.mark.parametrize(
    ("query", "passes"),
    [
        pytest.param({}, lambda row: True, id="all"),
        pytest.param({"channel": "whatsapp"}, lambda row: row["bindings"]["whatsapp"]["bound"], id="channel"),
        pytest.param({"search": "55501"}, lambda row: "55501" in row["number"], id="search"),
        pytest.param({"search": "US"}, lambda row: False, id="search is not by country"),
    ],
)
def test_trunk_filters(inventory, query, passes):
    """A filter of the trunks keeps the rows that it is about, in their order."""
    expected = tuple(row for row in inventory.trunks if passes(row))

    assert expected == operations.list_trunks(inventory, TRUNKS.read(query.items()))["items"]


def test_trunks_of_an_agent(inventory):
    """The trunks of an agent are the rows that it serves."""
    row = inventory.trunks[3]
    agent_uuid = next(binding["agent_uuid"] for binding in row["bindings"].values() if binding["bound"])

    assert (row,) == operations.list_trunks(inventory, TRUNKS.read([("agent_uuid", agent_uuid)]))["items"]
