from datetime import UTC, datetime

import pytest

from mihu_async.sandbox import Change, Hang, Inventory, JournalEntry, NullFields, Status
from mihu_async.sandbox.admin import views
from mihu_async.sandbox.answers import Answer

ENTRY = JournalEntry(
    method="POST",
    path="/api/v1/x",
    raw_query="a=%2B1",
    headers={"Authorization": "Bearer abc", "X-Api-Key": "def", "Accept": "*/*"},
    body=b'{"username": "me", "password":"a\\"b", "name": "c"}',
    status=200,
    serial=3,
    arrived_at=datetime(2023, 11, 7, 5, 31, 56, 123456, tzinfo=UTC),
    seconds=0.25,
    answer=Answer(body=b'{"a": 1}', cut=4),
)


class Rain:
    """A fault of a test's own, which is no attrs class."""

    async def around(self, exchange):
        """Break the connection."""

    def __repr__(self) -> str:
        return "rain"


def test_an_exchange_keeps_secrets():
    """Tokens, passwords and usernames show as stars; all else shows as it came."""
    shown = views.exchange(ENTRY)

    assert [["Authorization", "Bearer ***"], ["X-Api-Key", "***"], ["Accept", "*/*"]] == shown["headers"]
    assert '{"username": "***", "password":"***", "name": "c"}' == shown["body"]
    assert {"status": 200, "headers": [["Content-Type", "application/json"]], "body": '{"a": 1}', "cut": 4} == shown[
        "answer"
    ]


def test_an_authorization_without_a_scheme():
    """Where a whole header is the secret, none of it shows."""
    assert [["Authorization", "***"]] == views.headers({"Authorization": "abc"})


def test_an_entry_in_short():
    """The listing holds what became of a request, and neither head nor body."""
    assert {
        "serial": 3,
        "arrived_at": "2023-11-07T05:31:56.123+00:00",
        "method": "POST",
        "path": "/api/v1/x",
        "query": "a=%2B1",
        "status": 200,
        "fault": None,
        "seconds": 0.25,
    } == views.entry(ENTRY)


def test_an_entry_without_times():
    """A request that a test made up has neither time nor answer."""
    shown = views.exchange(JournalEntry(method="GET", path="/"))

    assert (None, None, None) == (shown["arrived_at"], shown["seconds"], shown["answer"])


def test_bytes_that_are_no_text():
    """A byte that is no UTF-8 is shown escaped in a path or a header, and as a replacement in a body."""
    assert ("a\\udcff", "a\ufffd") == (views.readable("a\udcff"), views.text(b"a\xff"))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(Status(503), "Status(status=503)", id="a required field"),
        pytest.param(Status(429, headers={"a": "b"}), "Status(status=429, headers={'a': 'b'})", id="a field given"),
        pytest.param(Hang(), "Hang()", id="nothing but defaults"),
        pytest.param(NullFields("a"), "NullFields(names=('a',))", id="names"),
        pytest.param(Change(print), "Change(function=<built-in function print>)", id="a function"),
        pytest.param(Rain(), "rain", id="a class of one's own"),
    ],
)
def test_description_of_a_fault(fault, expected):
    """A fault is described by the fields that are not as they are unless given."""
    assert expected == views.description(fault)


def test_agents_with_what_they_serve():
    """Each agent has the numbers that it serves, with their channels."""
    inventory = Inventory(0, 0)
    agent = inventory.free_agents("call")[0]
    row = inventory.insert(agents={"call": agent, "sms": agent})
    shown = {one["agent_uuid"]: one["serves"] for one in views.inventory(inventory)["agents"]}

    assert [{"channel": channel, "number": row["number"]} for channel in ("call", "sms")] == shown.pop(agent)
    assert [[]] * len(shown) == list(shown.values())
