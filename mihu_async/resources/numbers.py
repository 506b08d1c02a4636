"""Phone numbers: the workspace's inventory. Mirrors the API's pages under ``/phone-numbers``."""

import hashlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.ledger import Ledger
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import ComplianceStatus, NumberSort, NumberStatus, NumberType
from mihu_async.models.inputs import Address, RequirementValue
from mihu_async.models.numbers import AvailableNumber, Capabilities, InboundSettings, OutboundSettings, PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.models.provisional import Items, PurchaseRequirement, PurchaseRequirements
from mihu_async.models.rates import Rate
from mihu_async.models.unset import UNSET, Unset
from mihu_async.models.updates import InboundUpdate, OutboundUpdate
from mihu_async.paging.pager import Pager, Shard
from mihu_async.resources.acquire import Acquisition, bind, check_answers, check_choose
from mihu_async.resources.agents import Agents
from mihu_async.resources.buyer import Buyer
from mihu_async.resources.changes import changes, inbound_change, outbound_change, unless_unset
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.resources.keyed import acquisition_fingerprint
from mihu_async.resources.provisional import ProvisionalEndpoint, warn_provisional
from mihu_async.resources.purchase import Purchase, check_offer
from mihu_async.resources.recovery import Recovered, recover
from mihu_async.resources.waiting import Wait, find_row
from mihu_async.resources.watcher import INTERVAL, Watcher
from mihu_async.validation import (
    country,
    e164,
    flag,
    identifier,
    instance_of,
    money,
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
"""Seconds that a wait for a status takes, and seconds from one of its looks to the next."""


def value_of(rate: Rate) -> str:
    """Return a digest of all fields of a rate, which has no id, short enough for a checkpoint."""
    return hashlib.blake2b(repr(rate).encode(), digest_size=16).hexdigest()


def what_is_asked(requirement: PurchaseRequirement) -> str:
    """Return the key of a requirement: its id or its key, or all of its fields if it has neither."""
    return requirement.answer_id or requirement.key or repr(requirement)


NUMBERS = Endpoint(
    PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"), dates=attrgetter("purchased_at", "updated_at")
)
RATES = Endpoint(f"{PATH}/rates", Page[Rate], value_of, most=RATES_PER_PAGE)
SEARCH = ProvisionalEndpoint(f"{PATH}/search", Items[AvailableNumber], attrgetter("number"))
REQUIREMENTS = ProvisionalEndpoint(f"{PATH}/search/requirements", Items[PurchaseRequirement], what_is_asked)


class Numbers:
    """``mihu.numbers``: list, search for and buy phone numbers, set and read their channels, and list rates."""

    def __init__(self, pipeline: Pipeline, concurrency: int, ledger: Ledger | None = None) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency
        self._listed = partial(_listed, concurrency)  # no method of its own: a client that is dropped goes at once
        self._buyer = Buyer(pipeline=pipeline, ledger=ledger, listed=self._listed)

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
        filter that is None is not sent, and the service's own default holds. Walking raises the errors of the calls.

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
                WhatsApp Business lines. It is inferred that None and False leave them out.

        Raises:
            UsageError: At once, if a value can never be accepted.
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

        The SDK first requests the listing with the number as ``search``. Because that name is inferred, it compares the
        rows itself, and walks the whole listing if the first request does not show the number. So None comes only from
        a walk that is proved to be complete.

        Numbers are compared by their digits: ``+39 079 0080041`` and ``0039-0790080041`` in the inventory are
        ``+390790080041``. If a number has several rows, an active purchased row is preferred, then a purchased row that
        is pending or whose status is not known, then an inactive one, then an external one; of equals, the row that is
        listed first.

        Args:
            number: The number in E.164 form.

        Raises:
            UsageError: Before anything is sent, if the number is not E.164.
            MihuError: If the number was not seen and the walk is not complete, because the listing moved or does not
                add up; or if a call fails.
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
        """Wait until a number has a status, and return its row. Each look is a :meth:`find`. Safe to repeat.

        A number that was bought can be ``pending``, and no webhook reports the status of numbers, so the SDK reads the
        inventory repeatedly. It also waits for a number that is not in the inventory yet, because the inventory may
        lag, and for one that is inactive from the beginning, which may be an old row of the number.

        A look that fails because of the network or the service, after its own attempts, does not end the wait: the next
        one may succeed.

        Args:
            number: The number in E.164 form.
            status: A member of the enum, or its string; ``active`` by default.
            timeout: Seconds after which no further look begins, 600 by default. A look that is under way then has at
                most ``Timeout.total`` more.
            interval: Seconds between two looks, 10 by default; longer if the service asks for a longer pause.

        Raises:
            UsageError: Before anything is sent, if a value can never be accepted.
            WaitTimeoutError: If the time is up; it holds the last status that was seen.
            WaitError: At once, if the number was seen and is gone, or has become inactive while another status is
                waited for.
            APIError: If the service refuses the look for good, such as with 401.
            TransportError: If every later look would fail in the same way: a certificate that is not trusted, or a
                client that was closed in the middle of a look.
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
        down. See :class:`Watcher`. A number that no longer passes the filters is reported as removed, and one that
        passes now as added.

        Args:
            interval: Seconds from the end of one walk to the beginning of the next; 60 by default.
            since: The result of ``watcher.snapshot()``, of the same workspace and filters, to report the changes since
                then; None takes the first walk for the base.
            status: As in :meth:`list`.
            country_code: As in :meth:`list`.
            type: As in :meth:`list`.
            compliance: As in :meth:`list`.
            search: As in :meth:`list`.
            bound_to_agent_uuid: As in :meth:`list`.
            include_external: As in :meth:`list`.

        Raises:
            UsageError: At once, if a value can never be accepted.
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

    def search(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str | None = None,  # noqa: A002 - the API's own name
        *,
        page: int = 1,
        **filters: Any,
    ) -> Pager[AvailableNumber]:
        """Search for numbers to buy: ``GET /phone-numbers/search``. **Provisional.** Safe to repeat.

        The path is documented, and that a result carries the fields of a purchase: ``number``, ``country_code``,
        ``type``, ``monthly_fee``, ``capabilities``, ``location``. The parameters, including their names, and the shape
        of the answer are not. So the SDK reads a bare list as well as ``items`` with or without ``pagination``, and
        keeps the unknown fields of a number on its ``.extra``. The first call in a process issues a ProvisionalWarning.

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` returns the first page, and
        ``await ….first()`` the first number, or None. An answer without pagination counts as the only page. Walking
        raises the errors of the calls.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``. The name under which it is sent is inferred.
            type: A member of the enum, or its string. The name under which it is sent is inferred.
            page: The page to begin with, counted from 1; the first is requested without a number.
            filters: Any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not
                sent.

        Raises:
            UsageError: At once, if a value can never be accepted.
        """
        warn_provisional()
        query = _asked_for(country_code, optional(TYPE, "type", type)) | filters
        return SEARCH.pager(self._pipeline, self._concurrency, query, page=page)

    async def requirements(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        **filters: Any,
    ) -> PurchaseRequirements:
        """List purchase requirements: ``GET /phone-numbers/search/requirements``. **Provisional.** Safe to repeat.

        The path is documented, that requirements depend on country and type, and that each has a ``key`` or
        ``requirement_id``. The parameters, including their names, and the shape of the answer are not. So the SDK reads
        a bare list as well as ``items`` with or without ``pagination``, keeps unknown fields on ``.extra``, and lists
        unreadable ones on ``.problems``. The first call in a process issues a ProvisionalWarning. By the purchase page,
        these requirements show whether an address is needed; how is not documented, and it is inferred that a
        requirement of the type ``address`` does.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``. The name under which it is sent is inferred.
            type: A member of the enum, or its string. The name under which it is sent is inferred.
            filters: Any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not
                sent.

        Raises:
            UsageError: Before anything is sent, if a value can never be accepted.
            APIError: If the service refuses one of the calls; there is one for each page.
        """
        warn_provisional()
        query = _asked_for(country_code, TYPE("type", type)) | filters
        received: list[Items[PurchaseRequirement]] = []
        pager = REQUIREMENTS.pager(self._pipeline, self._concurrency, query, tell=received.append)
        return PurchaseRequirements(
            items=tuple(await pager.collect()),
            extra={name: value for found in received for name, value in found.extra.items()},
            problems=tuple(dict.fromkeys(problem for found in received for problem in found.problems)),
        )

    async def prepare(self, offer: AvailableNumber | None) -> Purchase:
        """Prepare a purchase: request the requirements of the offer's country and type. Safe to repeat.

        **Provisional**, as :meth:`requirements` is, which it calls. Nothing is bought: ``await purchase.commit()`` does
        that.

        Args:
            offer: A number as a search returned it. None, which ``first()`` returns if the search found nothing, is
                refused.

        Raises:
            UsageError: Before anything is sent, if there is no offer, or its country or type is not known.
            APIError: If the service refuses; :meth:`requirements` lists the other errors.
        """
        warn_provisional()
        found = check_offer(offer)
        asked = await self.requirements(found.country_code or "", found.type or "")
        return Purchase(offer=found, requirements=asked, buy=self.buy)

    async def buy(
        self,
        *,
        number: str,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        monthly_fee: Decimal | float | None = None,
        capabilities: Capabilities | Mapping[str, bool] | None = None,
        location: str | None = None,
        address: Address | None = None,
        requirements: Iterable[RequirementValue] | None = None,
        max_monthly_fee: Decimal | float | None = None,
        idempotency_key: str | None = None,
    ) -> PhoneNumber:
        """Buy a number: ``POST /phone-numbers``. This spends money, and the purchase is never made twice.

        The first active number of a workspace is free, whatever its fee. A number that was bought can be pending:
        :meth:`wait` waits until it is active.

        The purchase is sent again if it cannot have been processed: when no connection was made, or on 429. If the
        answer was lost, the SDK first looks the number up in the inventory, and all of its rows count:

        - A row that was bought during this call, on the service's clock, belongs to this call and is returned.
        - If all rows are clearly from before, ConflictError is raised.
        - If there is no row, the purchase is sent again, because the service refuses a number that it already holds. If
          it refuses, whatever the status, the SDK looks for the number five times, within 7.5 seconds unless the
          RetryPolicy says otherwise.

        ``mihu.last_call.found`` is True if the result comes from a lookup. A redirect, and a success about another
        number, count as lost answers too. Calls of this client for one number wait for each other.

        Args:
            number: The number in E.164 form, exactly as the search returned it.
            country_code: ISO 3166-1 alpha-2.
            type: A member of the enum, or its string.
            monthly_fee: Carried over from the search result, and stored by the service for display only; not sent if
                None.
            capabilities: Carried over from the search result; if None, the channels that the number supports are
                unknown until it is purchased.
            location: Carried over from the search result, such as ``"Sassari, Sardegna"``; if None, the service takes
                the country code.
            address: The address, if the country and type need one; each of its fields is optional, and its country
                defaults to ``country_code`` on the service.
            requirements: An answer to each requirement of the country and type.
            max_monthly_fee: The most that the number may cost per month, in the currency of ``monthly_fee``, which is
                required then. None sets no bound. It is not sent: the service's own figure decides the charge.
            idempotency_key: The name of this purchase, such as ``"order-4711"``, for a client with a ledger. Before the
                purchase is sent, the key, the number and a digest of the request are written to the ledger. The same
                call with the same key, in this process or another one, then returns the number that the first call
                bought. If that purchase is settled, the number is read as it is now and nothing is bought; if its
                process died, the number is looked up first, as after a lost answer; and if it is under way, this call
                waits for it, within ``Timeout.total``. A refusal that certainly changed nothing frees the key. None
                remembers nothing.

        Returns:
            The number that was bought.

        Raises:
            UsageError: Before anything is sent, if a value can never be accepted; with a key, also if the client has no
                ledger or another request has used the key.
            PurchaseLimitError: If the workspace already holds as many numbers as it may.
            ConflictError: If a lookup after a lost answer shows that the number was bought before.
            APIError: If the service refuses. The status for a number that is already held is not documented.
            OutcomeUnknownError: If the answer was lost and the lookups were inconclusive; ``await error.check()``
                looks again, and ``error.__cause__`` is the last refusal.
            LedgerError: With a key, before anything is sent, if the ledger cannot be used.
            ConnectTimeoutError: With a key, if another call held the key all the time.
            NotFoundError: With a key, if the number that the key bought is no longer in the inventory.
        """
        return await self._buyer.buy(
            number=number,
            country_code=country_code,
            type=type,
            monthly_fee=monthly_fee,
            capabilities=capabilities,
            location=location,
            address=address,
            requirements=requirements,
            max_monthly_fee=max_monthly_fee,
            idempotency_key=idempotency_key,
        )

    async def acquire(
        self,
        country_code: str,
        type: NumberType | Literal["local", "toll_free", "mobile", "national"] | str,  # noqa: A002 - the API's own name
        *,
        max_monthly_fee: Decimal | float | None = None,
        agent_uuid: str | UUID | None = None,
        answers: Mapping[str, str | RequirementValue] | None = None,
        address: Address | None = None,
        choose: Callable[[AvailableNumber], bool] | None = None,
        idempotency_key: str | None = None,
    ) -> PhoneNumber:
        """Find a number for sale, buy it, and let an agent answer its calls. **Provisional**, as :meth:`search` is.

        It calls :meth:`requirements`, :meth:`search`, :meth:`buy` and ``agents.provision_call``. If an offer is refused
        because it is no longer for sale, the next one is tried, ten at most. This spends money: without a key, each
        call that succeeds buys one number.

        Args:
            country_code: ISO 3166-1 alpha-2, such as ``"IT"``.
            type: A member of the enum, or its string.
            max_monthly_fee: The most that an offer may cost per month, in its currency; offers of unknown cost are
                passed over then. None sets no bound.
            agent_uuid: The agent that is to answer the number's calls. None binds none.
            answers: The answers to the requirements of the country and type, by their keys: a text, which is the
                document's id if a document is required, or a ``RequirementValue``. An answer without a requirement is
                not sent.
            address: The buyer's address, if the country and type need one.
            choose: A function, not an async one, that receives each offer that fits, in the search's order, and returns
                True to buy it. None takes each.
            idempotency_key: The name of this acquisition, as :meth:`buy` takes it, whichever number it buys. The same
                call again returns the same number and binds the agent if it is not bound yet. ``agent_uuid`` and
                ``choose`` may differ then; the other arguments may not.

        Returns:
            The number that was bought.

        Raises:
            UsageError: Before anything is bought, if a value can never be accepted or a requirement is not answered;
                the message names all that are missing.
            NoOfferError: If no offer fits, or all that fit were sold to others.
            BindingError: If the number is bought and binding it failed.
            APIError: If the service refuses; :meth:`buy` lists the other errors.
        """
        warn_provisional()
        place, kind = country("country_code", country_code), TYPE("type", type)
        agent = optional(identifier, "agent_uuid", agent_uuid)
        given = check_answers("answers", answers or {})
        owner_address = optional(instance_of(Address), "address", address)
        bound = optional(money, "max_monthly_fee", max_monthly_fee)
        request = {"country_code": place, "type": kind, "fee": bound, "answers": given, "address": owner_address}
        buy = partial(self._buyer.buy, fingerprint=acquisition_fingerprint(request))
        acquisition = Acquisition(
            country_code=place,
            type=kind,
            answers=given,
            address=owner_address,
            max_monthly_fee=bound,
            choose=optional(check_choose, "choose", choose) or (lambda _: True),
            search=lambda: self.search(place, kind),
            requirements=lambda: self.requirements(place, kind),
            buy=buy,
        )
        number = await acquisition.run(partial(self._buyer.entry, idempotency_key), idempotency_key)
        if agent is None:
            return number
        provision = Agents(self._pipeline, self._concurrency).provision_call
        return await bind(number, agent, provision, keyed=idempotency_key is not None)

    async def recover(self) -> AsyncGenerator[Recovered]:
        """Settle the purchases that dead processes left under their keys. Safe to repeat.

        It reads the ledger's entries of this workspace that are begun and that no live process holds. Each is looked
        up, as after a lost answer: ``GET /phone-numbers``. No purchase is sent. If the purchase bought the number, its
        key is settled. If the number belongs to somebody else, or is still not there after the call must have
        ended and as long again (``Timeout.total``) has passed, the key is freed. If the lookup is inconclusive, or a
        process holds the key, the entry stays as it is. Run it when a worker starts, or regularly; several at a time
        share the work.

        Yields:
            The outcome of each entry, in the order of the keys.

        Raises:
            UsageError: If the client has no ledger.
            LedgerError: If the ledger cannot be used.
        """
        ledger = self._buyer.ledger_for("numbers.recover()")
        async for recovered in recover(self._pipeline, ledger, lambda number: self._buyer.describe({"number": number})):
            yield recovered

    async def update(
        self,
        phone_number_uuid: str | UUID,
        *,
        voice: OutboundUpdate | OutboundSettings | Mapping[str, Any] | Unset = UNSET,
        sms: OutboundUpdate | OutboundSettings | Mapping[str, Any] | Unset = UNSET,
        inbound: InboundUpdate | InboundSettings | Mapping[str, Any] | Unset = UNSET,
    ) -> PhoneNumber:
        """Change a number's channel settings: ``PATCH /phone-numbers/{uuid}``. Safe to repeat.

        The call is documented, and that its body may hold each of the three channels. A channel that is left out is not
        sent, and neither is a field that is not set; it is inferred that the service keeps those as they are.

        Args:
            phone_number_uuid: The id of a purchased number; whether an external one has settings is not documented.
            voice: ``OutboundUpdate(…)``, or a mapping of its fields. In both, None for ``channel_limit`` is sent as
                null and is inferred to lift the limit. Or ``OutboundSettings(…)``, as an answer holds them, whose None
                fields are not sent.
            sms: As ``voice``.
            inbound: ``InboundUpdate(…)``, a mapping of its fields, or ``InboundSettings(…)``, in the same way.

        Returns:
            The number after the change.

        Raises:
            UsageError: Before anything is sent, if a value can never be accepted or nothing is to change.
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
        """Return the channels of the number itself, as :meth:`channels` does for an id. Safe to repeat.

        ``GET /phone-numbers/channels?number=``.

        Args:
            number: The number in E.164 form, purchased or external.

        Raises:
            UsageError: Before anything is sent, if the number is not E.164.
            APIError: If the service refuses.
        """
        query = {"number": e164("number", number)}
        return await self._pipeline.run(describe("GET", f"{PATH}/channels", NumberChannels, query=query))

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
        filter that is None is not sent. A rate has no id, so rates are compared by all of their fields: of rows that
        are equal in every field, a walk yields one, and then does not promise that it is complete. Walking raises the
        errors of the calls.

        Args:
            country_code: ISO 3166-1 alpha-2 of the country that is called, such as ``"IT"``.
            prefix: Only rates whose ``destination_prefix`` begins with it.
            page: The page to begin with, counted from 1.
            per_page: The number of rates on a page, 1 to 200; the service's own default is 50.

        Raises:
            UsageError: At once, if a value can never be accepted.
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


def _listed(concurrency: int, pipeline: Pipeline, filters: dict[str, Any]) -> Pager[PhoneNumber]:
    return NUMBERS.pager(pipeline, concurrency, filters, page=1, per_page=PER_PAGE)


def _asked_for(country_code: str, kind: NumberType | None) -> dict[str, Any]:
    return {"country_code": country("country_code", country_code), "type": kind}
