"""Values that a caller changes. A field that is UNSET is not sent, and the service keeps its value."""

from collections.abc import Iterable
from typing import Any, cast

from attrs import Attribute, field, frozen

from mihu_async.errors import UsageError
from mihu_async.frames import conceals_fields
from mihu_async.models.inputs import HIGHEST_PORT
from mihu_async.models.unset import UNSET, Unset


def _wrong(
    owner: object, attribute: "Attribute[Any]", expected: str, value: Any, *, secret: bool = False
) -> UsageError:
    try:
        shown = type(value).__name__ if secret else repr(value)
    except ValueError:  # an integer too long to be written out
        shown = f"that {type(value).__name__}"
    message = f"{type(owner).__name__}.{attribute.name} must be {expected} or UNSET, not {shown}."
    return UsageError(message, argument=attribute.name)


def _check_text(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
    if value is not UNSET and not isinstance(value, str):
        raise _wrong(owner, attribute, "text, empty to clear it,", value, secret=True)


def _check_port(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
    if value is not UNSET and (type(value) is not int or not 1 <= value <= HIGHEST_PORT):
        raise _wrong(owner, attribute, f"a whole number from 1 to {HIGHEST_PORT}", value)


def _check_flag(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
    if value is not UNSET and not isinstance(value, bool):
        raise _wrong(owner, attribute, "True, False", value)


def _check_limit(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
    if value is not UNSET and value is not None and (type(value) is not int or value < 0):
        raise _wrong(owner, attribute, "a whole number from 0, None", value)


def _check_texts(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
    texts = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (None,)
    if value is not UNSET and not all(isinstance(text, str) for text in texts):
        raise _wrong(owner, attribute, "several texts, such as ['US'],", cast("Any", value))


def _several(value: Iterable[str] | Unset) -> tuple[str, ...] | Unset:
    """Return an iterable as a tuple, and any other value, also a single text, as it is: the check refuses it."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return cast("Unset", value)
    return tuple(value)


@conceals_fields
@frozen(kw_only=True)
class SipUpdate:
    """A change of a trunk's SIP credentials.

    A field that is UNSET keeps its value on the service, and an empty text clears it. The meaning of None is not
    documented, so None is refused; how to clear a port is not documented either.

    Raises:
        UsageError: If a value can never be accepted.
    """

    gateway: str | Unset = field(default=UNSET, validator=_check_text)
    """The host name or address of the SIP server."""
    port: int | Unset = field(default=UNSET, validator=_check_port)
    """The port of the SIP server, from 1 to 65535."""
    username: str | Unset = field(default=UNSET, validator=_check_text, repr=False)
    """The name to sign in with; no repr shows it."""
    password: str | Unset = field(default=UNSET, validator=_check_text, repr=False)
    """The password to sign in with; no repr shows it."""
    secondary_gateway: str | Unset = field(default=UNSET, validator=_check_text)
    """The host name or address of a second SIP server."""


@frozen(kw_only=True)
class OutboundUpdate:
    """A change of the settings of an outbound channel. A field that is UNSET keeps its value on the service.

    Raises:
        UsageError: If a value can never be accepted.
    """

    enabled: bool | Unset = field(default=UNSET, validator=_check_flag)
    """True to switch the channel on."""
    channel_limit: int | Unset | None = field(default=UNSET, validator=_check_limit)
    """The limit of simultaneous use, from 0; None sends null, which is inferred to lift the limit."""
    whitelisted_destinations: tuple[str, ...] | Unset = field(default=UNSET, converter=_several, validator=_check_texts)
    """The countries that replace the present list, named as in answers, such as ``"US"``."""


@frozen(kw_only=True)
class InboundUpdate:
    """A change of the settings for inbound calls and messages. A field that is UNSET keeps its value on the service.

    Raises:
        UsageError: If a value can never be accepted.
    """

    enabled: bool | Unset = field(default=UNSET, validator=_check_flag)
    """True to switch inbound calls and messages on."""
    channel_limit: int | Unset | None = field(default=UNSET, validator=_check_limit)
    """The limit of simultaneous use, from 0; None sends null, which is inferred to lift the limit."""
