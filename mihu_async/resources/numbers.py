"""Phone numbers: the workspace's inventory. Mirrors the API's pages under ``/phone-numbers``."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.models.enums import ComplianceStatus, NumberSort, NumberStatus, NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import Capabilities, PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.paging.pager import Pager
from mihu_async.paging.shard import Shard
from mihu_async.resources.arguments import (
    all_of,
    check_fee,
    country,
    e164,
    flag,
    flags,
    identifier,
    instance_of,
    money,
    one_of,
    optional,
    present,
    text,
)
from mihu_async.resources.listing import PER_PAGE, Endpoint
from mihu_async.resources.lookups import purchase_of

PATH = "/phone-numbers"
NUMBERS = Endpoint(PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"))


class Numbers:
    """``mihu.numbers``: list the workspace's phone numbers and buy new ones."""

    def __init__(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency

    def list(
        self,
        *,
        page: int = 1,
        per_page: int = PER_PAGE,
        status: NumberStatus | str | None = None,
        country_code: str | None = None,
        type: NumberType | str | None = None,  # noqa: A002 - the API's own name
        compliance: ComplianceStatus | str | None = None,
        search: str | None = None,
        bound_to_agent_uuid: str | UUID | None = None,
        sort: NumberSort | str | None = None,
        include_external: bool | None = None,
    ) -> Pager[PhoneNumber]:
        """List the workspace's numbers: ``GET /phone-numbers``. Safe to repeat.

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` gives the first page.
        A filter that is None is not sent, and the service's own default holds.

        page: where to begin, counted from 1.
        per_page: how many numbers a page holds, 1 to 100.
        status, type, compliance, sort: a member of the enum, or its string.
        country_code: ISO 3166-1 alpha-2, such as ``"US"``.
        search: free text on number or country. The filter's name is inferred, so the service may ignore it.
        bound_to_agent_uuid: only numbers that are bound to this agent on any channel.
        sort: ``created_at`` unless given; the direction is not documented.
        include_external: also the numbers that agents use and that were not bought through Mihu.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
        """
        filters = {
            "status": optional(one_of(NumberStatus), "status", status),
            "country_code": optional(country, "country_code", country_code),
            "type": optional(one_of(NumberType), "type", type),
            "compliance": optional(one_of(ComplianceStatus), "compliance", compliance),
            "search": optional(text, "search", search),
            "bound_to_agent_uuid": optional(identifier, "bound_to_agent_uuid", bound_to_agent_uuid),
            "sort": optional(one_of(NumberSort), "sort", sort),
            "include_external": optional(flag, "include_external", include_external),
        }
        return NUMBERS.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    def shard(self, shard: Shard) -> Pager[PhoneNumber]:
        """Walk a part of a listing that ``await pager.split(…)`` cut, in this process or another one. Safe to repeat.

        Raises UsageError for a part of another resource's listing.
        """
        return NUMBERS.part(self._pipeline, self._concurrency, shard)

    async def buy(
        self,
        *,
        number: str,
        country_code: str,
        type: NumberType | str,  # noqa: A002 - the API's own name
        monthly_fee: Decimal | float | None = None,
        capabilities: Capabilities | Mapping[str, bool] | None = None,
        location: str | None = None,
        address: Address | None = None,
        requirements: Iterable[RequirementValue] | None = None,
        max_monthly_fee: Decimal | float | None = None,
    ) -> PhoneNumber:
        """Buy a number: ``POST /phone-numbers``. This spends money, and is never made twice.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the number is looked up in the inventory first: bought since this call began, it is this call's
        and is given; bought before, it is a ConflictError; and not there, it is sent again, because the service refuses
        a number that it already holds. ``mihu.last_call.found`` says where the result comes from a look-up.

        number: E.164, exactly as the search for numbers returned it.
        country_code: ISO 3166-1 alpha-2.
        type: a member of the enum, or its string.
        monthly_fee, capabilities, location: carried over from the search result; not sent where None. The fee is stored
            for display only.
        address: where the country and type need one; its country defaults to ``country_code`` on the service.
        requirements: an answer to each requirement of the country and type.
        max_monthly_fee: the most that it may cost a month, in the currency of ``monthly_fee``, which must be given
            then. None sets no bound. It is not sent: what the service charges in the end is its own figure.

        Raises UsageError before anything is sent, an APIError where the service refuses (which status a number that is
        already held gets is not documented), PurchaseLimitError where the workspace holds as many numbers as it may,
        and OutcomeUnknownError where the answer was lost and the look-ups did not tell; ``await error.check()`` looks
        again.
        """
        check_fee(monthly_fee, max_monthly_fee)
        body: dict[str, Any] = {
            "number": e164("number", number),
            "country_code": country("country_code", country_code),
            "type": one_of(NumberType)("type", type),
            "monthly_fee": optional(money, "monthly_fee", monthly_fee),
            "capabilities": capabilities
            if isinstance(capabilities, Capabilities)
            else optional(flags, "capabilities", capabilities),
            "location": optional(text, "location", location),
            "address": optional(instance_of(Address), "address", address),
            "requirements": None
            if requirements is None
            else all_of(instance_of(RequirementValue), "requirements", requirements),
        }
        lookup = purchase_of(body["number"], self._listed)
        check = (
            f"Before buying it again, walk numbers.list() and compare .number with {number!r}; "
            "the service may ignore the search filter."
        )
        return await self._pipeline.run(
            describe("POST", PATH, PhoneNumber, json=present(body), check=check, lookup=lookup)
        )

    def _listed(self, pipeline: Pipeline, filters: dict[str, Any]) -> Pager[PhoneNumber]:
        return NUMBERS.pager(pipeline, self._concurrency, filters, page=1, per_page=PER_PAGE)
