import asyncio
import copy
import pickle
from typing import Any
from unittest.mock import Mock, create_autospec

import aiohttp
import pytest
from yarl import URL

import mihu_async.client
from mihu_async import (
    ConnectionLostError,
    Hooks,
    MihuClient,
    NotFoundError,
    OutcomeUnknownError,
    Page,
    PhoneNumber,
    RetryPolicy,
    ServerError,
    Timeout,
    UsageError,
    __version__,
)
from mihu_async.core.journal import LATEST
from mihu_async.core.response import Response
from mihu_async.sandbox import Delay, Hang, Sandbox, Status
from tests.doubles import TOKEN, client
from tests.internals import pipeline_of, transport_of

URL_X = "https://acme.mihu.ai/api/v1/x"


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({"MIHU_API_TOKEN": TOKEN, "MIHU_TENANT": "acme"}, {}, "https://acme.mihu.ai"),
        ({"MIHU_API_TOKEN": TOKEN, "MIHU_BASE_URL": "http://127.0.0.1:5/api/v1"}, {}, "http://127.0.0.1:5"),
        ({}, {"token": TOKEN, "subdomain": "acme"}, "https://acme.mihu.ai"),
        ({}, {"token": TOKEN, "base_url": "https://acme.mindhunters.ai"}, "https://acme.mindhunters.ai"),
    ],
)
def test_a_client_is_made_of_arguments_or_the_environment(environment, arguments, expected, monkeypatch):
    """Its repr says where it goes, and not with what."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert f"MihuClient(base_url='{expected}')" == repr(MihuClient(**arguments))


@pytest.mark.parametrize(
    "options",
    [
        {"token": ""},
        {"subdomain": "x"},
        {"timeout": 5},
        {"retries": 3},
        {"proxy": "nowhere"},
        {"user_agent": "\n"},
        {"max_response_bytes": 0},
        {"concurrency": 0},
        {"ssl": "yes"},
        {"session": "mine"},
        {"headers": {"Host": "other"}},
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_option_that_can_never_work_is_refused(options):
    """A client that would fail on its first call is not made."""
    with pytest.raises(UsageError):
        MihuClient(**{"token": TOKEN, "base_url": "https://acme.mihu.ai"} | options)


async def test_every_request_says_who_it_is(wire):
    """The token goes into one header, and the agent names the SDK unless told otherwise."""
    wire.get(URL_X, payload={"success": True, "data": 1}, repeat=True)
    async with client() as mihu, client(user_agent="acme-bot/1.2") as bot:
        await mihu.request("GET", "/x")
        await bot.request("GET", "/x")

    first, second = (sent["headers"] for _, _, sent in wire.sent)
    assert f"Bearer {TOKEN}" == first["Authorization"]
    assert "application/json" == first["Accept"]
    assert first["User-Agent"].startswith(f"mihu-async/{__version__} Python/3.")
    assert "acme-bot/1.2" == second["User-Agent"]


@pytest.mark.parametrize("path", [None, 5, b"/x", ["/x"]], ids=repr)
async def test_a_path_is_text(path):
    """Anything else is refused before it is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="path must be text, not "):
            await mihu.request("GET", path)


async def test_headers_of_a_callers_own_are_sent_with_every_request(wire):
    """Those of a call go before the client's; the SDK's own stay what they are."""
    wire.get(URL_X, payload={"success": True, "data": 1}, repeat=True)
    async with client(headers={"X-Tenant": "acme", "X-Team": "a"}) as mihu:
        await mihu.request("GET", "/x", headers={"x-team": "b"})
        await mihu.with_options(concurrency=2).request("GET", "/x")
        await mihu.with_options(headers={"X-Other": "c"}).request("GET", "/x")
        await mihu.with_options(headers={}).request("GET", "/x")

    own = {"Authorization", "Accept", "User-Agent"}
    assert [own <= set(sent["headers"]) for _, _, sent in wire.sent] == [True] * 4
    assert [
        {"X-Tenant": "acme", "x-team": "b"},
        {"X-Tenant": "acme", "X-Team": "a"},
        {"X-Other": "c"},
        {},
    ] == [{name: value for name, value in sent["headers"].items() if name not in own} for _, _, sent in wire.sent]


async def test_headers_that_cannot_be_sent_are_refused(wire):
    """Wherever they are given, before anything is sent."""
    async with client() as mihu:
        with pytest.raises(UsageError, match="Authorization"):
            await mihu.request("GET", "/x", headers={"Authorization": "x"})
        with pytest.raises(UsageError, match="Content-Type"):
            mihu.with_options(headers={"Content-Type": "text/plain"})
        with pytest.raises(UsageError, match="headers must map"):
            MihuClient(TOKEN, subdomain="acme", headers="X-A: b")  # type: ignore[arg-type]  # the point of the test

    assert [] == wire.sent


async def test_lists_and_pairs_of_a_query_are_sent(wire):
    """A name is sent as often as it has values."""
    wire.get(URL(f"{URL_X}?ids%5B%5D=a&ids%5B%5D=b", encoded=True), payload={"success": True, "data": 1}, repeat=True)
    async with client() as mihu:
        assert 1 == await mihu.request("GET", "/x", query={"ids[]": ["a", "b"]})
        assert 1 == await mihu.request("GET", "/x", query=[("ids[]", "a"), ("ids[]", "b")])


async def test_what_a_success_said_can_be_looked_at(wire):
    """Its message, its request id and its headers, without secrets; those of the answer before are gone."""
    said = {"success": True, "message": f"Welcome, {TOKEN}\x1b[2J", "data": 1}
    headers = {"X-Request-Id": "r-1", "X-Plan": "pro", "Set-Cookie": "s=hush-hush", "X-Echo": TOKEN}
    wire.get(URL_X, status=503, headers={"X-Plan": "old"}, payload={"success": False, "message": "Wait."})
    wire.get(URL_X, payload=said, headers=headers)
    wire.get(URL_X, payload={"success": True, "data": 1})
    wire.get(URL_X, exception=aiohttp.ServerDisconnectedError())
    seen: list[tuple[str | None, str | None]] = []
    hooks = Hooks(on_attempt=lambda _, call: seen.append((call.message, call.headers.get("x-plan"))))
    async with client(hooks=hooks) as mihu:
        await mihu.request("GET", "/x")
        report = mihu.last_call
        assert report
        assert (r"Welcome, ***\x1b[2J", "r-1") == (report.message, report.request_id)
        assert ("pro", "***", "***") == tuple(report.headers[name] for name in ("x-plan", "Set-Cookie", "X-ECHO"))
        await mihu.request("GET", "/x")
        again = mihu.last_call
        assert again
        assert (None, None, False) == (again.message, again.request_id, "X-Plan" in again.headers)
        once = mihu.with_options(retries=RetryPolicy(max_attempts=1))
        with pytest.raises(ConnectionLostError):
            await once.request("GET", "/x")
        assert once.last_call
        assert {} == once.last_call.headers

    assert [("Wait.", "old"), (r"Welcome, ***\x1b[2J", "pro"), (None, None), (None, None)] == seen
    assert hash(report) != hash(again)


async def test_no_body_outlives_its_call(wire):
    """What a task remembers of its latest call holds its status and headers, and not its body."""
    wire.get(URL_X, payload={"success": True, "message": "m" * 3_000, "data": "d" * 30_000})
    async with client() as mihu:
        await mihu.request("GET", "/x")
        _, journal = LATEST.get() or (None, None)
        assert mihu.last_call
        assert 2_000 == len(mihu.last_call.message or "")

    kept = pickle.dumps([getattr(journal, name) for name in ("_message", "_headers", "_request_id", "attempts")])
    assert len(kept) < 10_000
    assert not any(isinstance(getattr(journal, name), Response) for name in dir(journal) if name != "__weakref__")


async def test_request_reaches_any_endpoint(wire):
    """The data comes as plain JSON values; path, query and body are encoded as everywhere."""
    wire.patch(
        URL("https://acme.mihu.ai/api/v1/agents/a%20b?q=%2B1", encoded=True),
        payload={"success": True, "data": {"fee": 1.5}},
    )
    async with client() as mihu:
        assert {"fee": 1.5} == await mihu.request(
            "patch", "api/v1/agents/a b".replace(" ", "%20"), query={"q": "+1", "n": None}, json={"a": [1]}
        )

    assert b'{"a":[1]}' == wire.sent[0][2]["data"]


async def test_a_raw_post_is_sent_once(wire):
    """A POST whose answer was lost is never sent twice, whatever its endpoint."""
    wire.post(URL_X, status=500, repeat=True)
    async with client() as mihu:
        with pytest.raises(OutcomeUnknownError, match="Check whether it was applied"):
            await mihu.request("POST", "/x", json={})

    assert 1 == len(wire.sent)


async def test_options_can_be_changed_for_some_calls(wire):
    """The other client shares the connections, and leaves this one as it is."""
    wire.get(URL_X, status=503, repeat=True)
    async with client() as mihu:
        once = mihu.with_options(retries=RetryPolicy(max_attempts=1), timeout=Timeout(total=5, read=2))
        for caller, attempts in ((once, 1), (mihu, 4), (once.with_options(), 1)):
            with pytest.raises(ServerError) as caught:
                await caller.request("GET", "/x")
            assert attempts == len(caught.value.attempts)

    bounds = [sent["timeout"] for _, _, sent in wire.sent]
    assert (2, 30) == (bounds[0].sock_read, bounds[1].sock_read)
    assert 4.9 < bounds[0].total <= 5
    with pytest.raises(UsageError, match="timeout must be Timeout"):
        mihu.with_options(timeout=5)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy], ids=lambda way: way.__name__)
def test_a_client_cannot_be_pickled(way):
    """A token does not travel by accident."""
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        way(client())

    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("part", ["numbers", "trunks", "_pipeline", "_transport"])
def test_no_part_of_a_client_can_be_pickled(part):
    """The token does not travel inside of a resource either."""
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(getattr(client(), part))


class Peak:
    """A limiter that lets everything through, and knows how much was under way at a time."""

    def __init__(self) -> None:
        self.inside = self.most = 0

    async def __aenter__(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)

    async def __aexit__(self, *_: object) -> None:
        self.inside -= 1


async def test_concurrency_is_the_clients_or_the_pagers():
    """A walk keeps so many pages under way, and a client with other options walks in its own way."""
    async with Sandbox(numbers=60, trunks=0) as sandbox:
        sandbox.faults.add(Delay(0.01), times=None)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, concurrency=2) as mihu:
            wide = mihu.with_options(concurrency=9)
            limits = Peak(), Peak()
            for client, limit in zip((mihu, wide), limits, strict=True):
                assert 60 == len(await client.with_options(limiter=limit).numbers.list(per_page=2).collect())

    assert 2 == limits[0].most < limits[1].most <= 9


async def test_a_throttled_walk_slows_down_and_loses_nothing():
    """429 and 503 slow every walk of the client."""
    async with Sandbox(numbers=100, trunks=0) as sandbox:
        sandbox.faults.add(Status(429, retry_after=0), skip=6, times=2)
        sandbox.faults.add(Status(503), skip=3)
        policy = RetryPolicy(base_delay=0)
        async with MihuClient(sandbox.token, base_url=sandbox.base_url, retries=policy) as mihu:
            both = await asyncio.gather(*(mihu.numbers.list(per_page=5).collect() for _ in range(2)))

        assert [100, 100] == [len({number.number for number in one}) for one in both]
        assert not pipeline_of(mihu).throttle.calm
        assert 43 == len(sandbox.journal)


async def test_many_walks_share_the_connections_fairly():
    """Of walks that begin together, none has to wait for another one's end."""
    async with (
        Sandbox(numbers=40, trunks=0) as sandbox,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=2)) as session,
    ):
        mihu = MihuClient(sandbox.token, base_url=sandbox.base_url, session=session)
        order: list[int] = []

        async def walk(name: int) -> None:
            async for _ in mihu.numbers.list(per_page=4).pages():
                order.append(name)  # noqa: PERF401 - the order among the walks counts

        await asyncio.gather(*(walk(name) for name in range(5)))

    halfway = order[: len(order) // 2]
    assert all(halfway.count(name) >= 2 for name in range(5))


async def test_the_last_call_of_a_task_can_be_looked_at(wire):
    """It tells the attempts of a success too; another task, and another client, have their own."""
    wire.get(URL_X, status=503)
    wire.get(URL_X, payload={"success": True, "data": 1}, repeat=True)
    async with client() as mihu, client() as other:
        assert mihu.last_call is None
        await mihu.request("GET", "/x")
        report = mihu.with_options().last_call
        assert report
        assert ("GET", "/api/v1/x", False) == (report.method, report.path, report.found)
        assert [503, 200] == [attempt.status for attempt in report.attempts]
        assert "ok" == report.attempts[-1].outcome
        assert other.last_call is None
        await asyncio.create_task(other.request("GET", "/x"))
        assert report == mihu.last_call
        await other.request("GET", "/x")
        assert mihu.last_call is None


async def test_the_last_call_that_failed_can_be_looked_at(wire):
    """It is what the error carries."""
    wire.get(URL_X, status=404)
    async with client() as mihu:
        with pytest.raises(NotFoundError) as caught:
            await mihu.request("GET", "/x")
        assert mihu.last_call
        assert caught.value.attempts == mihu.last_call.attempts


async def test_what_the_first_call_needs_is_made_when_the_client_is_entered(monkeypatch):
    """The decoders and the session are there before anything is asked for, and nothing was sent."""
    made: list[Any] = []
    # patched, because the process keeps its decoders: nothing shows whether an earlier client made them
    monkeypatch.setattr(mihu_async.client, "warm_up", lambda *answers: made.extend(answers))
    async with Sandbox(numbers=1, trunks=0) as sandbox, MihuClient("t", base_url=sandbox.base_url) as mihu:
        (session,) = transport_of(mihu).sessions.own
        async with mihu.with_options() as other:
            assert (session,) == transport_of(other).sessions.own
        assert not session.closed

    assert [] == list(sandbox.journal)
    assert Page[PhoneNumber] in made
    assert session.closed


async def test_closing_cancels_nobody():
    """Calls that wait for a connection when the session is closed end with an error, as those that have one do."""
    async with Sandbox() as sandbox, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        mihu = MihuClient(
            sandbox.token, base_url=sandbox.base_url, session=session, retries=RetryPolicy(max_attempts=1)
        )
        sandbox.faults.add(Hang(), times=None)
        calls = [asyncio.ensure_future(mihu.request("GET", "/phone-numbers")) for _ in range(3)]
        while not sandbox.journal:
            await asyncio.sleep(0)
        await session.close()
        found = await asyncio.gather(*calls, return_exceptions=True)

    assert [ConnectionLostError] * 3 == [type(error) for error in found]


async def test_a_specified_mock_has_the_resources():
    """An autospec knows their methods and signatures; a mock with the class as its spec has them."""
    mock = create_autospec(MihuClient, instance=True)
    mock.numbers.buy.return_value = "bought"

    assert "bought" == await mock.numbers.buy(number="+390790080041", country_code="IT", type="local")
    with pytest.raises(TypeError, match="colour"):
        mock.trunks.list(colour="red")
    with pytest.raises(AttributeError, match="nothing"):
        _ = mock.agents.nothing
    assert {"agents", "numbers", "sip_connections", "trunks"} <= set(dir(Mock(spec=MihuClient)))


def test_a_client_that_could_not_be_made_can_be_shown():
    """A debugger may show it, half made as it is."""
    assert "MihuClient(<not initialized>)" == repr(object.__new__(MihuClient))
