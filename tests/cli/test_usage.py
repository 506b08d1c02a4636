"""The words for a wrong command line."""

from decimal import Decimal
from typing import Literal
from uuid import UUID

import pytest
from cyclopts.exceptions import CoercionError, CycloptsError

from mihu_async import UsageError
from mihu_async.cli.errors import Exit
from mihu_async.cli.usage import kind_of, labelled, message_of


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("numbers search", "--country-code is missing."),
        ("numbers search --country-code", "--country-code needs a value."),
        ("numbers recover", "--ledger is missing."),
        ("numbers get", "NUMBER is missing."),
        ("request", "METHOD is missing."),
        ("request GET", "PATH is missing."),
        ("numbers list --limit five", "--limit must be a whole number, not 'five'."),
        (
            "numbers acquire --country-code IT --type local --max-monthly-fee x",
            "--max-monthly-fee must be a number, not",
        ),
        (
            "numbers update +12345678901 --voice-channel-limit x",
            "--voice-channel-limit must be a whole number or none,",
        ),
        ("sandbox --agent x", "--agent must be a UUID, not 'x'."),
        ("numbers list --type foo", 'Invalid value "foo" for --type. Choose from: "local"'),
        ("numbers list US", "Unexpected on the command line: US."),
        ("numbers list --limit 0", "--limit: Must be >= 1."),
        ("numbers list --foo", "Unknown option: --foo."),
        ("numbers list --per-page 0", "--per-page must be a whole number from 1 to 100, not 0."),
        ("numbers list --country-code italy", "--country-code must be an ISO 3166-1 alpha-2 country code"),
        ("numbers wait +12345678901 --within 0", "--within: Must be > 0."),
        ("numbers update 1 ", "There is nothing to change: pass an option of a channel, such as --voice-enabled."),
        ("numbers wait hello", "NUMBER must be "),
    ],
)
def test_a_wrong_command_line_is_explained_in_its_own_words(command, sandbox, words, message):
    """Nothing is sent, and no word is Python's or a library's."""
    done = command(words)

    assert (Exit.USAGE, []) == (done.code, list(sandbox.journal))
    assert f"mihu-async: {message}" in done.err


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (int, "a whole number"),
        (Decimal | None, "a number"),
        (UUID, "a UUID"),
        (int | Literal["none"] | None, "a whole number or none"),
        (Literal["a"], ""),
        (str, ""),
    ],
)
def test_types_are_called_what_people_call_them(target, kind):
    """A type without words is left to the parser."""
    assert kind == kind_of(target)


@pytest.mark.parametrize(
    "error", [CycloptsError(msg="No."), CoercionError(msg="No.", target_type=int), CoercionError(msg="No.", token=None)]
)
def test_other_errors_keep_their_text(error):
    """The parser's own words are better than none."""
    assert "No." == message_of(error)


@pytest.mark.parametrize(
    ("argument", "text", "message"),
    [
        ("per_page", "per_page must be 1.", "--per-page must be 1."),
        ("number", "number must be E.164.", "NUMBER must be E.164."),
        ("token", "token must be visible.", "token must be visible."),
        ("answers['x']", "answers['x'] must be text.", "answers['x'] must be text."),
        (None, "No.", "No."),
    ],
)
def test_an_argument_is_called_as_on_the_command_line(argument, text, message):
    """Options have their hyphens, other arguments stand in capitals, and the rest keeps its words."""
    assert message == labelled(UsageError(text, argument=argument))
