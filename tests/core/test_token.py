import asyncio
import gc
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from mihu_async import (
    AuthenticationError,
    ConnectError,
    ConnectTimeoutError,
    DryRun,
    Hooks,
    MihuClient,
    RetryPolicy,
    Timeout,
    UsageError,
)
from mihu_async.core.token import REMEMBERED, TokenSource
from mihu_async.sandbox import Sandbox, Status
from tests.internals import pipeline_of, transport_of

PURCHASE: dict[str, Any] = {"number": "+390790080041", "country_code": "IT", "type": "local"}
QUICK = RetryPolicy(base_delay=0)


class Vault:
    """Gives tokens in order, the last one for ever, each once ``admission`` is open; counts how often it was asked."""

    def __init__(self, *tokens: Any) -> None:
        self.tokens = list(tokens)
        self.asked = 0
        self.ended = 0
        self.admission = asyncio.Event()
        self.admission.set()

    async def __call__(self) -> str:
        self.asked += 1
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        try:
            await self.admission.wait()
        finally:
            self.ended += 1
        if isinstance(token, BaseException):
            raise token
        return token  # type: ignore[no-any-return]  # what is no text is for the source to refuse


@pytest.fixture
async def sandbox():
    """A small workspace."""
    async with Sandbox(numbers=3, trunks=2) as served:
        yield served


def connect(sandbox: Sandbox, token: Any, **options: Any) -> MihuClient:
    """Make a client that waits for nothing between attempts."""
    return MihuClient(token, base_url=sandbox.base_url, **{"retries": QUICK} | options)


async def test_a_token_is_asked_for_when_a_call_needs_it(sandbox):
    """Not when the client is made or entered, and once for all calls."""
    vault = Vault(sandbox.token)
    async with connect(sandbox, vault) as mihu:
        assert 0 == vault.asked
        for _ in range(3):
            await mihu.numbers.list()
        await mihu.with_options(timeout=Timeout(total=5)).numbers.list()

    assert 1 == vault.asked


async def test_a_plain_function_will_do(sandbox):
    """It may return the token, or something to await."""
    for function in (lambda: sandbox.token, partial(Vault(sandbox.token))):
        async with connect(sandbox, function) as mihu:
            assert 3 == len(await mihu.numbers.list().collect())


async def test_calls_at_the_same_time_share_one_answer(sandbox):
    """However many ask for the first one, or come back with a 401 for it, the function is called once for each."""
    vault = Vault("stale-token-1", sandbox.token)
    async with connect(sandbox, vault) as mihu:
        pages = await asyncio.gather(*(mihu.numbers.list() for _ in range(10)))

    assert [3] * 10 == [len(page.items) for page in pages]
    assert 2 == vault.asked


async def test_a_refused_token_is_asked_for_once_more(sandbox):
    """The call is sent again with the new one, whatever its policy says of retries, and the attempts tell of both."""
    vault = Vault("stale-token-1", sandbox.token)
    async with connect(sandbox, vault, retries=RetryPolicy(max_attempts=1)) as mihu:
        await mihu.numbers.list()
        assert mihu.last_call
        assert [401, 200] == [attempt.status for attempt in mihu.last_call.attempts]

    assert 2 == vault.asked


async def test_a_refresh_costs_no_attempt(sandbox):
    """All of the policy's attempts are left for what goes wrong besides."""
    sandbox.faults.add(Status(503), times=2)
    policy = RetryPolicy(max_attempts=3, base_delay=0)
    async with connect(sandbox, Vault("stale-token-1", sandbox.token), retries=policy) as mihu:
        await mihu.numbers.list()
        assert mihu.last_call
        assert [401, 503, 503, 200] == [attempt.status for attempt in mihu.last_call.attempts]


async def test_a_purchase_that_was_refused_with_401_is_sent_again(sandbox):
    """It was not applied, so it is bought once, and nothing is looked up."""
    async with connect(sandbox, Vault("stale-token-1", sandbox.token)) as mihu:
        await mihu.numbers.buy(**PURCHASE)

    assert ["POST", "POST"] == [entry.method for entry in sandbox.journal]
    assert 4 == len(sandbox.inventory.numbers)


async def test_a_look_up_gets_a_new_token_too(sandbox):
    """A lost purchase is found, though the token ran out between."""
    sandbox.faults.play("lost-purchase")
    sandbox.faults.add(Status(401), method="GET")
    vault = Vault(sandbox.token)
    async with connect(sandbox, vault) as mihu:
        await mihu.numbers.buy(**PURCHASE)
        assert mihu.last_call
        assert mihu.last_call.found

    assert 2 == vault.asked
    assert 1 == len(sandbox.journal.select(method="POST"))


async def test_a_token_that_is_refused_twice_is_refused(sandbox):
    """A call asks once, and raises the second 401; the next call may ask again."""
    vault = Vault("stale-token-1", "stale-token-2", "stale-token-3", sandbox.token)
    async with connect(sandbox, vault) as mihu:
        with pytest.raises(AuthenticationError) as caught:
            await mihu.numbers.list()
        assert [401, 401] == [attempt.status for attempt in caught.value.attempts]
        assert 2 == vault.asked
        with pytest.raises(AuthenticationError):
            await mihu.numbers.list()
        await mihu.numbers.list()

    assert 4 == vault.asked


async def test_a_token_that_stays_is_refused_at_once(sandbox):
    """A text is no function, so nobody is asked."""
    async with connect(sandbox, "stale-token-1") as mihu:
        with pytest.raises(AuthenticationError):
            await mihu.numbers.list()

    assert 1 == len(sandbox.journal)


async def test_a_401_for_an_older_token_asks_nobody():
    """A call that was refused before another one's refresh goes on with the present token."""
    vault = Vault("one", "two")
    source = TokenSource(vault)
    assert "one" == await source.get()
    assert ["two", "two"] == list(await asyncio.gather(source.get(refused="one"), source.get(refused="one")))
    assert "two" == await source.get(refused="one")
    assert "two" == await source.get()

    assert 2 == vault.asked


async def test_a_function_that_fails_sends_nothing(sandbox):
    """Its error is the cause; the call is tried again, as after any failure to connect."""
    vault = Vault(OSError("vault sealed: hush-hush"), sandbox.token)
    async with connect(sandbox, vault) as mihu:
        await mihu.numbers.list()
        assert mihu.last_call
        assert [None, 200] == [attempt.status for attempt in mihu.last_call.attempts]
        sealed = connect(sandbox, Vault(OSError("vault sealed: hush-hush")))
        with pytest.raises(ConnectError, match=r"was not sent: the function .* failed with OSError") as caught:
            await sealed.numbers.buy(**PURCHASE)

    assert isinstance(caught.value.__cause__, OSError)
    assert 4 == len(caught.value.attempts)
    assert "hush-hush" not in f"{caught.value} {vars(caught.value)}"
    assert 1 == len(sandbox.journal)


async def test_a_function_that_is_cancelled_by_itself_fails(sandbox):
    """Nobody cancelled the call, so it raises an error and no cancellation."""
    async with connect(sandbox, Vault(asyncio.CancelledError())) as mihu:
        with pytest.raises(ConnectError, match="failed with CancelledError"):
            await mihu.numbers.list()


@pytest.mark.parametrize("given", ["", "two words", "x\r\nX-A: b", None, 5, b"token"], ids=repr)
async def test_what_a_function_returns_is_checked_like_a_token(sandbox, given):
    """Nothing is sent, and the error does not show it."""
    async with connect(sandbox, lambda: given) as mihu:
        with pytest.raises(UsageError, match="token must be visible ASCII") as caught:
            await mihu.numbers.list()

    assert "token" == caught.value.argument
    assert "two words" not in str(caught.value)
    assert 0 == len(sandbox.journal)


async def test_a_function_has_the_time_of_the_call(sandbox):
    """Where it takes longer, nothing was sent, and it is not left running."""
    vault = Vault(sandbox.token)
    vault.admission.clear()
    async with connect(sandbox, vault, timeout=Timeout(total=0.05)) as mihu:
        with pytest.raises(ConnectTimeoutError, match="its token did not arrive within the time of the call"):
            await mihu.numbers.list()
        await asyncio.sleep(0)

    assert (1, 1) == (vault.asked, vault.ended)
    assert 0 == len(sandbox.journal)


async def test_a_timeout_of_the_functions_own_is_its_failure(sandbox):
    """The call's time is not up."""
    async with connect(sandbox, Vault(TimeoutError())) as mihu:
        with pytest.raises(ConnectError, match="failed with TimeoutError"):
            await mihu.numbers.list()


async def test_a_call_that_is_cancelled_leaves_the_others_their_token(sandbox):
    """The function goes on while anybody waits for it."""
    vault = Vault(sandbox.token)
    vault.admission.clear()
    async with connect(sandbox, vault) as mihu:
        calls = [asyncio.ensure_future(mihu.request("GET", "/phone-numbers")) for _ in range(3)]
        await asyncio.sleep(0.01)
        calls[0].cancel()
        await asyncio.sleep(0.01)
        assert 0 == vault.ended
        vault.admission.set()
        first, *others = await asyncio.gather(*calls, return_exceptions=True)

    assert isinstance(first, asyncio.CancelledError)
    assert [dict, dict] == [type(other) for other in others]
    assert 1 == vault.asked


async def test_the_last_call_that_is_cancelled_ends_the_function(sandbox):
    """Nothing is left running, and the next call asks anew."""
    vault = Vault(sandbox.token)
    vault.admission.clear()
    async with connect(sandbox, vault) as mihu:
        call = asyncio.ensure_future(mihu.request("GET", "/phone-numbers"))
        await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        vault.admission.set()
        await mihu.numbers.list()

    assert (2, 2) == (vault.asked, vault.ended)


def test_a_token_outlives_its_event_loop():
    """A client at module level asks once for one asyncio.run after the other, and a loop that ended holds nobody up."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        tokens = [sandbox.token]
        asked: list[int] = []

        async def give() -> str:
            asked.append(1)
            if not tokens:
                await asyncio.Event().wait()
            return tokens[0]

        mihu = connect(sandbox, give)

        async def count() -> int:
            return len(await mihu.numbers.list().collect())

        assert [3, 3] == [asyncio.run(count()), asyncio.run(count())]
        assert 1 == len(asked)
        gc.collect()


def test_a_loop_that_was_closed_under_a_function_is_forgotten():
    """The next loop asks for itself, and nothing of the other one is kept."""
    endless = asyncio.Event()
    answers = [endless.wait(), "one"]
    source = TokenSource(lambda: answers.pop(0))  # type: ignore[arg-type, return-value]  # the first never comes
    closed = asyncio.new_event_loop()
    closed.set_exception_handler(lambda *_: None)  # two tasks are left behind on purpose
    waiting = source.get()
    tasks = [closed.create_task(waiting)]
    for _ in range(2):
        closed.call_soon(closed.stop)
        closed.run_forever()
    closed.close()

    assert 1 == source.calls
    tasks.clear()
    assert "one" == asyncio.run(source.get())
    waiting.close()
    assert 0 == source.calls


def test_threads_with_loops_of_their_own_share_a_token():
    """Each may ask for itself where they come together, and all get it."""
    with Sandbox(numbers=3, trunks=0) as sandbox, ThreadPoolExecutor(8) as threads:
        mihu = connect(sandbox, lambda: sandbox.token)

        async def count() -> int:
            return len(await mihu.numbers.list().collect())

        assert [3] * 40 == list(threads.map(lambda _: asyncio.run(count()), range(40)))


async def test_another_token_shares_the_connections(sandbox):
    """Both a text and a function, and the client that it was made from keeps its own."""
    async with connect(sandbox, "stale-token-1") as mihu:
        for token in (sandbox.token, lambda: sandbox.token):
            other = mihu.with_options(token=token)
            await other.numbers.list()
            await other.with_options(concurrency=2).numbers.list()
            assert transport_of(other).sessions.own == transport_of(mihu).sessions.own
        with pytest.raises(AuthenticationError):
            await mihu.numbers.list()
        with pytest.raises(UsageError):
            mihu.with_options(token="")
        static = other.with_options(token=sandbox.token)
        assert pipeline_of(static).tokens is None
        await static.numbers.list()


async def test_the_doctor_and_a_dry_run_ask_too(sandbox):
    """Whatever makes a call gets its token where the others do."""
    async with connect(sandbox, Vault("stale-token-1", sandbox.token)) as mihu:
        assert (await mihu.doctor()).ok
        dry = mihu.with_options(dry_run=True)
        assert 3 == len((await dry.numbers.list()).items)
        with pytest.raises(DryRun) as caught:
            await dry.numbers.buy(**PURCHASE)

    assert "Authorization: Bearer ***" in caught.value.curl
    assert sandbox.token not in f"{caught.value} {vars(caught.value)}"


async def test_tokens_old_and_new_are_redacted(sandbox):
    """From the moment they are known, in errors and in what hooks are given."""
    seen: list[str] = []
    hooks = Hooks(on_attempt=lambda attempt, call: seen.append(f"{attempt} {call} {call.headers}"))
    old, new = "stale-token-1", sandbox.token
    echo = {"success": False, "message": f"no {old} and {new}"}
    async with connect(sandbox, Vault(old, new), hooks=hooks) as mihu:
        await mihu.numbers.list()
        sandbox.faults.add(Status(422, body=echo, headers={"X-Echo": f"{old} {new}", "X-Request-Id": new}), times=None)
        with pytest.raises(Exception, match=r"no \*\*\* and \*\*\*") as caught:
            await mihu.numbers.list()

    shown = f"{caught.value} {vars(caught.value)} {seen} {mihu!r} {vars(mihu)} {pipeline_of(mihu).tokens!r}"
    assert [] == [token for token in (old, new) if token in shown]


async def test_a_source_remembers_the_last_tokens():
    """A process that runs for years does not gather all that it ever had."""
    source = TokenSource(Vault(*(f"token-{count}" for count in range(REMEMBERED + 5)), "token-9"))
    token = None
    for _ in range(REMEMBERED + 6):
        token = await source.get(refused=token)

    assert REMEMBERED == len(source.secrets) == len(set(source.secrets))
    assert "token-9" == source.secrets[-1]


def test_a_source_cannot_be_pickled():
    """A token does not travel by accident."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(TokenSource(str))
