import pytest

from mihu_async import Address, RequirementValue, SipCredentials, UsageError


@pytest.mark.parametrize("port", [0, -1, 65536, 5060.0, "5060", True], ids=repr)
def test_a_port_that_cannot_be_is_refused(port):
    """The error names the field and says why."""
    with pytest.raises(UsageError, match=r"SipCredentials\.port must be a whole number from 1 to 65535") as caught:
        SipCredentials(gateway="sip.acme.com", port=port)

    assert "port" == caught.value.argument


@pytest.mark.parametrize("port", [None, 1, 5060, 65535])
def test_a_port_that_can_be_is_taken(port):
    """Both ends of the range are ports, and none may be given."""
    assert port == SipCredentials(port=port).port


def test_credentials_do_not_show():
    """A repr tells where the trunk is, and not how to enter."""
    shown = repr(SipCredentials(gateway="sip.acme.com", username="acme-user", password="hunter22"))

    assert "sip.acme.com" in shown
    assert "acme-user" not in shown
    assert "hunter22" not in shown


@pytest.mark.parametrize(
    ("fields", "argument"),
    [
        ({}, "key"),
        ({"value": "v"}, "key"),
        ({"key": "", "value": "v"}, "key"),
        ({"key": "k"}, "value"),
        ({"requirement_id": "r"}, "value"),
    ],
)
def test_a_requirement_needs_a_name_and_an_answer(fields, argument):
    """An answer to nothing, or no answer, is refused before it is sent."""
    with pytest.raises(UsageError) as caught:
        RequirementValue(**fields)

    assert argument == caught.value.argument


@pytest.mark.parametrize(
    "fields",
    [{"key": "k", "value": "v"}, {"requirement_id": "r", "document_id": "d"}, {"key": "k", "value": ""}],
)
def test_either_name_and_either_answer_will_do(fields):
    """The two pairs of names are alternatives."""
    assert fields == {name: getattr(RequirementValue(**fields), name) for name in fields}


@pytest.mark.parametrize(
    ("kind", "field"),
    [(SipCredentials, "gateway"), (SipCredentials, "password"), (Address, "first_name"), (RequirementValue, "key")],
)
def test_texts_are_text(kind, field):
    """A number where text belongs is refused and not shown: it may be a password."""
    with pytest.raises(UsageError, match=rf"{kind.__name__}\.{field} must be text, not int") as caught:
        kind(**{field: 12345678})

    assert field == caught.value.argument
    assert "12345678" not in str(caught.value)
