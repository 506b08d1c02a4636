"""The body of an update: the fields that were set, and no others."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs

from mihu_async.errors import UsageError
from mihu_async.models.inputs import SipCredentials
from mihu_async.models.numbers import InboundSettings, OutboundSettings
from mihu_async.models.unset import UNSET
from mihu_async.models.updates import InboundUpdate, OutboundUpdate, SipUpdate
from mihu_async.validation import wrong_type

Change = Callable[[str, Any], dict[str, Any]]


def unless_unset(check: Callable[[str, Any], Any], argument: str, value: Any) -> Any:
    """Apply a check to a value, unless it is UNSET.

    Args:
        check: The check, which returns the value to send.
        argument: The name of the argument, for the error.
        value: The value to check.
    """
    return UNSET if value is UNSET else check(argument, value)


def changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not UNSET.

    Args:
        values: The values by their names.

    Raises:
        UsageError: If all are UNSET, so that there is nothing to change.
    """
    given = _set_of(values)
    if not given:
        raise UsageError(f"There is nothing to change: pass {' or '.join(values)}. Nothing was sent.")
    return given


def settings_of(update: type[attrs.AttrsInstance], model: type[attrs.AttrsInstance]) -> Change:
    """Return a check that takes an update, a mapping of its fields, or the settings of an answer.

    Args:
        update: The class of the update.
        model: The class of the settings of an answer.
    """

    def settings(argument: str, value: Any) -> dict[str, Any]:
        if isinstance(value, Mapping):
            return _fields(argument, _from_mapping(update, argument, cast("Mapping[Any, Any]", value)))
        return _fields(argument, _update_of(update, model, argument, value, also=" or a mapping"))

    return settings


def sip_change(argument: str, value: Any) -> dict[str, Any]:
    """Return the fields to send of an update of SIP credentials, or of credentials as a registration takes them.

    Args:
        argument: The name of the argument, for the error.
        value: The value to check.

    Raises:
        UsageError: If it is anything else, or has no field to change.
    """
    return _fields(argument, _update_of(SipUpdate, SipCredentials, argument, value))


def _set_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not UNSET}


def _fields(argument: str, update: attrs.AttrsInstance) -> dict[str, Any]:
    fields = _set_of(attrs.asdict(update, recurse=False))
    if not fields:
        message = f"{argument} holds nothing to change; leave it out instead. Nothing was sent."
        raise UsageError(message, argument=argument)
    return fields


def _update_of(
    update: type[attrs.AttrsInstance], model: type[attrs.AttrsInstance], argument: str, value: Any, *, also: str = ""
) -> attrs.AttrsInstance:
    if isinstance(value, update):
        return value
    if not isinstance(value, model):
        raise wrong_type(argument, f"{update.__name__}(…) or {model.__name__}(…){also}", value)
    return update(**{name: inner for name, inner in attrs.asdict(value, recurse=False).items() if inner is not None})


def _from_mapping(update: type[attrs.AttrsInstance], argument: str, value: Mapping[Any, Any]) -> attrs.AttrsInstance:
    names = [field.name for field in attrs.fields(update)]
    for name in value:
        if name not in names:
            message = f"{argument} must hold {', '.join(names)} and no {name!r}. Nothing was sent."
            raise UsageError(message, argument=argument)
    return update(**value)


outbound_change: Change = settings_of(OutboundUpdate, OutboundSettings)
inbound_change: Change = settings_of(InboundUpdate, InboundSettings)
