"""The caller's functions that the SDK calls during calls and walks. No hook can affect a call or a walk."""

import inspect
import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal, cast

from attrs import Attribute, field, frozen

from mihu_async.errors import Attempt, UsageError
from mihu_async.reports import CallReport, PageReport, WalkReport
from mihu_async.validation import wrong

logger: logging.Logger = logging.getLogger("mihu_async")


def _check(_: object, attribute: "Attribute[Any]", hook: Any) -> None:
    name = f"Hooks.{attribute.name}"
    if hook is not None and not callable(hook):
        raise UsageError(f"{name} must be a function or None, not {type(hook).__name__}.", argument=attribute.name)
    if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004 - an object's
        raise UsageError(f"{name} must be a plain function: nothing would await it.", argument=attribute.name)


@frozen(kw_only=True)
class Hooks:
    """Functions to call during calls and walks, for your own logs, metrics and traces.

    All are plain functions, called in the task of the call (``on_page``: of the loop over the walk), so they must not
    block. The pages of a walk are fetched in tasks of their own, with the context variables of the loop. The lookups
    after a lost answer are calls and walks too. A hook that raises changes nothing: a WARNING in the log names its
    error's type. The arguments of a hook hold no secret.
    """

    on_attempt: Callable[[Attempt, CallReport], object] | None = field(default=None, validator=_check)
    """Called with an :class:`Attempt` that ended, successful or not, and the :class:`CallReport` of its call so far."""
    on_retry: Callable[[Attempt, CallReport], object] | None = field(default=None, validator=_check)
    """Called with the same arguments before the wait for the next attempt, which is ``attempt.wait``.

    If a lost answer was looked up first, the hook is called after the lookup, right before the request is sent again.
    """
    on_page: Callable[[PageReport, WalkReport], object] | None = field(default=None, validator=_check)
    """Called with the :class:`PageReport` of a page that a walk yields and the :class:`WalkReport` of that walk.

    It is called before the first item of the page. ``await pager`` is a call and not a walk.
    """
    around_call: Callable[[CallReport], AbstractContextManager[object]] | None = field(default=None, validator=_check)
    """Called with the report of a call that begins. Returns a context manager, which is entered at once.

    The context manager is exited with the call's error, if it has one. A function under ``@contextmanager`` fits.
    """

    def __init_subclass__(cls) -> None:
        message = "Hooks is not a base class: its methods would never be called. Pass functions: Hooks(on_attempt=…)."
        raise TypeError(message)


def check_hooks(argument: str, hooks: Any) -> tuple[Hooks, ...]:
    """Check the ``hooks`` of a caller: one ``Hooks(…)``, or several.

    Args:
        argument: The name of the argument, for the error.
        hooks: The value to check.

    Returns:
        The hooks as a tuple.

    Raises:
        UsageError: If the value is anything else.
    """
    several = cast("Iterable[Any]", hooks) if isinstance(hooks, Iterable) else (hooks,)
    checked = tuple(several)
    if not all(isinstance(each, Hooks) for each in checked):
        raise wrong(argument, "Hooks(…) or several of them", cast("object", hooks))
    return checked


def tell(name: Literal["on_attempt", "on_retry", "on_page"], hooks: Iterable[Hooks], *reports: object) -> None:
    """Call the hook of a name, wherever it is set; a hook that raises is only logged.

    Args:
        name: The hook's name.
        hooks: The hooks of the client.
        reports: The arguments of the hook.
    """
    for each in hooks:
        hook: Callable[..., object] | None = getattr(each, name)
        if hook is not None:
            try:
                hook(*reports)
            except Exception as error:  # noqa: BLE001 - the hook is the caller's, and may raise anything
                _warn(name, error)


@contextmanager
def around(hooks: Iterable[Hooks], call: CallReport) -> Generator[None]:
    """Enter the context managers of the hooks around a call, the first one outermost.

    No context manager can swallow or replace an error of the call.

    Args:
        hooks: The hooks of the client.
        call: The report of the call that begins.
    """
    entered: list[AbstractContextManager[object]] = []
    for each in hooks:
        if each.around_call is not None:
            try:
                manager = each.around_call(call)
                manager.__enter__()
            except Exception as error:  # noqa: BLE001 - as above
                _warn("around_call", error)
            else:
                entered.append(manager)
    try:
        yield
    except BaseException as error:
        _leave(entered, error)
        raise
    else:
        _leave(entered, None)


def _leave(entered: list[AbstractContextManager[object]], error: BaseException | None) -> None:
    for manager in reversed(entered):
        try:
            manager.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        except Exception as failure:  # noqa: BLE001 - as above
            _warn("around_call", failure)


def _warn(name: str, error: Exception) -> None:
    logger.warning("The hook %s failed with %s; the call continues without it", name, type(error).__name__)
