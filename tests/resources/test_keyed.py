"""Purchases under a key: bought once, whichever process asks, and whatever became of the one that began."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest
from attrs import evolve

from mihu_async import (
    Address,
    APIError,
    Attempt,
    ConflictError,
    ConnectError,
    ConnectTimeoutError,
    DryRun,
    LedgerError,
    MihuClient,
    NotFoundError,
    OutcomeUnknownError,
    RecoveryOutcome,
    RequestTimeoutError,
    RequirementValue,
    RetryPolicy,
    Timeout,
    UsageError,
    ValidationError,
)
from mihu_async.core.clock import SystemClock
from mihu_async.core.request import describe
from mihu_async.core.server_clock import TimeInterval
from mihu_async.ledger import Claim, Entry, SqliteLedger, Standing, sqlite
from mihu_async.ledger.database import Database
from mihu_async.models.numbers import PhoneNumber
from mihu_async.resources.keyed import changed_nothing, purchase_fingerprint
from mihu_async.resources.resumed import prolonged, redated
from mihu_async.sandbox import Hang, Reset, Sandbox, Status
from tests.internals import pipeline_of, with_pipeline
from tests.virtual import in_virtual_time

NUMBER, OTHER = "+390790080041", "+390790080042"
PURCHASE: dict[str, Any] = {"number": NUMBER, "country_code": "IT", "type": "local"}
KEY = "order-4711"
BOUNDS = Timeout(total=20, read=5)
SHORT_READ = Timeout(total=20, read=0.3)
FINGERPRINT = purchase_fingerprint(describe("POST", "/phone-numbers", PhoneNumber, json=PURCHASE))
HOUR = timedelta(hours=1)
DURING = HOUR - timedelta(seconds=5)
"""So long ago a purchase was made that its process began an hour ago."""


class Shelf:
    """A ledger in memory, which counts what is durable and can be made to fail."""

    lease = 60.0

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.owners: dict[str, str] = {}
        self.steps: list[str] = []
        self.broken: set[str] = set()
        self.renewed = asyncio.Event()

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.broken:
            raise LedgerError("It is broken. Nothing was sent.") from OSError("no space left")

    async def find(self, key):
        self._step("find")
        return self.entries.get(key)

    async def take(self, entry, owner):
        self._step("take")
        is_new = entry.key not in self.entries
        for other in self.entries.values():
            there = (other.workspace, other.number, other.state)
            if is_new and there == (entry.workspace, entry.number, "begun"):
                return Claim(Standing.BUSY, other)
        found = self.entries.setdefault(entry.key, entry)
        if (found.workspace, found.fingerprint) != (entry.workspace, entry.fingerprint):
            return Claim(Standing.OTHER, found)
        if found.state == "settled":
            return Claim(Standing.SETTLED, found)
        if entry.key in self.owners:
            return Claim(Standing.HELD, found)
        self.owners[entry.key] = owner
        return Claim(Standing.NEW if is_new else Standing.RESUMED, found)

    async def redate(self, entry, owner):
        self._step("redate")
        if self.owners.get(entry.key) != owner:
            return False
        self.entries[entry.key] = evolve(self.entries[entry.key], began=entry.began, ends=entry.ends)
        return True

    async def renew(self, key, owner):
        self.renewed.set()
        self._step("renew")
        return self.owners.get(key) == owner

    async def settle(self, entry):
        self._step("settle")
        if await self._settled(entry.workspace, entry.phone_number_uuid):
            return False
        if self.entries.get(entry.key, entry).number != entry.number or entry.key not in self.entries:
            return False
        self.entries[entry.key] = entry
        self.owners.pop(entry.key, None)
        return True

    async def release(self, key, owner):
        self._step("release")
        if self.owners.get(key) == owner:
            del self.entries[key], self.owners[key]

    async def let_go(self, key, owner):
        self._step("let_go")
        self.owners.pop(key, None)

    async def bought_by(self, workspace, phone_number_uuid):
        self._step("bought_by")
        return await self._settled(workspace, phone_number_uuid)

    async def _settled(self, *bought):
        return next((k for k, one in self.entries.items() if (one.workspace, one.phone_number_uuid) == bought), None)

    async def forget(self, key):
        self._step("forget")
        return self.owners.get(key) is None and self.entries.pop(key, None) is not None

    async def begun(self):
        self._step("begun")
        return [entry for entry in self.entries.values() if entry.state == "begun"]


@pytest.fixture
async def sandbox():
    """A workspace with a number or two."""
    async with Sandbox(numbers=3, trunks=1) as served:
        yield served


@pytest.fixture
def shelf():
    """A ledger that shows what is done with it."""
    return Shelf()


@pytest.fixture
async def mihu(sandbox, shelf):
    """An impatient client with that ledger."""
    async with connect(sandbox, shelf) as connected:
        yield connected


def connect(sandbox, ledger, **options) -> MihuClient:
    """Make an impatient client."""
    given: dict[str, Any] = {"retries": RetryPolicy(base_delay=0), "timeout": BOUNDS} | options
    return MihuClient(sandbox.token, base_url=sandbox.base_url, ledger=ledger, **given)


def sent(sandbox, method="POST") -> int:
    """Count the requests of a verb that arrived."""
    return sum(entry.method == method for entry in sandbox.journal)


def begun(mihu, **fields) -> Entry:
    """Return the entry of a process that died a while ago."""
    workspace = pipeline_of(mihu).base_url
    given: dict[str, Any] = {"key": KEY, "workspace": workspace, "number": NUMBER, "fingerprint": FINGERPRINT}
    began = datetime.now(UTC) - HOUR
    return Entry(**given | {"began": began, "ends": began + timedelta(seconds=BOUNDS.total)} | fields)


# Once


async def test_the_same_key_again_gives_the_number_and_buys_nothing(sandbox, mihu, shelf):
    """A settled key sends reads only, and shows the number as it is now."""
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    sandbox.inventory.update(bought.phone_number_uuid, status="inactive")
    again = await mihu.numbers.buy(**PURCHASE, monthly_fee=3, location="Sassari", idempotency_key=KEY)

    assert bought.phone_number_uuid == again.phone_number_uuid
    assert "inactive" == again.status
    assert 1 == sent(sandbox)
    assert ["find", "take", "settle", "find", "take"] == shelf.steps


async def test_an_entry_holds_what_it_must_and_no_more(sandbox, mihu, shelf):
    """It says which number, since when on the service's clock, and nothing of the buyer."""
    address = Address(street_address="1 High Street", locality="London", country_code="GB")
    purchase = PURCHASE | {
        "address": address,
        "requirements": [RequirementValue(key="business_name", value="ACME Ltd")],
    }
    before = datetime.now(UTC)
    bought = await mihu.numbers.buy(**purchase, idempotency_key=KEY)
    entry = shelf.entries[KEY]

    assert (KEY, NUMBER, "settled", bought.phone_number_uuid) == (
        entry.key,
        entry.number,
        entry.state,
        entry.phone_number_uuid,
    )
    assert entry.began
    assert timedelta(seconds=-3) < entry.began - before < timedelta(seconds=3)
    assert "High" not in repr(entry)
    assert "ACME" not in repr(entry)


async def test_tasks_that_ask_together_get_one_number(sandbox, mihu):
    """Whoever comes second waits until it is settled."""
    calls = [mihu.numbers.buy(**PURCHASE, idempotency_key=KEY) for _ in range(5)]
    numbers = await asyncio.gather(*calls)

    assert 1 == len({number.phone_number_uuid for number in numbers})
    assert 1 == sent(sandbox)


async def test_without_a_key_a_ledger_is_not_used(mihu, shelf):
    """A purchase without a key costs nothing more."""
    await mihu.numbers.buy(**PURCHASE)

    assert [] == shelf.steps


async def test_a_purchase_writes_twice_to_a_file(sandbox, tmp_path, monkeypatch):
    """A key costs two durable writes: one before the purchase leaves, and one after it."""
    durable = []

    class Counted(Database):
        def run(self, action, **options):
            durable.append(options.get("durable", False))
            return super().run(action, **options)

    monkeypatch.setattr(sqlite, "Database", Counted)
    async with SqliteLedger(tmp_path / "purchases.db") as ledger, connect(sandbox, ledger) as mihu:
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 2 == sum(durable)


async def test_a_purchase_that_is_prepared_takes_a_key(sandbox, mihu, shelf):
    """What an offer's purchase is given is that of ``buy``."""
    offer = await mihu.numbers.search("GB", "mobile").first()
    purchase = await mihu.numbers.prepare(offer)
    for asked in purchase.unanswered:
        purchase = purchase.answer(asked.label, **{asked.takes[0]: "2000-01-01"})
    bought = await purchase.commit(idempotency_key=KEY)
    again = await purchase.commit(idempotency_key=KEY)

    assert bought.phone_number_uuid == again.phone_number_uuid
    assert offer
    assert offer.number == shelf.entries[KEY].number


# What is refused


async def test_a_client_with_another_ledger_remembers_there(mihu, shelf):
    """Its own stays as it is, and a client made from the new one has the new one's."""
    other = Shelf()
    await mihu.with_options(ledger=other).with_options(strict=True).numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert [KEY] == list(other.entries)
    assert {} == shelf.entries


async def test_a_key_without_a_ledger_is_refused(sandbox):
    """The error says how to get one."""
    async with connect(sandbox, None) as mihu:
        with pytest.raises(UsageError, match=r"SqliteLedger\('purchases.db'\).*Nothing was sent") as refused:
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
        with pytest.raises(UsageError, match="needs a ledger"):
            [_ async for _ in mihu.numbers.recover()]

    assert "ledger" == refused.value.argument
    assert 0 == len(sandbox.journal)


@pytest.mark.parametrize("ledger", ["purchases.db", object(), SqliteLedger], ids=["path", "object", "class"])
def test_a_ledger_must_be_one(ledger):
    """What has none of its methods is refused when the client is made."""
    with pytest.raises(UsageError, match=r"must be a ledger, such as SqliteLedger") as refused:
        MihuClient("token", subdomain="acme", ledger=ledger)

    assert "ledger" == refused.value.argument


@pytest.mark.parametrize(
    "other",
    [{"number": OTHER}, {"type": "mobile"}, {"requirements": [RequirementValue(key="k", value="v")]}],
    ids=["number", "type", "answers"],
)
async def test_a_key_names_one_purchase(sandbox, mihu, other):
    """Another request under a key that was used is a UsageError, and nothing is sent."""
    await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    with pytest.raises(UsageError, match=rf"with another request, for \{NUMBER}. Nothing was sent"):
        await mihu.numbers.buy(**PURCHASE | other, idempotency_key=KEY)

    assert 1 == sent(sandbox)


async def test_two_workspaces_that_give_the_same_ids_share_a_ledger(sandbox, tmp_path):
    """Each key settles for its own number, as after a restart of a sandbox, and an interrupted purchase is found."""
    async with (
        Sandbox(numbers=3, trunks=1) as again,
        SqliteLedger(tmp_path / "purchases.db") as ledger,
        connect(sandbox, ledger) as first,
        connect(again, ledger) as second,
    ):
        bought = await first.numbers.buy(**PURCHASE, idempotency_key="order-1")
        await ledger.take(begun(second, key="order-2", began=datetime.now(UTC) - HOUR), "dead")
        await ledger.let_go("order-2", "dead")
        again.inventory.insert(
            number=NUMBER, purchased_at=datetime.now(UTC) - DURING, phone_number_uuid=bought.phone_number_uuid
        )
        found = await second.numbers.buy(**PURCHASE, idempotency_key="order-2")
        entry = await ledger.find("order-2")

    assert bought.phone_number_uuid == found.phone_number_uuid
    assert entry
    assert ("settled", bought.phone_number_uuid) == (entry.state, entry.phone_number_uuid)
    assert 0 == sent(again)


async def test_a_key_belongs_to_a_workspace(sandbox, mihu, shelf):
    """A ledger may serve several workspaces, and a key is used in one of them; recovery leaves the others alone."""
    shelf.entries[KEY] = begun(mihu, workspace="https://other.mihu.ai/api/v1")
    with pytest.raises(UsageError, match=r"in another workspace \(https://.*\), for .* or a ledger of its own"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    recovered = [found async for found in mihu.numbers.recover()]

    assert [] == recovered


async def test_a_dry_run_leaves_the_ledger_alone(sandbox, shelf):
    """What is not sent takes no key."""
    async with connect(sandbox, shelf, dry_run=True) as mihu:
        with pytest.raises(DryRun):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert [] == shelf.steps


# What frees a key


async def test_a_refusal_that_changed_nothing_frees_the_key(sandbox, mihu, shelf):
    """A corrected request may use the key again."""
    sandbox.faults.add(Status(422), method="POST")
    with pytest.raises(ValidationError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    free = dict(shelf.entries)
    bought = await mihu.numbers.buy(**PURCHASE | {"number": OTHER}, idempotency_key=KEY)

    assert {} == free
    assert OTHER == bought.number


async def test_what_never_connected_frees_the_key(sandbox, shelf):
    """Nothing was sent, so nothing is to be looked up; a service whose time cannot be read sends nothing either."""
    async with connect(sandbox, shelf, retries=RetryPolicy(max_attempts=1)) as mihu:
        await sandbox.stop()
        with pytest.raises(ConnectError):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert {} == shelf.entries
    assert "take" not in shelf.steps


LOST = Attempt(1, datetime(2026, 1, 1, tzinfo=UTC), 0.1, 500, "lost", lost=True)
REFUSAL: dict[str, Any] = {"method": "POST", "url": "/", "status": 409}


@pytest.mark.parametrize(
    ("error", "attempts", "is_sure"),
    [
        (UsageError("the token's function gave none"), (), True),
        (APIError("", **REFUSAL), (evolve(LOST, lost=False),), True),
        (APIError("", **REFUSAL), (LOST,), False),
        (ConflictError("", **REFUSAL), (LOST,), True),
        (ConnectError("", method="POST", url="/"), (), True),
        (RequestTimeoutError("", method="POST", url="/"), (), False),
        (OutcomeUnknownError("", method="POST", url="/", how_to_check=""), (LOST,), False),
    ],
    ids=["usage", "refused", "refused-after-lost", "conflict", "never-connected", "timeout", "unknown"],
)
def test_which_errors_surely_changed_nothing(error, attempts, is_sure):
    """A key is freed where the purchase cannot have been made, or the number is known to be somebody else's."""
    assert is_sure == changed_nothing(error.after(attempts, ""))


async def test_an_unknown_outcome_keeps_the_key_for_the_next_call(sandbox, mihu, shelf):
    """The key is let go, begun, and the next call finds what was bought by looking."""
    sandbox.faults.add(Status(500, after=True), method="POST")
    sandbox.faults.add(Status(403), method="GET", path="/phone-numbers", times=30, skip=1)
    with pytest.raises(OutcomeUnknownError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    entry = shelf.entries[KEY]
    sandbox.faults.clear()
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert "begun" == entry.state
    assert "let_go" in shelf.steps
    assert "settled" == shelf.entries[KEY].state
    assert NUMBER == bought.number
    assert 1 == sent(sandbox)


async def test_a_call_that_is_cancelled_leaves_its_key_to_the_next_one(sandbox, mihu, shelf):
    """What may have been sent is looked up by whoever comes next."""
    sandbox.faults.add(Hang(after=True), method="POST")
    call = asyncio.create_task(mihu.numbers.buy(**PURCHASE, idempotency_key=KEY))
    while not sent(sandbox):
        await asyncio.sleep(0.001)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert NUMBER == bought.number
    assert 1 == sent(sandbox)


# What a dead process left


async def test_what_a_dead_process_bought_is_found(sandbox, mihu, shelf):
    """The number is looked up before anything is sent, and is given where it was bought since the entry began."""
    shelf.entries[KEY] = begun(mihu)
    row = sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - DURING)
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    report = mihu.last_call

    assert row["phone_number_uuid"] == bought.phone_number_uuid == shelf.entries[KEY].phone_number_uuid
    assert 0 == sent(sandbox)
    assert report
    assert report.found


@pytest.mark.parametrize("attempts", [1, 4])
async def test_what_a_dead_process_did_not_buy_is_bought(sandbox, shelf, attempts):
    """A number that the lookup does not find is bought, once; the attempt that is played is not the policy's."""
    async with connect(sandbox, shelf, retries=RetryPolicy(max_attempts=attempts, base_delay=0)) as mihu:
        shelf.entries[KEY] = begun(mihu)
        bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert bought.phone_number_uuid == shelf.entries[KEY].phone_number_uuid
    assert 1 == sent(sandbox)


async def test_what_a_dead_process_sent_may_come_late(sandbox, mihu, shelf):
    """A refusal after a process died may mean that its purchase came late: it is looked up, and found."""
    shelf.entries[KEY] = begun(mihu)
    inserted = []

    class Late(Status):
        async def around(self, exchange):
            inserted.append(sandbox.inventory.insert(number=NUMBER))
            return await super().around(exchange)

    sandbox.faults.add(Late(422), method="POST")
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert inserted[0]["phone_number_uuid"] == bought.phone_number_uuid
    assert 1 == len(sandbox.inventory.numbers) - 3


async def test_a_number_of_somebody_else_frees_the_key(sandbox, mihu, shelf):
    """What was bought before the entry began is a conflict, and the key may be used for another number."""
    shelf.entries[KEY] = begun(mihu)
    sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - 48 * HOUR)
    with pytest.raises(ConflictError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert {} == shelf.entries


async def test_a_beginning_that_is_not_known_does_not_tell(sandbox, mihu, shelf):
    """Without the moment when it began, a number that is there is neither claimed nor bought again."""
    shelf.entries[KEY] = begun(mihu, began=None, ends=None)
    sandbox.inventory.insert(number=NUMBER)
    with pytest.raises(OutcomeUnknownError, match="idempotency key 'order-4711' has begun this purchase"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert "begun" == shelf.entries[KEY].state
    assert 0 == sent(sandbox)


async def test_a_number_that_is_no_longer_there_is_not_bought_again(sandbox, mihu):
    """A settled key whose number was released says so."""
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    sandbox.inventory.delete(bought.phone_number_uuid)
    sandbox.inventory.insert(number=NUMBER)
    with pytest.raises(
        NotFoundError, match=r"no longer in the inventory under this id. Nothing was sent.*under another id"
    ) as gone:
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert bought.phone_number_uuid in str(gone.value)
    assert 1 == sent(sandbox)


# Two keys and one number


async def test_a_number_that_another_key_has_begun_is_not_bought(sandbox, mihu, shelf):
    """A lookup could not tell whose it is, so nothing is sent, and the error says what to do."""
    shelf.entries["order-1"] = begun(mihu, key="order-1")
    with pytest.raises(ConflictError, match=r"'order-1' has begun to buy it.*numbers.recover\(\)"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sent(sandbox)
    assert ["order-1"] == list(shelf.entries)


async def test_a_number_that_another_key_has_bought_is_not_claimed(sandbox, mihu, shelf):
    """A lookup that shows what another key has bought meanwhile is a conflict, and frees the key; so in recovery."""
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key="order-1")
    shelf.entries[KEY] = begun(mihu)
    with pytest.raises(ConflictError, match="in the inventory, bought by another call"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    free = KEY not in shelf.entries
    shelf.entries[KEY] = begun(mihu)

    assert free
    assert {KEY: RecoveryOutcome.NOT_BOUGHT} == await outcomes(mihu)
    assert bought.phone_number_uuid == shelf.entries["order-1"].phone_number_uuid
    assert KEY not in shelf.entries


async def test_a_number_that_another_key_settles_meanwhile_is_not_claimed(sandbox, mihu, shelf, monkeypatch):
    """A lookup can be overtaken, but the ledger itself refuses to settle one number under two keys."""
    async with connect(sandbox, shelf) as other:
        await other.numbers.buy(**PURCHASE, idempotency_key="order-1")
    shelf.entries[KEY] = begun(mihu, began=datetime.now(UTC) - timedelta(seconds=2), ends=None)
    monkeypatch.setattr(shelf, "bought_by", AsyncMock(side_effect=[None, "order-1"]))
    with pytest.raises(ConflictError, match="bought with another idempotency key"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert ["order-1"] == list(shelf.entries)


async def test_a_recent_purchase_of_another_key_does_not_block_a_key_for_ever(sandbox, mihu, shelf):
    """The date of a number that was bought seconds ago does not tell whose it is, but the ledger does."""
    row = sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - timedelta(seconds=10))
    other = begun(mihu, key="order-1")
    shelf.entries["order-1"] = evolve(other, state="settled", phone_number_uuid=row["phone_number_uuid"])
    sandbox.faults.add(Status(500), method="POST")
    with pytest.raises(ConflictError, match="in the inventory, bought by another call"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert ["order-1"] == list(shelf.entries)


async def test_a_number_that_another_call_of_the_client_has_bought_is_not_claimed(sandbox, mihu, shelf):
    """A purchase without a key falls into the time of a key that has begun the same number: the client knows whose."""
    sandbox.faults.add(Status(500), method="POST")
    sandbox.faults.add(Status(403), method="GET", path="/phone-numbers", times=30, skip=1)
    with pytest.raises(OutcomeUnknownError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    sandbox.faults.clear()
    await mihu.numbers.buy(**PURCHASE)
    with pytest.raises(ConflictError, match="in the inventory, bought by another call"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert {} == shelf.entries


async def test_a_call_that_looks_again_finds_what_its_key_has_bought(sandbox, mihu, shelf):
    """A later call with the key bought the number: it is the key's, and no conflict."""
    sandbox.faults.add(Status(500), method="POST")
    sandbox.faults.add(Status(403), method="GET", path="/phone-numbers", times=30, skip=1)
    with pytest.raises(OutcomeUnknownError) as unknown:
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    sandbox.faults.clear()
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    found = [await unknown.value.check()]
    shelf.entries.clear()
    found.append(await unknown.value.check())

    assert [bought.phone_number_uuid] * 2 == [number and number.phone_number_uuid for number in found]


# A key that is held


async def test_a_key_that_is_held_is_waited_for_within_the_call_s_time(sandbox, shelf):
    """Where the other call holds it for longer, nothing is sent, and the error says what to do."""
    async with connect(sandbox, shelf, timeout=Timeout(total=0.3)) as mihu:
        shelf.entries[KEY], shelf.owners[KEY] = begun(mihu), "another"
        with pytest.raises(ConnectTimeoutError, match=r"holds the idempotency key 'order-4711'.*Call again"):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sent(sandbox)
    assert shelf.steps.count("take") > 2


async def test_a_lease_is_renewed_while_the_call_goes_on(sandbox, shelf, caplog):
    """A slow purchase keeps its key, also where a renewal fails."""
    mihu = connect(sandbox, shelf, timeout=SHORT_READ)
    shelf.lease = 0.03
    shelf.broken = {"renew"}
    sandbox.faults.add(Hang(after=True), method="POST")
    with caplog.at_level(logging.WARNING, "mihu_async"):
        bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    await mihu.aclose()

    assert NUMBER == bought.number
    assert shelf.renewed.is_set()
    shelf.renewed.clear()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(shelf.renewed.wait(), 3 * shelf.lease)
    assert "could not renew the lease of a key: no space left" in caplog.text


# A ledger that fails


@pytest.mark.parametrize("step", ["find", "take"])
async def test_a_ledger_that_cannot_be_used_sends_nothing(sandbox, mihu, shelf, step):
    """There is no purchase without its protection."""
    shelf.broken = {step}
    with pytest.raises(LedgerError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sent(sandbox)


async def test_an_outcome_that_cannot_be_written_is_logged(sandbox, mihu, shelf, caplog):
    """The number is given all the same, and the next call finds it by looking."""
    shelf.broken = {"settle"}
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    shelf.broken = set()
    shelf.owners.clear()
    again = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert bought.phone_number_uuid == again.phone_number_uuid
    assert "the ledger could not record it" in caplog.text
    assert "settled" == shelf.entries[KEY].state
    assert 1 == sent(sandbox)


async def test_a_key_that_cannot_be_freed_is_logged(sandbox, mihu, shelf, caplog):
    """The refusal is raised all the same."""
    shelf.broken = {"release", "let_go"}
    sandbox.faults.add(Status(403), method="POST")
    with pytest.raises(APIError):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 2 == caplog.text.count("could not release a key")


class Overtaken(Shelf):
    """A ledger in which another call has begun another number under the key just before."""

    number = ""

    async def take(self, entry, owner):
        self.entries.setdefault(entry.key, evolve(entry, number=self.number))
        return await super().take(entry, owner)


async def test_a_key_that_has_begun_another_number_buys_that_one(sandbox):
    """An earlier call may have chosen another number for the same acquisition meanwhile."""
    shelf = Overtaken()
    async with connect(sandbox, shelf) as mihu:
        _, other, *_ = await mihu.numbers.search("US", "local").collect()
        shelf.number = other.number
        bought = await mihu.numbers.acquire("US", "local", idempotency_key=KEY)

    assert other.number == bought.number
    assert [other.number] == [entry.json["number"] for entry in sandbox.journal.select(method="POST")]


# Recovery


async def outcomes(mihu) -> dict[str, RecoveryOutcome]:
    """Recover, and return what came of each key."""
    return {found.entry.key: found.outcome async for found in mihu.numbers.recover()}


async def test_recovery_settles_what_was_bought_and_frees_the_rest(sandbox, mihu, shelf):
    """Each entry that a dead process left is looked up, and no purchase is sent."""
    numbers = {"bought": NUMBER, "taken": OTHER, "absent": "+390790080043", "held": "+390790080044"}
    shelf.entries = {key: begun(mihu, key=key, number=number) for key, number in numbers.items()}
    shelf.owners["held"] = "alive"
    row = sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - DURING)
    sandbox.inventory.insert(number=OTHER, purchased_at=datetime.now(UTC) - 48 * HOUR)
    found = [recovered async for recovered in mihu.numbers.recover()]

    assert {"bought": "bought", "taken": "not_bought", "absent": "not_bought", "held": "under_way"} == {
        one.entry.key: one.outcome for one in found
    }
    assert [row["phone_number_uuid"], None, None, None] == [
        one.number and one.number.phone_number_uuid for one in found
    ]
    assert {"bought": "settled", "held": "begun"} == {key: entry.state for key, entry in shelf.entries.items()}
    assert {"held": "alive"} == shelf.owners
    assert 0 == sent(sandbox)


async def test_recovery_waits_for_what_may_still_come(sandbox, mihu, shelf):
    """A number that is not there is not given up while the purchase is younger than a call may take."""
    shelf.entries[KEY] = begun(mihu, began=datetime.now(UTC), ends=datetime.now(UTC))
    young = await outcomes(mihu)
    shelf.entries[KEY] = begun(mihu, began=None, ends=None)
    undated = await outcomes(mihu)
    shelf.entries[KEY] = begun(mihu, ends=datetime.now(UTC))
    resumed = await outcomes(mihu), await outcomes(mihu)

    assert {KEY: RecoveryOutcome.UNKNOWN} == young == undated
    assert ({KEY: RecoveryOutcome.UNKNOWN},) * 2 == resumed
    assert "begun" == shelf.entries[KEY].state
    assert {} == shelf.owners


async def test_recovery_leaves_what_cannot_be_looked_up(sandbox, mihu, shelf):
    """Where the look fails, the entry stays as it is, and the reason says why."""
    shelf.entries[KEY] = begun(mihu)
    sandbox.faults.add(Status(403), method="GET", times=30)
    (found,) = [recovered async for recovered in mihu.numbers.recover()]

    assert RecoveryOutcome.UNKNOWN == found.outcome
    assert "lookup failed" in found.reason
    assert "begun" == shelf.entries[KEY].state


@pytest.mark.parametrize(("bought", "outcome"), [(DURING, "bought"), (48 * HOUR, "not_bought")], ids=["ours", "not"])
async def test_recovery_finds_what_shows_up_between_its_looks(sandbox, mihu, shelf, bought, outcome):
    """A number that the first look misses, and the second one shows, is judged by that."""
    shelf.entries[KEY] = begun(mihu, began=None, ends=None)
    await outcomes(mihu)  # to know how often it looks
    looks = len(sandbox.journal)
    sandbox.journal.clear()
    shelf.entries[KEY] = begun(mihu)

    class Lagging(Status):
        async def around(self, exchange):
            answer = await exchange.apply()
            if not sandbox.faults.pending:
                sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - bought)
            return answer

    sandbox.faults.add(Lagging(200), method="GET", times=looks - 2)

    assert {KEY: outcome} == await outcomes(mihu)


async def test_recovery_passes_over_what_another_one_took(sandbox, mihu, shelf):
    """Several may recover at a time: each entry is one's alone."""
    shelf.entries[KEY] = entry = begun(mihu)
    recovering = mihu.numbers.recover()
    listed = shelf.begun

    async def overtaken():
        found = await listed()
        shelf.entries[KEY] = evolve(entry, state="settled", phone_number_uuid="u")
        return found

    shelf.begun = overtaken

    assert [] == [found async for found in recovering]


async def test_recovery_needs_its_ledger(mihu, shelf):
    """A ledger that cannot be read is an error."""
    shelf.broken = {"begun"}
    with pytest.raises(LedgerError):
        await outcomes(mihu)


# What a worker that stood still, or a ledger that does, may not do


class Paused:
    """Refuses with 429 once, and does something meanwhile, as another process does while this one stands still."""

    def __init__(self, meanwhile) -> None:
        self.meanwhile = meanwhile

    async def around(self, exchange):
        self.meanwhile()
        return await Status(429, retry_after=0).around(exchange)


async def test_a_call_that_has_lost_its_key_sends_no_purchase(sandbox, shelf):
    """A process that stood still for longer than its lease finds its key freed; another call may have bought by now."""

    def free() -> None:
        shelf.entries.clear()
        shelf.owners.clear()
        shelf.lease = 0.0  # it has run out

    sandbox.faults.add(Paused(free), method="POST")
    async with connect(sandbox, shelf) as mihu:
        with pytest.raises(ConnectError, match=r"another call may hold its key.*suspended") as lost:
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sum(row["number"] == NUMBER for row in sandbox.inventory.numbers)
    assert lost.value.is_permanent
    assert not lost.value.may_have_changed


class Calendar(SystemClock):
    """A clock whose calendar can jump, while its monotonic time does not."""

    slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)


async def test_a_machine_that_slept_asks_for_its_key_before_the_purchase(sandbox, shelf):
    """The monotonic clock may stand still meanwhile, and the lease has run out by the calendar."""
    clock = Calendar()

    def sleep() -> None:
        clock.slept = 2 * shelf.lease
        shelf.entries.clear()
        shelf.owners.clear()

    sandbox.faults.add(Paused(sleep), method="POST")
    async with with_pipeline(connect(sandbox, shelf), clock=clock) as mihu:
        with pytest.raises(ConnectError, match="another call may hold its key"):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 1 == sent(sandbox)


async def test_a_lease_that_cannot_be_renewed_sends_no_purchase(sandbox, shelf):
    """Without the ledger's word the key may be another call's by now."""
    sandbox.faults.add(Paused(lambda: setattr(shelf, "lease", 0.0)), method="POST")
    shelf.broken = {"renew"}
    async with connect(sandbox, shelf) as mihu:
        with pytest.raises(ConnectError, match="the lease of its key could not be renewed: It is broken"):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 1 == sent(sandbox)


async def test_a_lease_that_is_not_fresh_is_renewed_before_the_purchase(sandbox, shelf):
    """A call that waited long holds its key for another lease, and buys; one that stands still meanwhile does not."""

    def wait() -> None:
        shelf.lease = 0.02
        time.sleep(0.03)

    async with connect(sandbox, shelf) as mihu:
        sandbox.faults.add(Paused(wait), method="POST")
        bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
        shelf.lease = 60.0
        sandbox.faults.add(Paused(lambda: setattr(shelf, "lease", 0.0)), method="POST")
        with pytest.raises(ConnectError, match="suspended"):
            await mihu.numbers.buy(**PURCHASE | {"number": OTHER}, idempotency_key="order-2")

    assert NUMBER == bought.number
    assert "renew" in shelf.steps


@pytest.mark.parametrize("other", [None, OTHER], ids=["free", "another number"])
async def test_a_key_that_was_lost_under_way_is_reclaimed_or_named(sandbox, mihu, shelf, caplog, other):
    """The purchase was sent before the key was lost: it is settled where the key is free, and reported elsewhere."""

    class LosesKey(Status):
        async def around(self, exchange):
            answer = await exchange.apply()
            entry = shelf.entries.pop(KEY)
            shelf.owners.clear()
            if other:
                shelf.entries[KEY] = evolve(entry, number=other)
            return answer

    sandbox.faults.add(LosesKey(201), method="POST")
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert NUMBER == bought.number
    assert ("settled" if other is None else "begun") == shelf.entries[KEY].state
    assert (other is not None) == ("which now stands for +390790080042" in caplog.text)


async def test_a_ledger_that_fails_after_a_lost_key_is_logged(sandbox, mihu, shelf, caplog):
    """The number is bought, and returned."""

    class LosesKey(Status):
        async def around(self, exchange):
            answer = await exchange.apply()
            shelf.entries.clear()
            shelf.broken = {"bought_by"}
            return answer

    sandbox.faults.add(LosesKey(201), method="POST")

    assert NUMBER == (await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)).number
    assert "the ledger cannot record it: It is broken" in caplog.text


@pytest.mark.parametrize("step", ["find", "take"])
async def test_a_ledger_that_hangs_ends_the_call_in_its_time(sandbox, shelf, monkeypatch, step):
    """Before the purchase: nothing was sent."""
    monkeypatch.setattr(shelf, step, hang)
    async with connect(sandbox, shelf, timeout=Timeout(total=0.1)) as mihu:
        with pytest.raises(LedgerError, match=r"did not answer within .* Nothing was sent"):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sent(sandbox)


async def test_an_acquisition_waits_for_a_ledger_as_long_as_for_a_call(sandbox, shelf, monkeypatch):
    """It looks its key up before it searches."""
    monkeypatch.setattr(shelf, "find", hang)
    async with connect(sandbox, shelf, timeout=Timeout(total=0.1)) as mihu:
        with pytest.raises(LedgerError, match="did not answer within"):
            await asyncio.wait_for(mihu.numbers.acquire("IT", "local", idempotency_key=KEY), 5)


@pytest.mark.parametrize("failure", [OSError("gone"), TimeoutError(), asyncio.CancelledError()], ids=repr)
async def test_a_ledger_of_the_callers_own_may_fail_with_any_error(sandbox, mihu, shelf, monkeypatch, caplog, failure):
    """Before the purchase, nothing is sent; after it, the number is returned."""
    broken = AsyncMock(side_effect=failure)
    with monkeypatch.context() as patched:
        patched.setattr(shelf, "take", broken)
        with pytest.raises(LedgerError, match=f"failed with {type(failure).__name__}. Nothing was sent") as caught:
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    assert caught.value.__cause__ is failure
    assert 0 == sent(sandbox)

    monkeypatch.setattr(shelf, "settle", broken)
    assert NUMBER == (await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)).number
    assert "could not record it" in caplog.text


async def test_a_call_that_is_cancelled_at_its_ledger_is_cancelled(mihu, shelf, monkeypatch):
    """The cancellation is the caller's."""
    monkeypatch.setattr(shelf, "find", hang)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)


@in_virtual_time
async def test_a_ledger_that_hangs_after_the_purchase_costs_no_number(shelf, monkeypatch, caplog):
    """The number is returned, and the ledger's silence logged."""
    monkeypatch.setattr(shelf, "settle", hang)
    monkeypatch.setattr(shelf, "let_go", hang)

    async with Sandbox(numbers=3, trunks=1) as sandbox, connect(sandbox, shelf) as mihu:
        assert NUMBER == (await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)).number
    assert "could not record it" in caplog.text
    assert "could not release a key" in caplog.text


async def hang(*_: Any) -> None:
    """Never answer."""
    await asyncio.Event().wait()


# Windows


EARLIER, NOW = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("ended", "own", "times"),
    [
        (NOW - 2 * SECOND, (NOW, NOW + SECOND), (NOW, NOW + SECOND)),
        (NOW - SECOND, (NOW, NOW + SECOND), (EARLIER, NOW + SECOND)),
        (NOW + 2 * SECOND, (NOW, NOW + SECOND), (EARLIER, NOW + 2 * SECOND)),
        (None, (NOW, NOW + SECOND), (EARLIER, NOW + SECOND)),
        (NOW - HOUR, (None, None), (EARLIER, None)),
    ],
    ids=["over", "may still come", "ends later", "end unknown", "time unknown"],
)
def test_a_purchase_that_is_sent_again_is_dated_from_then(mihu, ended, own, times):
    """The time between two calls is neither's, unless the earlier purchase may still come."""
    found = begun(mihu, began=EARLIER, ends=ended)
    entry = redated(found, begun(mihu, began=own[0], ends=own[1]), SECOND)

    assert times == (entry.began, entry.ends)
    assert evolve(found, began=None, ends=None) == evolve(entry, began=None, ends=None)


async def test_a_number_that_was_bought_between_two_calls_of_a_key_is_not_claimed(sandbox, tmp_path):
    """A call that sends nothing adds no time to its key, so a colleague's purchase from before it is not the key's."""
    sandbox.inventory.insert(number=NUMBER, purchased_at=datetime.now(UTC) - 24 * HOUR)
    sandbox.faults.add(Status(403), method="GET", path="/phone-numbers", times=30, skip=1)
    async with SqliteLedger(tmp_path / "purchases.db") as ledger, connect(sandbox, ledger) as mihu:
        entry = begun(mihu, began=datetime.now(UTC) - 48 * HOUR, ends=datetime.now(UTC) - 47 * HOUR)
        await ledger.take(entry, "dead")
        await ledger.let_go(KEY, "dead")
        with pytest.raises(OutcomeUnknownError):
            await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
        kept = await ledger.find(KEY)
        sandbox.faults.clear()

        assert entry == kept
        assert {KEY: RecoveryOutcome.NOT_BOUGHT} == await outcomes(mihu)


async def test_a_call_that_had_to_wait_ends_later(sandbox, mihu, shelf):
    """Time in which the event loop was blocked is not the call's, so the ledger learns that it goes on for longer."""
    entries = []

    def stand_still() -> None:
        entries.append(shelf.entries[KEY])
        time.sleep(0.4)

    sandbox.faults.add(Paused(stand_still), method="POST")
    await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    (before,), after = entries, shelf.entries[KEY]

    assert ["find", "take", "redate", "settle"] == shelf.steps
    assert before.began == after.began
    assert after.ends - before.ends > timedelta(seconds=0.2)


@pytest.mark.parametrize("now", [TimeInterval(NOW, NOW + SECOND), None], ids=["known", "not known"])
@pytest.mark.parametrize("ends", [NOW + 3 * SECOND, NOW + 2.95 * SECOND, NOW + 4 * SECOND, None], ids=str)
def test_an_end_that_is_not_later_stays_as_it_is(mihu, now, ends):
    """Times that the ledger holds already are not written again."""
    entry = begun(mihu, ends=ends)

    assert entry is prolonged(entry, now, 2.0)


async def test_what_a_resumed_purchase_has_sent_is_found_in_its_own_time(sandbox, mihu, shelf):
    """A second process dies, too, after it sent the purchase: a third one finds it."""
    shelf.entries[KEY] = begun(mihu, began=datetime.now(UTC) - 48 * HOUR, ends=datetime.now(UTC) - 47 * HOUR)
    shelf.broken = {"settle"}
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)
    shelf.broken = set()
    entry = shelf.entries[KEY]

    assert "begun" == entry.state
    assert entry.began
    assert datetime.now(UTC) - entry.began < HOUR
    async with connect(sandbox, shelf) as other:
        found = [recovered.number async for recovered in other.numbers.recover()]
    assert [bought.phone_number_uuid] == [number and number.phone_number_uuid for number in found]


async def test_a_resumed_purchase_whose_key_is_lost_is_not_sent(sandbox, mihu, shelf):
    """Its times cannot be written, and another call may buy by now."""
    shelf.entries[KEY] = begun(mihu)

    async def lose(_entry, _owner):
        shelf.owners.clear()
        return False

    shelf.redate = lose
    with pytest.raises(OutcomeUnknownError, match="another call may hold its key"):
        await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert 0 == sent(sandbox)


@pytest.mark.parametrize(
    ("later", "outcome"),
    [(timedelta(minutes=1), "unknown"), (20 * HOUR, "not_bought")],
    ids=["a minute after its end", "the next day"],
)
async def test_a_number_that_was_bought_after_the_call_had_ended_is_not_claimed(sandbox, mihu, shelf, later, outcome):
    """A colleague may have bought it; the longer ago the call ended, the surer that is."""
    began = datetime.now(UTC) - 48 * HOUR
    shelf.entries[KEY] = begun(mihu, began=began, ends=began + timedelta(seconds=20))
    sandbox.inventory.insert(number=NUMBER, purchased_at=began + timedelta(seconds=60) + later)

    assert {KEY: outcome} == await outcomes(mihu)


async def test_a_resumed_purchase_is_found_in_the_time_of_either_call(sandbox, mihu, shelf):
    """The earlier call bought nothing; this one did, and its answer was lost."""
    shelf.entries[KEY] = begun(mihu)
    sandbox.faults.add(Reset(after=True), method="POST")
    bought = await mihu.numbers.buy(**PURCHASE, idempotency_key=KEY)

    assert NUMBER == bought.number
    assert 1 == sent(sandbox)
    assert "settled" == shelf.entries[KEY].state


async def test_recovery_gives_up_no_purchase_that_may_be_applied_late(sandbox, mihu, shelf):
    """A write may be applied for as long again as its call was allowed to take."""
    ended = datetime.now(UTC) - timedelta(seconds=BOUNDS.total / 2)
    shelf.entries[KEY] = begun(mihu, ends=ended)

    assert {KEY: RecoveryOutcome.UNKNOWN} == await outcomes(mihu)
    assert {KEY: RecoveryOutcome.NOT_BOUGHT} == await outcomes_of(mihu, shelf, begun(mihu))


async def outcomes_of(mihu, shelf, entry) -> dict[str, RecoveryOutcome]:
    """Recover one entry alone."""
    shelf.entries = {entry.key: entry}
    return await outcomes(mihu)
