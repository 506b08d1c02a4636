"""From a function that makes one call of the SDK to a command: its options, its client and its output.

The function's first parameter is the client. Its other parameters are the command's own; the options that all commands
of a kind share are added behind them. A function that names one of those itself is given it too.
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
"""Runs a command: it is given what calls the SDK with a client, and all options by their names."""

SETTINGS: Mapping[str, tuple[Any, Any]] = {"settings": (Settings, DEFAULTS)}
SHOW: Mapping[str, tuple[Any, Any]] = {"show": (Show, SHOWN)}


def listing(app: App, layout: Layout[Any], name: str | None = None) -> Callable[[F], F]:
    """Register a function that returns a pager: a command that writes its rows as they come."""

    async def run(call: Callable[[MihuClient], Any], options: Options) -> None:
        how: Export = options["how"]
        how.check(layout)
        async with options["settings"].client() as mihu:
            await export(call(mihu), layout, how)

    return _registering(app, name, run, {"how": (Export, PLAIN), **SETTINGS})


def reading(app: App, layout: Layout[Any], name: str | None = None) -> Callable[[F], F]:
    """Register an async function that reads something: a command that writes it, one thing or a tuple of several."""

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
    """Register an async function that changes something: a command with ``--dry-run`` that writes what there is then.

    Without a layout, nothing is written. An option ``ledger`` of the function is the client's.
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
    """Register an async function that writes by itself, with the option ``show`` where it names it. It only reads.

    An option ``ledger`` of the function is the client's.
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
    """Make the command: the function's parameters but the client, and the shared ones that it does not name."""
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
