"""No variable in a frame of the SDK holds a secret, whichever argument is refused."""

import inspect
import traceback
from typing import Any

import pytest

from mihu_async import MihuClient, MihuError, NotFoundError, SipCredentials, SipUpdate, UsageError
from mihu_async.frames import conceals_arguments
from mihu_async.sandbox import Sandbox, Status
from tests.doubles import client

TOKEN = "sandbox-token/e7f3a9c"
PASSWORD = "hunter/22&<x>"
USERNAME = "acme-user-1"
HEADER = "k3y-0f-a-gateway"
SECRETS = (TOKEN, PASSWORD, USERNAME, HEADER)

LOGIN: dict[str, Any] = {"username": USERNAME, "password": PASSWORD}
HEADERS = {"X-Auth": HEADER}
AGENT = "1b4e28ba-2fa1-4d2b-883f-0016d3cca427"


def shown(value: object) -> str | None:
    """Name a test by its texts and numbers only; other values have no lasting repr."""
    return repr(value) if isinstance(value, str | int) else None


MAKING: dict[str, Any] = {
    "token": TOKEN,
    "base_url": "https://acme.mihu.ai",
    "proxy": f"http://{USERNAME}:hunter22@127.0.0.1:1",
    "headers": HEADERS,
}
NEVER_A_CLIENT: list[tuple[str, Any]] = [
    ("token", f"{TOKEN}\n"),
    ("token", TOKEN.encode()),
    ("subdomain", "acme"),
    ("base_url", None),
    ("base_url", f"https://{USERNAME}:{PASSWORD}@acme.mihu.ai"),
    ("base_url", f"ftp://acme.mihu.ai/{PASSWORD}"),
    ("session", TOKEN),
    ("timeout", 5),
    ("retries", 5),
    ("concurrency", 0),
    ("limiter", 5),
    ("hooks", 5),
    ("dry_run", "yes"),
    ("proxy", f"socks5://{USERNAME}:{PASSWORD}@127.0.0.1:1"),
    ("ssl", "yes"),
    ("user_agent", "\n"),
    ("max_response_bytes", 0),
    ("strict", "yes"),
    ("headers", {"X-Auth": f"{HEADER}\n"}),
    ("headers", [("X-Auth", HEADER)]),
    ("ledger", 5),
]

REQUEST: dict[str, Any] = {
    "method": "GET",
    "path": "/phone-numbers",
    "query": {"api_token": TOKEN},
    "json": LOGIN,
    "headers": HEADERS,
}
TRUNK: dict[str, Any] = {
    "phone_number": "+12345678901",
    "channel": "call",
    "agent_uuid": AGENT,
    "sip": SipCredentials(**LOGIN),
    "additional_settings": LOGIN,
}
CONNECTION: dict[str, Any] = {"name": "Desk", "phone_number": "+12345678901", "gateway": "sip.acme.com", **LOGIN}

NEVER_SENT: list[tuple[str, dict[str, Any], str, Any]] = [
    ("request", REQUEST, "method", "FETCH"),
    ("request", REQUEST, "path", "/../x"),
    ("request", REQUEST, "query", {"api_token": TOKEN, "x": {}}),
    ("request", REQUEST, "query", [("api_token", TOKEN), "x"]),
    ("request", REQUEST, "json", {**LOGIN, "x": object()}),
    ("request", REQUEST, "json", {**LOGIN, "x": float("nan")}),
    ("request", REQUEST, "headers", {"X-Auth": f"{HEADER}\n"}),
    *(
        (method, TRUNK, argument, value)
        for method in ("trunks.register", "trunks.ensure")
        for argument, value in [
            ("phone_number", "0790"),
            ("channel", "fax"),
            ("agent_uuid", "a b"),
            ("name", 5),
            ("direction", "up"),
            ("sip", LOGIN),
            ("additional_settings", [LOGIN]),
            ("additional_settings", {**LOGIN, "x": object()}),
        ]
    ),
    *(
        ("trunks.update", {name: TRUNK[name] for name in TRUNK if name != "agent_uuid"}, argument, value)
        for argument, value in [
            ("phone_number", "0790"),
            ("channel", "fax"),
            ("name", 5),
            ("direction", "up"),
            ("sip", LOGIN),
            ("sip", None),
            ("additional_settings", [LOGIN]),
        ]
    ),
    *(
        ("sip_connections.create", CONNECTION, argument, value)
        for argument, value in [
            ("name", ""),
            ("phone_number", ""),
            ("gateway", f"{USERNAME}@sip.acme.com"),
            ("username", [USERNAME]),
            ("password", PASSWORD.encode()),
            ("secondary_gateway", ""),
        ]
    ),
]


def variables(error: BaseException | None) -> list[str]:
    """Show what the frames of the SDK hold, of an error and of all that stand behind it."""
    shown: list[str] = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            module = str(frame.f_globals.get("__name__", frame.f_code.co_filename))
            if module.startswith("mihu_async") or "attrs generated" in frame.f_code.co_filename:
                shown += [
                    f"{module}.{frame.f_code.co_name}: {name}={value!r}" for name, value in frame.f_locals.items()
                ]
        error = error.__cause__ or error.__context__
    return shown


def assert_clean(error: BaseException) -> None:
    """Search the variables and the text of an error for every secret."""
    texts = [*variables(error), str(error)]

    assert [] == [text for text in texts if any(secret in text for secret in SECRETS)]


@pytest.mark.parametrize(("argument", "value"), NEVER_A_CLIENT, ids=shown)
def test_a_client_that_cannot_be_made_leaves_no_secret(argument, value, monkeypatch):
    """Neither of its arguments nor of the environment, whichever argument it is that cannot be."""
    monkeypatch.setenv("DATABASE_PASSWORD", PASSWORD)
    with pytest.raises(UsageError) as caught:
        MihuClient(**MAKING | {argument: value})

    assert_clean(caught.value)


def test_every_argument_of_a_client_is_refused_above():
    """But trust_env, which takes anything for true or false."""
    assert {argument for argument, _ in NEVER_A_CLIENT} == {*inspect.signature(MihuClient).parameters} - {"trust_env"}


@pytest.mark.parametrize("name", ["tokn", "api_key"])
def test_an_argument_that_there_is_not_leaves_no_secret(name):
    """A TypeError of Python's shows no arguments either."""
    with pytest.raises(TypeError, match=name) as caught:
        MihuClient(**MAKING | {name: TOKEN})

    assert_clean(caught.value)


@pytest.mark.parametrize(
    ("argument", "value"),
    [("token", f"{TOKEN}\n"), ("headers", {"X-Auth": f"{HEADER}\n"}), ("timeout", 5), ("concurrency", 0)],
    ids=shown,
)
def test_options_that_cannot_be_leave_no_secret(argument, value):
    """Nor do those of a derived client."""
    with pytest.raises(UsageError) as caught:
        client().with_options(**{"token": TOKEN, "headers": HEADERS, argument: value})

    assert_clean(caught.value)


@pytest.mark.parametrize("kind", [SipCredentials, SipUpdate])
@pytest.mark.parametrize(
    ("argument", "value"),
    [("gateway", 5), ("port", 0), ("username", [USERNAME]), ("password", PASSWORD.encode()), ("secondary_gateway", 5)],
    ids=shown,
)
def test_credentials_that_cannot_be_leave_no_secret(kind, argument, value):
    """Nor does the initializer that attrs makes."""
    with pytest.raises(UsageError) as caught:
        kind(**LOGIN | {argument: value})

    assert_clean(caught.value)


@pytest.mark.parametrize(("method", "good", "argument", "value"), NEVER_SENT, ids=shown)
async def test_a_call_that_cannot_be_leaves_no_secret(method, good, argument, value):
    """Whichever argument it is that cannot be, and whatever the others hold."""
    async with client() as mihu:
        call: Any = mihu
        for name in method.split("."):
            call = getattr(call, name)
        with pytest.raises(UsageError) as caught:
            await call(**good | {argument: value})

    assert_clean(caught.value)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("request", REQUEST),
        ("trunks.register", TRUNK),
        ("trunks.ensure", TRUNK),
        ("sip_connections.create", CONNECTION),
    ],
    ids=["request", "register", "ensure", "create"],
)
async def test_a_call_that_fails_leaves_no_secret(method, arguments):
    """What the service or the network does to it adds no variable."""
    async with Sandbox(numbers=0, trunks=0) as sandbox, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
        sandbox.faults.add(Status(404), times=None)
        call: Any = mihu
        for name in method.split("."):
            call = getattr(call, name)
        with pytest.raises(MihuError) as caught:
            await call(**arguments)

    assert isinstance(caught.value, NotFoundError)
    assert_clean(caught.value)


@pytest.mark.parametrize(
    ("row", "argument"),
    [(TRUNK | {"sip": LOGIN}, "sip"), (TRUNK | {"pin": PASSWORD}, "row"), (TRUNK | {"channel": "fax"}, "channel")],
)
async def test_a_row_that_cannot_be_leaves_no_secret(row, argument):
    """Its error is its result, and holds no variable with the row."""
    async with client() as mihu:
        (result,) = [result async for result in mihu.trunks.ensure_all([row])]

    assert isinstance(result.error, UsageError)
    assert argument == result.error.argument
    assert_clean(result.error)


@pytest.mark.parametrize(("rows", "concurrency"), [(LOGIN, None), ([LOGIN], 0)], ids=shown)
async def test_rows_that_cannot_be_leave_no_secret(rows, concurrency):
    """Nor do the arguments of a run."""
    async with client() as mihu:
        with pytest.raises(UsageError) as caught:
            mihu.trunks.ensure_all(rows, concurrency=concurrency)

    assert_clean(caught.value)


async def test_a_source_that_fails_leaves_no_secret():
    """No frame keeps the row before."""

    def rows():
        yield {"sip": LOGIN}
        raise ValueError

    async with client() as mihu:
        with pytest.raises(ValueError, match=r"^$") as caught:
            [result async for result in mihu.trunks.ensure_all(rows())]

    assert_clean(caught.value)


async def test_a_function_that_returns_no_token_leaves_no_secret():
    """What it returned stands in no frame."""
    async with client().with_options(token=lambda: f"{TOKEN}\n") as mihu:
        with pytest.raises(UsageError) as caught:
            await mihu.numbers.list()

    assert_clean(caught.value)


def refuse(argument):
    """Refuse an argument, behind another error."""
    try:
        int(argument)
    except ValueError:
        raise UsageError("It must be a number.") from None


async def refuse_later(argument):
    """Refuse an argument, in a coroutine."""
    refuse(argument)


@pytest.mark.parametrize("function", [refuse, refuse_later])
async def test_the_frames_of_a_refusal_stay_without_their_variables(function):
    """The traceback still tells where it was raised; what the caller was handling is left as it was."""
    concealing = conceals_arguments(function)
    try:
        refuse("mine")
    except UsageError as mine:
        with pytest.raises(UsageError) as caught:
            await concealing(PASSWORD) if function is refuse_later else concealing(PASSWORD)
        kept = [frame.f_locals for frame, _ in traceback.walk_tb(mine.__traceback__)][-1]
    frames = [frame for frame, _ in traceback.walk_tb(caught.tb)][1:]

    assert {"call", "refuse"} <= {frame.f_code.co_name for frame in frames}
    assert [] == [frame for frame in frames if PASSWORD in map(str, frame.f_locals.values())]
    assert {"argument": "mine"} == kept


@pytest.mark.parametrize("function", [refuse, refuse_later])
def test_a_function_that_conceals_is_what_it_was(function):
    """It keeps its name, its signature and its kind, and returns the same."""
    concealing = conceals_arguments(function)

    assert function.__name__ == concealing.__name__
    assert inspect.signature(function) == inspect.signature(concealing)
    assert inspect.iscoroutinefunction(function) is inspect.iscoroutinefunction(concealing)
