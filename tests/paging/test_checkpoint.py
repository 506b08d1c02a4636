import base64
import json
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import MihuClient, MihuError, PaginationError, UsageError
from mihu_async.paging.checkpoint import ANCHORS, FORMAT, Place, decode_checkpoint, encode_checkpoint
from mihu_async.paging.page import Moment
from mihu_async.paging.proof import Evidence
from tests.paging.listings import Move, Shelf, keep
from tests.paging.test_walk import missing

NAME = "/phone-numbers?status=active&per_page=100"


NOON = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
evidences = st.builds(
    Evidence,
    total=st.none() | st.integers(0),
    since=st.none() | st.just(Moment(NOON, NOON)),
    shown=st.integers(0),
    there=st.integers(0),
    moved=st.booleans(),
    dated=st.booleans(),
)


@given(st.integers(1), st.lists(st.text(), max_size=ANCHORS), evidences)
def test_a_place_survives_being_written_down(page, anchors, evidence):
    """The string holds the page, the last items and what was counted, and is fit for a file name or an address."""
    place = Place(page=page, anchors=tuple(anchors), evidence=evidence)
    text = encode_checkpoint(place, listing=NAME)

    assert place == decode_checkpoint(text, listing=NAME)
    assert text.replace("-", "").replace("_", "").isalnum()


def forge(*values) -> str:
    """Write a checkpoint by hand."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (encode_checkpoint(Place(page=1), listing="/phone-numbers?per_page=100"), "other filters|page size"),
        (forge(FORMAT + 1, "0", 1), "made by a version of the SDK that writes checkpoints in another form"),
        (forge(1, "0", 1, "a"), "in another form"),
        (forge(FORMAT, "0", 1, [1, 1, 1, 1, True, True]), "other filters|page size"),
        (forge(FORMAT, "0", 0, [1, 1, 1, 1, True, True]), "not a result of checkpoint"),
        (forge(FORMAT, "0", 1, [1, 1, 1, 1, True, True], 5), "not a result of checkpoint"),
        (forge(FORMAT, "0", 1, "a"), "not a result of checkpoint"),
        (forge(FORMAT, "0", 1, [1, 2], "a"), "not a result of checkpoint"),
        (forge(FORMAT, "0", 1, [1, 1e300, 1, 1, True, True], "a"), "not a result of checkpoint"),
        (forge({}), "not a result of checkpoint"),
        ("", "not a result of checkpoint"),
        ("§", "not a result of checkpoint"),
        ("abc", "not a result of checkpoint"),
        (5, "not a result of checkpoint"),
        (b"abc", "not a result of checkpoint"),
    ],
)
def test_what_is_no_checkpoint_of_this_listing_is_refused(text, why):
    """The error says why, before anything is asked for."""
    with pytest.raises(UsageError, match=why) as caught:
        decode_checkpoint(text, listing=NAME)

    assert "resume" == caught.value.argument


async def walk_until(pager, count: int) -> list[str]:
    """Take so many items, and hold the last one without asking for more."""
    given = []
    async with pager:
        async for item in pager:
            given.append(item)
            if len(given) == count:
                break
    return given


async def test_a_checkpoint_of_another_workspace_is_refused():
    """Its rows would be mixed with those of this one."""
    async with MihuClient("t", subdomain="acme") as acme, MihuClient("t", subdomain="globex") as globex:
        place = acme.numbers.list().checkpoint()
        same = acme.numbers.list().with_options(resume=place)
        with pytest.raises(UsageError, match="to another workspace"):
            globex.numbers.list().with_options(resume=place)

    assert place == same.checkpoint()


async def test_a_checkpoint_stands_behind_the_last_item_that_was_finished():
    """The item in the caller's hand is given again, and nothing else is."""
    shelf = Shelf(10, 3)
    for count in range(1, 11):
        pager = shelf.pager()
        taken = await walk_until(pager, count)
        rest = await shelf.pager().with_options(resume=pager.checkpoint()).collect()

        assert shelf.items == taken[:-1] + rest


async def test_a_finished_walk_goes_on_with_what_came_since():
    """Behind the last item there is nothing, until something is added."""
    shelf = Shelf(6, 3)
    pager = shelf.pager()
    await pager.collect()
    again = shelf.pager().with_options(resume=pager.checkpoint())

    assert [] == await again.collect()
    shelf.items.append("new")
    assert ["new"] == await again.collect()


@pytest.mark.parametrize("count", [0, 6])
async def test_a_walk_that_ended_after_several_passes_goes_on_behind_its_end(count):
    """Its place is behind the last item of the last pass; where there was none, it is the beginning."""
    shelf = Shelf(count, 3)
    pager = shelf.pager().with_options(on_drift="verify")
    await pager.collect()
    shelf.items.append("new")

    assert ["new"] == await pager.with_options(resume=pager.checkpoint()).collect()


async def test_a_walk_that_has_not_begun_is_at_its_beginning():
    """A pager that was never used, or that resumes itself, knows its place."""
    shelf = Shelf(6, 3)
    pager = shelf.pager(start=2)
    place = pager.checkpoint()

    assert place == pager.with_options(resume=place).checkpoint()
    assert ["item-3", "item-4", "item-5"] == await shelf.pager(start=2).with_options(resume=place).collect()


@pytest.mark.parametrize(("start", "other"), [(2, 1), (1, 2), (2, 3)])
async def test_a_walk_does_not_go_on_from_another_beginning(start, other):
    """A walk that began at page 2 has not seen page 1, so it must not count as the walk of a whole listing."""
    shelf = Shelf(12, 3, dated=True)
    pager = shelf.pager(start=start)
    await walk_until(pager, 4)

    with pytest.raises(UsageError, match="part or first page"):
        shelf.pager(start=other).with_options(resume=pager.checkpoint())


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["delete", "insert", "insert delete"])
async def test_nothing_is_lost_though_the_listing_moved_in_between(kinds):
    """In thousands of scripts at most the item in the caller's hand comes twice."""
    for seed in range(1500):
        chance = random.Random(f"{kinds}-{seed}")
        shelf = Shelf(chance.randint(1, 40), chance.randint(1, 7), seed=seed)
        pager = shelf.pager(concurrency=chance.randint(1, 8))
        taken = await walk_until(pager, chance.randint(1, len(shelf.items)))
        shelf.moves = [Move(0, chance.choice(kinds.split()), chance.random()) for _ in range(chance.randint(0, 6))]
        resumed = shelf.pager(concurrency=chance.randint(1, 8)).with_options(resume=pager.checkpoint())
        rest = await resumed.collect()

        assert [] == missing(shelf, taken + rest), seed
        anchored = any(item in shelf.items for item in taken[-ANCHORS - 1 : -1]) or len(taken) == 1
        if anchored:
            assert set(taken[:-1]).isdisjoint(rest), seed


@pytest.mark.parametrize(("dated", "proof"), [(True, "counted"), (False, "still")])
async def test_a_walk_that_goes_on_proves_the_whole(dated, proof):
    """Its checkpoint tells how many items there were, and how many of them were given."""
    shelf = Shelf(12, 3, dated=dated)
    for taken in (1, 2, 5, 12):
        pager = shelf.pager()
        await walk_until(pager, taken)
        between = shelf.pager().with_options(resume=pager.checkpoint())
        await walk_until(between, 1)
        resumed = shelf.pager().with_options(resume=between.checkpoint())
        await resumed.collect()

        assert (proof, False) == (resumed.report.proof, resumed.report.drifted)


@pytest.mark.parametrize(("dated", "complete"), [(True, True), (False, False)])
async def test_a_walk_that_goes_on_after_a_move_needs_dates_to_prove_itself(dated, complete, caplog):
    """What came before the checkpoint is not read again, so nothing but counting tells."""
    shelf = Shelf(12, 3, [Move(1, "insert", 0.0)], dated=dated)
    pager = shelf.pager()
    await walk_until(pager, 5)
    resumed = shelf.pager().with_options(resume=pager.checkpoint())
    await resumed.collect()

    assert complete == resumed.report.complete
    assert complete == ("cannot read the items before it again" not in caplog.text)


async def test_a_checkpoint_that_counted_nothing_can_be_gone_on_from():
    """It stands behind a later pass, whose place tells nothing of a count; so the walk does not promise."""
    shelf = Shelf(9, 3)
    uncounted = encode_checkpoint(Place(page=2, anchors=("item-3",)), listing="/shelf?per_page=3")
    resumed = shelf.pager().with_options(resume=uncounted)

    assert shelf.items[4:] == await resumed.collect()
    assert (False, False) == (resumed.report.complete, resumed.report.drifted)


async def test_a_checkpoint_before_a_known_item_goes_back_to_the_beginning():
    """What stands there may have slipped, and goes before what was given; so the walk rather repeats."""
    shelf = Shelf(9, 3)
    pager = shelf.pager()
    pages = pager.pages()
    await anext(pages)
    shelf.items[2:2] = ["new-1", "new-2"]
    shelf.items.insert(0, "new-0")

    assert ("new-1", "new-2") == (await anext(pages)).items
    assert shelf.items == await shelf.pager().with_options(resume=pager.checkpoint()).collect()
    await pages.aclose()


async def test_where_all_its_items_are_gone_a_walk_rather_repeats():
    """None of the last items is left, so the walk begins again."""
    shelf = Shelf(30, 3)
    pager = shelf.pager()
    taken = await walk_until(pager, 20)
    del shelf.items[8:20]
    rest = await shelf.pager().with_options(resume=pager.checkpoint()).collect()

    assert shelf.items == rest
    assert "item-0" in taken


async def test_a_place_is_looked_for_on_both_sides():
    """Where more was inserted before it than a page holds, it stands on a later one."""
    shelf = Shelf(12, 1)
    pager = shelf.pager()
    await walk_until(pager, 10)
    shelf.items[:0] = [f"new-{number}" for number in range(12)]
    resumed = shelf.pager().with_options(resume=pager.checkpoint())

    assert ["item-9", "item-10", "item-11"] == await resumed.collect()


async def test_verify_goes_on_from_a_checkpoint_too():
    """Its passes begin where the walk began, and give nothing that the walk before it gave."""
    shelf = Shelf(20, 3)
    pager = shelf.pager()
    taken = await walk_until(pager, 11)
    resumed = shelf.pager().with_options(resume=pager.checkpoint(), on_drift="verify")

    assert shelf.items == taken[:-1] + await resumed.collect()
    assert resumed.report.complete


async def test_every_error_that_leaves_a_walk_says_where_it_was():
    """What was finished is not given again, and a list that was never returned begins anew."""
    shelf = Shelf(12, 3)
    whole, broken = shelf.fetch, {3}

    async def fetch(number, ready):
        if number in broken:
            raise PaginationError("broken", requested=number, received=number)
        return await whole(number, ready)

    shelf.fetch = fetch  # type: ignore[method-assign]  # a fault in the listing
    pager = shelf.pager()
    items: list[str] = []
    with pytest.raises(MihuError) as walked:
        await keep(items, pager)
    with pytest.raises(MihuError) as collected:
        await pager.collect()
    broken.clear()

    assert shelf.items[:6] == items
    assert shelf.items[6:] == await pager.with_options(resume=walked.value.checkpoint).collect()
    assert shelf.items == await pager.with_options(resume=collected.value.checkpoint).collect()


async def test_pages_move_the_checkpoint_page_by_page():
    """A page in the caller's hand is given again."""
    shelf = Shelf(9, 3)
    pager = shelf.pager()
    pages = pager.pages()
    await anext(pages)
    await anext(pages)

    assert shelf.items[3:] == await shelf.pager().with_options(resume=pager.checkpoint()).collect()
    await pages.aclose()


async def test_ignore_goes_on_behind_the_last_item_too():
    """The mode that remembers nothing knows the items of its checkpoint."""
    shelf = Shelf(12, 6)
    pager = shelf.pager()
    taken = await walk_until(pager, 5)
    rest = await shelf.pager().with_options(resume=pager.checkpoint(), on_drift="ignore").collect()

    assert shelf.items == taken[:-1] + rest


async def test_what_slipped_before_a_later_start_is_not_promised():
    """Where all anchors of a walk that began at page 3 are gone, its report says that it cannot know."""
    shelf = Shelf(12, 3)
    pager = shelf.pager(start=3)
    await walk_until(pager, 2)
    for item in ("item-0", "item-1", "item-6"):
        shelf.items.remove(item)
    resumed = shelf.pager(start=3).with_options(resume=pager.checkpoint())
    await resumed.collect()

    assert resumed.report.complete is False


async def test_an_error_in_a_verifying_pass_goes_back_to_the_beginning():
    """What the first pass missed may stand anywhere, so the walk rather repeats."""
    shelf = Shelf(9, 3, [Move(1, "delete", 0.0), Move(1, "insert", 0.999)])
    whole = shelf.fetch

    async def fetch(number, ready):
        if shelf.answers == 3:
            shelf.answers += 1
            raise PaginationError("broken", requested=number, received=number)
        return await whole(number, ready)

    shelf.fetch = fetch  # type: ignore[method-assign]  # a fault in the listing
    pager = shelf.pager().with_options(on_drift="verify")
    items: list[str] = []
    with pytest.raises(PaginationError) as caught:
        await keep(items, pager)
    again = pager.with_options(resume=caught.value.checkpoint)

    assert "item-3" not in items
    assert shelf.items == await again.collect()
    assert again.report.complete
