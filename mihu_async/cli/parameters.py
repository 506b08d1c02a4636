"""The options and arguments that several commands share, with their help."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

WORD: Parameter = Parameter(name_transform=str.lower)
"""An enum's words as the API writes them, with its underscores."""
FLAG: Parameter = Parameter(negative=(), show_default=False)
"""An option that is there or not, and has no opposite."""

Flag = Annotated[bool, FLAG]
DryRun = Annotated[bool, FLAG, Parameter(help="Change nothing: show the request that would be sent.")]
Yes = Annotated[bool, FLAG, Parameter(help="Do not ask.")]
E164 = Annotated[str, Parameter(help="The number, such as +12345678901.")]
AgentUuid = Annotated[str, Parameter(help="The agent that answers, as agents list names it.")]
Known = Annotated[str, Parameter(help="The number, such as +12345678901, or its phone_number_uuid.")]
CountryCode = Annotated[str, Parameter(help="The country, in two capitals, such as IT.")]
Page = Annotated[int, Parameter(help="The page to begin with.")]
PerPage = Annotated[int, Parameter(help="How many rows a request asks for.")]
IdempotencyKey = Annotated[
    str | None,
    Parameter(
        help="A name for this purchase, such as order-4711. The same command with the same key buys nothing more, also "
        "where an earlier run was killed. It needs --ledger."
    ),
]
LedgerFile = Annotated[
    Path | None, Parameter(name="--ledger", help="The file that remembers purchases by their keys; it is made.")
]


def group(name: str, text: str) -> App:
    """Return a group of commands whose options have no opposite unless they say so."""
    return App(name=name, help=text, default_parameter=Parameter(negative=()))
