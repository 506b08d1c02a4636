"""``mihu-async numbers buy``, ``acquire`` and ``recover``: purchases, and the recovery of interrupted ones."""

from asyncio import CancelledError
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Path as IsFile

from mihu_async import APIError, BindingError, MihuClient, NumberType, PhoneNumber, RecoveryOutcome
from mihu_async.cli.commands import change, running
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.layouts import NUMBERS, RECOVERED
from mihu_async.cli.numbers import numbers
from mihu_async.cli.output import SHOWN, Show
from mihu_async.cli.parameters import (
    WORD,
    CountryCode,
    DryRun,
    Flag,
    IdempotencyKey,
    LedgerFile,
    Yes,
)
from mihu_async.cli.progress import tell
from mihu_async.cli.prompts import confirm
from mihu_async.cli.purchase import NO_ANSWERS, Answers, NotForSaleError, Wanted, announce, entry_of, held, prepare, say
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.resources.acquire import was_taken
from mihu_async.resources.buyer import check_fee

Type = Annotated[NumberType, WORD, Parameter(help="The type of the number.")]
MaxFee = Annotated[
    Decimal | None, Parameter(help="Refuse a number that costs more a month, or whose price is unknown.")
]


@change(numbers, NUMBERS)
async def buy(
    mihu: MihuClient,
    number: Annotated[str, Parameter(help="The number as shown by the search, such as +390790080041.")],
    /,
    *,
    country_code: CountryCode,
    type: Type,  # noqa: A002 - the API's own name
    max_monthly_fee: MaxFee = None,
    monthly_fee: Annotated[Decimal | None, Parameter(help="Its monthly fee, if the search does not show it.")] = None,
    location: Annotated[str | None, Parameter(help="Its location, if the search does not show it.")] = None,
    answers: Answers = NO_ANSWERS,
    no_search: Annotated[Flag, Parameter(help="Buy it without looking up its price and requirements.")] = False,
    idempotency_key: IdempotencyKey = None,
    ledger: LedgerFile = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    show: Show = SHOWN,
    settings: Settings = DEFAULTS,
) -> PhoneNumber:
    """Show the cost of a number, ask, and buy it. It is never bought twice."""
    wanted = Wanted(
        number=number,
        country_code=country_code,
        type=type,
        monthly_fee=monthly_fee,
        location=location,
        answers=answers,
    )
    begun = await entry_of(idempotency_key, ledger)
    async with told_if_held(mihu, number, show):
        purchase = await prepare(mihu, wanted, begun, search=not no_search)
        # a number that is no longer for sale has no price, and is not bought again
        bound = max_monthly_fee if begun is None or purchase.monthly_fee is not None else None
        check_fee(purchase.monthly_fee, bound)
        if begun is None or begun.state == "begun":
            announce(purchase.offer, settings.workspace)
            ask("Buy it?", needless=yes or dry_run)
        bought = await purchase.commit(max_monthly_fee=bound, idempotency_key=idempotency_key)
    tell(f"Bought {bought.number}; {mentioned(bought)}.")  # before the row, which may fail to be written
    return bought


@asynccontextmanager
async def told_if_held(mihu: MihuClient, number: str, show: Show) -> AsyncGenerator[None]:
    """Show the row of a number that cannot be bought because the workspace has it already, and stop."""
    try:
        yield
    except (NotForSaleError, APIError) as error:
        if isinstance(error, APIError) and not was_taken(error):
            raise
        row = await held(mihu, number)
        if row is None:
            raise
        show.one(row, NUMBERS)
        told = f"The workspace already has {number} ({row.status}): nothing was bought."
        raise StopError(Exit.REFUSED, told) from error


@change(numbers, NUMBERS)
async def acquire(
    mihu: MihuClient,
    *,
    country_code: CountryCode,
    type: Type,  # noqa: A002 - the API's own name
    max_monthly_fee: MaxFee = None,
    agent_uuid: Annotated[str | None, Parameter(help="The agent to answer the number's calls.")] = None,
    answers: Answers = NO_ANSWERS,
    idempotency_key: IdempotencyKey = None,
    ledger: LedgerFile = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    show: Show = SHOWN,
    settings: Settings = DEFAULTS,
) -> PhoneNumber:
    """Find a number for sale, ask, buy it, and assign an agent to its calls. Provisional, like the search.

    If somebody else buys the number first, the next one is tried. Without a key, each run buys a number.
    """
    begun = await entry_of(idempotency_key, ledger)
    if begun is None or begun.state == "begun":
        price = "at any price" if max_monthly_fee is None else f"for {max_monthly_fee} a month at most"
        agent = f"agent {agent_uuid}" if agent_uuid else "no agent"
        say(f"A {type} number of {country_code}, {price}, for the workspace {settings.workspace}; {agent} answers it.")
        ask("Buy one?", needless=yes or dry_run)
    try:
        bought = await mihu.numbers.acquire(
            country_code,
            type,
            max_monthly_fee=max_monthly_fee,
            agent_uuid=agent_uuid,
            answers={given.key or "": given for given in answers.values()},
            address=answers.address(),
            idempotency_key=idempotency_key,
        )
    except BindingError as error:
        show.one(error.number, NUMBERS)
        raise
    except CancelledError:
        again = (
            "the same command with its key resumes the purchase"
            if idempotency_key
            else "numbers list --sort created_at shows it"
        )
        tell(f"A number may have been bought already: {again}.")
        raise
    tell(f"Bought {bought.number}" + (f"; agent {agent_uuid} answers its calls." if agent_uuid else "."))
    return bought


@running(numbers)
async def recover(
    mihu: MihuClient,
    *,
    ledger: Annotated[  # noqa: ARG001 - the client's
        Path, Parameter(validator=IsFile(exists=True), help="The file that records purchases by their keys.")
    ],
    show: Show = SHOWN,
) -> None:
    """Find out how interrupted purchases with a key ended. It buys nothing."""
    show.check(RECOVERED)
    found = [recovered async for recovered in mihu.numbers.recover()]
    show.several(found, RECOVERED)
    unknown = sum(recovered.outcome is RecoveryOutcome.UNKNOWN for recovered in found)
    if unknown:
        told = f"The outcome of {unknown} of {len(found)} interrupted purchases is still unknown."
        raise StopError(Exit.UNKNOWN, told, "Run the command again later.")
    tell(
        f"{len(found)} purchases were interrupted; all of them are settled now."
        if found
        else "No purchase was interrupted."
    )


def ask(question: str, *, needless: bool) -> None:
    """Ask, unless the command line already answers the question."""
    if not needless:
        confirm(question)


def mentioned(bought: PhoneNumber) -> str:
    """Describe who answers a purchased number, or how to assign an agent to it."""
    call = bought.bindings and bought.bindings.call
    if call and call.agent_uuid:
        return f"agent {call.agent_uuid} answers its calls"
    return f"agents provision-call AGENT_UUID {bought.number} assigns an agent to its calls"
