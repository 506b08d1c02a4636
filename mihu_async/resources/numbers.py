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
from mihu_async.resources.arguments import (
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
from mihu_async.resources.buyer import Buyer
from mihu_async.resources.changes import changes, inbound_change, outbound_change, unless_unset
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.resources.keyed import acquisition_fingerprint
from mihu_async.resources.lookups import Listed, channels_request, snapshot_request
from mihu_async.resources.provisional import ProvisionalEndpoint, warn_provisional
from mihu_async.resources.purchase import Purchase, check_offer
from mihu_async.resources.recovery import Recovered, recover
from mihu_async.resources.waiting import Wait, find_row
from mihu_async.resources.watcher import INTERVAL, Watcher

PATH = "/phone-numbers"
STATUS, TYPE = one_of(NumberStatus), one_of(NumberType)
COMPLIANCE, SORT = one_of(ComplianceStatus), one_of(NumberSort)
RATES_PER_PAGE = 200
"""The most rates that the service gives on a page."""
WAIT_TIMEOUT = 600
WAIT_INTERVAL = 10
"""Seconds that a wait for a status takes, and from one of its looks to the next."""


def value_of(rate: Rate) -> str:
    """Give what tells a rate apart: it has no id, so all of its value, cut to a size that a checkpoint can hold."""
    return hashlib.blake2b(repr(rate).encode(), digest_size=16).hexdigest()


def what_is_asked(requirement: PurchaseRequirement) -> str:
    """Give what tells a requirement apart: its id or its key, and all of it where it has neither."""
    return requirement.answer_id or requirement.key or repr(requirement)


NUMBERS = Endpoint(
    PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"), dates=attrgetter("purchased_at", "updated_at")
)
RATES = Endpoint(f"{PATH}/rates", Page[Rate], value_of, most=RATES_PER_PAGE)
SEARCH = ProvisionalEndpoint(f"{PATH}/search", Items[AvailableNumber], attrgetter("number"))
REQUIREMENTS = ProvisionalEndpoint(f"{PATH}/search/requirements", Items[PurchaseRequirement], what_is_asked)


class Numbers:
    """``mihu.numbers``: list, search for and buy phone numbers, set and look at their channels; what calls cost."""

    def __init__(self, pipeline: Pipeline, concurrency: int, ledger: Ledger | None = None) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency
        self._listed: Listed = partial(
            _listed, concurrency
        )  # no method of its own: a client that is dropped goes at once
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

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` gives the first page.
        A filter that is None is not sent, and the service's own default holds.

        page: where to begin, counted from 1.
        per_page: how many numbers a page holds, 1 to 100. 100 unless given; the service's own default is 25.
        status, type, compliance, sort: a member of the enum, or its string.
        country_code: ISO 3166-1 alpha-2, such as ``"US"``.
        search: free text on number or country. The filter's name is inferred, so the service may ignore it.
        bound_to_agent_uuid: only numbers that are bound to this agent on any channel.
        sort: the service's own default is ``created_at``; the direction is not documented.
        include_external: True gives also the numbers that agents use and that were not bought through Mihu, such as
            WhatsApp Business lines. That None and False leave them out is inferred.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
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

        Safe to repeat. The listing is asked for with the number as ``search`` first; because that name is inferred, the
        rows are compared on this side, and the whole listing is walked where that does not show the number. So None
        comes only from a walk that is proved to be complete.

        Numbers are compared by their digits: ``+39 079 0080041`` and ``0039-0790080041`` in the inventory are
        ``+390790080041``. Where several rows are of one number, an active purchased one is preferred, then a purchased
        one that is pending or whose status is not known, then an inactive one, then an external one; of equals, the one
        that is listed first.

        number: E.164.

        Raises UsageError before anything is sent, a MihuError where the number was not seen and the walk is not
        complete, because the listing moved or does not add up, and the errors of the calls.
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
        """Wait until a number has a status, and return its row: looks as :meth:`find` does. Safe to repeat.

        A number that was bought can be ``pending``, and no webhook tells of numbers, so the inventory is asked again
        and again. A number that is not there yet is waited for, because the inventory may lag. So is one that is
        inactive from the beginning, which may be an old row of the number.

        A look that fails for the network's or the service's reasons, after its own attempts, does not end the wait: the
        next one may succeed.

        number: E.164.
        status: a member of the enum, or its string; ``active`` unless given.
        timeout: seconds after which no further look begins, 600 unless given. The look that is under way then has at
            most ``Timeout.total`` more.
        interval: seconds between two looks, 10 unless given; longer where the service asks for a longer pause.

        Raises UsageError before anything is sent; WaitTimeoutError where the time is up, with the status that was seen
        last; WaitError at once where the number was seen and is gone, or has become inactive while another status is
        waited for; and an APIError where the service refuses the look for good, such as 401.
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
        """Walk a part of a listing that ``await pager.split(…)`` cut, in this process or another one. Safe to repeat.

        Raises UsageError for a part of another resource's listing.
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
        """Tell what changes in the inventory: ``GET /phone-numbers``, all pages, again and again. Only reads.

        Nothing is sent until the watcher is used: ``async for change in watcher`` tells each change once, from walks
        that are proved complete. See :class:`Watcher`.

        interval: seconds from the end of one walk to the beginning of the next; 60 unless told otherwise.
        since: what ``watcher.snapshot()`` gave, of the same workspace and filters, to tell what changed since then;
            None takes the first walk for the base.
        status, country_code, type, compliance, search, bound_to_agent_uuid, include_external: as :meth:`list` takes
            them. A number that no longer passes the filters is told as removed, and one that passes now as added.

        Raises UsageError at once for a value that can never be accepted. Watching raises the errors after which no walk
        would succeed; others slow it down.
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

        The path is documented, and that a result carries what a purchase takes over: ``number``, ``country_code``,
        ``type``, ``monthly_fee``, ``capabilities``, ``location``. The parameters, their names too, and the shape of the
        answer are not. So a bare list is read as well as ``items`` with or without ``pagination``, what is unknown of a
        number is on its ``.extra``, and a process is told once by a ProvisionalWarning.

        Nothing is sent until the pager is used: ``async for`` walks every number, ``await`` gives the first page, and
        ``await ….first()`` the first number, or None. Without pagination, what comes is one page and all there is.

        country_code: ISO 3166-1 alpha-2, such as ``"IT"``. That it is sent under this name is inferred.
        type: a member of the enum, or its string. That it is sent under this name is inferred.
        page: where to begin, counted from 1; the first is asked for without a number.
        filters: any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not sent.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
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
        """Say what a purchase must answer: ``GET /phone-numbers/search/requirements``. **Provisional.** Safe to repeat.

        The path is documented, that requirements depend on country and type, and that each is known by a ``key`` or
        ``requirement_id``. The parameters, their names too, and the shape of the answer are not. So a bare list is read
        as well as ``items`` with or without ``pagination``, what is unknown is on ``.extra``, what cannot be read is on
        ``.problems``, and a process is told once by a ProvisionalWarning. The purchase page has one look here whether
        an address is needed; how the service says so is not documented, and a requirement of the type ``address`` is
        inferred to be the way.

        country_code: ISO 3166-1 alpha-2, such as ``"IT"``. That it is sent under this name is inferred.
        type: a member of the enum, or its string. That it is sent under this name is inferred.
        filters: any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not sent.

        Raises UsageError before anything is sent, and the errors of the calls: there is one for each page.
        """
        warn_provisional()
        query = _asked_for(country_code, TYPE("type", type)) | filters
        told: list[Items[PurchaseRequirement]] = []
        pager = REQUIREMENTS.pager(self._pipeline, self._concurrency, query, tell=told.append)
        return PurchaseRequirements(
            items=tuple(await pager.collect()),
            extra={name: value for found in told for name, value in found.extra.items()},
            problems=tuple(dict.fromkeys(problem for found in told for problem in found.problems)),
        )

    async def prepare(self, offer: AvailableNumber | None) -> Purchase:
        """Make a purchase ready: ask what the offer's country and type require. **Provisional**, as what it calls is.

        It calls :meth:`requirements`, and nothing is bought: ``await purchase.commit()`` does that.

        offer: a number as a search gave it. None, which ``first()`` gives where the search found nothing, is refused.

        Raises UsageError before anything is sent where there is no offer, or one of unknown country or type; and what
        :meth:`requirements` raises.
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
        """Buy a number: ``POST /phone-numbers``. This spends money, and is never made twice.

        The first active number of a workspace is free, whatever its fee. A number that was bought can be pending:
        :meth:`wait` tells when it is active.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the number is looked up in the inventory first, and all of its rows count. A row that was
        bought during this call, on the service's clock, is this call's and is returned. Where all rows are clearly from
        before, it is a ConflictError. Where there is none, the purchase is sent again, because the service refuses a
        number that it already holds; where that is refused, whatever the status, the number is looked for five times,
        within 7.5 seconds unless the RetryPolicy says otherwise. ``mihu.last_call.found`` says where the result comes
        from a look-up. A redirect, and a success about another number, are lost answers too. Calls of this client for
        one number wait for each other.

        number: E.164, exactly as the search for numbers returned it.
        country_code: ISO 3166-1 alpha-2.
        type: a member of the enum, or its string.
        monthly_fee: carried over from the search result, and stored by the service for display only; not sent where
            None.
        capabilities: carried over from the search result; where None, which channels the number supports is unknown
            until it is purchased.
        location: carried over from the search result, such as ``"Sassari, Sardegna"``; the service takes the country
            code where None.
        address: where the country and type need one; each of its fields is optional, and its country defaults to
            ``country_code`` on the service.
        requirements: an answer to each requirement of the country and type.
        max_monthly_fee: the most that it may cost a month, in the currency of ``monthly_fee``, which must be given
            then. None sets no bound. It is not sent: what the service charges in the end is its own figure.

        idempotency_key: the name of this purchase, such as ``"order-4711"``, for a client with a ledger. Before the
            purchase is sent, the key, the number and a digest of the request are written down. The same call with the
            same key, in this process or another one, then gives what the first one bought. Where that is settled, the
            number is read as it is now and nothing is bought; where its process died, it is looked up first, as after a
            lost answer; and where it is under way, it is waited for, within ``Timeout.total``. A refusal that surely
            changed nothing frees the key. None remembers nothing.

        Raises UsageError before anything is sent, an APIError where the service refuses (which status a number that is
        already held gets is not documented), PurchaseLimitError where the workspace holds as many numbers as it may,
        and OutcomeUnknownError where the answer was lost and the look-ups did not tell; ``await error.check()`` looks
        again, and ``error.__cause__`` is the last refusal. With a key, UsageError comes also where the client has no
        ledger or another request has used the key, LedgerError before anything is sent where the ledger cannot be used,
        ConnectTimeoutError where another call held the key all the time, and NotFoundError where the number that the
        key bought is no longer in the inventory.
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
        """Find a number for sale, buy it, and have an agent answer its calls. **Provisional**, as :meth:`search` is.

        It calls :meth:`requirements`, :meth:`search`, :meth:`buy` and ``agents.provision_call``. Where an offer is
        refused because it is no longer for sale, the next one is tried, ten at the most. This spends money: without a
        key, each call that succeeds buys one number.

        country_code: ISO 3166-1 alpha-2, such as ``"IT"``.
        type: a member of the enum, or its string.
        max_monthly_fee: the most that an offer may cost a month, in its currency; offers of unknown cost are passed
            over then. None sets no bound.
        agent_uuid: the agent that is to answer the number's calls. None binds none.
        answers: what to answer to the requirements of the country and type, by their keys: a text, which is the
            document's id where a document is asked for, or a ``RequirementValue``. What nobody asks for is not sent.
        address: the buyer's, where the country and type need one.
        choose: a function that is given each offer that fits, in the search's order, and returns True for one to buy.
            None takes each.
        idempotency_key: the name of this acquisition, as :meth:`buy` takes it, whichever number it comes to. The same
            call again gives the same number and binds the agent where it is not bound yet. ``agent_uuid`` and
            ``choose`` may differ then; the other arguments may not.

        Raises UsageError before anything is bought, also where a requirement is not answered, with the names of all
        that are missing; NoOfferError where no offer fits or all that fit were taken by others; BindingError where the
        number is bought and binding it failed; and what the calls raise.
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
        return await bind(number, agent, Agents(self._pipeline, self._concurrency).provision_call)

    async def recover(self) -> AsyncGenerator[Recovered]:
        """Find out how the purchases ended that dead processes left under their keys. Safe to repeat.

        It goes through the ledger's entries of this workspace that are begun and that no live process holds. Each is
        looked up, as after a lost answer: ``GET /phone-numbers``. No purchase is sent. A number that the purchase made
        settles its key; a number that is somebody else's, or is not there when a call's time (``Timeout.total``) has
        passed since it began, frees it; and what cannot be told yet stays as it is.

        It yields a :class:`Recovered` for each, in the order of their keys. Run it when a worker starts, or now and
        then; several at a time share the work.

        Raises UsageError where the client has no ledger, and LedgerError where the ledger cannot be used.
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
        """Change a number's channel settings: ``PATCH /phone-numbers/{uuid}``. Gives the number as it is then.

        Safe to repeat. That there is such a call, and that its body may hold each of the three channels, is documented.
        A channel that is left out is not sent, and neither is a field that is not set; that the service leaves those as
        they are is inferred.

        phone_number_uuid: a purchased number's; whether an external one has settings is not documented.
        voice, sms: ``OutboundUpdate(…)``, or a mapping of its fields, in both of which None for ``channel_limit`` is
            sent as null and is inferred to lift the limit. Or ``OutboundSettings(…)``, as an answer holds them: what is
            None in these is not sent.
        inbound: ``InboundUpdate(…)``, a mapping of its fields, or ``InboundSettings(…)``, in the same way.

        Raises UsageError before anything is sent, also where nothing is to change, and an APIError where the service
        refuses.
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
        """Give what each channel of a number can do, how it is set, and who answers it. Safe to repeat.

        ``GET /phone-numbers/{uuid}/channels``: the path and the answer are documented, and the verb is inferred.

        Raises UsageError before anything is sent, and an APIError where the service refuses.
        """
        return await self._pipeline.run(channels_request(identifier("phone_number_uuid", phone_number_uuid)))

    async def channels_of(self, number: str) -> NumberChannels:
        """Give the same as :meth:`channels` by the number itself: ``GET /phone-numbers/channels?number=``.

        Safe to repeat.

        number: E.164, purchased or external.

        Raises UsageError before anything is sent, and an APIError where the service refuses.
        """
        return await self._pipeline.run(snapshot_request(e164("number", number)))

    def rates(
        self,
        *,
        country_code: str | None = None,
        prefix: str | None = None,
        page: int = 1,
        per_page: int = RATES_PER_PAGE,
    ) -> Pager[Rate]:
        """List what outbound calls cost: ``GET /phone-numbers/rates``. Safe to repeat.

        Nothing is sent until the pager is used: ``async for`` walks every rate, ``await`` gives the first page.
        A filter that is None is not sent. A rate has no id, so rates are told apart by all that they say: of rows that
        are equal in every field a walk gives one, and does not promise then that it is complete.

        country_code: ISO 3166-1 alpha-2 of the country that is called, such as ``"IT"``.
        prefix: only rates whose ``destination_prefix`` begins with it.
        page: where to begin, counted from 1.
        per_page: how many rates a page holds, 1 to 200; the service's own default is 50.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
        """
        filters = {
            "country_code": optional(country, "country_code", country_code),
            "prefix": optional(text, "prefix", prefix),
        }
        return RATES.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    def rates_shard(self, shard: Shard) -> Pager[Rate]:
        """Walk a part of the rates that ``await mihu.numbers.rates(…).split(…)`` cut. Safe to repeat.

        Raises UsageError for a part of another listing.
        """
        return RATES.part(self._pipeline, self._concurrency, shard)


def _listed(concurrency: int, pipeline: Pipeline, filters: dict[str, Any]) -> Pager[PhoneNumber]:
    return NUMBERS.pager(pipeline, concurrency, filters, page=1, per_page=PER_PAGE)


def _asked_for(country_code: str, kind: NumberType | None) -> dict[str, Any]:
    return {"country_code": country("country_code", country_code), "type": kind}
