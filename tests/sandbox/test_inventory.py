from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mihu_async.sandbox import operations
from mihu_async.sandbox.inventory import Inventory, utc_now
from mihu_async.sandbox.refusals import RefusedError
from mihu_async.sandbox.seeding import RowFactory

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FREE = {"bound": False, "agent_uuid": None, "agent_name": None}
NUMBER = "+390790080041"
PURCHASE = {"number": NUMBER, "country_code": "IT", "type": "local"}


@pytest.fixture
def inventory():
    """Return a small inventory whose clock stands still."""
    return Inventory(6, 3, now=lambda: NOW)


def registration(inventory, **changes) -> Any:
    """Describe a trunk that can be registered."""
    return {"phone_number": NUMBER, "channel": "call", "agent_uuid": idle_agent(inventory)} | changes


def idle_agent(inventory) -> Any:
    """Return an agent that serves nothing on any channel of trunks."""
    idle = set(inventory.free_agents("whatsapp"))
    return next(agent_uuid for agent_uuid in inventory.free_agents("call") if agent_uuid in idle)


def refusal(operation, *arguments) -> tuple[int, str]:
    """Return the status of a refusal and what it is about."""
    with pytest.raises(RefusedError) as caught:
        operation(*arguments)
    return caught.value.status, caught.value.details


def name_of(inventory, agent_uuid) -> Any:
    """Look up an agent's name."""
    return dict(inventory.agents)[agent_uuid]


def test_repr_counts(inventory):
    """The repr tells how many rows there are."""
    assert "Inventory(numbers=6, trunks=3)" == repr(inventory)


def test_clock_tells_whole_seconds():
    """The clock tells the time in UTC, to the second."""
    now = utc_now()

    assert (timedelta(0), 0) == (now.utcoffset(), now.microsecond)
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_bought_number_has_every_documented_field(inventory):
    """A purchase is active and complete, costs what was said, and belongs to no agent."""
    bought = operations.buy(
        inventory,
        PURCHASE | {"monthly_fee": 1.15, "location": "Sassari, Sardegna", "capabilities": {"voice": True, "sms": True}},
    )

    assert {
        "phone_number_uuid": bought["phone_number_uuid"],
        "number": NUMBER,
        "country_code": "IT",
        "location": "Sassari, Sardegna",
        "type": "local",
        "is_external": False,
        "source": "purchased",
        "status": "active",
        "compliance": {"status": "completed", "requirements": []},
        "capabilities": {
            "voice": True,
            "sms": True,
            "mms": None,
            "fax": None,
            "emergency": None,
            "local_calling": None,
        },
        "channel_settings": {
            "voice": {"enabled": True, "channel_limit": 10, "whitelisted_destinations": ["IT"]},
            "sms": {"enabled": True, "channel_limit": 5, "whitelisted_destinations": ["IT"]},
            "inbound": {"enabled": True, "channel_limit": None},
        },
        "billing": {"monthly_fee": 1.15, "currency": "EUR"},
        "bindings": {"call": FREE, "sms": FREE, "whatsapp": FREE},
        "purchased_at": "2026-03-04T05:06:07Z",
        "updated_at": "2026-03-04T05:06:07Z",
    } == bought
    assert bought == inventory.numbers[-1]


def test_what_a_purchase_leaves_out(inventory):
    """Left out, the location is the country code, the fee and the capabilities are unknown, and SMS is off."""
    bought = operations.buy(inventory, PURCHASE)

    assert ("IT", None, None) == (bought["location"], bought["billing"]["monthly_fee"], bought["capabilities"])
    assert {"enabled": False, "channel_limit": 5, "whitelisted_destinations": []} == bought["channel_settings"]["sms"]


def test_nothing_is_bought_twice(inventory):
    """A number that is in the inventory is refused, and nothing is added."""
    operations.buy(inventory, PURCHASE)

    assert (409, f"{NUMBER} is already in your inventory") == refusal(operations.buy, inventory, PURCHASE)
    assert 7 == len(inventory.numbers)


def test_trunk_is_not_bought(inventory):
    """A number that is registered as a trunk is refused."""
    inventory.insert_trunk(number=NUMBER)

    assert (409, f"{NUMBER} is registered as an external trunk") == refusal(operations.buy, inventory, PURCHASE)


def test_purchase_limit():
    """A full workspace refuses with the limit and the count, until there is room again."""
    inventory = Inventory(2, 0, purchase_limit=2)
    with pytest.raises(RefusedError) as caught:
        operations.buy(inventory, PURCHASE)

    assert {"error": "purchase_limit_reached", "limit": 2, "current": 2} == caught.value.data
    inventory.purchase_limit = 3
    assert NUMBER == operations.buy(inventory, PURCHASE)["number"]


def test_registered_snapshot(inventory):
    """A registration answers the channels of the number: call is bound, nothing else is."""
    body = registration(inventory, sip={"password": "secret"})
    snapshot = operations.register(inventory, body)

    bound = {"bound": True, "agent_uuid": body["agent_uuid"], "agent_name": name_of(inventory, body["agent_uuid"])}
    assert {
        "phone_number_uuid": inventory.trunks[-1]["phone_number_uuid"],
        "number": NUMBER,
        "is_external": True,
        "source": "external",
        "channels": {
            "call": {"capable": True, "enabled": True, "channel_limit": None, "whitelisted_destinations": []} | bound,
            "sms": {"capable": False, "enabled": False, "channel_limit": None, "whitelisted_destinations": []} | FREE,
            "whatsapp": FREE,
            "inbound": {"enabled": True, "channel_limit": None},
        },
    } == snapshot


def test_registered_item(inventory):
    """A registered trunk is listed with its binding, and null where nothing applies to an external number."""
    body = registration(inventory)
    snapshot = operations.register(inventory, body)
    item = inventory.trunks[-1]

    bound = {"bound": True, "agent_uuid": body["agent_uuid"], "agent_name": name_of(inventory, body["agent_uuid"])}
    assert {
        "phone_number_uuid": snapshot["phone_number_uuid"],
        "number": NUMBER,
        "country_code": None,
        "location": None,
        "type": None,
        "is_external": True,
        "source": "external",
        "status": None,
        "compliance": None,
        "capabilities": None,
        "channel_settings": None,
        "billing": None,
        "bindings": {"call": bound, "sms": FREE, "whatsapp": FREE},
        "purchased_at": None,
        "updated_at": "2026-03-04T05:06:07Z",
    } == item


def test_two_channels_of_a_number_are_two_rows_and_one_snapshot(inventory):
    """A number on both channels has two rows with uuids of their own, and a snapshot with both bindings."""
    call = operations.register(inventory, registration(inventory))
    whatsapp = operations.register(inventory, registration(inventory, channel="whatsapp"))

    assert call["phone_number_uuid"] != whatsapp["phone_number_uuid"]
    assert [NUMBER, NUMBER] == [row["number"] for row in inventory.trunks[-2:]]
    assert (True, True) == tuple(whatsapp["channels"][name]["bound"] for name in ("call", "whatsapp"))


@pytest.mark.parametrize(("direction", "expected"), [("inbound", True), ("outbound", False), ("both", True)], ids=str)
def test_direction_decides_on_incoming_calls(inventory, direction, expected):
    """Calls come in unless the trunk is outbound only."""
    snapshot = operations.register(inventory, registration(inventory, direction=direction))

    assert expected is snapshot["channels"]["inbound"]["enabled"]


def test_no_calls_come_in_on_whatsapp(inventory):
    """A number that has a trunk on WhatsApp only is not capable of calls."""
    snapshot = operations.register(inventory, registration(inventory, channel="whatsapp"))

    assert (False, False) == tuple(snapshot["channels"][name]["enabled"] for name in ("call", "inbound"))


def test_trunk_keeps_what_was_sent(inventory):
    """Everything sent with a registration is stored, and the SIP credentials stay out of the repr."""
    sip = {"gateway": "sip.acme.com", "port": 5060, "password": "secret"}
    operations.register(
        inventory, registration(inventory, sip=sip, additional_settings={"ani_format": "e164"}, name="Front")
    )
    trunk = stored(inventory)

    assert (sip, {"ani_format": "e164"}, "Front") == (trunk.sip, trunk.additional_settings, trunk.name)
    assert "secret" not in repr(trunk)


def test_trunk_has_a_default_name(inventory):
    """A trunk without a name is called after its channel and its digits."""
    operations.register(inventory, registration(inventory, phone_number="+12345678901"))

    assert "call_trunk_12345678901" == stored(inventory).name


def test_unknown_agent_is_refused(inventory):
    """A registration for an agent that is not there is refused with 404."""
    nobody = "3c90c3cc-0d44-4b50-8888-8dd25736052a"

    assert (404, f"there is no agent {nobody}") == refusal(
        operations.register, inventory, registration(inventory, agent_uuid=nobody)
    )


def test_purchased_number_is_no_trunk(inventory):
    """A purchased number cannot be registered."""
    owned = inventory.numbers[0]["number"]

    assert (409, f"{owned} is in your purchased inventory") == refusal(
        operations.register, inventory, registration(inventory, phone_number=owned)
    )


def test_channel_is_bound_once(inventory):
    """A number cannot be registered twice on a channel, for another agent neither."""
    operations.register(inventory, registration(inventory))

    assert (409, f"{NUMBER} is already bound on call") == refusal(
        operations.register, inventory, registration(inventory)
    )


def test_agent_of_a_trunk_serves_no_other(inventory):
    """An agent that has a trunk on a channel gets no second number on it."""
    taken = inventory.insert_trunk(channel="whatsapp")
    body = registration(inventory, channel="whatsapp", agent_uuid=taken["bindings"]["whatsapp"]["agent_uuid"])

    assert (409, f"the agent already serves {taken['number']} on whatsapp") == refusal(
        operations.register, inventory, body
    )


def test_agent_of_a_purchased_number_serves_no_other(inventory):
    """An agent that has a purchased number on a channel gets no trunk on it, and still one on the other."""
    agent_uuid = idle_agent(inventory)
    bought = inventory.insert(agents={"call": agent_uuid})
    body = registration(inventory, agent_uuid=agent_uuid)

    assert (409, f"the agent already serves {bought['number']} on call") == refusal(
        operations.register, inventory, body
    )
    assert operations.register(inventory, body | {"channel": "whatsapp"})["channels"]["whatsapp"]["bound"]


def test_assignment_moves_the_row(inventory):
    """An assigned row has its new agent and a new time, its old uuid and place, and its old agent is free."""
    before = inventory.insert_trunk(at=1)
    old, new = before["bindings"]["call"]["agent_uuid"], inventory.free_agents("call")[-1]
    snapshot = operations.assign(inventory, registration(inventory, phone_number=before["number"], agent_uuid=new))
    after = inventory.trunks[1]

    assert (new, name_of(inventory, new)) == (
        snapshot["channels"]["call"]["agent_uuid"],
        snapshot["channels"]["call"]["agent_name"],
    )
    assert before | {"bindings": after["bindings"]} == after
    assert old in inventory.free_agents("call")
    assert new not in inventory.free_agents("call")


def test_assignment_to_the_same_agent(inventory):
    """Assigning a row to the agent that serves it already is fine."""
    operations.register(inventory, body := registration(inventory))

    assert operations.assign(inventory, body)["channels"]["call"]["agent_uuid"] == body["agent_uuid"]


def test_assignment_to_a_taken_agent(inventory):
    """An agent that serves another number on the channel is refused."""
    operations.register(inventory, body := registration(inventory))
    other = inventory.insert_trunk()

    assert (409, f"the agent already serves {other['number']} on call") == refusal(
        operations.assign, inventory, body | {"agent_uuid": other["bindings"]["call"]["agent_uuid"]}
    )


@pytest.mark.parametrize(
    "changes",
    [{"phone_number": "+390790080042"}, {"channel": "whatsapp"}],
    ids=["another number", "another channel"],
)
def test_assignment_of_an_unknown_row(inventory, changes):
    """A row is known by number and channel together; another is refused with 404."""
    operations.register(inventory, body := registration(inventory))
    body |= changes

    assert (404, f"{body['phone_number']} has no trunk on {body['channel']}") == refusal(
        operations.assign, inventory, body
    )


def test_assignment_to_an_unknown_agent(inventory):
    """An agent that is not there is refused with 404."""
    operations.register(inventory, body := registration(inventory))
    nobody = "3c90c3cc-0d44-4b50-8888-8dd25736052a"

    assert (404, f"there is no agent {nobody}") == refusal(operations.assign, inventory, body | {"agent_uuid": nobody})


def stored(inventory) -> Any:
    """Return the settings that the last trunk stores."""
    with inventory.opened() as ledger:
        return ledger.external[-1].trunk


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"name": "Back"}, {"name": "Back"}, id="name"),
        pytest.param({"direction": "outbound"}, {"direction": "outbound"}, id="direction"),
        pytest.param({"sip": {"port": 5061}}, {"sip": {"port": 5061, "username": "u", "password": "p"}}, id="a field"),
        pytest.param({"sip": {"password": "", "gateway": "g"}}, {"sip": {"username": "u", "gateway": "g"}}, id="clear"),
        pytest.param({"additional_settings": {"b": 2}}, {"additional_settings": {"b": 2}}, id="other settings"),
        pytest.param({"additional_settings": {}}, {"additional_settings": {}}, id="no settings"),
    ],
)
def test_trunk_changes_by_what_was_given(inventory, change, expected):
    """Fields that were not given stay, an empty text clears a credential, and additional settings are replaced."""
    before = {"name": "Front", "direction": "both", "additional_settings": {"a": 1}}
    sip = {"username": "u", "password": "p"}
    operations.register(inventory, registration(inventory, **before, sip=sip))
    operations.change_trunk(inventory, {"phone_number": NUMBER, "channel": "call"} | change)

    trunk = stored(inventory)
    assert before | {"sip": sip} | expected == {
        "name": trunk.name,
        "direction": trunk.direction,
        "sip": trunk.sip,
        "additional_settings": trunk.additional_settings,
    }


def test_a_changed_trunk_answers_its_snapshot(inventory):
    """The direction shows in what comes in; agent, uuid and place stay."""
    registered = operations.register(inventory, registration(inventory))
    inbound = {"enabled": False, "channel_limit": None}
    changed = operations.change_trunk(inventory, {"phone_number": NUMBER, "channel": "call", "direction": "outbound"})

    assert registered | {"channels": registered["channels"] | {"inbound": inbound}} == changed
    assert registered["phone_number_uuid"] == inventory.trunks[-1]["phone_number_uuid"]


@pytest.mark.parametrize("number", [NUMBER, NUMBER.removeprefix("+")], ids=["with its plus", "without"])
def test_removed_trunk_is_gone_on_its_channel(inventory, number):
    """The row on the other channel stays, and the agent is free."""
    operations.register(inventory, body := registration(inventory))
    operations.register(inventory, body | {"channel": "whatsapp"})
    operations.remove_trunk(inventory, {"phone_number": number, "channel": "call"})

    assert [(NUMBER, FREE, True)] == [
        (row["number"], row["bindings"]["call"], row["bindings"]["whatsapp"]["bound"]) for row in inventory.trunks[3:]
    ]
    assert body["agent_uuid"] in inventory.free_agents("call")


def test_unknown_trunk_is_neither_changed_nor_removed(inventory):
    """A row is known by number and channel together; another is refused with 404, and so is a purchased number."""
    operations.register(inventory, registration(inventory))
    owned = inventory.numbers[0]["number"]
    for row in ({"phone_number": NUMBER, "channel": "whatsapp"}, {"phone_number": owned, "channel": "call"}):
        expected = (404, f"{row['phone_number']} has no trunk on {row['channel']}")

        assert [expected] * 2 == [
            refusal(operations.change_trunk, inventory, row),
            refusal(operations.remove_trunk, inventory, row),
        ]


@pytest.mark.parametrize(("at", "position"), [(None, 6), (0, 0), (2, 2)], ids=["end", "front", "middle"])
def test_inserted_number_stands_where_it_was_put(inventory, at, position):
    """An inserted number is at its position, with the fields that were given, and now as its time."""
    inserted = inventory.insert(at=at, country_code="IT", monthly_fee=2.5)

    assert inserted == inventory.numbers[position]
    assert ("IT", 2.5, "2026-03-04T05:06:07Z") == (
        inserted["country_code"],
        inserted["billing"]["monthly_fee"],
        inserted["purchased_at"],
    )


@pytest.mark.parametrize(("at", "position"), [(None, 3), (0, 0), (2, 2)], ids=["end", "front", "middle"])
def test_inserted_trunk_stands_where_it_was_put(inventory, at, position):
    """An inserted trunk is at its position, bound to the agent that was given."""
    agent_uuid = inventory.free_agents("whatsapp")[3]
    inserted = inventory.insert_trunk(at=at, number=NUMBER, channel="whatsapp", agent_uuid=agent_uuid)

    assert inserted == inventory.trunks[position]
    assert (NUMBER, agent_uuid) == (inserted["number"], inserted["bindings"]["whatsapp"]["agent_uuid"])


@pytest.mark.parametrize("kind", ["numbers", "trunks"])
def test_known_number_is_not_inserted(inventory, kind):
    """A number that is in a row already cannot be inserted."""
    with pytest.raises(ValueError, match="already"):
        inventory.insert(number=getattr(inventory, kind)[0]["number"])


def test_known_trunk_is_not_inserted(inventory):
    """A trunk on a bound channel, or of a purchased number, cannot be inserted."""
    inventory.insert_trunk(number=NUMBER)

    for number in (NUMBER, inventory.numbers[0]["number"]):
        with pytest.raises(ValueError, match="already"):
            inventory.insert_trunk(number=number)


def test_trunk_on_sms_is_not_inserted(inventory):
    """SMS is no channel of trunks."""
    with pytest.raises(ValueError, match="no channel sms"):
        inventory.insert_trunk(channel="sms")


def test_inserted_number_is_new_even_if_the_next_was_bought(inventory):
    """A fictional number that was bought by itself is not made up again."""
    factory = RowFactory(7)
    made = [factory.number().number for _ in range(30)]
    upcoming = made[made.index(inventory.trunks[-1]["number"]) + 1]
    operations.buy(inventory, PURCHASE | {"number": upcoming})

    assert upcoming != inventory.insert()["number"]


def test_agents_are_hired_when_none_is_free(inventory):
    """Inserting more trunks than there are free agents adds agents, each with one trunk."""
    count = len(inventory.free_agents("call")) + 2
    inserted = [inventory.insert_trunk() for _ in range(count)]

    assert count == len({row["bindings"]["call"]["agent_uuid"] for row in inserted})


@pytest.mark.parametrize("kind", ["numbers", "trunks"])
def test_deleted_row_is_gone(inventory, kind):
    """A deleted row is gone and the others close up."""
    rows = getattr(inventory, kind)
    inventory.delete(rows[1]["phone_number_uuid"])

    assert (rows[0], *rows[2:]) == getattr(inventory, kind)


def test_unknown_row_is_not_deleted(inventory):
    """Deleting a row that is not there says so."""
    with pytest.raises(KeyError, match="nothing"):
        inventory.delete("nothing")


def test_changed_items_do_not_change_the_state(inventory):
    """Items are values of their own; writing into one changes nothing."""
    before = inventory.numbers
    for row in inventory.numbers:
        row["channel_settings"]["voice"]["whitelisted_destinations"].append("XX")
        row["capabilities"].clear()
        row["bindings"]["call"].clear()
        row["compliance"]["requirements"].clear()

    assert before == inventory.numbers


def test_a_number_can_be_pending_at_first():
    """It becomes active when its time has come, in every answer, and can be narrowed to by then."""
    seconds = [100.0]
    inventory = Inventory(1, 0, now=lambda: NOW, activation_delay=5, elapsed=lambda: seconds[0])
    bought = operations.buy(inventory, PURCHASE)
    seconds[0] = 104.9
    before = operations.list_numbers(inventory, {"page": 1, "per_page": 25, "status": "pending"})["items"]
    seconds[0] = 105.0
    after = operations.list_numbers(inventory, {"page": 1, "per_page": 25, "status": "active"})["items"]

    assert "pending" == bought["status"]
    assert bought in before
    assert {**bought, "status": "active"} in after
    assert {**bought, "status": "active"} == inventory.numbers[-1]


def test_settings_are_answered_with_the_status_of_now():
    """An update of a number whose time has come shows it active."""
    seconds = [0.0]
    inventory = Inventory(0, 0, activation_delay=1, elapsed=lambda: seconds[0])
    uuid = operations.buy(inventory, PURCHASE)["phone_number_uuid"]
    seconds[0] = 1.0

    assert (
        "active"
        == operations.change_settings(inventory, uuid, {"channel_settings": {"voice": {"enabled": False}}})["status"]
    )


def test_a_number_that_is_gone_or_changed_is_not_activated():
    """Deleted, it stays away; with a status of its own, it keeps that."""
    seconds = [0.0]
    inventory = Inventory(0, 0, activation_delay=1, elapsed=lambda: seconds[0])
    gone = operations.buy(inventory, PURCHASE)
    inventory.delete(gone["phone_number_uuid"])
    kept = operations.buy(inventory, {**PURCHASE, "number": "+390790080042"})
    inventory.update(kept["phone_number_uuid"], status="inactive")
    seconds[0] = 9.0

    assert ["inactive"] == [number["status"] for number in inventory.numbers]


def test_the_delay_can_be_set_later():
    """It counts for what is bought from then on."""
    inventory = Inventory(0, 0)
    first = operations.buy(inventory, PURCHASE)
    inventory.activation_delay = 60
    second = operations.buy(inventory, {**PURCHASE, "number": "+390790080042"})

    assert ("active", "pending") == (first["status"], second["status"])


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"status": "inactive"}, {"status": "inactive"}),
        ({"number": NUMBER}, {"number": NUMBER}),
        ({"country_code": "IT", "location": "Sassari", "type": "mobile"}, None),
        ({"compliance": "requirement_pending"}, {"compliance": {"status": "requirement_pending", "requirements": []}}),
        ({"capabilities": None, "channel_settings": None}, None),
        ({"monthly_fee": 2.5}, {"billing": {"monthly_fee": 2.5, "currency": "EUR"}}),
        ({"agents": {}}, {"bindings": {"call": FREE, "sms": FREE, "whatsapp": FREE}}),
        ({"purchased_at": NOW - timedelta(days=1)}, {"purchased_at": "2026-03-03T05:06:07Z"}),
        ({"updated_at": NOW + timedelta(days=1)}, {"updated_at": "2026-03-05T05:06:07Z"}),
    ],
)
def test_a_row_is_changed(inventory, fields, shown):
    """Every documented field can be set, and is answered so; the row was changed now unless it says when."""
    uuid = inventory.numbers[2]["phone_number_uuid"]
    expected = {**inventory.numbers[2], "updated_at": "2026-03-04T05:06:07Z", **(fields if shown is None else shown)}

    assert expected == inventory.update(uuid, **fields)
    assert expected == inventory.numbers[2]


def test_an_external_row_is_changed(inventory):
    """It has another agent then."""
    row = inventory.trunks[0]
    channel = next(channel for channel, binding in row["bindings"].items() if binding["bound"])
    agent = inventory.free_agents(channel)[0]
    changed = inventory.update(row["phone_number_uuid"], agents={channel: agent})

    assert agent == changed["bindings"][channel]["agent_uuid"]
    assert changed == inventory.trunks[0]


@pytest.mark.parametrize(
    ("kind", "fields", "error", "message"),
    [
        (
            "numbers",
            {"state": "active"},
            TypeError,
            "has no changeable field state; the changeable fields are number, country_code",
        ),
        ("numbers", {"is_external": True}, TypeError, "no changeable field is_external"),
        ("numbers", {"status": "ready"}, ValueError, "status is one of active, pending, inactive, not 'ready'"),
        ("numbers", {"type": "fax"}, ValueError, "type is one of local"),
        ("numbers", {"compliance": None}, ValueError, "compliance is one of completed"),
        ("trunks", {"status": "active"}, ValueError, "status is null for external numbers"),
    ],
)
def test_what_a_row_cannot_be_is_refused(inventory, kind, fields, error, message):
    """The row stays as it was."""
    before = getattr(inventory, kind)

    with pytest.raises(error, match=message):
        inventory.update(before[0]["phone_number_uuid"], **fields)

    assert before == getattr(inventory, kind)


def test_a_number_is_in_the_inventory_once(inventory):
    """No row takes the number of another one, and a row that is not there is not changed."""
    first, second = inventory.numbers[:2]
    trunk = inventory.trunks[0]

    for taken in (second["number"], trunk["number"]):
        with pytest.raises(ValueError, match="is already in the inventory"):
            inventory.update(first["phone_number_uuid"], number=taken)
    with pytest.raises(KeyError):
        inventory.update("nothing", status="active")

    assert first == inventory.numbers[0]
    assert first["number"] == inventory.update(first["phone_number_uuid"], number=first["number"])["number"]


def test_there_are_three_channels():
    """A channel by another name has no free agents, and says so."""
    with pytest.raises(ValueError, match="there is no channel voice"):
        Inventory(1, 1).free_agents("voice")


def test_agents_of_ones_own():
    """An agent whose uuid was given is there, free on every channel, and nobody else's row changes for it."""
    uuid = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    inventory, other = Inventory(6, 3, agents=[uuid.upper()]), Inventory(6, 3)

    assert all(uuid in inventory.free_agents(channel) for channel in ("call", "sms", "whatsapp"))
    assert {uuid} == {agent.uuid for agent in inventory.agents} - {agent.uuid for agent in other.agents}
    assert (other.numbers, other.trunks) == (inventory.numbers, inventory.trunks)
    with pytest.raises(ValueError, match="badly formed"):
        Inventory(0, 0, agents=["Ada"])


def test_when_the_next_number_becomes_active():
    """It is reported in seconds, for the number that is next, and None where none becomes so by itself."""
    seconds = [0.0]
    inventory = Inventory(2, 0, activation_delay=5.0, elapsed=lambda: seconds[0])
    assert inventory.next_activation() is None

    operations.buy(inventory, PURCHASE)
    seconds[0] = 2.0
    operations.buy(inventory, {**PURCHASE, "number": "+390790080042"})
    assert 3.0 == inventory.next_activation()
    seconds[0] = 6.0
    assert 0.0 == inventory.next_activation()
    assert ["active", "pending"] == [row["status"] for row in inventory.numbers[-2:]]
    assert 1.0 == inventory.next_activation()
