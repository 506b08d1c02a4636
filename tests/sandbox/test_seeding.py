import re
from collections import Counter
from datetime import UTC, datetime

import pytest

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.ranges import CAPACITY, fictional_numbers
from mihu_async.sandbox.rows import COMPLIANCE_STATUSES, NUMBER_STATUSES, NUMBER_TYPES
from mihu_async.sandbox.seeding import RowFactory, random_stream, sandbox_token


@pytest.fixture(scope="module")
def inventory():
    """Return an inventory as a sandbox begins with it."""
    return Inventory()


def test_same_seed_same_beginning():
    """Two inventories of one seed hold the same numbers, trunks and agents."""
    first, second = Inventory(30, 10, seed=3), Inventory(30, 10, seed=3)

    assert (first.numbers, first.trunks, first.agents) == (second.numbers, second.trunks, second.agents)


def test_other_seed_other_beginning():
    """Another seed gives other uuids and other numbers."""
    first, second = Inventory(30, 10, seed=3), Inventory(30, 10, seed=4)

    for field in ("phone_number_uuid", "number"):
        assert [row[field] for row in first.numbers] != [row[field] for row in second.numbers]


def test_counts_are_as_asked(inventory):
    """The default beginning has 250 purchased numbers and 40 external rows."""
    assert (250, 40) == (len(inventory.numbers), len(inventory.trunks))


def test_uuids_are_unique(inventory):
    """No two rows share a uuid, external rows of one number included."""
    uuids = [row["phone_number_uuid"] for row in (*inventory.numbers, *inventory.trunks)]

    assert len(uuids) == len(set(uuids))


def test_numbers_are_fictional_and_e164(inventory):
    """Every number is well-formed and lies in a range set aside for fiction."""
    fictional = re.compile(
        r"\+(1[2-9]\d\d55501\d\d|44(7700900|1632960|3069990|8081570|2079460)\d{3}"
        r"|33(19900|26191|35301|46571|53649|63998)\d{4}|49(3023125|6990009|4066969|2214710)\d{3})"
    )

    odd = [row["number"] for row in (*inventory.numbers, *inventory.trunks) if not fictional.fullmatch(row["number"])]
    assert [] == odd


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(("status",), set(NUMBER_STATUSES), id="status"),
        pytest.param(("type",), set(NUMBER_TYPES), id="type"),
        pytest.param(("country_code",), {"US", "CA", "GB", "FR", "DE"}, id="country"),
        pytest.param(("compliance", "status"), set(COMPLIANCE_STATUSES), id="compliance"),
        pytest.param(("bindings", "call", "bound"), {True, False}, id="bound on call"),
        pytest.param(("bindings", "sms", "bound"), {True, False}, id="bound on sms"),
        pytest.param(("bindings", "whatsapp", "bound"), {True, False}, id="bound on whatsapp"),
        pytest.param(("capabilities", "sms"), {True, False}, id="capable of sms"),
    ],
)
def test_every_kind_of_number_is_there(inventory, path, expected):
    """The default beginning holds every documented value of each field."""
    values = set()
    for row in inventory.numbers:
        value = row
        for name in path:
            value = value[name]
        values.add(value)

    assert expected == values


def test_fees_have_cents(inventory):
    """Fees are JSON numbers, some of them with cents."""
    fees = {row["billing"]["monthly_fee"] for row in inventory.numbers}

    assert {float} == {type(fee) for fee in fees}
    assert 1.15 in fees


def test_pending_compliance_names_its_requirements(inventory):
    """Requirements are shown where compliance is pending, and only there."""
    seen = {(row["compliance"]["status"], bool(row["compliance"]["requirements"])) for row in inventory.numbers}

    assert {("completed", False), ("requirement_pending", True)} == seen


def test_purchases_are_in_order_of_time(inventory):
    """Each purchase is strictly later than the one before, all are past, and none is changed before it was made."""
    times = [datetime.fromisoformat(row["purchased_at"]) for row in inventory.numbers]

    assert sorted(set(times)) == times
    assert datetime(2023, 1, 1, tzinfo=UTC) < times[0] < times[-1] < datetime.now(UTC)
    assert all(row["purchased_at"] <= row["updated_at"] for row in inventory.numbers)


def test_largest_beginning_lies_in_the_past():
    """Ten thousand purchases still end before today."""
    (last,) = operations.list_numbers(Inventory(10_000, 0), {"page": 10_000, "per_page": 1})["items"]

    assert datetime.fromisoformat(last["purchased_at"]) < datetime.now(UTC)


def test_each_trunk_has_an_agent_of_its_own(inventory):
    """No agent serves two numbers on a channel, purchased ones included."""
    served = Counter(
        (channel, binding["agent_uuid"])
        for row in (*inventory.numbers, *inventory.trunks)
        for channel, binding in row["bindings"].items()
        if binding["bound"]
    )

    assert {1} == set(served.values())


def test_some_trunks_share_a_number(inventory):
    """Some external numbers have a row on both channels."""
    rows = Counter(row["number"] for row in inventory.trunks)

    assert {1, 2} == set(rows.values())


@pytest.mark.parametrize("channel", ["call", "sms", "whatsapp"])
def test_plenty_of_agents_are_free(inventory, channel):
    """At least fifty agents serve nothing on a channel, and each agent that is free is known."""
    free = inventory.free_agents(channel)

    assert len(free) >= 50
    assert {agent.uuid for agent in inventory.agents} > set(free)


def test_agents_have_different_names(inventory):
    """No two agents have the same name."""
    names = [name for _, name in inventory.agents]

    assert len(names) == len(set(names))


def test_fictional_numbers_are_each_given_once():
    """The ranges give every number once and then end."""
    numbers = [found.number for found in fictional_numbers(random_stream(1, "test"))]

    assert CAPACITY == len(numbers) == len(set(numbers))


def test_more_numbers_than_there_are():
    """Asking for more numbers than the ranges hold says how many there are."""
    factory = RowFactory(1)
    for _ in range(CAPACITY):
        factory.number()

    with pytest.raises(ValueError, match=str(CAPACITY)):
        factory.number()


def test_token_is_made_up_from_the_seed():
    """A token says that it is a sandbox's, is the same for a seed and another for another."""
    assert re.fullmatch("sandbox-[0-9a-f]{32}", sandbox_token(1))
    assert sandbox_token(1) == sandbox_token(1)
    assert sandbox_token(1) != sandbox_token(2)
