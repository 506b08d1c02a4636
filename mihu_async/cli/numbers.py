"""``mihu-async numbers``: the numbers of the workspace, and the numbers for sale."""

from typing import Annotated, Any

from attrs import asdict, frozen
from cyclopts import App, Parameter
from cyclopts.validators import Number

from mihu_async import (
    AvailableNumber,
    ComplianceStatus,
    MihuClient,
    NumberChannels,
    NumberSort,
    NumberStatus,
    NumberType,
    Pager,
    PhoneNumber,
    PurchaseRequirement,
    Rate,
)
from mihu_async.cli.commands import listing, reading
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.layouts import NUMBERS, OFFERS, REQUIREMENTS, SNAPSHOTS
from mihu_async.cli.parameters import E164, WORD, CountryCode, Flag, Known, Page, PerPage, group
from mihu_async.cli.progress import explain
from mihu_async.cli.wording import walk_in_words

numbers: App = group("numbers", "Phone numbers: those of the workspace, and those for sale.")

OfType = Annotated[NumberType | None, WORD, Parameter(help="Only numbers of this type.")]


@Parameter(name="*")
@frozen(kw_only=True)
class Filters:
    """The filters of the workspace's numbers."""

    status: Annotated[NumberStatus | None, WORD] = None
    """Only numbers of this status."""
    country_code: str | None = None
    """Only numbers of this country, as two capital letters, such as US."""
    type: OfType = None
    compliance: Annotated[ComplianceStatus | None, WORD] = None
    """Only numbers with this compliance status."""
    search: str | None = None
    """Text to find in the number or country. This filter is inferred: the service does not document its name."""
    bound_to_agent_uuid: str | None = None
    """Only numbers that this agent answers on any channel."""
    include_external: Flag = False
    """Include numbers that agents use but that were not bought through Mihu."""

    def given(self) -> dict[str, Any]:
        """Return the filters that were given, as arguments of the SDK."""
        return asdict(self, recurse=False) | {"include_external": self.include_external or None}


ALL = Filters()


@listing(numbers, NUMBERS, "list")
def list_numbers(
    mihu: MihuClient,
    *,
    filters: Filters = ALL,
    sort: Annotated[NumberSort | None, WORD, Parameter(help="The order of the rows.")] = None,
    page: Page = 1,
    per_page: PerPage = 100,
) -> Pager[PhoneNumber]:
    """List the workspace's numbers."""
    return mihu.numbers.list(page=page, per_page=per_page, sort=sort, **filters.given())


@reading(numbers, NUMBERS)
async def get(mihu: MihuClient, number: Known, /) -> PhoneNumber:
    """Show a number of the workspace, purchased or external."""
    found = await (mihu.numbers.find(number) if number.startswith("+") else with_uuid(mihu, number))
    if found is None:
        message = f"This workspace has no number {number!r}. Nothing was changed."
        raise StopError(Exit.REFUSED, message, "numbers list --include-external shows the numbers that are.")
    return found


async def uuid_of(mihu: MihuClient, number: str) -> str:
    """Return the uuid of a number, which may itself be given as one."""
    return (await get(mihu, number)).phone_number_uuid if number.startswith("+") else number


async def with_uuid(mihu: MihuClient, phone_number_uuid: str) -> PhoneNumber | None:
    """Return the row with a uuid, or None. No documented endpoint returns a single row, so the listing is read."""
    listing = mihu.numbers.list(include_external=True)
    async with listing:
        async for row in listing:
            if row.phone_number_uuid.lower() == phone_number_uuid.lower():
                return row
    if listing.report.complete is not True:
        read = walk_in_words(listing.report)
        message = f"{phone_number_uuid} was not found, but the listing changed while it was read: {read}."
        raise StopError(Exit.INCOMPLETE, message, "Run the command again.")
    return None


@reading(numbers, NUMBERS)
async def wait(
    mihu: MihuClient,
    number: E164,
    /,
    *,
    status: Annotated[NumberStatus, WORD, Parameter(help="The status to wait for.")] = NumberStatus.ACTIVE,
    within: Annotated[float, Parameter(validator=Number(gt=0), help="The longest time to wait, in seconds.")] = 600.0,
    interval: Annotated[float, Parameter(help="Seconds between two checks.")] = 10.0,
) -> PhoneNumber:
    """Wait until a number has a status, and show it: a purchased number can be pending for a while."""
    explain(f"Waiting for {number} to be {status}, for at most {within:g} s.")
    return await mihu.numbers.wait(number, status=status, timeout=within, interval=interval)


@listing(numbers, OFFERS)
def search(
    mihu: MihuClient,
    *,
    country_code: CountryCode,
    type: OfType = None,  # noqa: A002 - the API's own name
) -> Pager[AvailableNumber]:
    """Search for numbers to buy. Provisional: the service does not document the answer."""
    return mihu.numbers.search(country_code, type)


@reading(numbers, REQUIREMENTS)
async def requirements(
    mihu: MihuClient,
    *,
    country_code: CountryCode,
    type: Annotated[NumberType, WORD, Parameter(help="The type of the number.")],  # noqa: A002 - the API's own name
) -> tuple[PurchaseRequirement, ...]:
    """Show the requirements of a purchase. Provisional: the service does not document the answer."""
    return (await mihu.numbers.requirements(country_code, type)).items


@reading(numbers, SNAPSHOTS)
async def channels(mihu: MihuClient, number: Known, /) -> NumberChannels:
    """Show the capabilities, settings and agents of a number's channels."""
    look = mihu.numbers.channels_of if number.startswith("+") else mihu.numbers.channels
    return await look(number)


def list_rates(
    mihu: MihuClient,
    *,
    country_code: Annotated[
        str | None, Parameter(help="The country to call, as two capital letters, such as IT.")
    ] = None,
    prefix: Annotated[str | None, Parameter(help="Only rates whose destination_prefix begins with this.")] = None,
    page: Page = 1,
    per_page: PerPage = 200,
) -> Pager[Rate]:
    """List the rates of outbound calls."""
    return mihu.numbers.rates(country_code=country_code, prefix=prefix, page=page, per_page=per_page)
