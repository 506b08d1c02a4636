"""What every ledger does, whichever store it has."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

import pytest
from attrs import evolve
from redis.asyncio import Redis

from mihu_async import UsageError
from mihu_async.ledger import RedisLedger, SqliteLedger, Standing
from mihu_async.ledger.entry import check_key
from tests.ledger.entries import ENTRY, SETTLED

LONG = 60.0
LATER = datetime(2026, 11, 5, 12, tzinfo=UTC)
SHORT = 0.001
"""Seconds: a lease that has ended by the time that anybody looks."""


@pytest.fixture(params=["sqlite", "redis"])
def opened(request, tmp_path):
    """Make ledgers of one store, each as another process would."""
    if request.param == "sqlite":

        @asynccontextmanager
        async def make(lease: float = LONG):
            async with SqliteLedger(tmp_path / "ledger.db", lease=lease) as ledger:
                yield ledger

    else:
        url = request.getfixturevalue("redis_url")
        turns = count()

        @asynccontextmanager
        async def make(lease: float = LONG):
            async with Redis.from_url(url, decode_responses=bool(next(turns) % 2)) as client:
                yield RedisLedger(client, lease=lease)

    return make


async def test_a_key_is_taken_once(opened):
    """The first to ask gets the key, and everybody else learns that it is held."""
    async with opened() as ledger, opened() as other:
        claims = await asyncio.gather(*(one.take(ENTRY, f"owner-{n}") for n, one in enumerate([ledger, other] * 4)))
        found = await other.find(ENTRY.key)

    assert ["held"] * 7 + ["new"] == sorted(claim.standing for claim in claims)
    assert {ENTRY} == {claim.entry for claim in claims}
    assert ENTRY == found


async def test_nothing_stands_under_a_key_that_nobody_took(opened):
    """An unknown key has no entry, and nothing is begun."""
    async with opened() as ledger:
        found, begun = await ledger.find("order-1"), await ledger.begun()

    assert LONG == ledger.lease
    assert found is None
    assert [] == list(begun)


async def test_a_moment_that_is_not_known_stays_so(opened):
    """An entry that began at an unknown moment is read as it was written."""
    entry = evolve(ENTRY, began=None, ends=None)
    async with opened(SHORT) as ledger:
        await ledger.take(entry, "a")
        found = await ledger.find(entry.key)

    assert entry == found


async def test_a_lease_that_ended_is_taken_over(opened):
    """Whoever asks next holds the key and sees the entry as the dead holder began it, though they began later."""
    async with opened(SHORT) as dying, opened() as ledger:
        await dying.take(ENTRY, "a")
        await asyncio.sleep(SHORT * 2)
        later = evolve(ENTRY, number="+390790080042", began=LATER, ends=LATER)
        claim, next_one = await ledger.take(later, "b"), await dying.take(ENTRY, "c")
        renewed = await dying.renew(ENTRY.key, "a")
        begun = await ledger.begun()

    assert (Standing.RESUMED, ENTRY) == (claim.standing, claim.entry)
    assert next_one.standing in {Standing.HELD, Standing.RESUMED}
    assert renewed is False
    assert [ENTRY] == list(begun)


async def test_the_times_of_an_entry_are_its_holder_s_to_write(opened):
    """They are written, and the key is held on; a call that has lost the key writes nothing."""
    later, unknown = evolve(ENTRY, began=LATER, ends=LATER), evolve(ENTRY, began=None, ends=None)
    async with opened() as ledger, opened() as other:
        redated = [await ledger.redate(later, "a")]
        await ledger.take(ENTRY, "a")
        redated.append(await ledger.redate(later, "a"))
        written, held = await other.find(ENTRY.key), await other.take(ENTRY, "b")
        redated.append(await ledger.redate(ENTRY, "b"))
        redated.append(await ledger.redate(unknown, "a"))
        undated = await other.find(ENTRY.key)
        await ledger.settle(SETTLED)
        redated.append(await ledger.redate(later, "a"))
        settled = await other.find(ENTRY.key)

    assert [False, True, False, True, False] == redated
    assert (later, Standing.HELD, unknown) == (written, held.standing, undated)
    assert settled
    assert LATER != settled.began


async def test_a_key_is_held_for_another_lease_once_its_times_are_written(opened):
    """The lease of a resumed purchase begins anew before it is sent."""
    async with opened(0.1) as short, opened() as ledger:
        await short.take(ENTRY, "a")
        assert await ledger.redate(ENTRY, "a")
        await asyncio.sleep(0.15)
        claim = await ledger.take(ENTRY, "b")

    assert Standing.HELD == claim.standing


async def test_a_lease_is_renewed_and_let_go(opened):
    """Its owner can hold a key for longer and give it up; the entry stays as it is."""
    async with opened() as ledger, opened() as other:
        await ledger.take(ENTRY, "a")
        renewed, by_another = await ledger.renew(ENTRY.key, "a"), await ledger.renew(ENTRY.key, "b")
        await ledger.let_go(ENTRY.key, "b")
        held = await other.take(ENTRY, "b")
        await ledger.let_go(ENTRY.key, "a")
        claim = await other.take(ENTRY, "b")

    assert renewed is True
    assert by_another is False
    assert [Standing.HELD, Standing.RESUMED] == [held.standing, claim.standing]


async def test_a_settled_key_stays_settled(opened):
    """Once it is known how a purchase ended, nobody takes its key, frees it or settles it otherwise."""
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        first = await ledger.settle(SETTLED)
        assert not await ledger.settle(evolve(SETTLED, phone_number_uuid="u-2"))
        await ledger.release(ENTRY.key, "a")
        renewed = await ledger.renew(ENTRY.key, "a")
        again = await ledger.settle(evolve(SETTLED, phone_number_uuid="U-1"))
        claim, begun = await ledger.take(ENTRY, "b"), await ledger.begun()

    assert (True, False, True) == (first, renewed, again)
    assert (Standing.SETTLED, SETTLED) == (claim.standing, claim.entry)
    assert [] == list(begun)


async def test_what_another_number_came_to_is_not_written_under_a_key(opened):
    """Only an entry about the same number is settled."""
    async with opened() as ledger:
        settled = [await ledger.settle(SETTLED)]
        missing = await ledger.find(ENTRY.key)
        await ledger.take(ENTRY, "a")
        settled.append(await ledger.settle(evolve(SETTLED, number="+390790080042")))
        found = await ledger.find(ENTRY.key)

    assert [False, False] == settled
    assert missing is None
    assert ENTRY == found


@pytest.mark.parametrize("other", [{"fingerprint": "f2"}, {"workspace": "https://other.mihu.ai/api/v1"}], ids=str)
@pytest.mark.parametrize("state", ["held", "abandoned", "settled"])
async def test_another_request_never_gets_a_key(opened, other, state):
    """An entry of another request or workspace is reported, and not taken over, however it stands."""
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        if state == "abandoned":
            await ledger.let_go(ENTRY.key, "a")
        if state == "settled":
            await ledger.settle(SETTLED)
        claim = await ledger.take(evolve(ENTRY, **other), "b")

    assert Standing.OTHER == claim.standing
    assert ENTRY.fingerprint == claim.entry.fingerprint


async def test_a_key_that_is_released_is_free(opened):
    """Its holder alone can release it, and then it can be used for another request."""
    corrected = evolve(ENTRY, fingerprint="f2")
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        await ledger.release(ENTRY.key, "b")
        held = await ledger.take(ENTRY, "b")
        await ledger.release(ENTRY.key, "a")
        claim = await ledger.take(corrected, "b")

    assert [Standing.HELD, Standing.NEW] == [held.standing, claim.standing]
    assert corrected == claim.entry


async def test_a_key_is_forgotten_only_where_nobody_holds_it(opened):
    """A person may know the outcome that no lookup shows; a settled key and a held one stay."""
    async with opened() as ledger:
        forgotten = [await ledger.forget(ENTRY.key)]
        await ledger.take(ENTRY, "a")
        forgotten.append(await ledger.forget(ENTRY.key))
        await ledger.let_go(ENTRY.key, "a")
        forgotten.append(await ledger.forget(ENTRY.key))
        free = await ledger.take(evolve(ENTRY, key="order-2"), "a")
        await ledger.settle(evolve(SETTLED, key="order-2"))
        forgotten.append(await ledger.forget("order-2"))

    assert [False, False, True, False] == forgotten
    assert Standing.NEW == free.standing


async def test_begun_entries_come_in_the_order_of_their_keys(opened):
    """All that are begun are returned, whether somebody holds them or not, and no others."""
    async with opened() as ledger:
        for key in ("c", "a", "b", "d"):
            await ledger.take(evolve(ENTRY, key=key, number=f"+39079008{ord(key)}"), "a")
        for key in ("c", "a"):
            await ledger.let_go(key, "a")
        await ledger.settle(evolve(SETTLED, key="d", number="+39079008100"))
        begun = await ledger.begun()

    assert ["a", "b", "c"] == [entry.key for entry in begun]


async def test_two_keys_never_begin_to_buy_one_number(opened):
    """While one key is begun, another one of the workspace does not get its number; afterwards it does."""
    other, elsewhere = evolve(ENTRY, key="order-2"), evolve(ENTRY, key="order-3", workspace="https://b.mihu.ai/api/v1")
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        busy, apart = await ledger.take(other, "b"), await ledger.take(elsewhere, "b")
        await ledger.release(ENTRY.key, "a")
        free = await ledger.take(other, "b")
        await ledger.settle(evolve(SETTLED, key="order-2"))
        again = await ledger.take(ENTRY, "a")

    assert (Standing.BUSY, ENTRY) == (busy.standing, busy.entry)
    assert [Standing.NEW] * 3 == [apart.standing, free.standing, again.standing]


async def test_one_number_is_never_what_two_keys_have_bought(opened):
    """A number that another key has settled cannot be settled again, and that key stays begun."""
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        await ledger.settle(SETTLED)
        await ledger.take(evolve(ENTRY, key="order-2"), "a")
        settled = await ledger.settle(evolve(SETTLED, key="order-2"))
        found = await ledger.find("order-2")

        buyers = [await ledger.bought_by(ENTRY.workspace, uuid) for uuid in ("U-1", "u-9")]

    assert settled is False
    assert [ENTRY.key, None] == buyers
    assert found
    assert "begun" == found.state


async def test_an_id_is_another_number_in_another_workspace(opened):
    """Two workspaces that share a ledger, or two runs of a sandbox, may give one id twice."""
    elsewhere = evolve(SETTLED, key="order-2", workspace="http://127.0.0.1:8080/api/v1")
    async with opened() as ledger:
        await ledger.take(ENTRY, "a")
        settled = [await ledger.settle(SETTLED)]
        apart = [await ledger.bought_by(elsewhere.workspace, "u-1")]
        await ledger.take(evolve(elsewhere, state="begun", phone_number_uuid=None), "a")
        settled.append(await ledger.settle(elsewhere))
        buyers = [await ledger.bought_by(entry.workspace, "u-1") for entry in (SETTLED, elsewhere)]

    assert [True, True] == settled
    assert [None] == apart
    assert [ENTRY.key, "order-2"] == buyers


@pytest.mark.parametrize("lease", [0, -1, float("inf"), float("nan"), True, "15", None])
@pytest.mark.parametrize(
    "make", [lambda lease: SqliteLedger("x", lease=lease), lambda lease: RedisLedger(Redis(), lease=lease)]
)
def test_a_lease_is_a_number_of_seconds(make, lease):
    """A lease that can never end, or never lasts, is refused."""
    with pytest.raises(UsageError, match="lease must be") as refused:
        make(lease)

    assert "lease" == refused.value.argument


@pytest.mark.parametrize("key", ["", " ", "a\n", "a" * 256, 4711, None, b"a"], ids=repr)
def test_a_key_is_text_that_can_be_printed(key):
    """What cannot name a purchase is refused, and the message stays short."""
    with pytest.raises(UsageError, match=r"printable characters.*Nothing was sent") as refused:
        check_key("idempotency_key", key)

    assert "idempotency_key" == refused.value.argument
    assert len(str(refused.value)) < 450
