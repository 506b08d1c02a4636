"""Phone numbers: the workspace's inventory. Covers the API's pages under ``/phone-numbers``."""

import hashlib
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.ledger import Ledger
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import ComplianceStatus, NumberSort, NumberStatus, NumberType
from mihu_async.models.numbers import InboundSettings, OutboundSettings, PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.models.rates import Rate
from mihu_async.models.unset import UNSET, Unset
from mihu_async.models.updates import InboundUpdate, OutboundUpdate
from mihu_async.paging.pager import Pager, Shard
from mihu_async.resources.buying import Buying
from mihu_async.resources.changes import changes, inbound_change, outbound_change, unless_unset
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.resources.lookups import contradiction_of
from mihu_async.resources.rows import Listed
from mihu_async.resources.waiting import Wait, find_row
from mihu_async.resources.watcher import INTERVAL, Watcher
from mihu_async.validation import (
    country,
    e164,
    flag,
    identifier,
    one_of,
    optional,
    seconds,
    text,
)

PATH = "/phone-numbers"
STATUS, TYPE = one_of(NumberStatus), one_of(NumberType)
COMPLIANCE, SORT = one_of(ComplianceStatus), one_of(NumberSort)
RATES_PER_PAGE = 200
"""The most rates that the service puts on a page."""
WAIT_TIMEOUT = 600
WAIT_INTERVAL = 10
"""The defaults of ``wait``: its timeout, and the time from one lookup to the next, in seconds."""


def value_of(rate: Rate) -> str:
    """Return a digest of all fields of a rate, which has no id, short enough for a checkpoint."""
    return hashlib.blake2b(repr(rate).encode(), digest_size=16).hexdigest()


NUMBERS = Endpoint(
    PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"), dates=attrgetter("purchased_at", "updated_at")
)
RATES = Endpoint(f"{PATH}/rates", Page[Rate], value_of, most=RATES_PER_PAGE)


class Numbers(Buying):
    """``mihu.numbers``: list, search for and buy phone numbers, set and read their channels, and list rates."""

    def __init__(self, pipeline: Pipeline, concurrency: int, ledger: Ledger | None = None) -> None:
        super().__init__(pipeline, concurrency, Listed(NUMBERS, concurrency), ledger)

    def list(
        self,
        *,
        page: int = 1,
        per_page: int = PER_PAGE,
        status: NumberStatus | Literal["active", "pending", "inactive"] | str | None = None,
        country_code: str | None = None,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str | None = None,  # noqa: A002 - the API's own name
        compliance: ComplianceStatus | Literal["completed", "requirement_pending"] | str | None = None,
        search: str | None = None,
        bound_to_agent_uuid: str | UUID | None = None,
        sort: NumberSort | Literal["created_at", "monthly_fee", "number"] | str | None = None,
        include_external: bool | None = None,
    ) -> Pager[PhoneNumber]:
        """List the workspace's numbers: ``GET /phone-numbers``. Safe to repeat.

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` returns the first page. A
        filter that is None is not sent, and the service's own default applies. Walking raises the errors of its calls.

        Args:
            page: The page to begin with, counted from 1.
            per_page: The number of numbers on a page, 1 to 100. 100 by default; the service's own default is 25.
            status: Only numbers of this status: a member of the enum, or its string.
            country_code: Only numbers of this country, ISO 3166-1 alpha-2, such as ``"US"``.
            type: Only numbers of this type: a member of the enum, or its string.
            compliance: Only numbers of this compliance status: a member of the enum, or its string.
            search: Free text on number or country. The filter's name is inferred, so the service may ignore it.
            bound_to_agent_uuid: Only numbers that are bound to this agent on any channel.
            sort: The field to sort by: a member of the enum, or its string. The service's own default is
                ``created_at``; the direction is not documented.
            include_external: True includes the numbers that agents use and that were not bought through Mihu, such as
                WhatsApp Business lines. That None and False leave them out is inferred.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        filters = {
            "status": optional(STATUS, "status", status),
            "country_code": optional(country, "country_code", country_code),
            "type": optional(TYPE, "type", type),
            "compliance": optional(COMPLIANCE, "compliance", compliance),
            "search": optional(text, "search", search),
            "bound_to_agent_uuid": optional(identifier, "bound_to_agent_uuid", bound_to_agent_uuid),
            "sort": optional(SORT, "sort", sort),
            "include_external": optional(flag, "include_external", include_external),
        }
        return NUMBERS.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    async def find(self, number: str) -> PhoneNumber | None:
        """Return a number's row of the inventory, purchased or external, or None: ``GET /phone-numbers``.

        Safe to repeat.

        The SDK first requests the listing with the number as ``search``. Because the filter's name is inferred, it
        compares the rows itself, and walks the whole listing if the first request does not show the number. So None
        comes only from a walk that is proved to be complete.

        Numbers are compared by their digits: ``+39 079 0080041`` and ``0039-0790080041`` in the inventory are
        ``+390790080041``. If a number has several rows, an active purchased row is preferred, then a purchased row that
        is pending or whose status is not known, then an inactive one, then an external one; of equal rows, the one that
        is listed first.

        Args:
            number: The number in E.164 form.

        Raises:
            UsageError: Before anything is sent, if the number is not E.164.
            MihuError: If the number was not found and the walk is not complete, because the listing changed or
                contradicts itself; or if a call fails.
        """
        return await find_row(self._pipeline, e164("number", number), self._listed)

    async def wait(
        self,
        number: str,
        *,
        status: NumberStatus | Literal["active", "pending", "inactive"] | str = NumberStatus.ACTIVE,
        timeout: float = WAIT_TIMEOUT,  # noqa: ASYNC109 - it bounds many calls, and ends with an error that says more
        interval: float = WAIT_INTERVAL,
    ) -> PhoneNumber:
        """Wait until a number has a status, and return its row. Each lookup is a :meth:`find`. Safe to repeat.

        A number that was bought can be ``pending``, and no webhook reports the status of numbers, so the SDK reads the
        inventory repeatedly. It also waits for a number that is not in the inventory yet, because the inventory may
        lag, and for one that is inactive from the beginning, which may be an old row of the number.

        A lookup that fails because of the network or the service, after its own retries, does not end the wait: the
        next one may succeed.

        Args:
            number: The number in E.164 form.
            status: A member of the enum, or its string; ``active`` by default.
            timeout: Seconds after which no further lookup begins, 600 by default. A lookup that is under way by then
                has at most ``Timeout.total`` more.
            interval: Seconds between two lookups, 10 by default; longer if the service asks for a longer pause.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            WaitTimeoutError: If the time is up; it holds the last status that was seen.
            WaitError: At once, if the number was seen and is gone, or has become inactive while another status is
                waited for.
            APIError: If the service refuses the lookup for good, such as with 401.
            TransportError: If every later lookup would fail in the same way: a certificate that is not trusted, or a
                client that was closed in the middle of a lookup.
        """
        return await Wait(
            pipeline=self._pipeline,
            listed=self._listed,
            number=e164("number", number),
            status=STATUS("status", status),
            timeout=seconds("timeout", timeout),
            interval=seconds("interval", interval),
        ).run()

    def shard(self, shard: Shard) -> Pager[PhoneNumber]:
        """Return the pager of a part that ``await pager.split(…)`` returned, here or in another process.

        Safe to repeat.

        Args:
            shard: The part.

        Raises:
            UsageError: If it is a part of another resource's listing.
        """
        return NUMBERS.part(self._pipeline, self._concurrency, shard)

    def watch(
        self,
        *,
        interval: float = INTERVAL,
        since: str | None = None,
        status: NumberStatus | Literal["active", "pending", "inactive"] | str | None = None,
        country_code: str | None = None,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str | None = None,  # noqa: A002 - the API's own name
        compliance: ComplianceStatus | Literal["completed", "requirement_pending"] | str | None = None,
        search: str | None = None,
        bound_to_agent_uuid: str | UUID | None = None,
        include_external: bool | None = None,
    ) -> Watcher:
        """Watch the inventory for changes: ``GET /phone-numbers``, all pages, repeatedly. Only reads.

        Nothing is sent until the watcher is used: ``async for change in watcher`` yields each change once, from walks
        that are proved complete. Watching raises the errors after which no walk would succeed; other errors slow it
        down. See :class:`Watcher`. A number that no longer passes the filters is reported as removed, and one that now
        passes as added.

        Args:
            interval: Seconds from the end of one walk to the beginning of the next; 60 by default.
            since: The result of ``watcher.snapshot()``, of the same workspace and filters, to report the changes since
                then; None takes the first walk as the base.
            status: As in :meth:`list`.
            country_code: As in :meth:`list`.
            type: As in :meth:`list`.
            compliance: As in :meth:`list`.
            search: As in :meth:`list`.
            bound_to_agent_uuid: As in :meth:`list`.
            include_external: As in :meth:`list`.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        pager = self.list(
            status=status,
            country_code=country_code,
            type=type,
            compliance=compliance,
            search=search,
            bound_to_agent_uuid=bound_to_agent_uuid,
            include_external=include_external,
        )
        return Watcher(pager, self._pipeline.clock, PATH, interval=seconds("interval", interval), since=since)

    async def update(
        self,
        phone_number_uuid: str | UUID,
        *,
        voice: OutboundUpdate | OutboundSettings | Mapping[str, Any] | Unset = UNSET,
        sms: OutboundUpdate | OutboundSettings | Mapping[str, Any] | Unset = UNSET,
        inbound: InboundUpdate | InboundSettings | Mapping[str, Any] | Unset = UNSET,
    ) -> PhoneNumber:
        """Change a number's channel settings: ``PATCH /phone-numbers/{uuid}``. Safe to repeat.

        It is documented that the body may hold each of the three channels. A channel that you leave out is not sent,
        and neither is a field that you do not set; that the service keeps those as they are is inferred.

        Args:
            phone_number_uuid: The id of a purchased number; whether an external one has settings is not documented.
            voice: ``OutboundUpdate(…)``, or a mapping of its fields. In both, None for ``channel_limit`` is sent as
                null and is inferred to lift the limit. Or the ``OutboundSettings(…)`` of an answer, whose None fields
                are not sent.
            sms: As ``voice``.
            inbound: ``InboundUpdate(…)``, a mapping of its fields, or ``InboundSettings(…)``, in the same way.

        Returns:
            The number after the change.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid or nothing is to change.
            APIError: If the service refuses.
        """
        found = identifier("phone_number_uuid", phone_number_uuid)
        settings = changes(
            {
                "voice": unless_unset(outbound_change, "voice", voice),
                "sms": unless_unset(outbound_change, "sms", sms),
                "inbound": unless_unset(inbound_change, "inbound", inbound),
            }
        )
        body = {"channel_settings": settings}
        return await self._pipeline.run(describe("PATCH", f"{PATH}/{found}", PhoneNumber, json=body))

    async def channels(self, phone_number_uuid: str | UUID) -> NumberChannels:
        """Return the capabilities, the settings and the agent of each channel of a number. Safe to repeat.

        ``GET /phone-numbers/{uuid}/channels``: the path and the answer are documented, and the verb is inferred.

        Args:
            phone_number_uuid: The id of the number.

        Raises:
            UsageError: Before anything is sent, if the id is not a UUID.
            APIError: If the service refuses.
        """
        found = identifier("phone_number_uuid", phone_number_uuid)
        return await self._pipeline.run(describe("GET", f"{PATH}/{found}/channels", NumberChannels))

    async def channels_of(self, number: str) -> NumberChannels:
        """Return the channels of a number, named by the number itself rather than its id. Safe to repeat.

        ``GET /phone-numbers/channels?number=``.

        Args:
            number: The number in E.164 form, purchased or external.

        Raises:
            UsageError: Before anything is sent, if the number is not E.164.
            APIError: If the service refuses.
        """
        query, contradiction = {"number": e164("number", number)}, contradiction_of(number)
        return await self._pipeline.run(
            describe("GET", f"{PATH}/channels", NumberChannels, query=query, contradiction=contradiction)
        )

    def rates(
        self,
        *,
        country_code: str | None = None,
        prefix: str | None = None,
        page: int = 1,
        per_page: int = RATES_PER_PAGE,
    ) -> Pager[Rate]:
        """List the cost of outbound calls: ``GET /phone-numbers/rates``. Safe to repeat.

        Nothing is sent until the pager is used: ``async for`` walks every rate, ``await`` returns the first page. A
        filter that is None is not sent. A rate has no id, so rates are compared by all of their fields: a walk yields
        only one of several equal rows, and is then not proved complete. Walking raises the errors of its calls.

        Args:
            country_code: ISO 3166-1 alpha-2 of the country that is called, such as ``"IT"``.
            prefix: Only rates whose ``destination_prefix`` begins with it.
            page: The page to begin with, counted from 1.
            per_page: The number of rates on a page, 1 to 200; the service's own default is 50.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        filters = {
            "country_code": optional(country, "country_code", country_code),
            "prefix": optional(text, "prefix", prefix),
        }
        return RATES.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    def rates_shard(self, shard: Shard) -> Pager[Rate]:
        """Return the pager of a part that ``await mihu.numbers.rates(…).split(…)`` returned. Safe to repeat.

        Args:
            shard: The part.

        Raises:
            UsageError: If it is a part of another listing.
        """
        return RATES.part(self._pipeline, self._concurrency, shard)
