"""Keeps secrets out of the variables of a traceback, which crash reports print."""

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import Any, ParamSpec, TypeVar, cast

from mihu_async.errors import MihuError

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=type[Any])


def conceals_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Return the function, sync or async, with the variables cleared from every frame of an SDK error that leaves it.

    The frames stay in the traceback, which still shows where the error was raised. An error that is not the SDK's keeps
    its variables; only the arguments as they were passed are dropped.
    """
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _concealing_coroutine(function))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        handled = sys.exception()
        try:
            return function(*args, **kwargs)
        except MihuError as error:
            _clear(error, handled)
            raise
        finally:
            del args, kwargs

    return call


def _concealing_coroutine(function: Callable[P, Any]) -> Callable[P, Any]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        handled = sys.exception()
        try:
            running = function(*args, **kwargs)
        finally:
            del args, kwargs
        try:
            return await running
        except MihuError as error:
            _clear(error, handled)
            raise

    return call


def conceals_fields(kind: C) -> C:
    """Return the class with an ``__init__`` that conceals its arguments."""
    kind.__init__ = conceals_arguments(kind.__init__)
    return kind


def _clear(error: BaseException, handled: BaseException | None) -> None:
    """Clear the frames of an error and of its causes, up to the error that the caller was handling."""
    behind: BaseException | None = error
    while behind is not None and behind is not handled:
        clear_frames(behind.__traceback__)
        behind = behind.__cause__ or behind.__context__
