"""What a caller sends along. A field that is None is not sent."""

from typing import Any

from attrs import Attribute, field, frozen

from mihu_async.errors import UsageError

HIGHEST_PORT = 65535


@frozen(kw_only=True)
class Address:
    """The address that a regulator asks for; give what the country and type of the number require."""

    first_name: str | None = None
    last_name: str | None = None
    business_name: str | None = None
    phone_number: str | None = None
    street_address: str | None = None
    extended_address: str | None = None
    locality: str | None = None
    administrative_area: str | None = None
    postal_code: str | None = None
    country_code: str | None = None


@frozen(kw_only=True)
class RequirementValue:
    """The answer to one requirement.

    The requirement is known by ``key`` or ``requirement_id``; the answer is a text ``value`` or the ``document_id`` of
    an uploaded document. Raises UsageError where one of the two pairs is missing.
    """

    key: str | None = None
    requirement_id: str | None = None
    value: str | None = None
    document_id: str | None = None

    def __attrs_post_init__(self) -> None:
        if not (self.key or self.requirement_id):
            raise UsageError("A RequirementValue needs key or requirement_id.", argument="key")
        if self.value is None and self.document_id is None:
            raise UsageError("A RequirementValue needs value or document_id.", argument="value")


def _check_port(_: object, attribute: "Attribute[int | None]", value: Any) -> None:
    if value is not None and (type(value) is not int or not 1 <= value <= HIGHEST_PORT):
        message = f"SipCredentials.port must be a whole number from 1 to {HIGHEST_PORT}, not {value!r}."
        raise UsageError(message, argument=attribute.name)


@frozen(kw_only=True)
class SipCredentials:
    """How the service reaches a SIP trunk. The username and the password never show in a repr.

    Raises UsageError where ``port`` is not from 1 to 65535. The service never sends these values back.
    """

    gateway: str | None = None
    port: int | None = field(default=None, validator=_check_port)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    secondary_gateway: str | None = None
