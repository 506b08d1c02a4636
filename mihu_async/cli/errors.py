"""Maps a failure to the end of a command: an exit code that says who must act, and two lines of text. Pure."""

from enum import IntEnum

from attrs import frozen
from cyclopts.exceptions import CycloptsError

from mihu_async import (
    APIError,
    AuthenticationError,
    CheckpointInUseError,
    ConnectTimeoutError,
    DecodeError,
    LedgerError,
    MihuError,
    NoOfferError,
    OutcomeUnknownError,
    PaginationError,
    ServerError,
    TransportError,
    UsageError,
    WaitError,
    WaitTimeoutError,
)
from mihu_async.cli.usage import labelled, message_of
from mihu_async.cli.wording import in_words
from mihu_async.doctor.findings import REFUSED_CONNECTION, is_refused

NAME = "mihu-async"
HELP = "The option --help shows the options of a command."


class Exit(IntEnum):
    """The exit codes of the command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NETWORK = 3
    REFUSED = 4
    UNREADABLE = 5
    UNKNOWN = 6
    INCOMPLETE = 7
    DECLINED = 8
    INTERRUPTED = 130
    CLOSED_PIPE = 141


class StopError(Exception):
    """The reason to stop a command that is not an error of the SDK: its exit code, a message, and advice."""

    def __init__(self, code: Exit, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.advice = advice


@frozen
class Ending:
    """An exit code, with the message and the advice."""

    code: Exit
    message: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return "\n".join(f"{NAME}: {one_line(text)}" for text in (self.message, self.advice) if text)


def one_line(text: str) -> str:
    """Return a text as one line, without characters that could control a terminal."""
    return escape(" ".join(text.splitlines()))


def escape(text: str) -> str:
    """Return a text of any number of lines, without characters that could control a terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text)


SDK: tuple[tuple[type[MihuError], Exit, str], ...] = (
    (LedgerError, Exit.USAGE, ""),
    (TransportError, Exit.NETWORK, f"{NAME} doctor checks each part of the connection to the service."),
    (AuthenticationError, Exit.REFUSED, f"{NAME} doctor checks the address and the token."),
    (ServerError, Exit.REFUSED, "The option --debug shows every attempt."),
    (APIError, Exit.REFUSED, ""),
    (NoOfferError, Exit.REFUSED, ""),
    (WaitTimeoutError, Exit.INCOMPLETE, "The option --within waits longer."),
    (WaitError, Exit.REFUSED, ""),
    (DecodeError, Exit.UNREADABLE, f"{NAME} doctor checks whether this is the address of a workspace."),
    (PaginationError, Exit.UNREADABLE, "The rows written so far are not the complete listing."),
    (MihuError, Exit.FAILED, "The option --debug shows every attempt."),
)
"""The exit code and the advice for each error of the SDK; the first match applies."""


def ending_of(error: BaseException) -> Ending:
    """Return the ending of a command that failed with an error."""
    match error:
        case StopError():
            return Ending(error.code, str(error), error.advice)
        case MihuError():
            return _of_sdk(error)
        case CycloptsError():
            return Ending(Exit.USAGE, message_of(error), HELP)
        case OSError():
            return _of_system(error)
        case KeyboardInterrupt():
            return Ending(Exit.INTERRUPTED, "Interrupted.")
        case _:
            message = named(error, str(error))
            return Ending(Exit.FAILED, message, "This is a bug in the command; the option --debug shows where.")


def _of_system(error: OSError) -> Ending:
    if isinstance(error, BrokenPipeError):
        return Ending(Exit.CLOSED_PIPE)
    if error.filename is None:  # the disk is full
        return Ending(Exit.FAILED, f"The output cannot be written: {reason_of(error)}.")
    return Ending(Exit.USAGE, f"{error.filename} cannot be used: {reason_of(error)}.")  # a file that the caller named


def _of_sdk(error: MihuError) -> Ending:
    message = named(error, in_words(str(error)))
    match error:
        case UsageError():
            return Ending(Exit.USAGE, in_words(labelled(error)), HELP)
        case OutcomeUnknownError():
            message = str(error).replace(error.how_to_check, "").replace("  ", " ")
            return Ending(Exit.UNKNOWN, named(error, in_words(message)), advice_of(error, in_words(error.how_to_check)))
        case CheckpointInUseError():
            return Ending(Exit.USAGE, str(error))
        case ConnectTimeoutError() if "was not sent" in message:  # it waited for its turn or a key, not for the network
            return Ending(Exit.NETWORK, message, "Run the command again later, or give it more time with --timeout.")
        case _ if is_refused(error):
            return Ending(Exit.NETWORK, message, REFUSED_CONNECTION)
        case _:
            code, advice = next((code, advice) for kind, code, advice in SDK if isinstance(error, kind))
            return Ending(code, message, advice_of(error, advice))


def advice_of(error: MihuError, advice: str) -> str:
    """Return the advice that the command noted on an error, or else the given one."""
    return " ".join(getattr(error, "__notes__", [advice]))


def named(error: BaseException, text: str) -> str:
    """Return an error's text, preceded by its name, which the error catalogue and the logs use."""
    return f"{type(error).__name__}: {text}"


def reason_of(error: OSError) -> str:
    """Return the system's reason, in a form that fits the middle of a sentence."""
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]
