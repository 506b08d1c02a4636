"""Values that a caller sends. A field that is None is not sent."""

from typing import Any

from attrs import field, frozen

from mihu_async.errors import UsageError
from mihu_async.frames import conceals_fields
from mihu_async.validation import field_check, is_int

HIGHEST_PORT = 65535


_check_text = field_check("text", lambda value: isinstance(value, str | None), secret=True)
_check_port = field_check(
    f"a whole number from 1 to {HIGHEST_PORT}", lambda value: value is None or is_int(value, 1, HIGHEST_PORT)
)


def _text(*, secret: bool = False) -> Any:
    return field(default=None, validator=_check_text, repr=not secret)


@frozen(kw_only=True)
class Address:
    """The address that a regulator asks for; fill in the fields that the country and type of the number require."""

    first_name: str | None = _text()
    """The first name of the person."""
    last_name: str | None = _text()
    """The last name of the person."""
    business_name: str | None = _text()
    """The name of the company."""
    phone_number: str | None = _text()
    """The phone number of the buyer."""
    street_address: str | None = _text()
    """The street and house number."""
    extended_address: str | None = _text()
    """The floor, flat and the like."""
    locality: str | None = _text()
    """The city or town."""
    administrative_area: str | None = _text()
    """The state, province or region."""
    postal_code: str | None = _text()
    """The postal code, as the country writes it."""
    country_code: str | None = _text()
    """The country, ISO 3166-1 alpha-2; if it is None, the service takes the country of the number."""


@frozen(kw_only=True)
class RequirementValue:
    """The answer to one requirement.

    It needs one of ``key`` and ``requirement_id``, and one of ``value`` and ``document_id``.

    Raises:
        UsageError: If it names no requirement, has no answer, or a field is not text.
    """

    key: str | None = _text()
    """The key of the requirement."""
    requirement_id: str | None = _text()
    """The id of the requirement, instead of its key."""
    value: str | None = _text()
    """The answer as text."""
    document_id: str | None = _text()
    """The id of an uploaded document, instead of a text."""

    def __attrs_post_init__(self) -> None:
        if not (self.key or self.requirement_id):
            raise UsageError("A RequirementValue needs key or requirement_id.", argument="key")
        if self.value is None and self.document_id is None:
            raise UsageError("A RequirementValue needs value or document_id.", argument="value")


@conceals_fields
@frozen(kw_only=True)
class SipCredentials:
    """The credentials with which the service reaches a SIP trunk. No answer contains them.

    Raises:
        UsageError: If a value is invalid.
    """

    gateway: str | None = _text()
    """The host name or address of the SIP server."""
    port: int | None = field(default=None, validator=_check_port)
    """The port of the SIP server, from 1 to 65535."""
    username: str | None = _text(secret=True)
    """The name to sign in with; no repr shows it."""
    password: str | None = _text(secret=True)
    """The password to sign in with; no repr shows it."""
    secondary_gateway: str | None = _text()
    """The host name or address of a second SIP server."""
