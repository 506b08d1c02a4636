"""What type checkers know of the public face. Checked by mypy and pyright, and never run."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_type
from uuid import UUID

import aiohttp

from mihu_async import (
    Address,
    CallReport,
    Capabilities,
    Channel,
    MihuClient,
    MihuError,
    NumberChannels,
    NumberStatus,
    NumberType,
    Page,
    Pager,
    PhoneNumber,
    PurchaseLimitError,
    RequirementValue,
    RetryPolicy,
    SipCredentials,
    Timeout,
    TrunkChannel,
    ValidationError,
)


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
    )
    async with client as entered:
        assert_type(entered, MihuClient)
    assert_type(client.with_options(timeout=Timeout(), limiter=asyncio.Lock(), dry_run=False), MihuClient)
    assert_type(client.last_call, CallReport | None)
    assert_type(await client.request("GET", "/x", query={"a": True}, json={"a": 1}), Any)
    await client.aclose()


async def walks(mihu: MihuClient, agent: UUID) -> None:
    """Check what a listing gives."""
    pager = mihu.numbers.list(status="active", type=NumberType.LOCAL, bound_to_agent_uuid=agent, include_external=True)
    assert_type(pager, Pager[PhoneNumber])
    assert_type(await pager, Page[PhoneNumber])
    assert_type(pager.pages(), AsyncGenerator[Page[PhoneNumber], None])
    assert_type(await pager.collect(limit=10), list[PhoneNumber])
    assert_type(await pager.first(), PhoneNumber | None)
    assert_type((await pager).items, tuple[PhoneNumber, ...])
    async with pager as walk:
        async for number in walk:
            assert_type(number, PhoneNumber)
            assert_type(number.status, NumberStatus | None)
            assert_type(number.purchased_at, datetime | None)
            if number.billing:
                assert_type(number.billing.monthly_fee, Decimal | None)
    async for page in mihu.trunks.list(channel=TrunkChannel.CALL, agent_uuid=str(agent)).pages():
        assert_type(page.pagination.total, int)


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
    sip = SipCredentials(gateway="sip.acme.com", port=5060)
    snapshot = await mihu.trunks.register(phone_number="+1", agent_uuid="a", channel="call", sip=sip)
    assert_type(snapshot, NumberChannels)
    assert_type(snapshot.channels.call, Channel | None)
    assert_type(await mihu.trunks.assign(phone_number="+1", channel="call", agent_uuid="a"), NumberChannels)


def failures(error: MihuError) -> None:
    """Check what errors tell."""
    if isinstance(error, PurchaseLimitError):
        assert_type(error.limit, int | None)
    if isinstance(error, ValidationError):
        assert_type(error.fields, dict[str, tuple[str, ...]])
    for attempt in error.attempts:
        assert_type(attempt.started_at, datetime)
