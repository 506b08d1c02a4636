"""The options and arguments that several commands share, with their help."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

WORD: Parameter = Parameter(name_transform=str.lower)
"""The parameter of an enum, whose values are spelled as in the API, with underscores."""
FLAG: Parameter = Parameter(negative=(), show_default=False)
"""The parameter of a flag without an opposite."""

Flag = Annotated[bool, FLAG]
DryRun = Annotated[bool, FLAG, Parameter(help="Change nothing, and show the request that would be sent.")]
Yes = Annotated[bool, FLAG, Parameter(help="Do not ask for confirmation.")]
E164 = Annotated[str, Parameter(help="The number, such as +12345678901.")]


def _uuid(_: object, given: str | None) -> None:
    """Reject the name of an agent: a uuid has digits."""
    if given and len(given) > 1 and given.isalpha():
        raise ValueError(f"{given!r} is not a uuid; agents list shows the uuids")


AgentUuid = Annotated[str, Parameter(help="The uuid of the agent, as shown by agents list.", validator=_uuid)]
Known = Annotated[str, Parameter(help="The number, such as +12345678901, or its phone_number_uuid.")]
CountryCode = Annotated[str, Parameter(help="The country, as two capital letters, such as IT.")]
Page = Annotated[int, Parameter(help="The first page to read.")]
PerPage = Annotated[int, Parameter(help="The number of rows to request at a time.")]
IdempotencyKey = Annotated[
    str | None,
    Parameter(
        help="A name for this purchase, such as order-4711. The same command with the same key buys nothing more, even "
        "after an earlier run was killed. Needs --ledger."
    ),
]
LedgerFile = Annotated[
    Path | None,
    Parameter(name="--ledger", help="The file that records purchases by their keys; it is created if missing."),
]


def group(name: str, text: str) -> App:
    """Return a group of commands whose options have no opposite by default."""
    return App(name=name, help=text, default_parameter=Parameter(negative=()))
