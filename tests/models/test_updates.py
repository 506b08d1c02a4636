import copy
import pickle
from typing import Any

import pytest

from mihu_async import UNSET, InboundUpdate, OutboundUpdate, SipUpdate, Unset, UsageError


def test_unset_is_one_thing_everywhere():
    """It is neither None nor an empty text, and stays itself when it is copied or sent to another process."""
    assert "UNSET" == repr(UNSET)
    assert [UNSET] == list(Unset)
    assert UNSET is pickle.loads(pickle.dumps(UNSET)) is copy.deepcopy(UNSET)
    assert UNSET not in (None, "")


@pytest.mark.parametrize("kind", [SipUpdate, OutboundUpdate, InboundUpdate])
def test_an_update_changes_nothing_by_itself(kind):
    """Every field is UNSET until it is given, and UNSET can be given too."""
    names = [field.name for field in kind.__attrs_attrs__]

    assert {UNSET} == {getattr(kind(), name) for name in names}
    assert kind() == kind(**dict.fromkeys(names, UNSET))


def test_an_update_of_credentials_does_not_show_them():
    """A repr tells where the trunk is, and not how to enter."""
    shown = repr(SipUpdate(gateway="sip.acme.com", username="acme-user", password="hunter22"))

    assert "SipUpdate(gateway='sip.acme.com', port=UNSET, secondary_gateway=UNSET)" == shown


@pytest.mark.parametrize("field", ["gateway", "username", "password", "secondary_gateway"])
def test_an_empty_text_is_a_value(field):
    """It clears a credential; None does not, and is refused."""
    empty: dict[str, Any] = {field: ""}
    null: dict[str, Any] = {field: None}

    assert "" == getattr(SipUpdate(**empty), field)
    with pytest.raises(UsageError, match=rf"SipUpdate\.{field} must be text, empty to clear it, or UNSET, not None"):
        SipUpdate(**null)


def test_no_limit_is_a_value():
    """None is kept apart from UNSET, for it is sent."""
    assert OutboundUpdate(channel_limit=None) != OutboundUpdate()
    assert InboundUpdate(channel_limit=None).channel_limit is None


def test_destinations_are_several_texts():
    """Whatever holds them, they are kept as a tuple, and there may be none."""
    for given in (["US", "IT"], ("US", "IT"), (code for code in ("US", "IT"))):
        assert ("US", "IT") == OutboundUpdate(whitelisted_destinations=given).whitelisted_destinations
    assert () == OutboundUpdate(whitelisted_destinations=[]).whitelisted_destinations


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (SipUpdate, {"password": 12345678}),
        (SipUpdate, {"port": None}),
        (SipUpdate, {"port": 0}),
        (SipUpdate, {"port": 65536}),
        (SipUpdate, {"port": True}),
        (SipUpdate, {"port": "5060"}),
        (OutboundUpdate, {"enabled": None}),
        (OutboundUpdate, {"enabled": "yes"}),
        (OutboundUpdate, {"channel_limit": -1}),
        (OutboundUpdate, {"channel_limit": 1.0}),
        (OutboundUpdate, {"channel_limit": True}),
        (OutboundUpdate, {"channel_limit": -(10**5000)}),
        (OutboundUpdate, {"whitelisted_destinations": "US"}),
        (OutboundUpdate, {"whitelisted_destinations": None}),
        (OutboundUpdate, {"whitelisted_destinations": [39]}),
        (InboundUpdate, {"enabled": 1}),
        (InboundUpdate, {"channel_limit": "3"}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_what_cannot_be_is_refused(kind, fields):
    """The error names the field, and shows no text that may be a secret."""
    ((name, value),) = fields.items()
    with pytest.raises(UsageError, match=rf"^{kind.__name__}\.{name} must be .* or UNSET, not ") as caught:
        kind(**fields)

    assert name == caught.value.argument
    assert name != "password" or str(value) not in str(caught.value)
