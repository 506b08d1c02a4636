"""The channels of a number: how they are looked at and set."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory
from mihu_async.sandbox.refusals import RefusedError

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NOBODY = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
FREE = {"bound": False, "agent_uuid": None, "agent_name": None}
SETTINGS: dict[str, dict[str, Any]] = {
    "voice": {"enabled": True, "channel_limit": 10, "whitelisted_destinations": ["IT"]},
    "sms": {"enabled": True, "channel_limit": 5, "whitelisted_destinations": ["IT"]},
    "inbound": {"enabled": True, "channel_limit": None},
}


@pytest.fixture
def inventory():
    """Return a small inventory whose clock stands still."""
    return Inventory(6, 3, now=lambda: NOW)


@pytest.fixture
def bought(inventory):
    """Return a number that can do voice and SMS."""
    return operations.buy(
        inventory,
        {
            "number": "+390790080041",
            "country_code": "IT",
            "type": "local",
            "capabilities": {"voice": True, "sms": True},
        },
    )


def refusal(operation, *arguments) -> tuple[int, str]:
    """Return the status of a refusal and what it is about."""
    with pytest.raises(RefusedError) as caught:
        operation(*arguments)
    return caught.value.status, caught.value.details


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"voice": {}}, {}, id="nothing of a channel"),
        pytest.param({"sms": {"enabled": False}}, {"sms": {"enabled": False}}, id="a field"),
        pytest.param(
            {"voice": {"channel_limit": 2, "whitelisted_destinations": ["US", "FR"]}, "inbound": {"channel_limit": 1}},
            {"voice": {"channel_limit": 2, "whitelisted_destinations": ["US", "FR"]}, "inbound": {"channel_limit": 1}},
            id="several",
        ),
        pytest.param({"voice": {"channel_limit": None}}, {"voice": {"channel_limit": None}}, id="no limit"),
        pytest.param({"sms": None, "voice": {"enabled": None, "whitelisted_destinations": None}}, {}, id="other nulls"),
    ],
)
def test_settings_change_by_what_was_given(inventory, bought, changes, expected):
    """What was given is there, and everything else is as it was."""
    changed = operations.change_settings(inventory, bought["phone_number_uuid"], {"channel_settings": changes})

    settings = {name: fields | expected.get(name, {}) for name, fields in SETTINGS.items()}
    assert bought | {"channel_settings": settings} == changed
    assert changed == inventory.numbers[-1]


def test_a_change_has_its_time():
    """The number says when it was changed, and keeps its place."""
    inventory = Inventory(6, 0, now=lambda: NOW)
    before, change = inventory.numbers[2], {"channel_settings": {"inbound": {"enabled": False}}}
    changed = operations.change_settings(inventory, before["phone_number_uuid"], change)

    assert ("2026-03-04T05:06:07Z", before["purchased_at"]) == (changed["updated_at"], changed["purchased_at"])
    assert changed == inventory.numbers[2]


def test_settings_of_nobody_are_not_there(inventory):
    """A uuid that is no number's is refused with 404."""
    assert (404, f"there is no number {NOBODY}") == refusal(operations.change_settings, inventory, NOBODY, {})
    assert (404, f"there is no number {NOBODY}") == refusal(operations.channels, inventory, NOBODY)


def test_an_external_number_has_no_settings(inventory):
    """Its settings are null, so they are refused with 409."""
    trunk = inventory.trunks[0]

    assert (409, f"{trunk['number']} has no channel settings") == refusal(
        operations.change_settings, inventory, trunk["phone_number_uuid"], {"channel_settings": {}}
    )


def test_channels_of_a_purchased_number(inventory, bought):
    """Capability, settings and binding stand together, and voice is called call here."""
    assert {
        "phone_number_uuid": bought["phone_number_uuid"],
        "number": "+390790080041",
        "is_external": False,
        "source": "purchased",
        "channels": {
            "call": {"capable": True, **SETTINGS["voice"], **FREE},
            "sms": {"capable": True, **SETTINGS["sms"], **FREE},
            "whatsapp": FREE,
            "inbound": SETTINGS["inbound"],
        },
    } == operations.channels(inventory, bought["phone_number_uuid"])


def test_channels_tell_who_is_bound(inventory):
    """Each channel has its own agent."""
    agent, other = inventory.agents[-2:]
    bound = inventory.insert(agents={"call": agent.uuid, "whatsapp": other.uuid})
    channels = operations.channels(inventory, bound["phone_number_uuid"])["channels"]

    assert bound["bindings"] == {
        name: {field: channels[name][field] for field in FREE} for name in ("call", "sms", "whatsapp")
    }


def test_channels_of_which_nothing_is_known(inventory):
    """Where a number has neither capabilities nor settings, they are null."""
    bare = inventory.insert(capabilities=None, channel_settings=None)
    unknown = dict.fromkeys(("capable", "enabled", "channel_limit", "whitelisted_destinations"))

    assert {"call": unknown | FREE, "sms": unknown | FREE, "whatsapp": FREE, "inbound": None} == operations.channels(
        inventory, bare["phone_number_uuid"]
    )["channels"]


def test_channels_are_found_by_number(inventory, bought):
    """A purchased number and an external one are found; where that has two rows, by the first."""
    first = inventory.insert_trunk(number="+12345678901")
    inventory.insert_trunk(number="+12345678901", channel="whatsapp")

    assert operations.channels(inventory, bought["phone_number_uuid"]) == operations.channels_of(
        inventory, {"number": "+390790080041"}
    )
    assert operations.channels(inventory, first["phone_number_uuid"]) == operations.channels_of(
        inventory, {"number": "+12345678901"}
    )
    assert operations.channels_of(inventory, {"number": "+12345678901"})["channels"]["whatsapp"]["bound"]


def test_channels_of_another_number_are_not_there(inventory):
    """A number that the workspace does not have is refused with 404."""
    assert (404, "+12345678901 is neither in your inventory nor an external trunk") == refusal(
        operations.channels_of, inventory, {"number": "+12345678901"}
    )


async def test_settings_are_served(sandbox, call):
    """PATCH /phone-numbers/{uuid} answers 200 with the number, by a uuid in capitals too."""
    uuid = sandbox.inventory.numbers[0]["phone_number_uuid"]
    reply = await call("PATCH", f"/phone-numbers/{uuid.upper()}", json={"channel_settings": {"sms": {"enabled": True}}})

    assert 200 == reply.status
    assert {"success": True, "data": sandbox.inventory.numbers[0]} == reply.json
    assert reply.json["data"]["channel_settings"]["sms"]["enabled"]


async def test_channels_are_served(sandbox, call):
    """Both ways to a number's channels answer 200 with the same snapshot."""
    row = sandbox.inventory.numbers[0]
    by_uuid = await call("GET", f"/phone-numbers/{row['phone_number_uuid']}/channels")
    by_number = await call("GET", f"/phone-numbers/channels?number=%2B{row['number'][1:]}")

    expected = {"success": True, "data": operations.channels(sandbox.inventory, row["phone_number_uuid"])}
    assert [(200, expected)] * 2 == [(reply.status, reply.json) for reply in (by_uuid, by_number)]


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", f"/phone-numbers/{NOBODY}/channels", {}, (404, None)),
        ("GET", f"/phone-numbers/{NOBODY}/channels?number=1", {}, (422, "number")),
        ("GET", "/phone-numbers/channels", {}, (422, "number")),
        ("GET", "/phone-numbers/channels?number=1&number=1", {}, (422, "number")),
        ("GET", "/phone-numbers/channels?phone_number=1", {}, (422, "number")),
        ("GET", "/phone-numbers/channels?number=1&page=1", {}, (422, "page")),
        ("GET", "/phone-numbers/nobody/channels", {}, (404, None)),
        ("GET", "/phone-numbers/%0A", {}, (404, None)),
        ("PATCH", f"/phone-numbers/{NOBODY}x", {"json": {"channel_settings": {}}}, (404, None)),
        ("PATCH", f"/phone-numbers/{NOBODY}", {"json": {}}, (422, "channel_settings")),
        ("PATCH", f"/phone-numbers/{NOBODY}", {"json": {"voice": {}}}, (422, "channel_settings")),
        ("GET", f"/phone-numbers/{NOBODY}", {}, (405, None)),
    ],
)
async def test_what_is_refused(call, method, path, options, expected):
    """A path, a query or a body that is not as documented is refused as everywhere."""
    reply = await call(method, path, **options)

    assert expected == (reply.status, reply.json["error"]["field"])
