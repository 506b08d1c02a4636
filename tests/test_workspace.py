"""The main job, end to end: through the real client and HTTP, against the sandbox's state."""

import asyncio
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import attrs
import pytest

from mihu_async import (
    APIError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    Hooks,
    MihuClient,
    MihuError,
    NotFoundError,
    NumberStatus,
    OutboundUpdate,
    PaginationError,
    PurchaseLimitError,
    RateLimitError,
    SipCredentials,
    SipUpdate,
    UsageError,
    ValidationError,
    WaitTimeoutError,
)
from mihu_async.sandbox import (
    Change,
    Delay,
    Hang,
    NullFields,
    RepeatPage,
    Reset,
    Sandbox,
    Status,
    Truncate,
    UnknownEnum,
    WrongContentType,
)
from tests.doubles import connections_in_use

PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


@pytest.fixture
async def sandbox():
    """A workspace of some pages, which may grow by one number."""
    async with Sandbox(numbers=57, trunks=12, purchase_limit=58) as served:
        yield served


@pytest.mark.parametrize("per_page", [1, 7, 57, 100])
async def test_every_number_is_listed_once(mihu, sandbox, per_page):
    """The walk gives what the inventory holds, in its order, with one request a page."""
    walked = [number.phone_number_uuid async for number in mihu.numbers.list(per_page=per_page)]

    assert [row["phone_number_uuid"] for row in sandbox.inventory.numbers] == walked
    assert -(-57 // per_page) == len(sandbox.journal)


async def test_filters_select(mihu, sandbox):
    """Each filter has its effect, alone and together."""
    everything = await mihu.numbers.list(include_external=True).collect()
    active = await mihu.numbers.list(status=NumberStatus.ACTIVE, country_code="US").collect()
    fees = [number.billing.monthly_fee async for number in mihu.numbers.list(sort="monthly_fee") if number.billing]

    assert 57 + 12 == len(everything)
    assert {("US", NumberStatus.ACTIVE)} == {(number.country_code, number.status) for number in active}
    assert sorted(fees) == fees
    whole = everything[0].number
    assert [whole] == [number.number async for number in mihu.numbers.list(search=whole)]


async def test_trunks_are_numbers_without_a_price(mihu):
    """What does not apply to an external number is None."""
    trunks = await mihu.trunks.list().collect()

    assert 12 == len(trunks)
    for trunk in trunks:
        assert trunk.is_external
        assert (None, None, None, None) == (trunk.billing, trunk.type, trunk.purchased_at, trunk.capabilities)


async def test_a_purchase_is_in_the_inventory(mihu, sandbox):
    """What the call returned is what the workspace holds, and its time is now."""
    bought = await mihu.numbers.buy(**PURCHASE, monthly_fee=Decimal("1.10"))
    listed = await mihu.numbers.list(search=PURCHASE["number"]).collect()

    assert [bought] == listed
    assert bought.billing is not None
    assert Decimal("1.1") == bought.billing.monthly_fee
    assert abs(bought.purchased_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert 58 == len(sandbox.inventory.numbers)


async def test_refused_purchases_change_nothing(mihu, sandbox):
    """A number that is there is a conflict, and the error for one above the cap has its figures."""
    held = sandbox.inventory.numbers[0]["number"]
    trunk = sandbox.inventory.trunks[0]["number"]
    for number in (held, trunk):
        with pytest.raises(ConflictError, match="Nothing was changed"):
            await mihu.numbers.buy(number=number, country_code="US", type="local")
    await mihu.numbers.buy(**PURCHASE)
    with pytest.raises(PurchaseLimitError) as caught:
        await mihu.numbers.buy(**PURCHASE | {"number": "+390790080042"})

    assert (58, 58, 403) == (caught.value.limit, caught.value.current, caught.value.status)
    assert 58 == len(sandbox.inventory.numbers)


async def test_a_trunk_is_registered_and_moved(mihu, sandbox):
    """The snapshot names the agent, before and after."""
    agent, other = sandbox.inventory.free_agents("call")[:2]
    sip = SipCredentials(gateway="sip.acme.com", port=5060, username="u", password="p")
    trunk = {"phone_number": "+12345678901", "channel": "call"}
    registered = await mihu.trunks.register(**trunk, agent_uuid=agent, sip=sip)
    assigned = await mihu.trunks.assign(**trunk, agent_uuid=uuid.UUID(other))

    assert registered.channels.call is not None
    assert assigned.channels.call is not None
    assert (agent, other) == (registered.channels.call.agent_uuid, assigned.channels.call.agent_uuid)
    assert ["+12345678901"] == [found.number async for found in mihu.trunks.list(agent_uuid=other, channel="call")]


async def test_refused_trunks_change_nothing(mihu, sandbox):
    """A taken number, a busy agent, a stranger and a trunk that is not there are each refused by their status."""
    before = sandbox.inventory.trunks
    busy = next(row["bindings"]["call"]["agent_uuid"] for row in before if row["bindings"]["call"]["bound"])
    free = sandbox.inventory.free_agents("call")[0]
    new = {"phone_number": "+12345678901", "channel": "call"}
    with pytest.raises(ConflictError):
        await mihu.trunks.register(**new, agent_uuid=busy)
    with pytest.raises(ConflictError):
        await mihu.trunks.register(phone_number=sandbox.inventory.numbers[0]["number"], channel="call", agent_uuid=free)
    with pytest.raises(NotFoundError):
        await mihu.trunks.register(**new, agent_uuid=uuid.UUID(int=1))
    with pytest.raises(NotFoundError):
        await mihu.trunks.assign(**new, agent_uuid=free)

    assert before == sandbox.inventory.trunks


async def test_settings_change_as_told_and_show_in_the_channels(mihu, sandbox):
    """Each field changes by itself, a limit can be lifted, and both ways to the channels tell the same."""
    row = sandbox.inventory.numbers[0]
    before = await mihu.numbers.list().first()
    await mihu.numbers.update(row["phone_number_uuid"], voice={"channel_limit": 2}, inbound={"enabled": False})
    changed = await mihu.numbers.update(
        before.phone_number_uuid, voice=OutboundUpdate(channel_limit=None, whitelisted_destinations=["IT", "FR"])
    )
    snapshot = await mihu.numbers.channels(before.phone_number_uuid)

    voice = attrs.evolve(before.channel_settings.voice, channel_limit=None, whitelisted_destinations=("IT", "FR"))
    inbound = attrs.evolve(before.channel_settings.inbound, enabled=False)
    assert attrs.evolve(before.channel_settings, voice=voice, inbound=inbound) == changed.channel_settings
    assert ("IT", "FR") == snapshot.channels.call.whitelisted_destinations
    assert inbound == snapshot.channels.inbound
    assert snapshot == await mihu.numbers.channels_of(row["number"])


async def test_settings_that_an_answer_held_change_nothing_when_they_are_sent_back(mihu):
    """A number's own settings can be given to it, or to another."""
    number = await mihu.numbers.list().first()
    settings = number.channel_settings
    same = await mihu.numbers.update(
        number.phone_number_uuid, voice=settings.voice, sms=settings.sms, inbound=settings.inbound
    )

    assert settings == same.channel_settings


async def test_numbers_that_are_not_there_have_no_channels(mihu, sandbox):
    """A stranger is not found, and an external number has no settings to change."""
    with pytest.raises(NotFoundError):
        await mihu.numbers.channels(uuid.UUID(int=1))
    with pytest.raises(NotFoundError):
        await mihu.numbers.channels_of("+12345678901")
    with pytest.raises(NotFoundError):
        await mihu.numbers.update(uuid.UUID(int=1), sms={"enabled": True})
    with pytest.raises(ConflictError, match="no channel settings"):
        await mihu.numbers.update(sandbox.inventory.trunks[0]["phone_number_uuid"], sms={"enabled": True})


@pytest.mark.parametrize("per_page", [50, 97, 200])
async def test_every_rate_is_listed_once(mihu, sandbox, per_page):
    """The walk gives the whole table in its order, and its filters select."""
    walk = mihu.numbers.rates(per_page=per_page)
    rates = await walk.collect()
    mobile = await mihu.numbers.rates(country_code="IT", prefix="393").collect()

    shown = [(row["destination_prefix"], row["origination"], row["price"]["amount"]) for row in sandbox.inventory.rates]
    assert shown == [(rate.destination_prefix, rate.origination, float(rate.price.amount)) for rate in rates]
    assert [rate for rate in rates if rate.destination_prefix.startswith("393")] == mobile
    assert (True, False) == (walk.report.complete, walk.report.drifted)


async def test_a_walk_of_rates_goes_on_where_it_was_though_the_table_moved(mihu, sandbox):
    """A checkpoint names rates by what they say, is short, and finds its place again."""
    pager = mihu.numbers.rates(per_page=50)
    taken = []
    async with pager:
        async for rate in pager:
            taken.append(rate)
            if len(taken) == 120:
                break
    with sandbox.inventory.opened() as ledger:
        del ledger.rates[:30]
    rest = await mihu.numbers.rates(per_page=50).with_options(resume=pager.checkpoint()).collect()

    everything = await mihu.numbers.rates().collect()
    assert everything == taken[30:-1] + rest
    assert len(pager.checkpoint()) < 500


async def test_a_walk_of_rates_misses_none_while_the_table_moves(mihu, sandbox):
    """Rates are known again by their whole value, so what slips over the edge of a page is read."""
    with sandbox.inventory.opened() as ledger:
        table = ledger.rates
    stayed = {(rate.destination_prefix, rate.origination) for rate in table[10:]}
    pager = mihu.numbers.rates(per_page=50)
    walked = []
    async for page in pager.pages():
        walked += [(rate.destination_prefix, rate.origination) for rate in page]
        if page.pagination.current_page == 2:
            del table[:10]

    assert stayed <= set(walked)
    assert len(walked) == len(set(walked))
    assert (True, True) == (pager.report.drifted, pager.report.complete)


async def test_rates_can_be_walked_in_parts(mihu):
    """A part of the rates is walked as one, and is no part of the numbers."""
    shards = await mihu.numbers.rates(country_code="IT", per_page=5).split(2)
    parts = [rate for shard in shards for rate in await mihu.numbers.rates_shard(shard).collect()]

    assert await mihu.numbers.rates(country_code="IT").collect() == parts
    with pytest.raises(UsageError, match=r"shard is a part of http.*/phone-numbers/rates, not of"):
        mihu.numbers.shard(shards[0])


async def test_a_trunk_is_changed_and_deleted(mihu, sandbox):
    """A credential is cleared while another stays, the direction shows, and in the end there is nothing."""
    agent = sandbox.inventory.free_agents("call")[0]
    trunk = {"phone_number": "+12345678901", "channel": "call"}
    sip = SipCredentials(gateway="sip.acme.com", username="u", password="p")
    await mihu.trunks.register(**trunk, agent_uuid=agent, sip=sip)
    changed = await mihu.trunks.update(
        **trunk, direction="outbound", sip=SipUpdate(password="", port=5061), additional_settings={}
    )
    with sandbox.inventory.opened() as ledger:
        stored = ledger.external[-1].trunk

    assert not changed.channels.inbound.enabled
    assert {"gateway": "sip.acme.com", "username": "u", "port": 5061} == stored.sip
    assert await mihu.trunks.delete(**trunk) is None
    for call in (mihu.trunks.update(**trunk, name="x"), mihu.trunks.delete(**trunk)):
        with pytest.raises(NotFoundError, match="no trunk on call"):
            await call


@pytest.mark.parametrize(
    "fault",
    [Status(503, after=True), Truncate(), WrongContentType(after=True), Status(503), Status(429, retry_after=0)],
    ids=repr,
)
async def test_a_deletion_whose_answer_is_lost_is_repeated(mihu, sandbox, fault):
    """It is gone either way, and that the repetition does not find it is no error."""
    sandbox.inventory.insert_trunk(number="+12345678901")
    sandbox.faults.add(fault, method="DELETE")
    await mihu.trunks.delete(phone_number="+12345678901", channel="call")

    assert 12 == len(sandbox.inventory.trunks)
    assert ["DELETE"] * 2 == [entry.method for entry in sandbox.journal]


@pytest.mark.parametrize(
    "fault",
    [Status(204, after=True), Status(200, body={}, after=True), NullFields("x"), Status(200, body={"success": True})],
    ids=repr,
)
async def test_a_deletion_takes_any_answer_that_is_a_success(mihu, sandbox, fault):
    """What the service answers was not seen, so nothing is asked of it but that it went well."""
    sandbox.inventory.insert_trunk(number="+12345678901")
    sandbox.faults.add(fault, method="DELETE")
    await mihu.trunks.delete(phone_number="12345678901", channel="call")

    assert 1 == len(sandbox.journal)


async def test_an_update_whose_answer_is_lost_is_repeated(mihu, sandbox):
    """Twice is as good as once, for numbers and for trunks."""
    sandbox.inventory.insert_trunk(number="+12345678901")
    sandbox.faults.add(Status(502, after=True), method="PATCH", times=1)
    await mihu.trunks.update(phone_number="+12345678901", channel="call", name="Front desk")
    sandbox.faults.add(Truncate(), method="PATCH", times=1)
    await mihu.numbers.update(sandbox.inventory.numbers[0]["phone_number_uuid"], sms={"enabled": False})

    assert [502, 200, 200, 200] == [entry.status for entry in sandbox.journal]


async def test_the_token_opens_one_workspace(sandbox):
    """A wrong token is refused with the documented code, and the error does not show it."""
    async with MihuClient("wrong-token-1234", base_url=sandbox.base_url) as stranger:
        with pytest.raises(AuthenticationError) as caught:
            await stranger.numbers.list()

    assert "INVALID_AUTH_TOKEN" == caught.value.code
    assert "wrong-token-1234" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [Status(503), Status(500), Status(429, retry_after=0), Reset(), Truncate(), WrongContentType(), Delay(0.001)],
    ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'status', '')}",
)
async def test_a_walk_goes_on_after_a_fault(mihu, sandbox, fault):
    """A fault in the middle costs an attempt, and no item."""
    sandbox.faults.add(fault, method="GET", skip=1)
    walked = await mihu.numbers.list(per_page=20).collect()

    assert [row["number"] for row in sandbox.inventory.numbers] == [number.number for number in walked]
    assert () == sandbox.faults.pending


async def test_a_purchase_that_is_told_to_wait_is_made_once(mihu, sandbox):
    """429 means that nothing happened, so it is asked for again."""
    sandbox.faults.add(Status(429, retry_after=0), method="POST", times=2)
    await mihu.numbers.buy(**PURCHASE)

    assert [429, 429, 201] == [entry.status for entry in sandbox.journal]
    assert 58 == len(sandbox.inventory.numbers)


async def test_an_assignment_whose_answer_is_lost_is_repeated(mihu, sandbox):
    """Twice is as good as once."""
    row = sandbox.inventory.trunks[0]
    channel = next(name for name, binding in row["bindings"].items() if binding["bound"])
    agent = sandbox.inventory.free_agents(channel)[0]
    sandbox.faults.add(Status(502, after=True), method="PUT")
    snapshot = await mihu.trunks.assign(phone_number=row["number"], channel=channel, agent_uuid=agent)

    assert row["number"] == snapshot.number
    assert [502, 200] == [entry.status for entry in sandbox.journal]


async def test_a_pause_above_the_cap_is_not_slept_through(mihu, sandbox):
    """An hour is an answer, not a wait."""
    sandbox.faults.add(Status(429, retry_after=3600))
    with pytest.raises(RateLimitError, match="3600 s, above max_retry_after=60") as caught:
        await mihu.numbers.list()

    assert 3600 == caught.value.retry_after


async def test_a_stuck_server_ends_the_walk(mihu, sandbox):
    """A page that is repeated for ever is an error after the first time."""
    sandbox.faults.add(RepeatPage(1), skip=1, times=None)
    walk = mihu.numbers.list(per_page=20).pages()

    assert 20 == len((await anext(walk)).items)
    with pytest.raises(PaginationError, match="Page 2 was requested"):
        await anext(walk)


async def test_what_is_new_is_read(mihu, sandbox):
    """A new status is kept, and a field that becomes null is None."""
    sandbox.faults.add(UnknownEnum("status", "quarantined"))
    sandbox.faults.add(NullFields("billing", "type"))
    new = await mihu.numbers.list(per_page=1).first()
    null = await mihu.numbers.list(per_page=1).first()

    assert "quarantined" == new.status
    assert not new.status.is_known
    assert (None, None) == (null.billing, null.type)


def spoil(document):
    """Write two things so that they cannot be read, and one as PHP writes it."""
    document["data"]["items"][3]["billing"]["monthly_fee"] = "a lot"
    document["data"]["items"][4]["number"] = None
    document["data"]["items"][5]["capabilities"] = []
    return document


async def test_what_cannot_be_read_is_named_by_its_path(mihu, sandbox):
    """All else is read, and the page, the last call and the log tell of it."""
    sandbox.faults.add(Change(spoil), times=None)
    page = await mihu.numbers.list()

    assert len(sandbox.inventory.numbers) == len(page)
    assert [
        "$.data.items[3].billing.monthly_fee must be a finite number, not text",
        "$.data.items[4].number is missing",
    ] == [str(problem) for problem in page.problems]
    assert (2, 0) == (page.problem_count, page.left_out)
    assert page.problems == mihu.last_call.problems
    assert page.items[3].billing.monthly_fee is None


async def test_a_strict_client_raises_what_cannot_be_read(mihu, sandbox):
    """After one request: the next one would bring the same."""
    sandbox.faults.add(Change(spoil), times=None)
    with pytest.raises(DecodeError) as caught:
        await mihu.with_options(strict=True).numbers.list()

    assert ("$.data.items[3].billing.monthly_fee", "$.data.items[4].number") == caught.value.paths
    assert 1 == len(caught.value.attempts) == len(sandbox.journal)
    assert await mihu.with_options(strict=True).with_options(strict=False).numbers.list()


async def test_a_purchase_that_was_made_is_given_though_its_date_is_odd(mihu, sandbox):
    """The date is None and a problem; a lost answer is found among rows that are odd themselves."""

    def undated(document):
        document["data"]["purchased_at"] = "2026-13-45"
        return document

    sandbox.faults.add(Change(undated), method="POST")
    bought = await mihu.numbers.buy(number="+390790080041", country_code="IT", type="local")
    problems = mihu.last_call.problems

    assert bought.purchased_at is None
    assert ["$.data.purchased_at must be an RFC 3339 time with an offset"] == [str(problem) for problem in problems]


@pytest.mark.parametrize("strict", [False, True])
async def test_a_lost_purchase_is_found_beside_odd_rows(mihu, sandbox, strict):
    """An odd field of its own costs nothing either, and a lookup is never strict."""

    def odd(document):
        for row in document["data"]["items"]:
            row.update(capabilities=[], billing="free", location=5)
        document["data"]["items"].append({"number": 5})
        return document

    sandbox.faults.play("lost-purchase")
    sandbox.faults.add(Change(odd), method="GET", times=None)
    careful = mihu.with_options(strict=strict)
    found = await careful.numbers.buy(number="+390790080042", country_code="IT", type="local")

    assert "+390790080042" == found.number
    assert found.billing is None
    assert careful.last_call.found
    assert 1 == sum(row["number"] == "+390790080042" for row in sandbox.inventory.numbers)


async def test_any_endpoint_can_be_called(mihu, sandbox):
    """The data is what the service sent, and its refusals are the same errors."""
    page = await mihu.request("GET", "/api/v1/phone-numbers/trunks", query={"per_page": 5, "page": 2})

    assert [row["number"] for row in sandbox.inventory.trunks[5:10]] == [row["number"] for row in page["items"]]
    with pytest.raises(ValidationError) as caught:
        await mihu.request("GET", "/phone-numbers", query={"per_page": 101})
    assert "per_page" in caught.value.fields
    with pytest.raises(APIError):
        await mihu.request("DELETE", "/phone-numbers")


async def test_a_hanging_call_can_be_cancelled(mihu, sandbox):
    """The client works on, on the same loop."""
    sandbox.faults.add(Hang())
    task = asyncio.create_task(mihu.numbers.list().collect())
    while not sandbox.journal:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert 57 == len(await mihu.numbers.list().collect())


@pytest.mark.parametrize("ending", ["break", "error", "end"])
async def test_every_connection_goes_back_however_a_walk_ends(sandbox, ending):
    """After the block no connection is out, and the session serves the next call."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8)) as session:
        mihu = MihuClient(sandbox.token, base_url=sandbox.base_url, session=session, concurrency=8)
        with suppress(KeyError):
            async with mihu.numbers.list(per_page=2) as pager:
                async for _ in pager:
                    if ending == "break" and pager.report.pages > 3:
                        break
                    if ending == "error" and pager.report.pages > 3:
                        raise KeyError
        assert 0 == connections_in_use(session)

        assert 57 == len(await mihu.numbers.list().collect())


async def test_a_pending_number_is_waited_for():
    """It is bought as pending, found so, and given once it is active; before that, the wait says what it saw."""
    async with (
        Sandbox(numbers=3, trunks=2, activation_delay=3600) as served,
        MihuClient(served.token, base_url=served.base_url) as mihu,
    ):
        bought = await mihu.numbers.buy(**PURCHASE)
        found = await mihu.numbers.find(PURCHASE["number"])
        with pytest.raises(WaitTimeoutError, match="its last known status is 'pending'"):
            await mihu.numbers.wait(PURCHASE["number"], timeout=0.001)
        served.inventory.update(bought.phone_number_uuid, status="active")
        active = await mihu.numbers.wait(PURCHASE["number"])
        trunk = await mihu.numbers.find(served.inventory.trunks[0]["number"])
        nothing = await mihu.numbers.find("+12345678901")

    assert NumberStatus.PENDING == bought.status
    assert bought == found
    assert (NumberStatus.ACTIVE, bought.phone_number_uuid) == (active.status, active.phone_number_uuid)
    assert trunk
    assert trunk.is_external
    assert None is nothing


async def test_a_row_whose_number_cannot_be_read_may_be_the_one_that_is_looked_for(mihu, sandbox):
    """A number that is there is found beside it, and none is said to be missing."""
    sandbox.faults.add(Change(spoil_the_first_number), method="GET", times=None)
    there = sandbox.inventory.numbers[1]["number"]

    found = await mihu.numbers.find(there)
    assert found is None or there == found.number
    with pytest.raises(MihuError, match="the number of a row cannot be read, so \\+390790080041 may be that row"):
        await mihu.numbers.find("+390790080041")


def spoil_the_first_number(document):
    """Write the number of a page's first row as none."""
    if len(document["data"]["items"]) > 1:
        document["data"]["items"][0]["number"] = 5
    return document


async def test_a_walk_goes_on_over_odd_rows_and_counts_them(sandbox, caplog):
    """One warning names the first places; a row that is nothing leaves the walk without its proof."""
    problems: list[tuple[int, tuple[str, ...]]] = []
    hooks = Hooks(on_page=lambda page, _: problems.append((page.number, tuple(map(str, page.problems)))))

    def odd(document):
        items = document["data"]["items"]
        items[0]["capabilities"] = []
        items[1]["status"] = 5
        if document["data"]["pagination"]["current_page"] == 2:
            items.append({})
        return document

    sandbox.faults.add(Change(odd), times=None)
    async with MihuClient(sandbox.token, base_url=sandbox.base_url, hooks=hooks) as mihu:
        pager = mihu.numbers.list(per_page=20)
        numbers = await pager.collect()

    assert len(sandbox.inventory.numbers) == len(numbers)
    assert pager.report.pages + 1 == pager.report.problems
    assert pager.report.complete is False
    assert ("$.data.items[1].status must be text, not a whole number",) == problems[0][1]
    assert 1 == sum("(report.problems counts" in record.getMessage() for record in caplog.records)
    assert "rows of its answers could not be read at all" in caplog.records[-1].getMessage()


async def test_a_walk_over_what_php_writes_is_proved(sandbox):
    """Nothing of it is a problem."""

    def odd(document):
        for row in document["data"]["items"]:
            row["capabilities"] = []
        said = document["data"]["pagination"]
        said.update({name: str(value) for name, value in said.items() if type(value) is int})
        return document

    sandbox.faults.add(Change(odd), times=None)
    async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        pager = mihu.numbers.list(per_page=20)
        numbers = await pager.collect()

    assert len(sandbox.inventory.numbers) == len(numbers)
    assert (0, True, 3) == (pager.report.problems, pager.report.complete, pager.report.pages)
