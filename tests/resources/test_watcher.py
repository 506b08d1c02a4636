"""What a watcher tells of a workspace that changes between its walks, and while they go on."""

import asyncio
import base64
import gc
import random
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mihu_async import (
    AuthenticationError,
    Change,
    ChangeKind,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    DecodeError,
    MihuClient,
    NumberStatus,
    Page,
    Pagination,
    PaginationError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    UsageError,
    Watcher,
)
from mihu_async.core.codec import dump, parse
from mihu_async.core.converter import structure
from mihu_async.core.problems import Problems
from mihu_async.models.numbers import Billing, PhoneNumber
from mihu_async.reports import Problem
from mihu_async.resources.held_rows import unread_fields
from mihu_async.resources.watcher import ends, pause_after
from mihu_async.sandbox import Change as Rewrite
from mihu_async.sandbox import Hang, Reset, Sandbox, Status, operations
from tests.doubles import FakeClock
from tests.internals import with_pipeline

Step = Callable[[], object]
WHERE: dict[str, Any] = {"method": "GET", "url": "https://acme.mihu.ai/api/v1/phone-numbers"}


class Nights(FakeClock):
    """Time in which something happens in each wait; when nothing more is to come, the wait never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.idle = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if not self.steps:
            self.idle.set()
            await asyncio.Event().wait()
        self.steps.pop(0)()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A workspace of a few numbers in the test's own loop."""
    async with Sandbox(numbers=5, trunks=3) as served:
        yield served


@pytest.fixture
async def nights() -> Nights:
    """Return the clock."""
    return Nights()


@pytest.fixture
async def mihu(sandbox, nights) -> AsyncIterator[MihuClient]:
    """Return a client whose waits are the clock's, and which tries once."""
    async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(max_attempts=1)) as client:
        yield with_pipeline(client, clock=nights)


def nothing() -> None:
    """Let a night pass."""


def change_of(sandbox: Sandbox, index: int, **fields: Any) -> Step:
    """Make the step that changes a number of the inventory, whatever the API allows."""

    def change() -> None:
        with sandbox.inventory.opened() as ledger:
            ledger.replace(ledger.purchased[index], **fields)

    return change


def clients_tasks() -> set[str]:
    """Name what is under way beside the test and the sandbox's server."""
    names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    return {name for name in names if not name.startswith(("test_", "RequestHandler.", "Service."))}


async def changes_of(watcher: Watcher, count: int) -> list[tuple[str, str]]:
    """Wait for so many changes, and name each."""
    changes = [await anext(watcher) for _ in range(count)]
    return [(change.kind.value, change.number) for change in changes]


async def test_each_change_is_reported_once(sandbox, mihu, nights):
    """The first walk is the base; then a number comes, one changes and one goes, each in a night of its own."""
    first, second, *_ = sandbox.inventory.numbers
    nights.steps = [
        lambda: sandbox.inventory.insert(at=0, number="+390790080041"),
        change_of(sandbox, 2, status="pending"),
        nothing,
        lambda: sandbox.inventory.delete(first["phone_number_uuid"]),
    ]
    async with mihu.numbers.watch(interval=60) as watcher:
        added, changed, removed = [await anext(watcher) for _ in range(3)]
        lasting = asyncio.create_task(anext(watcher))
        await nights.idle.wait()

        assert not lasting.done()

    with pytest.raises(StopAsyncIteration):
        await lasting
    assert (ChangeKind.ADDED, None, "+390790080041") == (added.kind, added.before, added.number)
    assert ("changed", second["number"]) == (changed.kind, changed.number)
    assert changed.before
    assert second["status"] == changed.before.status
    assert evolve(changed.before, status=NumberStatus.PENDING) == changed.after
    assert (ChangeKind.REMOVED, first["number"], None) == (removed.kind, removed.number, removed.after)
    assert removed.before
    assert first["phone_number_uuid"] == removed.before.phone_number_uuid
    assert [60] * 5 == nights.slept


async def test_trunks_are_watched_with_their_filters(sandbox, mihu, nights):
    """A row that no longer passes is reported as removed."""
    agent, *_, other = sandbox.inventory.free_agents("call")
    watched = sandbox.inventory.insert_trunk(channel="call", agent_uuid=agent)
    move = {"phone_number": watched["number"], "channel": "call", "agent_uuid": other}
    nights.steps = [sandbox.inventory.insert_trunk, lambda: operations.assign(sandbox.inventory, move)]
    watcher = mihu.trunks.watch(interval=5, agent_uuid=agent, channel="call", search=watched["number"][1:6])

    assert [("removed", watched["number"])] == await changes_of(watcher, 1)
    query = dict(sandbox.journal[0].query)
    assert (agent, "call", watched["number"][1:6]) == (query["agent_uuid"], query["channel"], query["search"])
    assert "<Watcher of /phone-numbers/trunks, every 5 s>" == repr(watcher)


async def test_numbers_are_watched_with_their_filters(sandbox, mihu):
    """All that a list takes, but for the order and the page."""
    filters: dict[str, Any] = {
        "status": "active",
        "country_code": "US",
        "type": "local",
        "compliance": "completed",
        "search": "+1",
        "bound_to_agent_uuid": "6b908b23-e62c-4b3f-be4d-a5f55fe74735",
        "include_external": True,
    }
    await mihu.numbers.watch(**filters).take_base()

    assert filters | {"include_external": "true", "page": "1", "per_page": "100"} == dict(sandbox.journal[0].query)


@pytest.mark.parametrize("options", [{"interval": 0}, {"interval": float("inf")}, {"since": 3}, {"since": "x"}])
async def test_what_cannot_be_watched_is_refused_at_once(sandbox, mihu, options):
    """Nothing is sent."""
    for resource in (mihu.numbers, mihu.trunks):
        with pytest.raises(UsageError) as caught:
            resource.watch(**options)

        assert next(iter(options)) == caught.value.argument
    assert 0 == len(sandbox.journal)


async def test_a_walk_that_is_not_proved_tells_nothing(sandbox, mihu, nights, caplog):
    """A row that slipped is not called removed, and a change of meanwhile is reported by the next walk."""

    def hide_one(document: dict[str, Any]) -> None:
        document["data"]["items"].pop(0)

    def slip() -> None:
        sandbox.faults.add(Rewrite(hide_one), path="/phone-numbers", times=None)
        sandbox.inventory.insert(number="+390790080041")

    nights.steps = [slip, sandbox.faults.clear]
    watcher = mihu.numbers.watch()

    assert [("added", "+390790080041")] == await changes_of(watcher, 1)
    assert "is not proved to be complete" in caplog.text
    assert watcher.report.complete is True


async def test_the_base_is_a_proved_walk_too(sandbox, mihu, nights):
    """A row that the first walk missed would be reported as added."""
    sandbox.faults.add(Rewrite(lambda document: document["data"]["items"].pop()), path="/phone-numbers", times=None)
    nights.steps = [sandbox.faults.clear, lambda: sandbox.inventory.insert(number="+390790080041")]

    assert [("added", "+390790080041")] == await changes_of(mihu.numbers.watch(), 1)


async def test_failures_slow_it_down_and_do_not_end_it(sandbox, mihu, nights, caplog):
    """Each in a row doubles the wait, up to eight intervals; the service's own pause is kept; a success ends that."""
    number = {"number": "+390790080041"}
    faults = [Status(503), Reset(), Status(502), Status(500), Status(500), Status(429, retry_after=900)]
    nights.steps = [
        *(lambda fault=fault: sandbox.faults.add(fault) for fault in faults),
        lambda: sandbox.inventory.insert(**number),
        nothing,
        sandbox.inventory.insert,
    ]
    async with mihu.numbers.watch(interval=10) as watcher:
        assert [("added", "+390790080041")] == await changes_of(watcher, 1)
        assert watcher.error is None
        assert 1 == len(await changes_of(watcher, 1))

    assert [10, 10, 20, 40, 80, 80, 900, 10, 10] == nights.slept
    assert (
        "The walk that watches /phone-numbers failed with ConnectionLostError, the next one begins in 20 s"
        in caplog.text
    )
    assert sandbox.token not in caplog.text


async def test_why_it_is_slow_can_be_asked(sandbox, mihu, nights):
    """The error of the latest walk stands on the watcher while it waits."""
    sandbox.faults.add(Status(503), times=None)
    watcher = mihu.numbers.watch()
    waiting = asyncio.create_task(watcher.take_base())
    await nights.idle.wait()

    assert isinstance(watcher.error, ServerError)
    await watcher.aclose()
    for late in (waiting, watcher.take_base()):
        with pytest.raises(UsageError, match="closed before it had a base"):
            await late


async def test_what_every_walk_would_meet_ends_it(sandbox, mihu, nights):
    """Such as a token that was revoked; once it is mended, the same watcher goes on and has missed nothing."""
    nights.steps = [lambda: sandbox.faults.add(Status(401)), lambda: sandbox.inventory.insert(number="+390790080041")]
    watcher = mihu.numbers.watch()
    with pytest.raises(AuthenticationError):
        await anext(watcher)
    sandbox.inventory.insert(number="+390790080042")

    assert isinstance(watcher.error, AuthenticationError)
    assert [("added", "+390790080042")] == await changes_of(watcher, 1)


def refused(status: int) -> Any:
    """Make a refusal."""
    kind = RateLimitError if status == 429 else ServerError if status >= 500 else ConflictError
    return kind("", status=status, **WHERE)


def permanent(error: ConnectError) -> ConnectError:
    """Make it one that every attempt would meet."""
    error.is_permanent = True
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((refused(status), True) for status in (302, 400, 401, 403, 404, 409, 422)),
        *((refused(status), False) for status in (408, 429, 499, 500, 502, 503)),
        (ConnectError("", **WHERE), False),
        (permanent(ConnectError("", **WHERE)), True),
        (ConnectionLostError("", **WHERE), False),
        (DecodeError("", status=200, content_type="text/html", excerpt="<", **WHERE), False),
        (PaginationError("", requested=2, received=1), False),
        (UsageError(""), True),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'status', '')}",
)
def test_which_errors_end_it(error, expected):
    """Those after which no later walk would do better."""
    assert expected is ends(error)


@pytest.mark.parametrize(("failures", "expected"), [(0, 60), (1, 120), (3, 480), (4, 480), (10_000, 480)])
def test_the_wait_grows_up_to_a_bound(failures, expected):
    """Eight intervals, however long it lasts; a longer pause that the service asks for goes before that."""
    asked = ServerError("", status=503, retry_after=7200, **WHERE)

    assert expected == pause_after(refused(503), failures, 60)
    assert 7200 == pause_after(asked, failures, 60)


def test_no_pause_is_longer_than_a_day():
    """A service that writes the time of day into Retry-After, or anything else of that size, is asked again."""
    asked = ServerError("", status=503, retry_after=1_764_256_000, **WHERE)

    assert 86_400 == pause_after(asked, 0, 60)
    assert 100_000 == pause_after(asked, 0, 100_000)


async def test_another_process_goes_on_from_a_snapshot(sandbox, mihu, nights):
    """A change while nobody watched is reported then, with the row from before."""
    first, second, *_ = sandbox.inventory.numbers
    snapshot = await mihu.numbers.watch().take_base()
    sandbox.inventory.delete(first["phone_number_uuid"])
    change_of(sandbox, 0, status="pending")()
    sandbox.inventory.insert(number="+390790080041")
    watcher = mihu.numbers.watch(since=snapshot)

    assert snapshot.isascii()
    assert [
        ("changed", second["number"]),
        ("added", "+390790080041"),
        ("removed", first["number"]),
    ] == await changes_of(watcher, 3)
    assert [] == nights.slept
    assert await watcher.take_base() == watcher.snapshot()


async def test_a_snapshot_stands_behind_what_was_handled(sandbox, mihu):
    """The change in hand is reported again by the one that goes on, those before it are not."""
    snapshot = await mihu.numbers.watch().take_base()
    for number in ("+390790080041", "+390790080042", "+390790080043"):
        sandbox.inventory.insert(number=number)
    watcher = mihu.numbers.watch(since=snapshot)
    assert watcher.snapshot()
    await changes_of(watcher, 2)
    later = mihu.numbers.watch(since=watcher.snapshot())

    assert [("added", "+390790080042"), ("added", "+390790080043")] == await changes_of(later, 2)


async def test_there_is_no_snapshot_before_the_first_walk(mihu):
    """None is what ``since`` takes for none."""
    watcher = mihu.numbers.watch(since=mihu.trunks.watch().snapshot())

    assert watcher.snapshot() is None


async def test_a_snapshot_belongs_to_its_listing(sandbox, mihu):
    """Other filters would let all rows come and go; and a file that is no snapshot is refused as such."""
    snapshot = await mihu.numbers.watch().take_base()
    row = zlib.compress(mihu.numbers.list().checkpoint().encode() + b"\n{}")
    with pytest.raises(UsageError, match="since cannot be used: it belongs to another workspace") as caught:
        mihu.numbers.watch(since=snapshot, country_code="US")
    for broken in (snapshot[:-8], "AAAA", base64.b64encode(row).decode()):
        with pytest.raises(UsageError, match="since cannot be used: it is not a result of snapshot"):
            mihu.numbers.watch(since=broken)

    assert "since" == caught.value.argument


async def test_a_break_leaves_nothing_behind(sandbox, mihu, nights):
    """Between two changes nothing is under way, and the next loop goes on with what is left."""
    snapshot = await mihu.numbers.watch().take_base()
    sandbox.inventory.insert(number="+390790080041")
    sandbox.inventory.insert(number="+390790080042")
    before = asyncio.all_tasks()
    watcher = mihu.numbers.watch(since=snapshot)
    async for change in watcher:
        assert "+390790080041" == change.number
        break

    assert before == asyncio.all_tasks()
    async with aclosing(watcher):
        async for change in watcher:
            assert "+390790080042" == change.number
            break
    assert [] == [change async for change in watcher]
    gc.collect()


@pytest.mark.parametrize("while_it", ["waits", "walks"])
@pytest.mark.parametrize("way", ["cancel", "close"])
async def test_it_can_be_ended_from_elsewhere(sandbox, mihu, nights, while_it, way):
    """In a wait or in the middle of a walk: a cancelled task is cancelled, and a loop over a closed watcher ends."""
    if while_it == "walks":
        nights.steps = [lambda: sandbox.faults.add(Hang(), times=None)]
    watcher = mihu.numbers.watch()
    await watcher.take_base()

    async def loop() -> str:
        async for change in watcher:
            raise AssertionError(change)
        return "ended"

    task = asyncio.create_task(loop())
    while len(sandbox.journal) < 2 and not nights.idle.is_set():
        await asyncio.sleep(0.001)
    if way == "close":
        await watcher.aclose()
        assert "ended" == await task
    else:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert set() == clients_tasks()


async def test_one_task_at_a_time_waits(mihu, nights):
    """Two would take each other's changes."""
    watcher = mihu.numbers.watch()
    waiting = asyncio.create_task(anext(watcher))
    await nights.idle.wait()
    for second in (anext(watcher), watcher.take_base()):
        with pytest.raises(UsageError, match="only one may"):
            await second
    await watcher.aclose()

    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_client_that_is_closed_in_a_walk_ends_the_watcher(sandbox, mihu):
    """Whoever closes it wants no more calls, so it does not open connections again."""
    sandbox.faults.add(Hang(), times=None)
    waiting = asyncio.create_task(mihu.numbers.watch().take_base())
    while not sandbox.journal:
        await asyncio.sleep(0.001)
    await mihu.aclose()

    with pytest.raises(ConnectionLostError, match="the client was closed"):
        await waiting


async def test_a_fee_that_is_written_in_another_way_is_no_change(sandbox, mihu, nights):
    """A change that a caller would see as equal is not reported."""

    def rewrite(fee: str) -> Step:
        fault = Rewrite(lambda document: document["data"]["items"][0]["billing"].update(monthly_fee=float(fee)))
        return lambda: sandbox.faults.add(fault, times=None)

    change_of(sandbox, 0, monthly_fee=10)()
    nights.steps = [rewrite("10.0"), sandbox.faults.clear, lambda: sandbox.inventory.insert(number="+390790080041")]

    assert [("added", "+390790080041")] == await changes_of(mihu.numbers.watch(), 1)


def broken(sandbox: Sandbox, *path: str, value: Any = "?", index: int | None = 0) -> Step:
    """Make the step after which a field of one row, or of all rows, comes as a value that cannot be read."""

    def rewrite(document: dict[str, Any]) -> None:
        for row in document["data"]["items"] if index is None else [document["data"]["items"][index]]:
            *above, name = path
            inner = row
            for step in above:
                inner = inner[step]
            inner[name] = value

    def break_it() -> None:
        sandbox.faults.clear()
        sandbox.faults.add(Rewrite(rewrite), path="/phone-numbers", times=None)

    return break_it


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("billing", "monthly_fee"), "free"),
        (("billing",), "none"),
        (("purchased_at",), "yesterday"),
        (("number",), None),
        (("is_external",), "maybe"),
        (("channel_settings", "voice", "whitelisted_destinations"), ["US", 5]),
        (("compliance", "requirements"), [{"name": 5}]),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
async def test_a_field_that_cannot_be_read_is_no_change(sandbox, mihu, nights, path, value):
    """Neither the walk that cannot read it yields it, nor the one that can again."""
    insert = sandbox.inventory.insert
    nights.steps = [broken(sandbox, *path, value=value), sandbox.faults.clear, lambda: insert(number="+390790080041")]
    watcher = mihu.numbers.watch()

    assert [("added", "+390790080041")] == await changes_of(watcher, 1)


async def test_a_change_beside_a_field_that_cannot_be_read_is_told(sandbox, mihu, nights):
    """The field keeps its last known value, so a caller sees nothing but the change; its own change is told later."""
    first, *_ = sandbox.inventory.numbers
    spoil = broken(sandbox, "billing", "monthly_fee")
    change_of(sandbox, 0, monthly_fee=1.15)()

    def both() -> None:
        spoil()
        change_of(sandbox, 0, status="pending")()

    def again() -> None:
        sandbox.faults.clear()
        change_of(sandbox, 0, monthly_fee=2)()

    nights.steps = [both, again]
    watcher = mihu.numbers.watch()
    beside, later = await anext(watcher), await anext(watcher)

    assert evolve(beside.before, status=NumberStatus.PENDING, updated_at=beside.after.updated_at) == beside.after
    assert first["phone_number_uuid"] == beside.after.phone_number_uuid
    assert [Decimal("1.15"), 2] == [later.before.billing.monthly_fee, later.after.billing.monthly_fee]


async def test_a_field_is_known_once_it_can_be_read(sandbox, mihu, nights):
    """A field that the first walk could not read is None until then, also for a watcher of its snapshot."""
    change_of(sandbox, 0, monthly_fee=1.15)()
    broken(sandbox, "billing", "monthly_fee")()
    snapshot = await mihu.numbers.watch().take_base()
    nights.steps = [sandbox.faults.clear, change_of(sandbox, 0, monthly_fee=2)]
    watcher = mihu.numbers.watch(since=snapshot)
    change = await anext(watcher)

    assert [Decimal("1.15"), 2] == [change.before.billing.monthly_fee, change.after.billing.monthly_fee]


@pytest.mark.parametrize("rows", [40, 5], ids=["more problems than are listed", "all problems listed"])
async def test_fields_that_no_row_shows_are_no_changes(nights, rows):
    """If a page has more problems than it lists, each field that is None may be one that could not be read."""
    async with (
        Sandbox(numbers=rows, trunks=0) as sandbox,
        MihuClient(sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(max_attempts=1)) as mihu,
    ):
        with_pipeline(mihu, clock=nights)
        nights.steps = [
            broken(sandbox, "billing", value={"monthly_fee": "free", "currency": 5}, index=None),
            change_of(sandbox, 0, status="inactive"),
            sandbox.faults.clear,
            lambda: sandbox.inventory.insert(number="+390790080041"),
        ]

        assert ["changed", "added"] == [kind for kind, _ in await changes_of(mihu.numbers.watch(), 2)]


@pytest.mark.parametrize(("moved", "left_out"), [(True, 0), (False, 1)])
def test_a_row_is_in_doubt_if_the_places_of_problems_are_not_its_own(moved, left_out):
    """A page that lacks rows of its answer has them at other positions."""
    row = PhoneNumber(phone_number_uuid="x", number="+390790080041", is_external=False)
    pagination = Pagination(current_page=1, per_page=100, total=1, last_page=1, has_more=False)
    problems = (Problem("$.data.items[1].location", "must be text"), Problem("$.data.pagination.from", "must be text"))
    page = Page(items=(row,), pagination=pagination, problems=problems, problem_count=2, left_out=left_out)

    assert [None] == unread_fields(page, moved=moved)
    assert [[]] == unread_fields(evolve(page, left_out=0), moved=False)
    assert [["location"]] == unread_fields(evolve(page, items=(row, row), left_out=0), moved=False)[1:]


async def test_an_id_in_capitals_is_the_same_id(sandbox, mihu, nights):
    """A row is known by its id, and an agent by theirs, in whichever case they come."""

    def shout(document: dict[str, Any]) -> None:
        for row in document["data"]["items"]:
            row["phone_number_uuid"] = row["phone_number_uuid"].upper()
            row["bindings"]["call"]["agent_uuid"] = (row["bindings"]["call"]["agent_uuid"] or "").upper() or None

    def begin() -> None:
        sandbox.faults.add(Rewrite(shout), path="/phone-numbers", times=None)

    snapshot = await mihu.numbers.watch().take_base()
    nights.steps = [begin, sandbox.faults.clear, begin, lambda: sandbox.inventory.insert(number="+390790080041")]

    assert [("added", "+390790080041")] == await changes_of(mihu.numbers.watch(since=snapshot), 1)


def test_rows_survive_being_held():
    """Also with a status that is not known, a fee to its digit, and all that may be missing."""
    odd = PhoneNumber(
        phone_number_uuid="x",
        number="+390790080041",
        is_external=False,
        status=NumberStatus("melting"),
        billing=Billing(monthly_fee=Decimal("1.150")),
    )

    assert odd == structure(parse(dump(odd), exact=True), PhoneNumber, Problems())


def test_a_change_is_a_value():
    """It names its number wherever that stands, and can be compared."""
    row = PhoneNumber(phone_number_uuid="x", number="+390790080041", is_external=False)
    changes = [
        Change(kind=ChangeKind.ADDED, before=None, after=row),
        Change(kind=ChangeKind.REMOVED, before=row, after=None),
    ]

    assert ["+390790080041"] * 2 == [change.number for change in changes]
    assert 2 == len(set(changes))


class Storm:
    """Moves an inventory by chance, between walks and between the pages of one, and lets some calls fail."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.chance = random.Random(seed)

    def move(self, _: object = None) -> None:
        chance, inventory = self.chance, self.sandbox.inventory
        match chance.randrange(5):
            case 0:
                inventory.insert(at=chance.randrange(200))
            case 1:
                inventory.delete(chance.choice(inventory.numbers)["phone_number_uuid"])
            case 2:
                change_of(self.sandbox, chance.randrange(200), location=f"Place {chance.random()}")()

    def night(self) -> None:
        chance, faults = self.chance, self.sandbox.faults
        faults.clear()
        match chance.randrange(4):
            case 0:
                faults.add(Status(503) if chance.random() < 0.5 else Reset(), skip=chance.randrange(3))
            case 1:
                faults.add(Rewrite(self.move), path="/phone-numbers", times=chance.randint(1, 5))
            case _:
                self.move()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_reported_leads_to_what_is_there(nights, seed):
    """Nothing is reported twice, and nothing as removed that is still there, whatever moves between the pages."""
    async with (
        Sandbox(numbers=230, trunks=0, seed=seed) as sandbox,
        MihuClient(
            sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(max_attempts=1), concurrency=seed + 1
        ) as mihu,
    ):
        with_pipeline(mihu, clock=nights)
        nights.steps = [*[Storm(sandbox, seed).night] * 25, sandbox.faults.clear]
        watcher = mihu.numbers.watch()
        known = {row["phone_number_uuid"] for row in sandbox.inventory.numbers}
        await watcher.take_base()
        changes: list[Change] = []

        async def collect() -> None:
            async for change in watcher:
                changes.append(change)  # noqa: PERF401 - what was reported so far counts when the loop is ended

        collecting = asyncio.create_task(collect())
        await nights.idle.wait()
        await watcher.aclose()
        await collecting

        assert changes
        for change in changes:
            row = change.before or change.after
            assert row
            assert (change.kind is not ChangeKind.ADDED) == (row.phone_number_uuid in known)
            if change.kind is not ChangeKind.CHANGED:
                known ^= {row.phone_number_uuid}
        assert {row["phone_number_uuid"] for row in sandbox.inventory.numbers} == known
