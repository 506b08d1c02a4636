"""``mihu-async numbers``: the numbers of the workspace, and those for sale."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App

from mihu_async import (
    UNSET,
    ComplianceStatus,
    InboundUpdate,
    NumberSort,
    NumberStatus,
    NumberType,
    OutboundUpdate,
    Unset,
)
from mihu_async.cli.asking import confirm
from mihu_async.cli.columns import NUMBERS, OFFERS, RATES, REQUIREMENTS, SNAPSHOTS
from mihu_async.cli.errors import one_line
from mihu_async.cli.export import PLAIN, Export, export
from mihu_async.cli.output import OUTPUT, Format, show, show_one
from mihu_async.cli.purchase import Wanted, announce, prepare
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.cli.words import FLAG, WORD
from mihu_async.resources.arguments import check_fee, present

numbers: App = App(name="numbers", help="Phone numbers: those of the workspace, and those for sale.")

ChannelLimit = int | Literal["none"]


@numbers.command(name="list")
async def list_numbers(
    *,
    status: Annotated[NumberStatus | None, WORD] = None,
    country_code: str | None = None,
    type: Annotated[NumberType | None, WORD] = None,  # noqa: A002 - the API's own name
    compliance: Annotated[ComplianceStatus | None, WORD] = None,
    search: str | None = None,
    bound_to_agent_uuid: str | None = None,
    sort: Annotated[NumberSort | None, WORD] = None,
    include_external: bool | None = None,
    page: int = 1,
    per_page: int = 100,
    how: Export = PLAIN,
    settings: Settings = DEFAULTS,
) -> None:
    """List the workspace's numbers.

    Parameters
    ----------
    status
        Only numbers of this status.
    country_code
        Only numbers of this country, in two capitals, such as US.
    type
        Only numbers of this type.
    compliance
        Only numbers whose requirements stand so.
    search
        Free text on number or country. That the service knows this filter is inferred.
    bound_to_agent_uuid
        Only numbers that this agent answers on any channel.
    sort
        What they are sorted by.
    include_external
        Also the numbers that agents use and that were not bought through Mihu.
    page
        Where to begin.
    per_page
        How many numbers a request asks for.
    """
    async with settings.client() as mihu:
        listing = mihu.numbers.list(
            page=page,
            per_page=per_page,
            status=status,
            country_code=country_code,
            type=type,
            compliance=compliance,
            search=search,
            bound_to_agent_uuid=bound_to_agent_uuid,
            sort=sort,
            include_external=include_external,
        )
        await export(listing, NUMBERS, how)


@numbers.command
async def search(
    *,
    country_code: str,
    type: Annotated[NumberType | None, WORD] = None,  # noqa: A002 - the API's own name
    how: Export = PLAIN,
    settings: Settings = DEFAULTS,
) -> None:
    """Search for numbers to buy. Provisional: the service's answer is not documented.

    Parameters
    ----------
    country_code
        The country, in two capitals, such as IT.
    type
        Only numbers of this type.
    """
    async with settings.client() as mihu:
        await export(mihu.numbers.search(country_code, type), OFFERS, how)


@numbers.command
async def requirements(
    *,
    country_code: str,
    type: Annotated[NumberType, WORD],  # noqa: A002 - the API's own name
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Show what a purchase must answer. Provisional: the service's answer is not documented.

    Parameters
    ----------
    country_code
        The country, in two capitals, such as IT.
    type
        The type of the number.
    output
        How rows are written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.client() as mihu:
        show(await mihu.numbers.requirements(country_code, type), REQUIREMENTS, output)


@numbers.command
async def channels(
    number: str, /, *, output: Annotated[Format | None, OUTPUT] = None, settings: Settings = DEFAULTS
) -> None:
    """Show what each channel of a number can do, how it is set, and who answers it.

    Parameters
    ----------
    number
        The number, such as +12345678901, or its phone_number_uuid.
    output
        How rows are written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.client() as mihu:
        look = mihu.numbers.channels_of if number.startswith("+") else mihu.numbers.channels
        show_one(await look(number), SNAPSHOTS, output)


@numbers.command
async def buy(
    number: str,
    /,
    *,
    country_code: str,
    type: Annotated[NumberType, WORD],  # noqa: A002 - the API's own name
    max_monthly_fee: Decimal | None = None,
    monthly_fee: Decimal | None = None,
    location: str | None = None,
    address_file: Path | None = None,
    answer: tuple[str, ...] = (),
    document: tuple[str, ...] = (),
    search: bool = True,
    yes: Annotated[bool, FLAG] = False,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Buy a number, after showing what it costs and asking. It is never bought twice.

    Parameters
    ----------
    number
        The number, such as +390790080041, as a search shows it.
    country_code
        Its country, in two capitals, such as IT.
    type
        Its type.
    max_monthly_fee
        Refuse to buy it where it costs more a month, or where its price is not known.
    monthly_fee
        What it costs a month, where the search does not say.
    location
        Where it is, where the search does not say.
    address_file
        A file with the buyer's address as a JSON object, where one is needed.
    answer
        What a requirement asks for, as KEY=TEXT; once for each.
    document
        The id of a document that a requirement asks for, as KEY=ID; once for each.
    search
        Search for its price, and ask for its requirements, before buying it.
    yes
        Do not ask.
    dry_run
        Buy nothing: show the price, and the request that would be sent.
    output
        How the number is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    wanted = Wanted(
        number=number,
        country_code=country_code,
        type=type,
        monthly_fee=monthly_fee,
        location=location,
        address_file=address_file,
        answers=answer,
        documents=document,
    )
    async with settings.writing(dry_run=dry_run) as mihu:
        purchase = await prepare(mihu, wanted, search=search)
        check_fee(purchase.monthly_fee, max_monthly_fee)
        announce(purchase.offer)
        if not (yes or dry_run):
            confirm("Buy it?")
        bought = await purchase.commit(max_monthly_fee=max_monthly_fee)
        print(one_line(f"Bought {bought.number}."), file=sys.stderr)  # also where the row cannot be written
        show_one(bought, NUMBERS, output)


@numbers.command
async def update(
    phone_number_uuid: str,
    /,
    *,
    voice_enabled: bool | None = None,
    voice_channel_limit: ChannelLimit | None = None,
    voice_whitelisted_destinations: str | None = None,
    sms_enabled: bool | None = None,
    sms_channel_limit: ChannelLimit | None = None,
    sms_whitelisted_destinations: str | None = None,
    inbound_enabled: bool | None = None,
    inbound_channel_limit: ChannelLimit | None = None,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Change a number's channel settings. What is not given stays as it is.

    Parameters
    ----------
    phone_number_uuid
        Which number, as a list names it.
    voice_enabled
        Whether it calls.
    voice_channel_limit
        How many calls at a time, or none for no limit.
    voice_whitelisted_destinations
        The countries that it may call, such as US,CA; they replace the list. Empty clears it.
    sms_enabled
        Whether it sends text messages.
    sms_channel_limit
        How many messages at a time, or none for no limit.
    sms_whitelisted_destinations
        The countries that it may send to, such as US,CA; they replace the list. Empty clears it.
    inbound_enabled
        Whether it can be called.
    inbound_channel_limit
        How many calls come in at a time, or none for no limit.
    dry_run
        Change nothing: show the request that would be sent.
    output
        How the number is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        changed = await mihu.numbers.update(
            phone_number_uuid,
            voice=outbound(voice_enabled, voice_channel_limit, voice_whitelisted_destinations),
            sms=outbound(sms_enabled, sms_channel_limit, sms_whitelisted_destinations),
            inbound=inbound(inbound_enabled, inbound_channel_limit),
        )
        show_one(changed, NUMBERS, output)


def outbound(enabled: bool | None, limit: ChannelLimit | None, destinations: str | None) -> OutboundUpdate | Unset:
    """Make the change of a channel that goes out, if there is one."""
    given = present(
        {
            "enabled": enabled,
            "channel_limit": limit,
            "whitelisted_destinations": None
            if destinations is None
            else [country.strip() for country in destinations.split(",") if country.strip()],
        }
    )
    return OutboundUpdate(**_unlimited(given)) if given else UNSET


def inbound(enabled: bool | None, limit: ChannelLimit | None) -> InboundUpdate | Unset:
    """Make the change of what comes in, if there is one."""
    given = present({"enabled": enabled, "channel_limit": limit})
    return InboundUpdate(**_unlimited(given)) if given else UNSET


def _unlimited(given: dict[str, Any]) -> dict[str, Any]:
    """Give null for what has no limit."""
    return {name: None if value == "none" else value for name, value in given.items()}


async def rates(
    *,
    country_code: str | None = None,
    prefix: str | None = None,
    page: int = 1,
    per_page: int = 200,
    how: Export = PLAIN,
    settings: Settings = DEFAULTS,
) -> None:
    """List what outbound calls cost.

    Parameters
    ----------
    country_code
        The country that is called, in two capitals, such as IT.
    prefix
        Only rates whose destination_prefix begins with it.
    page
        Where to begin.
    per_page
        How many rates a request asks for.
    """
    async with settings.client() as mihu:
        listing = mihu.numbers.rates(country_code=country_code, prefix=prefix, page=page, per_page=per_page)
        await export(listing, RATES, how)
