import json

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.listing import RATES
from mihu_async.sandbox.tariff import COUNTRIES, make_rates


def listed(**query):
    """List rates by a query of strings."""
    return operations.list_rates(Inventory(0, 0), RATES.read(query.items()))


def test_same_seed_same_rates():
    """The table is the same for the same seed, and its prices are others for another."""
    first, second = list(make_rates(7)), list(make_rates(8))

    assert list(make_rates(7)) == first
    assert [rate.amount for rate in second] != [rate.amount for rate in first]
    assert [rate.destination_prefix for rate in second] == [rate.destination_prefix for rate in first]


def test_no_two_rates_are_equal():
    """A rate is known by its whole value, and the table fills pages of the largest size."""
    rates = list(make_rates(7))

    assert len(set(rates)) == len(rates) > 2 * 200


def test_a_prefix_is_one_countrys():
    """No rate's prefix begins with another country's calling code."""
    codes = {code: calling for code, (_, calling, _) in COUNTRIES.items()}

    for rate in make_rates(7):
        owners = [code for code, calling in codes.items() if rate.destination_prefix.startswith(calling)]
        assert [rate.country_code] == owners


def test_a_rate_has_every_documented_field():
    """The price stands apart, in the currency of all money here."""
    rate = Inventory(0, 0).rates[0]

    assert {
        "country_code": "AT",
        "country_name": "Austria",
        "destination_prefix": "43",
        "origination": "domestic",
        "description": "Austria, fixed line",
        "min_duration_seconds": rate["min_duration_seconds"],
        "billing_increment_seconds": rate["billing_increment_seconds"],
        "price": {"amount": rate["price"]["amount"], "currency": "EUR"},
    } == rate


def test_rates_come_in_pages_of_fifty():
    """Fifty is the default, and two hundred the most."""
    assert Inventory(0, 0).rates[:50] == listed()["items"]
    assert 200 == len(listed(per_page="200")["items"])


def test_rates_are_filtered_by_country_and_prefix():
    """Each filter keeps what it is about, and both together keep what passes both."""
    italian = listed(country_code="IT", per_page="200")["items"]
    mobile = listed(country_code="IT", prefix="393")["items"]

    assert [rate for rate in Inventory(0, 0).rates if rate["country_code"] == "IT"] == list(italian)
    assert [rate for rate in italian if rate["destination_prefix"].startswith("393")] == list(mobile)
    assert 0 < len(mobile) < len(italian)
    assert () == listed(country_code="DE", prefix="39")["items"]


async def test_rates_are_served(sandbox, call):
    """GET /phone-numbers/rates answers the envelope without a message, and its amounts are JSON numbers."""
    reply = await call("GET", "/phone-numbers/rates?prefix=49&page=2&per_page=10")

    german = [rate for rate in sandbox.inventory.rates if rate["country_code"] == "DE"]
    assert {"success", "data"} == set(reply.json)
    assert german[10:20] == reply.json["data"]["items"]
    assert {float} == {type(rate["price"]["amount"]) for rate in json.loads(reply.body)["data"]["items"]}
