"""What a caller sends along. A field that is None is not sent."""

from typing import Any

from attrs import Attribute, field, frozen

from mihu_async.errors import UsageError

HIGHEST_PORT = 65535


def _check_text(owner: object, attribute: "Attribute[str | None]", value: Any) -> None:
    if value is not None and not isinstance(value, str):
        # the value itself is not shown: it may be a secret
        message = f"{type(owner).__name__}.{attribute.name} must be text, not {type(value).__name__}."
        raise UsageError(message, argument=attribute.name)


def _text(*, secret: bool = False) -> Any:
    return field(default=None, validator=_check_text, repr=not secret)


@frozen(kw_only=True)
class Address:
    """The address that a regulator asks for; give what the country and type of the number require."""

    first_name: str | None = _text()
    last_name: str | None = _text()
    business_name: str | None = _text()
    phone_number: str | None = _text()
    street_address: str | None = _text()
    extended_address: str | None = _text()
    locality: str | None = _text()
    administrative_area: str | None = _text()
    postal_code: str | None = _text()
    country_code: str | None = _text()


@frozen(kw_only=True)
class RequirementValue:
    """The answer to one requirement.

    The requirement is known by ``key`` or ``requirement_id``; the answer is a text ``value`` or the ``document_id`` of
    an uploaded document. Raises UsageError where one of the two pairs is missing.
    """

    key: str | None = _text()
    requirement_id: str | None = _text()
    value: str | None = _text()
    document_id: str | None = _text()

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

    gateway: str | None = _text()
    port: int | None = field(default=None, validator=_check_port)
    username: str | None = _text(secret=True)
    password: str | None = _text(secret=True)
    secondary_gateway: str | None = _text()
