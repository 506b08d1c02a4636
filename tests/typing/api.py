"""What type checkers know of the public face. Checked by mypy and pyright, and never run."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, assert_type
from uuid import UUID

import aiohttp
from redis.asyncio import Redis

from mihu_async import (
    UNSET,
    Address,
    Agent,
    Attempt,
    AvailableNumber,
    Binding,
    CallReport,
    Capabilities,
    Change,
    ChangeKind,
    Channel,
    CheckpointFile,
    CheckpointInUseError,
    Ensured,
    EnsureOutcome,
    EnsureReport,
    EnsureResult,
    EnsureRun,
    Hooks,
    InboundUpdate,
    MihuClient,
    MihuError,
    NumberChannels,
    NumberStatus,
    NumberType,
    OutboundUpdate,
    Page,
    Pager,
    PageReport,
    PhoneNumber,
    Purchase,
    PurchaseLimitError,
    PurchaseRequirement,
    PurchaseRequirements,
    Rate,
    RateLimit,
    Recovered,
    RecoveryOutcome,
    RequirementValue,
    RetryPolicy,
    Shard,
    SipAssignment,
    SipConnection,
    SipCredentials,
    SipUpdate,
    Timeout,
    TransportError,
    TrunkChannel,
    TrunkSpec,
    Unset,
    ValidationError,
    WalkReport,
    Watcher,
)
from mihu_async.doctor import Check, Diagnosis, Finding, Level
from mihu_async.ledger import Entry, Ledger, RedisLedger, SqliteLedger
from mihu_async.otel import telemetry
from mihu_async.sandbox import Faults, Inventory, Journal, JournalEntry, Sandbox, Status


async def clients(session: aiohttp.ClientSession) -> None:
    """Check the ways to a client."""
    assert_type(MihuClient(), MihuClient)
    client = MihuClient(
        token="t",
        base_url="https://acme.mihu.ai",
        session=session,
        timeout=Timeout(total=5),
        retries=RetryPolicy(max_attempts=2),
        proxy="http://127.0.0.1:3128",
        ssl=False,
        trust_env=True,
        user_agent="acme-bot/1.2",
        max_response_bytes=1_000_000,
        limiter=asyncio.Semaphore(4),
        dry_run=True,
        headers={"X-Team": "billing"},
    )

    async def read_token() -> str:
        return "token"

    assert_type(MihuClient(read_token), MihuClient)
    assert_type(client.with_options(token=lambda: "token", headers={}), MihuClient)
    async with client as entered:
        assert_type(entered, MihuClient)
    assert_type(client.with_options(timeout=Timeout(), limiter=asyncio.Lock(), dry_run=False), MihuClient)
    assert_type(client.last_call, CallReport | None)
    if client.last_call:
        assert_type(client.last_call.message, str | None)
        assert_type(client.last_call.request_id, str | None)
        assert_type(client.last_call.headers, Mapping[str, str])
    assert_type(client.rate_limit, RateLimit | None)
    if client.rate_limit:
        assert_type((client.rate_limit.limit, client.rate_limit.remaining), tuple[int, int])
        assert_type(client.rate_limit.reset, datetime | None)
    assert_type(await client.request("GET", "/x", query={"a": True}, json={"a": 1}), Any)
    assert_type(await client.request("GET", "/x", query={"a[]": ["b", 1]}, headers={"X-Team": "a"}), Any)
    assert_type(await client.request("GET", "/x", query=[("a", "b"), ("a", 1)]), Any)
    await client.aclose()


def hooks(mihu: MihuClient) -> None:
    """Check what hooks are given, and how they are handed over."""
    noted: list[str] = []

    def attempted(attempt: Attempt, call: CallReport) -> None:
        assert_type(attempt.wait, float | None)
        assert_type(call.template, str)

    def page_given(page: PageReport, walk: WalkReport) -> int:
        assert_type((page.number, page.items), tuple[int, int])
        return page.items if walk.expected is None else walk.expected

    @contextmanager
    def around(call: CallReport) -> Iterator[str]:
        yield call.path

    mine = Hooks(
        on_attempt=attempted, on_retry=lambda _, call: noted.append(call.path), on_page=page_given, around_call=around
    )
    assert_type(MihuClient(hooks=mine), MihuClient)
    assert_type(telemetry(), Hooks)
    assert_type(mihu.with_options(hooks=[telemetry(), mine]), MihuClient)
    Hooks(on_retry=page_given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def diagnoses(mihu: MihuClient) -> None:
    """Check what a doctor says."""
    diagnosis = await mihu.doctor(deadline=5)
    assert_type(diagnosis, Diagnosis)
    assert_type(diagnosis.ok, bool)
    assert_type(diagnosis[Check.TOKEN].level, Level)
    for finding in diagnosis:
        assert_type(finding, Finding)


async def walks(mihu: MihuClient, agent: UUID) -> None:
    """Check what a listing gives."""
    pager = mihu.numbers.list(status="active", type=NumberType.LOCAL, bound_to_agent_uuid=agent, include_external=True)
    assert_type(pager, Pager[PhoneNumber])
    assert_type(await pager, Page[PhoneNumber])
    assert_type(pager.pages(), AsyncGenerator[Page[PhoneNumber], None])
    assert_type(await pager.collect(limit=10), list[PhoneNumber])
    assert_type(await pager.first(), PhoneNumber | None)
    assert_type((await pager).items, tuple[PhoneNumber, ...])
    assert_type(pager.checkpoint(), str)
    assert_type(pager.report, WalkReport)
    assert_type(pager.report.proof, Literal["counted", "still", "confirmed"] | None)
    assert_type(pager.report.problems, int)
    assert_type((await pager).left_out, int)
    assert_type(pager.with_options(on_drift="verify", resume=pager.checkpoint()), Pager[PhoneNumber])
    async with pager as walk:
        async for number in walk:
            assert_type(number, PhoneNumber)
            assert_type(number.status, NumberStatus | None)
            assert_type(number.purchased_at, datetime | None)
            if number.billing:
                assert_type(number.billing.monthly_fee, Decimal | None)
    rates = mihu.numbers.rates(country_code="IT", prefix="39", per_page=200)
    assert_type(rates, Pager[Rate])
    assert_type(mihu.numbers.rates_shard((await rates.split(2))[0]), Pager[Rate])
    part = (await pager.split(parts=2))[0]
    assert_type(part, Shard)
    assert_type(mihu.numbers.shard(part), Pager[PhoneNumber])
    assert_type(mihu.trunks.shard(part), Pager[PhoneNumber])
    trunks = mihu.trunks.list(channel=TrunkChannel.CALL, agent_uuid=str(agent))
    assert_type(trunks, Pager[PhoneNumber])
    async for page in trunks.pages():
        assert_type(page.pagination.total, int)


async def watches(mihu: MihuClient, path: Path) -> None:
    """Check what a watcher tells, and what a checkpoint's file holds."""
    watcher = mihu.numbers.watch(
        interval=30, since=None, status="pending", type=NumberType.LOCAL, include_external=True
    )
    assert_type(watcher, Watcher)
    assert_type(mihu.trunks.watch(channel="call", agent_uuid="x", search="49"), Watcher)
    assert_type(await watcher.take_base(), str)
    async with watcher as watched:
        async for change in watched:
            assert_type(change, Change)
            assert_type(change.kind, ChangeKind)
            assert_type(change.before, PhoneNumber | None)
            assert_type(change.number, str)
    assert_type(watcher.snapshot(), str | None)
    assert_type(watcher.error, MihuError | None)
    assert_type(watcher.report, WalkReport)
    try:
        with CheckpointFile(path) as place:
            assert_type(place.read(), str | None)
            place.write(mihu.numbers.list().checkpoint())
            place.remove()
    except CheckpointInUseError as error:
        assert_type(error.path, str)
    except TransportError as error:
        assert_type(error.is_permanent, bool)


async def writes(mihu: MihuClient) -> None:
    """Check what the writes take and give."""
    number = await mihu.numbers.buy(
        number="+390790080041",
        country_code="IT",
        type="local",
        monthly_fee=Decimal("1.15"),
        capabilities=Capabilities(voice=True),
        address=Address(locality="Sassari"),
        requirements=[RequirementValue(key="k", value="v")],
    )
    assert_type(number, PhoneNumber)
    assert_type(await mihu.numbers.find("+390790080041"), PhoneNumber | None)
    assert_type(await mihu.numbers.wait("+390790080041"), PhoneNumber)
    assert_type(await mihu.numbers.wait("+390790080041", status="pending", timeout=60, interval=0.5), PhoneNumber)
    sip = SipCredentials(gateway="sip.acme.com", port=5060)
    snapshot = await mihu.trunks.register(phone_number="+1", agent_uuid="a", channel="call", sip=sip)
    assert_type(snapshot, NumberChannels)
    assert_type(snapshot.channels.call, Channel | None)
    assert_type(await mihu.trunks.assign(phone_number="+1", channel="call", agent_uuid="a"), NumberChannels)


async def provisional(mihu: MihuClient, agent: UUID) -> None:
    """Check what the provisional methods take and give."""
    pager = mihu.numbers.search("IT", type=NumberType.LOCAL, locality="Sassari", limit=5)
    assert_type(pager, Pager[AvailableNumber])
    offer = await pager.first()
    assert_type(offer, AvailableNumber | None)
    if offer:
        assert_type(offer.extra, Mapping[str, Any])
        offer.extra["a"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    requirements = await mihu.numbers.requirements("IT", "local", lang="en")
    assert_type(requirements, PurchaseRequirements)
    for requirement in requirements:
        assert_type(requirement, PurchaseRequirement)
        assert_type(requirement.label, str)
    purchase = await mihu.numbers.prepare(offer)
    assert_type(purchase, Purchase)
    assert_type(purchase.missing, tuple[str, ...])
    assert_type(purchase.unanswered, tuple[PurchaseRequirement, ...])
    for asked in purchase.unanswered:
        assert_type(asked.type, str | None)
        assert_type(asked.takes, tuple[str, ...])
        assert_type(asked.answer_id, str | None)
    assert_type(purchase.monthly_fee, Decimal | None)
    purchase = purchase.answer("k", document_id="d").answer("l", value="v").with_address(Address(locality="Sassari"))
    assert_type(await purchase.commit(max_monthly_fee=5), PhoneNumber)
    assert_type(await purchase.commit(idempotency_key="order-4711"), PhoneNumber)
    acquired = await mihu.numbers.acquire(
        "IT",
        type="local",
        max_monthly_fee=5,
        agent_uuid="a",
        answers={"business_name": "ACME Ltd"},
        choose=lambda offer: offer.monthly_fee is not None,
        idempotency_key="order-4711",
    )
    assert_type(acquired, PhoneNumber)
    assert_type(mihu.numbers.recover(), AsyncGenerator[Recovered, None])
    async for recovered in mihu.numbers.recover():
        assert_type(recovered, Recovered)
        assert_type(recovered.entry, Entry)
        assert_type(recovered.outcome, RecoveryOutcome)
        assert_type(recovered.number, PhoneNumber | None)


async def agents(mihu: MihuClient, agent: UUID) -> None:
    """Check what agents and SIP connections take and give."""
    listing = mihu.agents.list(per_page=50, status="active")
    assert_type(listing, Pager[Agent])
    found = await mihu.agents.provision_call(agent, "u")
    assert_type(found, Agent)
    assert_type((found.name, found.description), tuple[str, str | None])
    assert_type(found.extra, Mapping[str, Any])
    await mihu.agents.assign_sms(found.agent_uuid, agent)
    connection = await mihu.sip_connections.create(
        name="n", phone_number="+1", gateway="sip.acme.com", username="u", password="p", secondary_gateway=None
    )
    assert_type(connection, SipConnection)
    assert_type(connection.created_at, datetime | None)
    assert_type(await mihu.agents.assign_sip_connection(agent, connection.uuid, force=True), SipAssignment)
    await mihu.sip_connections.create(name="n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def ensuring(mihu: MihuClient, agent: UUID, rows: AsyncIterator[TrunkSpec]) -> None:
    """Check what ensuring takes and gives."""
    sip = SipCredentials(gateway="sip.acme.com")
    ensured = await mihu.trunks.ensure(phone_number="+1", channel="call", agent_uuid=agent, sip=sip)
    assert_type(ensured, Ensured)
    assert_type(ensured.outcome, EnsureOutcome)
    assert_type(ensured.unverified, tuple[str, ...])
    async for result in mihu.trunks.ensure_all(rows, concurrency=8):
        assert_type(result, EnsureResult[TrunkSpec])
        assert_type(result.snapshot, NumberChannels | None)
    run = mihu.trunks.ensure_all([{"phone_number": "+1", "channel": "call", "agent_uuid": "a"}])
    assert_type(run, EnsureRun[dict[str, str]])
    assert_type(run.report, EnsureReport[dict[str, str]])
    assert_type(run.report.unfinished, tuple[dict[str, str], ...])
    mihu.trunks.ensure_all([1])  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


def answering(snapshot: NumberChannels) -> None:
    """Check who answers a number."""
    assert_type(snapshot.call_agent, Binding | None)
    assert_type(snapshot.agent_on("voice"), Binding | None)


async def updates(mihu: MihuClient, number: PhoneNumber, name: str | Unset) -> None:
    """Check what the updates take and give."""
    changed = await mihu.numbers.update(
        number.phone_number_uuid,
        voice=OutboundUpdate(channel_limit=None, whitelisted_destinations=["US"]),
        sms={"enabled": False},
        inbound=InboundUpdate(enabled=True),
    )
    assert_type(changed, PhoneNumber)
    settings = number.channel_settings
    if settings and settings.voice:
        await mihu.numbers.update(UUID(number.phone_number_uuid), voice=settings.voice, sms=UNSET)
    await mihu.numbers.update("u", voice=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await mihu.numbers.channels(number.phone_number_uuid), NumberChannels)
    assert_type(await mihu.numbers.channels_of(number.number), NumberChannels)

    sip = SipUpdate(username="", password="from-your-vault")
    assert_type(sip.password, str | Unset)
    trunk = await mihu.trunks.update(phone_number="+1", channel="call", name=name, sip=sip, additional_settings={})
    assert_type(trunk, NumberChannels)
    await mihu.trunks.update(phone_number="+1", channel=TrunkChannel.CALL, sip=SipCredentials(password="p"))
    await mihu.trunks.update(phone_number="+1", channel="call", name=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    SipUpdate(password=None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await mihu.trunks.delete(phone_number="+1", channel="call")


def narrowing(name: str | Unset, limit: int | Unset | None) -> None:
    """Check that a comparison with UNSET tells the three apart."""
    if name is UNSET:
        assert_type(name, Literal[Unset.UNSET])
    else:
        assert_type(name, str)
    if limit is not UNSET:
        assert_type(limit, int | None)


def failures(error: MihuError) -> None:
    """Check what errors tell."""
    assert_type(error.may_have_changed, bool)
    if isinstance(error, PurchaseLimitError):
        assert_type(error.limit, int | None)
        assert_type(error.reason, str | None)
    if isinstance(error, ValidationError):
        assert_type(error.fields, dict[str, tuple[str, ...]])
    for attempt in error.attempts:
        assert_type(attempt.started_at, datetime)


async def sandbox() -> None:
    """Check what the sandbox is to a test."""
    with Sandbox(numbers=3, seed=1) as serving:
        assert_type(serving, Sandbox)
        assert_type(serving.variables, dict[str, str])
        serving.reset()
    noted: list[JournalEntry] = []
    Sandbox(
        agents=["3c90c3cc-0d44-4b50-8888-8dd25736052a", UUID(int=1)],
        admin=False,
        journal_limit=10,
        on_request=noted.append,
    )
    async with Sandbox(trunks=0, purchase_limit=1, script="busy", strict=True) as serving:
        assert_type((serving.base_url, serving.token), tuple[str, str])
        assert_type(serving.inventory, Inventory)
        assert_type(serving.faults, Faults)
        assert_type(serving.journal, Journal)
        serving.faults.add(Status(503), method="GET", path="/phone-numbers", times=None)
        assert_type(serving.journal.select(method="GET"), tuple[JournalEntry, ...])
        assert_type(serving.undocumented, tuple[str, ...])
        assert_type(serving.under_way, int)
        serving.verify()
    await serving.start()
    await serving.stop()


def ledgers(own: Ledger) -> None:
    """A client takes any ledger."""
    MihuClient(ledger=SqliteLedger("purchases.db", lease=15))
    MihuClient(ledger=RedisLedger(Redis.from_url("redis://127.0.0.1")))
    MihuClient(ledger=own)
