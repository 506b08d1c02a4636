"""The documented phone-number API on loopback, to test your own code with.

    async with Sandbox(numbers=250, trunks=40) as sandbox:
        client = MihuClient(token=sandbox.token, base_url=sandbox.base_url)

It keeps state, enforces the documented refusals, plays faults (`sandbox.faults`) and records the requests that arrive
(`sandbox.journal`). It shares no code with the client, so that each can check the other.

Modules are imported when a name of theirs is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mihu_async.sandbox.answers import Answer
    from mihu_async.sandbox.exchange import Exchange, Fault
    from mihu_async.sandbox.faults import (
        Delay,
        Hang,
        OversizeBody,
        Redirect,
        Reset,
        SlowBody,
        Status,
        Truncate,
        WrongContentType,
    )
    from mihu_async.sandbox.inventory import Inventory
    from mihu_async.sandbox.journal import Journal, JournalEntry
    from mihu_async.sandbox.rewrites import Change, Dated, NullFields, RepeatPage, UnknownEnum
    from mihu_async.sandbox.script import Faults
    from mihu_async.sandbox.server import Sandbox
    from mihu_async.sandbox.strictness import UndocumentedError

__all__ = [
    "Answer",
    "Change",
    "Dated",
    "Delay",
    "Exchange",
    "Fault",
    "Faults",
    "Hang",
    "Inventory",
    "Journal",
    "JournalEntry",
    "NullFields",
    "OversizeBody",
    "Redirect",
    "RepeatPage",
    "Reset",
    "Sandbox",
    "SlowBody",
    "Status",
    "Truncate",
    "UndocumentedError",
    "UnknownEnum",
    "WrongContentType",
]

_MODULES = ("answers", "exchange", "faults", "inventory", "journal", "rewrites", "script", "server", "strictness")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = (import_module(f"{__name__}.{module}") for module in _MODULES)
    return next(getattr(module, name) for module in modules if hasattr(module, name))
