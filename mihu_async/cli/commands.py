"""Turns a function that makes one call of the SDK into a command with options, a client and output.

The function's first parameter is the client. Its other parameters are options of the command, which also gets the
options that all commands of its kind share. A function that names a shared option receives its value too.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar, cast, get_type_hints

from cyclopts import App

from mihu_async import MihuClient
from mihu_async.cli.columns import Layout
from mihu_async.cli.export import PLAIN, Export, export
from mihu_async.cli.output import SHOWN, Show
from mihu_async.cli.parameters import DryRun
from mihu_async.cli.settings import DEFAULTS, Settings, opened

F = TypeVar("F", bound=Callable[..., Any])
Options = Mapping[str, Any]
Run = Callable[[Callable[[MihuClient], Any], Options], Awaitable[object]]
"""Runs a command, given the function that calls the SDK with a client, and all options by name."""

SETTINGS: Mapping[str, tuple[Any, Any]] = {"settings": (Settings, DEFAULTS)}
SHOW: Mapping[str, tuple[Any, Any]] = {"show": (Show, SHOWN)}


def listing(app: App, layout: Layout[Any], name: str | None = None) -> Callable[[F], F]:
    """Register a function that returns a pager as a command that writes its rows as they arrive."""

    async def run(call: Callable[[MihuClient], Any], options: Options) -> None:
        how: Export = options["how"]
        how.check(layout)
        async with options["settings"].client() as mihu:
            await export(call(mihu), layout, how)

    return _registering(app, name, run, {"how": (Export, PLAIN), **SETTINGS})


def reading(app: App, layout: Layout[Any], name: str | None = None) -> Callable[[F], F]:
    """Register an async function that reads one thing, or a tuple of several, as a command that writes them."""

    async def run(call: Callable[[MihuClient], Any], options: Options) -> None:
        show: Show = options["show"]
        show.check(layout)
        async with options["settings"].client() as mihu:
            answer: Any = await call(mihu)
        if isinstance(answer, tuple):
            show.several(cast("tuple[Any, ...]", answer), layout)
        else:
            show.one(answer, layout)

    return _registering(app, name, run, {**SHOW, **SETTINGS})


def change(app: App, layout: Layout[Any] | None = None, name: str | None = None) -> Callable[[F], F]:
    """Register an async function that changes something as a command with ``--dry-run`` that writes the new state.

    Without a layout, nothing is written. The client uses the option ``ledger`` of the function, if it has one.
    """

    async def run(call: Callable[[MihuClient], Any], options: Options) -> None:
        show: Show | None = options.get("show")
        if show and layout:
            show.check(layout)
        async with options["settings"].writing(dry_run=options["dry_run"], ledger=options.get("ledger")) as mihu:
            answer = await call(mihu)
            if show and layout:
                show.one(answer, layout)

    return _registering(app, name, run, {"dry_run": (DryRun, False), **(SHOW if layout else {}), **SETTINGS})


def running(app: App, name: str | None = None) -> Callable[[F], F]:
    """Register an async function that only reads and writes its own output; it may name the option ``show``.

    The client uses the option ``ledger`` of the function, if it has one.
    """

    async def run(call: Callable[[MihuClient], Any], options: Options) -> None:
        async with opened(options.get("ledger")) as ledger, options["settings"].client(ledger=ledger) as mihu:
            await call(mihu)

    return _registering(app, name, run, SETTINGS)


def _registering(app: App, name: str | None, run: Run, shared: Mapping[str, tuple[Any, Any]]) -> Callable[[F], F]:
    def register(function: F) -> F:
        app.command(_command(function, run, shared), name=name or function.__name__.replace("_", "-"))
        return function

    return register


def _command(
    function: Callable[..., Any], run: Run, shared: Mapping[str, tuple[Any, Any]]
) -> Callable[..., Awaitable[object]]:
    """Return the command: the function's parameters except the client, and the shared ones that it does not name."""
    _, *own = inspect.signature(function).parameters.values()
    names = {parameter.name for parameter in own}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in shared.items()
        if name not in names
    ]

    async def command(*args: Any, **given: Any) -> object:
        def call(mihu: MihuClient) -> Any:
            return function(mihu, *args, **{name: value for name, value in given.items() if name in names})

        return await run(call, {name: default for name, (_, default) in shared.items()} | given)

    command.__doc__ = function.__doc__
    command.__name__ = function.__name__
    command.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # what cyclopts reads
    command.__annotations__ = get_type_hints(function, include_extras=True) | {
        parameter.name: parameter.annotation for parameter in added
    }
    return command
