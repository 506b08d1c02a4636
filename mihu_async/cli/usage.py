"""Words the errors of a command line, with the command's own names for its options. Pure."""

import re
import shlex
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnusedCliTokensError,
    ValidationError,
)

from mihu_async import UsageError

KINDS: dict[type[Any], str] = {int: "a whole number", float: "a number", Decimal: "a number", UUID: "a UUID"}
"""The words for the types of values."""
POSITIONAL = ("number", "phone_number", "phone_number_uuid", "agent_uuid", "connection_uuid", "method", "path")
"""The arguments of the SDK that most commands take without an option, or under several names."""
NO_OPTION = ("token", "resume", "since", "voice", "monthly_fee")
"""The arguments of the SDK that have no option, so their messages keep the SDK's words."""


def message_of(error: CycloptsError) -> str:
    """Return what is wrong with a command line."""
    match error:
        case MissingArgumentError():
            suggestion = str(error).partition(" requires an argument.")[2]
            return f"{_name(error)} {'needs a value' if error.keyword else 'is missing'}.{suggestion}"
        case CoercionError(token=token) if token and (kind := kind_of(error.target_type)):
            return f"{token.keyword or _name(error)} must be {kind}, not {token.value!r}."
        case UnusedCliTokensError():
            return f"Unexpected on the command line: {shlex.join(error.unused_tokens or ())}."
        case ValidationError(exception_message=message) if message:
            return f"{_name(error)}: {message[0].upper()}{message[1:].rstrip('.')}."
        case _:
            return str(error)


def _name(error: CycloptsError) -> str:
    """Return the name of the option, or of the argument in capitals."""
    name = error.argument.name if error.argument else ""
    return name if name.startswith("--") else name.upper()


def kind_of(target: Any) -> str:
    """Describe a type of values, which may be optional; empty if there are no words for it."""
    if get_origin(target) is Literal:
        return ""
    kinds = get_args(target) or (target,)
    words = [KINDS[kind] for kind in kinds if kind in KINDS]
    choices = [str(choice) for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    return " or ".join([*words, *choices]) if words else ""


def labelled(error: UsageError) -> str:
    """Return the text of an error; an argument that it begins with gets its name on the command line."""
    name, text = error.argument or "", str(error)
    if not re.fullmatch(r"[a-z_]+", name) or name in NO_OPTION:
        return text
    label = name.upper() if name in POSITIONAL else f"--{name.replace('_', '-')}"
    return re.sub(rf"^{name}\b", label, text)
