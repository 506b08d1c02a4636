"""Changes to settings. A field that is UNSET is not sent, and the service keeps its value."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from attrs import field, frozen

from mihu_async.frames import conceals_fields
from mihu_async.models.inputs import HIGHEST_PORT
from mihu_async.models.unset import UNSET, Unset
from mihu_async.validation import field_check, is_int


def _check(expected: str, accepts: Callable[[Any], bool], *, secret: bool = False) -> Any:
    return field_check(f"{expected} or UNSET", lambda value: value is UNSET or accepts(value), secret=secret)


def _is_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(text, str) for text in cast("tuple[Any, ...]", value))


_check_text = _check("text, empty to clear it,", lambda value: isinstance(value, str), secret=True)
_check_port = _check(f"a whole number from 1 to {HIGHEST_PORT}", lambda value: is_int(value, 1, HIGHEST_PORT))
_check_flag = _check("True, False", lambda value: isinstance(value, bool))
_check_limit = _check("a whole number from 0, None", lambda value: value is None or is_int(value, 0))
_check_texts = _check("several texts, such as ['US'],", _is_texts)


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
        UsageError: If a value is invalid.
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
        UsageError: If a value is invalid.
    """

    enabled: bool | Unset = field(default=UNSET, validator=_check_flag)
    """True to switch the channel on."""
    channel_limit: int | Unset | None = field(default=UNSET, validator=_check_limit)
    """The most calls or messages at a time, from 0; None sends null, which is inferred to lift the limit."""
    whitelisted_destinations: tuple[str, ...] | Unset = field(default=UNSET, converter=_several, validator=_check_texts)
    """The countries that replace the present list, named as in answers, such as ``"US"``."""


@frozen(kw_only=True)
class InboundUpdate:
    """A change of the settings for inbound calls and messages. A field that is UNSET keeps its value on the service.

    Raises:
        UsageError: If a value is invalid.
    """

    enabled: bool | Unset = field(default=UNSET, validator=_check_flag)
    """True to switch inbound calls and messages on."""
    channel_limit: int | Unset | None = field(default=UNSET, validator=_check_limit)
    """The most calls or messages at a time, from 0; None sends null, which is inferred to lift the limit."""
