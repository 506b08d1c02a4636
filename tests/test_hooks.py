import asyncio
import logging
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from mihu_async import (
    CallReport,
    DryRun,
    Hooks,
    MihuClient,
    NotFoundError,
    PageReport,
    ServerError,
    UsageError,
    WalkReport,
)
from mihu_async.core import journal, pipeline
from mihu_async.core.request import RAW, describe
from mihu_async.resources import endpoint
from mihu_async.sandbox import Delay, Reset, Sandbox
from tests.doubles import FakeClock, FakeSender, client, failed, ok
from tests.doubles import pipeline as pipeline_of
from tests.internals import with_pipeline
from tests.test_secrets import ECHOING, SILENT, TOKEN, assert_clean, failure, register, vars_of
from tests.virtual import VirtualClock, VirtualLoop, in_virtual_time

GET = describe("GET", "/phone-numbers", RAW)
URL_X = "https://acme.mihu.ai/api/v1/x"
URL_NUMBERS = "https://acme.mihu.ai/api/v1/phone-numbers?per_page=100&page=1"
BUY: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}


class Diary:
    """Writes down all that its hooks are given, in order."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.hooks = Hooks(
            on_attempt=lambda *what: self.seen.append(("attempt", *what)),
            on_retry=lambda *what: self.seen.append(("retry", *what)),
            on_page=lambda *what: self.seen.append(("page", *what)),
            around_call=self.around,
        )

    @contextmanager
    def around(self, call: CallReport):
        self.seen.append(("begin", call))
        try:
            yield
        except BaseException as error:
            self.seen.append(("error", error))
            raise
        else:
            self.seen.append(("end", call))

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.seen]


async def test_every_attempt_and_retry_of_a_call_is_reported():
    """An attempt when it has ended, well or not, and a retry before its wait."""
    network = FakeSender(FakeClock(), [failed(503), failed(500), ok(1)], took=2.0)
    slept: list[tuple[list[float], float | None]] = []
    diary = Diary()
    waits = Hooks(on_retry=lambda attempt, _: slept.append((list(network.clock.slept), attempt.wait)))
    way = pipeline_of(network)
    object.__setattr__(way, "hooks", (diary.hooks, waits))
    object.__setattr__(way, "base_url", "https://acme.mihu.ai")

    assert 1 == await way.run(GET)
    assert ["begin", "attempt", "retry", "attempt", "retry", "attempt", "end"] == diary.names
    assert [([], 0.5), ([0.5], 1.0)] == slept
    first, call = diary.seen[1][1:]
    assert (1, 503, 2.0, "ServerError") == (first.number, first.status, first.elapsed, first.outcome.partition(":")[0])
    where = ("GET", "/api/v1/phone-numbers", (first,), False, "https://acme.mihu.ai")
    assert where == (call.method, call.path, call.attempts, call.found, call.base_url)
    assert ("the message", "application/json") == (call.message, call.headers["content-type"])
    assert [0, 1, 1, 2, 2, 3, 0] == [len(what[-1].attempts) for what in diary.seen]
    assert "ok" == diary.seen[5][1].outcome


async def test_a_call_that_fails_is_reported_to_its_end(wire):
    """Its error passes through what is around the call, and it is not tried again."""
    wire.get(URL_X, status=404)
    diary = Diary()
    async with client(hooks=diary.hooks) as mihu:
        with pytest.raises(NotFoundError) as caught:
            await mihu.request("GET", "/x")

    assert ["begin", "attempt", "error"] == diary.names
    assert caught.value is diary.seen[-1][1]


async def test_a_lost_purchase_is_reported_with_its_look_ups():
    """They are calls of their own, inside; the retry is reported after them, right before the request is sent again."""
    async with Sandbox(numbers=3, trunks=0) as sandbox:
        sandbox.faults.add(Reset(), method="POST")
        diary = Diary()
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, hooks=diary.hooks) as mihu:
            await mihu.numbers.buy(**BUY)

    retry = diary.names.index("retry")
    assert ["begin", "attempt", "begin", "attempt", "end"] == diary.names[:5]
    assert "end" == diary.names[retry - 1]
    assert ["attempt", "end"] == diary.names[retry + 1 :]
    assert diary.seen[retry][1].lost
    assert diary.seen[retry][1].looked_up


async def test_every_page_of_a_walk_is_reported():
    """Before its first item, with the report of the walk; a page that is awaited alone is only a call."""
    async with Sandbox(numbers=5, trunks=0) as sandbox:
        diary = Diary()
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            watched = mihu.with_options(hooks=Hooks(on_page=diary.hooks.on_page))
            await watched.numbers.list(per_page=2)
            async for number in watched.numbers.list(per_page=2):
                diary.seen.append(("item", number.number))
            await watched.with_options(hooks=()).numbers.list(per_page=2).collect()
            pages = [page async for page in watched.numbers.list(per_page=4).pages()]

    assert ["page", "item", "item", "page", "item", "item", "page", "item", "page", "page"] == diary.names
    first, second = diary.seen[0], diary.seen[3]
    assert PageReport("/api/v1/phone-numbers", 1, 2, sandbox.base_url) == first[1]
    assert (2, 2) == (second[1].number, second[1].items)
    assert WalkReport(expected=5, yielded=2, pages=2) == second[2]
    assert [4, 1] == [len(page.items) for page in pages]


@in_virtual_time
async def test_a_page_that_waits_for_its_turn_is_not_slow():
    """An attempt's seconds end with its answer, however long the caller takes for the page before."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with Sandbox(numbers=4, trunks=0) as sandbox:
        elapsed: list[float] = []
        hooks = Hooks(on_attempt=lambda attempt, _: elapsed.append(attempt.elapsed))
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, hooks=hooks) as mihu:
            with_pipeline(mihu, clock=VirtualClock(loop))
            async for _ in mihu.numbers.list(per_page=1).pages():
                await asyncio.sleep(0.2)

    assert 4 == len(elapsed)
    assert max(elapsed) < 0.2


def blow(*_: object) -> Any:
    """Fail as a hook of a user may."""
    raise LookupError("hunter22")


@contextmanager
def blow_up_late(_):
    """Fail when the call is over."""
    try:
        yield
    finally:
        blow()


@contextmanager
def swallow(_):
    """Swallow what the call raised."""
    with suppress(ServerError):
        yield


BROKEN = {
    "attempt": (Hooks(on_attempt=blow), 8),
    "retry": (Hooks(on_retry=blow), 6),
    "around": (Hooks(around_call=blow), 2),
    "late": (Hooks(around_call=blow_up_late), 2),
    "no manager": (Hooks(around_call=lambda _: None), 2),  # type: ignore[arg-type, return-value]  # the point of the test
    "swallow": (Hooks(around_call=swallow), 0),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_hook_changes_nothing_of_a_call(kind, wire, caplog):
    """One that raises is logged by its error's type; one that swallows the call's error does not."""
    hooks, warnings = BROKEN[kind]
    diary = Diary()
    for _ in range(3):
        wire.get(URL_X, status=500)
    wire.get(URL_X, payload={"success": True, "data": 7})
    wire.get(URL_X, status=500, repeat=True)
    async with client(hooks=[hooks, diary.hooks]) as mihu:
        assert 7 == await mihu.request("GET", "/x")
        with pytest.raises(ServerError):
            await mihu.request("GET", "/x")

    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("The hook")]
    assert warnings == len(said)
    assert "hunter22" not in caplog.text
    if kind != "no manager":
        assert all("failed with LookupError" in line for line in said)
    assert 8 == diary.names.count("attempt")
    assert ("end", "error") == (diary.names[8], diary.names[-1])


async def test_a_hook_changes_nothing_of_a_walk(caplog):
    """It goes on where a hook raises at each of its pages."""
    async with (
        Sandbox(numbers=5, trunks=0) as sandbox,
        MihuClient(sandbox.token, base_url=sandbox.base_url, hooks=Hooks(on_page=blow)) as mihu,
    ):
        assert 5 == len(await mihu.numbers.list(per_page=2).collect())

    assert 3 == caplog.text.count("The hook on_page failed with LookupError; the call continues without it")


async def test_a_call_that_is_cancelled_or_not_sent_is_left_too():
    """Each is left with the error that ended the call; a cancelled attempt is reported, and a dry run has none."""
    async with Sandbox(numbers=1, trunks=0) as sandbox:
        sandbox.faults.add(Delay(5))
        diary = Diary()
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, hooks=diary.hooks) as mihu:
            task = asyncio.create_task(mihu.request("GET", "/phone-numbers"))
            while not len(sandbox.journal):
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
            with pytest.raises(DryRun):
                await mihu.with_options(dry_run=True).numbers.buy(**BUY)

    assert ["begin", "attempt", "error", "begin", "error"] == diary.names
    assert "cancelled" == diary.seen[1][1].outcome
    assert [asyncio.CancelledError, DryRun] == [type(diary.seen[place][1]) for place in (2, 4)]


async def test_several_hooks_are_called_in_order(wire):
    """The first one is the outermost around the call."""
    wire.get(URL_X, payload={"success": True, "data": 7}, repeat=True)
    order: list[str] = []

    def named(name: str) -> Hooks:
        @contextmanager
        def around(_):
            order.append(f"{name} in")
            yield
            order.append(f"{name} out")

        return Hooks(on_attempt=lambda *_: order.append(name), around_call=around)

    async with client(hooks=(named("a"), named("b"))) as mihu:
        await mihu.request("GET", "/x")
        await mihu.with_options(hooks=named("c")).request("GET", "/x")

    assert ["a in", "b in", "a", "b", "b out", "a out", "c in", "c", "c out"] == order


async def no_hook(*_: object) -> None:
    """Be what nothing would await."""


class NoHook:
    """Is called like that, too."""

    async def __call__(self, *_: object) -> None: ...


@pytest.mark.parametrize("hook", [3, "log", no_hook, NoHook()], ids=lambda hook: type(hook).__name__)
@pytest.mark.parametrize("name", ["on_attempt", "on_retry", "on_page", "around_call"])
def test_a_hook_that_could_not_be_called_is_refused(name, hook):
    """The error names it, when it is given."""
    with pytest.raises(UsageError, match=rf"Hooks\.{name} must be a (plain )?function") as caught:
        Hooks(**{name: hook})

    assert name == caught.value.argument


@pytest.mark.parametrize("hooks", [print, [print], {"on_retry": print}])
def test_hooks_that_are_none_are_refused(hooks):
    """A function alone does not say when it is to be called."""
    with pytest.raises(UsageError, match=r"hooks must be Hooks\(…\) or several of them"):
        client(hooks=hooks)
    with pytest.raises(UsageError, match="hooks must be"):
        client().with_options(hooks=hooks)


async def test_without_hooks_nothing_is_made_for_them(wire, monkeypatch):
    """No report, no context manager and no callback is on the way of a call or a walk."""
    for module, name in (
        (journal, "CallReport"),
        (journal, "tell"),
        (pipeline, "around"),
        (endpoint, "PageReport"),
        (endpoint, "tell"),
    ):
        monkeypatch.setattr(module, name, blow)
    wire.get(URL_X, status=503)
    wire.get(URL_X, payload={"success": True, "data": 7})
    wire.get(URL_NUMBERS, payload={"success": True, "data": {"items": [], "pagination": {"has_more": False}}})
    async with client() as mihu:
        assert 7 == await mihu.request("GET", "/x")
        assert [] == await mihu.numbers.list().collect()


@pytest.mark.parametrize("fault", ECHOING + SILENT, ids=lambda fault: f"{type(fault).__name__}-{vars_of(fault)}")
async def test_hooks_see_no_secret(fault, caplog):
    """Neither what the caller sent, nor what the service echoes."""
    caplog.set_level(logging.DEBUG)
    diary = Diary()
    error = await failure(fault, call=lambda mihu, agent: register(mihu.with_options(hooks=diary.hooks), agent))

    assert {"begin", "attempt", "error"} <= set(diary.names)
    assert_clean(repr(diary.seen))
    assert_clean(f"{error} {error!r} {vars(error)}")
    assert_clean(" ".join(record.getMessage() for record in caplog.records))


async def test_a_secret_in_a_path_is_redacted():
    """Nobody should send one there, and yet."""
    async with Sandbox(token=TOKEN) as sandbox:
        diary = Diary()
        async with MihuClient(TOKEN, base_url=sandbox.base_url, hooks=diary.hooks) as mihu:
            with pytest.raises(NotFoundError):
                await mihu.request("GET", f"/{TOKEN}")

    assert ["begin", "attempt", "error"] == diary.names
    assert_clean(repr(diary.seen))


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/phone-numbers", "/api/v1/phone-numbers"),
        ("/api/v1/phone-numbers/trunks/assign", "/api/v1/phone-numbers/trunks/assign"),
        (
            "/api/v1/phone-numbers/8b0f1c9e-6a4d-4a7e-9d43-1f2a3b4c5d6e/channels",
            "/api/v1/phone-numbers/{id}/channels",
        ),
        ("/api/v1/x/%2B390790080041", "/api/v1/x/{id}"),
        ("/api/v1/x/12", "/api/v1/x/{id}"),
        ("/api/v1/***", "/api/v1/{id}"),
    ],
)
def test_a_template_has_no_ids(path, template):
    """So that it can name a span or label a metric."""
    assert template == CallReport("GET", path, (), found=False).template


def test_hooks_are_no_base_class():
    """A method of a subclass would stand behind the field of its name, and never be called."""
    with pytest.raises(TypeError, match=r"Pass functions: Hooks\(on_attempt=…\)"):
        type("Loud", (Hooks,), {"on_attempt": print})
