from typing import Any

import pytest

from mihu_async.sandbox.checks import ADDRESS_FIELDS, ASSIGNMENT, PURCHASE, REGISTRATION, SETTINGS, TRUNK_CHANGE
from mihu_async.sandbox.refusals import RefusedError

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
BUY = {"number": "+390790080041", "country_code": "IT", "type": "local"}
TRUNK = {"phone_number": "+12345678901", "agent_uuid": AGENT, "channel": "call"}
ROW = {"phone_number": "+12345678901", "channel": "call"}

ACCEPTED = {
    "purchase, the least": (PURCHASE, BUY),
    "purchase, everything": (
        PURCHASE,
        BUY
        | {
            "monthly_fee": 1.15,
            "capabilities": {"voice": True, "fax": None},
            "location": "Sassari, Sardegna",
            "address": dict.fromkeys(ADDRESS_FIELDS, "x"),
            "requirements": [
                {"key": "proof_of_address", "value": "x"},
                {"requirement_id": AGENT, "document_id": AGENT},
                {},
            ],
        },
    ),
    "purchase, nothing in its parts": (PURCHASE, BUY | {"capabilities": {}, "address": {}, "requirements": []}),
    "purchase, a whole fee": (PURCHASE, BUY | {"monthly_fee": 123}),
    "registration, the least": (REGISTRATION, TRUNK),
    "registration, everything": (
        REGISTRATION,
        TRUNK
        | {
            "name": "Front desk",
            "direction": "both",
            "sip": {
                "gateway": "sip.acme.com",
                "port": 5060,
                "username": "u",
                "password": "p",
                "secondary_gateway": "sip2.acme.com",
            },
            "additional_settings": {"ani_format": "e164", "deep": [{"er": 1}]},
        },
    ),
    "assignment": (ASSIGNMENT, TRUNK),
    "settings, nothing": (SETTINGS, {"channel_settings": {}}),
    "settings, everything": (
        SETTINGS,
        {
            "channel_settings": {
                "voice": {"enabled": True, "channel_limit": 3, "whitelisted_destinations": ["US"]},
                "sms": {"enabled": None, "channel_limit": None, "whitelisted_destinations": None},
                "inbound": None,
            }
        },
    ),
    "a change of a trunk, nothing": (TRUNK_CHANGE, ROW),
    "a change of a trunk, everything": (
        TRUNK_CHANGE,
        ROW | {"name": "", "direction": "inbound", "sip": {"password": "", "port": 1}, "additional_settings": {}},
    ),
}


def settings(**channels) -> Any:
    """Wrap channels as a body does."""
    return {"channel_settings": channels}


REFUSED = {
    "no object": (PURCHASE, [], None),
    "no number": (PURCHASE, {"country_code": "IT", "type": "local"}, "number"),
    "no country": (PURCHASE, {"number": "+390790080041", "type": "local"}, "country_code"),
    "no type": (PURCHASE, {"number": "+390790080041", "country_code": "IT"}, "type"),
    "a number without its plus": (PURCHASE, BUY | {"number": "390790080041"}, "number"),
    "a number that begins with 0": (PURCHASE, BUY | {"number": "+0790080041"}, "number"),
    "a number of one digit": (PURCHASE, BUY | {"number": "+1"}, "number"),
    "a number of sixteen digits": (PURCHASE, BUY | {"number": "+1234567890123456"}, "number"),
    "a number and a line end": (PURCHASE, BUY | {"number": "+390790080041\n"}, "number"),
    "a number in other digits": (PURCHASE, BUY | {"number": "+39\u0660\u0661\u0662\u0663"}, "number"),
    "a number that is one": (PURCHASE, BUY | {"number": 390790080041}, "number"),
    "a country in small letters": (PURCHASE, BUY | {"country_code": "it"}, "country_code"),
    "a country of three letters": (PURCHASE, BUY | {"country_code": "ITA"}, "country_code"),
    "an unknown type": (PURCHASE, BUY | {"type": "satellite"}, "type"),
    "a fee in a string": (PURCHASE, BUY | {"monthly_fee": "1.15"}, "monthly_fee"),
    "a fee that is true": (PURCHASE, BUY | {"monthly_fee": True}, "monthly_fee"),
    "a fee without end": (PURCHASE, BUY | {"monthly_fee": float("inf")}, "monthly_fee"),
    "a fee that is null": (PURCHASE, BUY | {"monthly_fee": None}, "monthly_fee"),
    "capabilities in a list": (PURCHASE, BUY | {"capabilities": ["voice"]}, "capabilities"),
    "a capability that is no flag": (PURCHASE, BUY | {"capabilities": {"sms": "yes"}}, "capabilities.sms"),
    "a location that is a number": (PURCHASE, BUY | {"location": 5}, "location"),
    "an address in a string": (PURCHASE, BUY | {"address": "Via Roma 1"}, "address"),
    "an unknown part of an address": (PURCHASE, BUY | {"address": {"street": "x"}}, "address.street"),
    "a part of an address that is null": (PURCHASE, BUY | {"address": {"locality": None}}, "address.locality"),
    "requirements in an object": (PURCHASE, BUY | {"requirements": {}}, "requirements"),
    "a requirement that is text": (PURCHASE, BUY | {"requirements": [{}, "x"]}, "requirements.1"),
    "an unknown part of a requirement": (PURCHASE, BUY | {"requirements": [{"id": "x"}]}, "requirements.0.id"),
    "a requirement's value that is a number": (
        PURCHASE,
        BUY | {"requirements": [{"value": 1}]},
        "requirements.0.value",
    ),
    "an unknown field of a purchase": (PURCHASE, BUY | {"phone_number": "+390790080041"}, "phone_number"),
    "no phone number": (REGISTRATION, {"agent_uuid": AGENT, "channel": "call"}, "phone_number"),
    "no agent": (REGISTRATION, {"phone_number": "+12345678901", "channel": "call"}, "agent_uuid"),
    "no channel": (REGISTRATION, {"phone_number": "+12345678901", "agent_uuid": AGENT}, "channel"),
    "a trunk on sms": (REGISTRATION, TRUNK | {"channel": "sms"}, "channel"),
    "an agent that is no uuid": (REGISTRATION, TRUNK | {"agent_uuid": "me"}, "agent_uuid"),
    "an agent without dashes": (REGISTRATION, TRUNK | {"agent_uuid": AGENT.replace("-", "")}, "agent_uuid"),
    "an unknown direction": (REGISTRATION, TRUNK | {"direction": "sideways"}, "direction"),
    "a port in a string": (REGISTRATION, TRUNK | {"sip": {"port": "5060"}}, "sip.port"),
    "a port with a fraction": (REGISTRATION, TRUNK | {"sip": {"port": 5060.5}}, "sip.port"),
    "a port that is true": (REGISTRATION, TRUNK | {"sip": {"port": True}}, "sip.port"),
    "an unknown part of sip": (REGISTRATION, TRUNK | {"sip": {"host": "x"}}, "sip.host"),
    "settings in a list": (REGISTRATION, TRUNK | {"additional_settings": []}, "additional_settings"),
    "a trunk's number under a purchase's name": (REGISTRATION, TRUNK | {"number": "+12345678901"}, "number"),
    "a direction on an assignment": (ASSIGNMENT, TRUNK | {"direction": "both"}, "direction"),
    "settings outside": (SETTINGS, {"voice": {}}, "channel_settings"),
    "settings of call": (SETTINGS, settings(call={}), "channel_settings.call"),
    "a channel in a list": (SETTINGS, settings(voice=[]), "channel_settings.voice"),
    "a switch in a string": (SETTINGS, settings(sms={"enabled": "yes"}), "channel_settings.sms.enabled"),
    "a limit with a fraction": (
        SETTINGS,
        settings(inbound={"channel_limit": 1.5}),
        "channel_settings.inbound.channel_limit",
    ),
    "a misspelt limit": (SETTINGS, settings(voice={"chanel_limit": 1}), "channel_settings.voice.chanel_limit"),
    "destinations in a string": (
        SETTINGS,
        settings(voice={"whitelisted_destinations": "US"}),
        "channel_settings.voice.whitelisted_destinations",
    ),
    "destinations of what comes in": (
        SETTINGS,
        settings(inbound={"whitelisted_destinations": []}),
        "channel_settings.inbound.whitelisted_destinations",
    ),
    "a change of no trunk": (TRUNK_CHANGE, {"channel": "call"}, "phone_number"),
    "a change of a trunk's agent": (TRUNK_CHANGE, TRUNK, "agent_uuid"),
    "a trunk's name that is null": (TRUNK_CHANGE, ROW | {"name": None}, "name"),
    "an assignment to nobody": (ASSIGNMENT, {"phone_number": "+12345678901", "channel": "call"}, "agent_uuid"),
}


@pytest.mark.parametrize(("check", "body"), ACCEPTED.values(), ids=ACCEPTED)
def test_documented_bodies_pass(check, body):
    """A body as the pages describe it passes as it is."""
    assert body == check("", body)


@pytest.mark.parametrize(("check", "body", "field"), REFUSED.values(), ids=REFUSED)
def test_other_bodies_are_refused(check, body, field):
    """A body that is not as the pages describe it is refused with 422, which names the first field that is wrong."""
    with pytest.raises(RefusedError) as caught:
        check("", body)

    assert (422, field) == (caught.value.status, caught.value.field)
    assert (field or "the body") in str(caught.value)


def test_uuids_are_read_in_capitals():
    """A uuid in capitals is the same as in small letters."""
    assert AGENT == ASSIGNMENT("", TRUNK | {"agent_uuid": AGENT.upper()})["agent_uuid"]


def test_undocumented_capabilities_are_not_kept():
    """The search may know more flags than a number has; they pass and are left out."""
    purchase = PURCHASE("", BUY | {"capabilities": {"voice": True, "video": "4k"}})

    assert {"voice": True} == purchase["capabilities"]
