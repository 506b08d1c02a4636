"""Runs the words of a command line and returns an exit code. Every error ends here."""

import asyncio
import contextlib
import inspect
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import Any, cast

from mihu_async import DryRun, MihuError, ProvisionalWarning
from mihu_async.cli.app import app
from mihu_async.cli.columns import escape_json
from mihu_async.cli.errors import Ending, Exit, StopError, ending_of, escape
from mihu_async.cli.output import forget
from mihu_async.cli.settings import DEFAULTS, Settings


class Escaped(logging.Formatter):
    """A log formatter that escapes characters that could control a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the escaped line."""
        return escape(super().format(record))


def run(words: Sequence[str]) -> int:
    """Run a command, and return its exit code. It raises nothing."""
    settings = DEFAULTS
    try:
        _open_streams()
        command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
        settings = next((value for value in bound.arguments.values() if isinstance(value, Settings)), settings)
        with _logging(debug=settings.debug):
            code = _call(command, bound)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - an exit code follows from each
        return _end(error, debug=settings.debug)
    return code


def _open_streams() -> None:
    """Open the standard streams that are closed, so that no connection takes their places; output must have one."""
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process
    if "stdout" in closed:
        message = "Standard output is closed. Nothing was sent."
        raise StopError(Exit.USAGE, message, "If the output is not needed, write it to the null device: >/dev/null.")


def _call(command: Callable[..., Any], bound: inspect.BoundArguments) -> int:
    answer = command(*bound.args, **bound.kwargs)
    if inspect.iscoroutine(answer):
        try:
            answer = asyncio.run(_interruptible(answer))
        except DryRun as planned:
            print(escape_json(planned.curl))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    return answer if isinstance(answer, int) else Exit.DONE


async def _interruptible(answer: Coroutine[Any, Any, Any]) -> Any:
    """Let SIGTERM, which containers send, end a call like Ctrl-C: say what is in doubt, and how to continue."""
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    with contextlib.suppress(NotImplementedError, RuntimeError):  # not on Windows or in other threads
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await answer


@contextlib.contextmanager
def _logging(*, debug: bool) -> Generator[None]:
    """Show the log if asked to. Provisional commands say so in their help, so their warnings are hidden."""
    logger = logging.getLogger("mihu_async")
    handler = logging.StreamHandler()
    handler.setFormatter(Escaped())
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProvisionalWarning)
        if debug:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def _end(error: BaseException, *, debug: bool) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    ending = ending_of(error)
    if ending.code is Exit.CLOSED_PIPE:
        forget(sys.stdout)
        return ending.code
    try:
        sys.stdout.flush()
    except OSError:  # its reader is gone or its disk is full, so the rest can never be written
        forget(sys.stdout)
    try:
        _report(error, ending, debug=debug)
    except OSError:  # the exit code tells it, too
        forget(sys.stderr)
    return ending.code


def _report(error: BaseException, ending: Ending, *, debug: bool) -> None:
    if debug:
        print(escape("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        for attempt in error.attempts if isinstance(error, MihuError) else ():
            print(escape(str(attempt)), file=sys.stderr)
    print(ending, file=sys.stderr)
