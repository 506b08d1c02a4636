import errno
import re
from pathlib import Path
from typing import Any

import pytest
from cyclopts.exceptions import CycloptsError

from mihu_async import errors
from mihu_async.cli.errors import SDK, Ending, Exit, StopError, ending_of

WHERE: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/x"}
DOCS = (Path(__file__).parents[2] / "docs" / "command.md").read_text()

ENDS = {
    "usage": (errors.UsageError("No."), Exit.USAGE, "mihu-async: No."),
    "network": (errors.ConnectError("No way.", **WHERE), Exit.NETWORK, "ConnectError: No way."),
    "a turn": (errors.ConnectTimeoutError("It was not sent.", **WHERE), Exit.NETWORK, "more time with --timeout"),
    "no answer": (errors.ConnectTimeoutError("Slow.", **WHERE), Exit.NETWORK, "doctor checks"),
    "failed": (errors.ServerError("No.", status=500, **WHERE), Exit.REFUSED, "--debug"),
    "in use": (errors.CheckpointInUseError("In use.", path="x"), Exit.USAGE, "mihu-async: In use."),
    "token": (errors.AuthenticationError("No.", status=401, **WHERE), Exit.REFUSED, "doctor checks"),
    "refused": (errors.ConflictError("No.", status=409, **WHERE), Exit.REFUSED, "ConflictError: No."),
    "unreadable": (
        errors.DecodeError("?", status=200, content_type="text/html", excerpt="", **WHERE),
        Exit.UNREADABLE,
        "DecodeError: ?",
    ),
    "contradiction": (
        errors.PaginationError("?", requested=2, received=1),
        Exit.UNREADABLE,
        "not the complete listing",
    ),
    "unknown": (
        errors.OutcomeUnknownError("Lost.", how_to_check="Look again.", **WHERE),
        Exit.UNKNOWN,
        "Lost.\nmihu-async: Look again.",
    ),
    "other": (errors.MihuError("?"), Exit.FAILED, "MihuError: ?"),
    "words": (CycloptsError(msg="Unknown."), Exit.USAGE, "--help"),
    "stop": (StopError(Exit.DECLINED, "No.", "Yes."), Exit.DECLINED, "mihu-async: No.\nmihu-async: Yes."),
    "interrupted": (KeyboardInterrupt(), Exit.INTERRUPTED, "Interrupted."),
    "a file": (
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        Exit.USAGE,
        "mihu-async: x cannot be used: no such file.",
    ),
    "a full disk": (
        OSError(errno.ENOSPC, "No space left"),
        Exit.FAILED,
        "The output cannot be written: no space left.",
    ),
    "a fault": (ZeroDivisionError("x"), Exit.FAILED, "bug in the command"),
}


@pytest.mark.parametrize("end", ENDS)
def test_the_exit_code_says_whose_fault_it_was(end):
    """Two lines at the most say the rest."""
    error, code, message = ENDS[end]
    ending = ending_of(error)

    assert code is ending.code
    assert message in str(ending)
    assert len(str(ending).splitlines()) <= 2


def test_a_refusal_has_no_advice_of_its_own():
    """The log of attempts says nothing more about a refusal than its message."""
    assert "" == ending_of(errors.ConflictError("No.", status=409, **WHERE)).advice


def test_a_closed_pipe_is_silent():
    """Whoever closed it knows."""
    assert "" == str(ending_of(BrokenPipeError()))


def test_an_ending_does_nothing_to_a_terminal():
    """A text from elsewhere stays on its line."""
    assert r"mihu-async: a b\x1b[2J" == str(Ending(Exit.FAILED, "a\nb\x1b[2J"))


def test_every_error_of_the_sdk_has_a_row():
    """The last row takes what is new."""
    assert errors.MihuError is SDK[-1][0]


def test_the_documented_exit_codes_are_the_commands():
    """Each code of the table is one of the command's, under its name, and the other way round."""
    table = DOCS.partition("## Exit codes\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", table, re.MULTILINE)

    assert [(str(int(code)), code.name) for code in Exit] == rows
