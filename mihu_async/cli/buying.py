"""``mihu-async numbers buy``, ``acquire`` and ``recover``: purchases, and the recovery of interrupted ones."""

from asyncio import CancelledError
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from attrs import evolve
from cyclopts import Parameter
from cyclopts.validators import Path as IsFile

from mihu_async import (
    APIError,
    BindingError,
    ConflictError,
    MihuClient,
    NotFoundError,
    NumberType,
    PhoneNumber,
    Recovered,
    RecoveryOutcome,
)
from mihu_async.cli.commands import change, running
from mihu_async.cli.errors import NAME, Exit, StopError
from mihu_async.cli.layouts import NUMBERS, RECOVERED
from mihu_async.cli.numbers import numbers
from mihu_async.cli.output import SHOWN, Show
from mihu_async.cli.parameters import (
    WORD,
    AgentUuid,
    CountryCode,
    DryRun,
    Flag,
    IdempotencyKey,
    LedgerFile,
    Yes,
)
from mihu_async.cli.progress import tell
from mihu_async.cli.prompts import confirm
from mihu_async.cli.purchase import (
    NO_ANSWERS,
    Answers,
    NotForSaleError,
    Wanted,
    announce,
    entry_of,
    held,
    is_settled,
    prepare,
    price,
    say,
)
from mihu_async.cli.settings import DEFAULTS, SAME_KEY, Settings, ledger_in
from mihu_async.cli.wording import counted, in_words
from mihu_async.ledger import Entry
from mihu_async.ledger.entry import LEASE
from mihu_async.resources.acquire import was_taken
from mihu_async.resources.buying import check_fee

Type = Annotated[NumberType, WORD, Parameter(help="The type of the number.")]
MaxFee = Annotated[
    Decimal | None, Parameter(help="Refuse a number that costs more per month, or whose price is unknown.")
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
    async with stop_if_held(mihu, number, show):
        purchase = await prepare(mihu, wanted, begun, search=not no_search)
        # a number that is no longer for sale has no price, and is not bought again
        bound = max_monthly_fee if begun is None or purchase.monthly_fee is not None else None
        check_fee(purchase.monthly_fee, bound)
        if not is_settled(begun):
            announce(purchase.offer, settings.workspace)
            ask("Buy it?", needless=yes or dry_run)
        bought = await purchase.commit(max_monthly_fee=bound, idempotency_key=idempotency_key)
    tell(purchased(bought, begun))  # before the row, which may fail to be written
    return bought


@asynccontextmanager
async def stop_if_held(mihu: MihuClient, number: str, show: Show) -> AsyncGenerator[None]:
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
        message = f"The workspace already has {number} ({row.status}): nothing was bought."
        raise StopError(Exit.REFUSED, message) from error


@change(numbers, NUMBERS)
async def acquire(
    mihu: MihuClient,
    *,
    country_code: CountryCode,
    type: Type,  # noqa: A002 - the API's own name
    max_monthly_fee: MaxFee = None,
    agent_uuid: AgentUuid | None = None,
    answers: Answers = NO_ANSWERS,
    idempotency_key: IdempotencyKey = None,
    ledger: LedgerFile = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    show: Show = SHOWN,
    settings: Settings = DEFAULTS,
) -> PhoneNumber:
    """Find a number for sale, ask, buy it, and assign an agent to its calls. Provisional, like the search.

    It buys the first offer that fits, not the cheapest; if somebody else buys that number first, it tries the next one.
    Without a key, each run buys a number.
    """
    begun = await entry_of(idempotency_key, ledger)
    if not is_settled(begun):
        bound = "at any price" if max_monthly_fee is None else f"for {max_monthly_fee} a month at most"
        agent = f"agent {agent_uuid}" if agent_uuid else "no agent"
        say(f"A {type} number of {country_code}, {bound}, for the workspace {settings.workspace}, for {agent}.")
        if not (yes or dry_run):
            say(await first_offer(mihu, country_code, type, max_monthly_fee, begun))
            confirm("Buy one?")
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
        message = f"{error.number.number} was bought, but agent {agent_uuid} could not be bound to its calls: "
        raise StopError(
            Exit.INCOMPLETE,
            message + in_words(str(error.__cause__)),
            binding_advice(error, keyed=idempotency_key is not None),
        ) from error
    except CancelledError:
        advice = (
            SAME_KEY
            if idempotency_key
            else "Check numbers list for a new number before you run the command again: it would buy another one."
        )
        raise StopError(Exit.UNKNOWN, "Interrupted: a number may have been bought already.", advice) from None
    tell(purchased(bought, begun))
    return bought


async def first_offer(
    mihu: MihuClient, country_code: str, type_: NumberType, bound: Decimal | None, begun: Entry | None
) -> str:
    """Describe the number that an acquisition would try first now."""
    if begun:
        return f"An earlier run began to buy {begun.number}, which is tried first."
    async for offer in mihu.numbers.search(country_code, type_):
        if bound is None or (offer.monthly_fee is not None and offer.monthly_fee <= bound):
            return f"The first offer that fits is {offer.number}. {price(offer)}"
    return "No offer fits now."


def binding_advice(error: BindingError, *, keyed: bool) -> str:
    """Return the way to bind an agent to a number that was bought without one."""
    bind = f"agents provision-call AGENT_UUID {error.number.number} binds one."
    match error.__cause__:
        case NotFoundError():
            return f"The agent may not exist: agents list shows the agents, and {bind}"
        case ConflictError():
            return f"Choose another agent or another number; {bind}"
        case _:
            again = ", or run the same command again with the same key" if keyed else ""
            return f"Run {NAME} agents provision-call {error.agent_uuid} {error.number.number}{again}."


@running(numbers)
async def recover(
    mihu: MihuClient,
    *,
    ledger: Annotated[
        Path, Parameter(validator=IsFile(exists=True), help="The file that records purchases by their keys.")
    ],
    forget: Annotated[
        str | None,
        Parameter(
            help="Instead, free this key, whose purchase you have looked up yourself. The next command with it buys."
        ),
    ] = None,
    yes: Yes = False,
    show: Show = SHOWN,
) -> None:
    """Find out how interrupted purchases with a key ended. This buys nothing."""
    if forget is not None:
        await forget_key(ledger, forget, yes=yes)
        return
    show.check(RECOVERED)
    found = [evolve(one, reason=in_words(one.reason)) async for one in mihu.numbers.recover()]
    show.several(found, RECOVERED)
    tell_outcomes(found)


def tell_outcomes(found: Sequence[Recovered]) -> None:
    """Report how many purchases were interrupted, and stop with UNKNOWN if the outcome of one is not known."""
    outcomes = Counter(recovered.outcome for recovered in found)
    unknown, under_way = outcomes[RecoveryOutcome.UNKNOWN], outcomes[RecoveryOutcome.UNDER_WAY]
    if unknown:
        message = f"The outcome of {counted(unknown + under_way, 'purchase')} is still unknown."
        raise StopError(
            Exit.UNKNOWN, message, "Run this again later; --forget KEY frees a key that you looked up yourself."
        )
    if under_way:
        message = f"{counted(under_way, 'purchase')} may still be under way; run this again in {LEASE:g} s."
        raise StopError(Exit.UNKNOWN, message)
    verb, outcome = ("was", "its outcome is") if len(found) == 1 else ("were", "all outcomes are")
    tell(
        f"{counted(len(found), 'purchase')} {verb} interrupted; {outcome} now known."
        if found
        else "No purchase was interrupted."
    )


async def forget_key(path: Path, key: str, *, yes: bool) -> None:
    """Remove an interrupted purchase from the ledger, because a person has checked that it bought nothing."""
    async with ledger_in(path) as ledger:
        entry = await ledger.find(key)
        if entry is None or entry.state != "begun":
            raise StopError(Exit.REFUSED, f"No interrupted purchase has the key {key}: nothing was changed.")
        say(
            f"The key {key} began to buy {entry.number} for {entry.workspace}, and the outcome is not known.",
            f"Forget it only if you have checked that {entry.number} was not bought: the key can then buy again.",
        )
        ask("Forget it?", needless=yes)
        is_free = await ledger.forget(key)
    if not is_free:
        message = f"A process holds the key {key}, or held it less than {LEASE:g} s ago: nothing was changed."
        raise StopError(Exit.UNKNOWN, message, f"Run this again in {LEASE:g} s.")
    tell(f"The key {key} is free: the next purchase under it is a new one.")


def ask(question: str, *, needless: bool) -> None:
    """Ask, unless the command line already answers the question."""
    if not needless:
        confirm(question)


def purchased(bought: PhoneNumber, begun: Entry | None) -> str:
    """Report a purchase, which a key may have made in an earlier run."""
    if is_settled(begun):
        earlier = f"{bought.number} was bought earlier under the key {begun.key}; nothing was bought now"
        return f"{earlier}; {mentioned(bought)}."
    return f"Bought {bought.number}; {mentioned(bought)}."


def mentioned(bought: PhoneNumber) -> str:
    """Describe who answers a purchased number, or how to assign an agent to it."""
    call = bought.bindings and bought.bindings.call
    if call and call.agent_uuid:
        return f"agent {call.agent_uuid} answers its calls"
    return f"agents provision-call AGENT_UUID {bought.number} assigns an agent to its calls"
