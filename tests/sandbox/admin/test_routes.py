import json

import aiohttp
import pytest

from mihu_async import __version__
from mihu_async.sandbox import Reset, Sandbox, Status, operations

NOBODY = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
PURCHASE = {"number": "+390790080041", "country_code": "IT", "type": "local"}


async def test_health(sandbox, call, visit):
    """`health` tells that it serves, how to reach it, what arrived and what of it no page documents."""
    await call("GET", "/weather")
    reply = await visit("GET", "/health")

    assert {
        "status": "ok",
        "version": __version__,
        "requests": 1,
        "strict": False,
        "undocumented": ["GET /api/v1/weather: there is no /api/v1/weather"],
        "variables": sandbox.variables,
    } == reply.json


async def test_visits_leave_no_trace(sandbox, visit):
    """What is asked of the sandbox itself meets no fault and stands in no journal."""
    sandbox.faults.play("outage")
    statuses = [(await visit("GET", path)).status for path in ("/", "/health", "/journal", "/nothing")]

    assert [200, 200, 200, 404] == statuses
    assert (0, (), (Status(503),)) == (len(sandbox.journal), sandbox.undocumented, sandbox.faults.pending)


async def test_journal(sandbox, call, visit):
    """`journal` lists the requests in short, in their order; one by its number comes whole, with its answer."""
    sandbox.faults.add(Status(503), method="POST")
    await call("GET", "/phone-numbers?per_page=1")
    await call("POST", "/phone-numbers", json=PURCHASE)
    listed = (await visit("GET", "/journal")).json
    whole = (await visit("GET", "/journal/2")).json

    assert (2, 0) == (listed["total"], listed["dropped"])
    assert [("GET", "per_page=1", 200, None), ("POST", "", 503, "Status")] == [
        (entry["method"], entry["query"], entry["status"], entry["fault"]) for entry in listed["entries"]
    ]
    assert all(entry["arrived_at"] and entry["seconds"] >= 0 for entry in listed["entries"])
    assert listed["entries"][1] == {name: whole[name] for name in listed["entries"][1]}
    assert ["Authorization", "Bearer ***"] in whole["headers"]
    assert (PURCHASE, 503) == (json.loads(whole["body"]), whole["answer"]["status"])
    assert not json.loads(whole["answer"]["body"])["success"]
    assert ["X-Request-Id", "sandbox-000002"] in whole["answer"]["headers"]


@pytest.mark.parametrize(
    ("query", "serials"),
    [
        ("", [1, 2, 3, 4]),
        ("?limit=2", [3, 4]),
        ("?limit=9", [1, 2, 3, 4]),
        ("?after=3", [4]),
        ("?after=4", []),
        ("?after=4&limit=2", []),
        ("?method=post", [2, 4]),
        ("?path=/phone-numbers/trunks", [3, 4]),
        ("?method=POST&path=/phone-numbers*&limit=1", [4]),
    ],
)
async def test_journal_in_part(call, visit, query, serials):
    """Requests are picked by method and path, those after one are given, and of all the latest ones."""
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/trunks"), ("POST", "/trunks")):
        await call(method, f"/phone-numbers{path}")
    listed = (await visit("GET", f"/journal{query}")).json

    assert serials == [entry["serial"] for entry in listed["entries"]]


async def test_a_request_that_was_not_answered(sandbox, call, visit):
    """Where the connection was broken there is no answer, and the time that it took."""
    sandbox.faults.add(Reset())
    with pytest.raises(aiohttp.ClientError):
        await call("POST", "/phone-numbers", json=PURCHASE)
    whole = (await visit("GET", "/journal/1")).json

    assert (None, "Reset", None, True) == (whole["status"], whole["fault"], whole["answer"], whole["seconds"] > 0)


async def test_clearing_the_journal(sandbox, call, visit):
    """DELETE forgets all requests; one that is not there is 404."""
    await call("GET", "/phone-numbers")

    assert (204, b"") == ((reply := await visit("DELETE", "/journal")).status, reply.body)
    assert 0 == len(sandbox.journal)
    assert 404 == (await visit("GET", "/journal/1")).status


async def test_faults(sandbox, visit):
    """A fault is added by its name, or a script by its; what is pending is listed, and DELETE forgets it."""
    body = {"fault": "Status", "status": 429, "retry_after": 2, "method": "GET", "path": "/agents", "skip": 1}
    await visit("POST", "/faults", json=body)
    added = await visit("POST", "/faults", json={"script": "unknown-outcome"})
    listed = await visit("GET", "/faults")

    assert added.json == listed.json
    assert {
        "fault": "Status",
        "description": "Status(status=429, retry_after=2)",
        "method": "GET",
        "path": "/agents",
        "times": 1,
        "skip": 1,
        "after_write": False,
    } == listed.json["faults"][0]
    assert [("Reset", 1, False), ("Status", None, True)] == [
        (line["fault"], line["times"], line["after_write"]) for line in listed.json["faults"][1:]
    ]
    assert {"name": "outage", "meaning": "every request is answered 503"} in listed.json["scripts"]
    assert "NullFields" in listed.json["kinds"]
    assert 204 == (await visit("DELETE", "/faults")).status
    assert () == sandbox.faults.pending


async def test_a_fault_from_outside_is_played(call, visit):
    """What was added meets the next request that it is for."""
    await visit("POST", "/faults", json={"fault": "Status", "status": 418, "path": "/phone-numbers"})

    assert [200, 418, 200] == [(await call("GET", path)).status for path in ("/agents", *["/phone-numbers"] * 2)]


async def test_inventory(sandbox, visit):
    """`inventory` has all rows as the listings have them, agents, connections, and the purchase limit."""
    connection = operations.create_sip_connection(sandbox.inventory, {"name": "n", "phone_number": "p", "gateway": "g"})
    sandbox.inventory.purchase_limit = 13
    shown = (await visit("GET", "/inventory")).json

    assert list(sandbox.inventory.numbers) == shown["numbers"]
    assert list(sandbox.inventory.trunks) == shown["trunks"]
    assert [agent.uuid for agent in sandbox.inventory.agents] == [agent["agent_uuid"] for agent in shown["agents"]]
    assert [connection["uuid"]] == [one["uuid"] for one in shown["sip_connections"]]
    assert (13, None) == (shown["purchase_limit"], shown["next_activation"])


async def test_rows_are_inserted_changed_and_deleted(sandbox, visit):
    """A number and a trunk are put in, changed and taken out, and the answers hold the row."""
    fields = {
        "number": "+390790080042",
        "status": "pending",
        "monthly_fee": 2.5,
        "purchased_at": "2024-02-03T04:05:06Z",
    }
    number = await visit("POST", "/inventory/numbers", json={"at": 0, "number": "+390790080042", **fields})
    trunk = await visit("POST", "/inventory/trunks", json={"channel": "whatsapp"})
    uuid = number.json["phone_number_uuid"]

    assert (201, sandbox.inventory.numbers[0]) == (number.status, number.json)
    assert (201, sandbox.inventory.trunks[-1]) == (trunk.status, trunk.json)
    assert ("pending", "2024-02-03T04:05:06Z") == (number.json["status"], number.json["purchased_at"])
    changed = await visit("PATCH", f"/inventory/{uuid.upper()}", json={"status": "active"})
    assert (200, "active") == (changed.status, changed.json["status"])
    assert [204, 404] == [(await visit("DELETE", f"/inventory/{uuid}")).status for _ in range(2)]
    assert uuid not in {row["phone_number_uuid"] for row in sandbox.inventory.numbers}


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        pytest.param("POST", "numbers", {"status": "odd"}, (422, "status"), id="a word that no page lists"),
        pytest.param("POST", "numbers", {"fee": 1}, (422, "fee"), id="a field that there is not"),
        pytest.param("POST", "numbers", {"updated_at": "yesterday"}, (422, "updated_at"), id="no time"),
        pytest.param("POST", "numbers", {"updated_at": "2024-02-03T04:05:06"}, (422, "updated_at"), id="no offset"),
        pytest.param("POST", "trunks", {"channel": "sms"}, (422, "channel"), id="a channel of no trunk"),
        pytest.param("PATCH", NOBODY, {"status": "active"}, (404, None), id="nobody's row"),
        pytest.param("POST", "numbers", [], (422, None), id="no object"),
    ],
)
async def test_rows_that_are_refused(visit, method, path, body, expected):
    """A value that no row can have is refused with 422, a row that is not there with 404."""
    reply = await visit(method, f"/inventory/{path}", json=body)

    assert expected == (reply.status, reply.json["error"]["field"])


async def test_rows_that_are_there_already(sandbox, visit):
    """A number that is there, and a field that is null for external numbers, are refused with 409."""
    (number, *_), (trunk, *_) = sandbox.inventory.numbers, sandbox.inventory.trunks
    replies = [
        await visit("POST", "/inventory/numbers", json={"number": number["number"]}),
        await visit("POST", "/inventory/trunks", json={"number": number["number"]}),
        await visit("PATCH", f"/inventory/{trunk['phone_number_uuid']}", json={"monthly_fee": 1}),
    ]

    assert [409, 409, 409] == [reply.status for reply in replies]


async def test_reset(visitor_of, caller_of):
    """POST to `reset` begins anew, with the rows, the limit and the scripts of the beginning."""
    async with Sandbox(3, 2, script="outage", purchase_limit=4) as sandbox:
        inventory, rows = sandbox.inventory, sandbox.inventory.numbers
        visit, call = visitor_of(sandbox), caller_of(sandbox)
        sandbox.faults.clear()
        inventory.purchase_limit, inventory.lag, inventory.activation_delay = None, 1.0, 1.0
        await call("POST", "/phone-numbers", json=PURCHASE)
        await call("GET", "/weather")
        reply = await visit("POST", "/reset")

        assert 204 == reply.status
        assert rows == inventory.numbers
        assert {"purchase_limit": 4, "lag": 0.0, "activation_delay": 0.0}.items() <= vars(inventory).items()
        assert ([], (), (Status(503),)) == (list(sandbox.journal), sandbox.undocumented, sandbox.faults.pending)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/reset", 405), ("POST", "/events", 404), ("GET", "/journal?color=red", 422)],
)
async def test_what_there_is_not(visit, method, path, status):
    """Another path, verb or parameter is refused in the documented shape of a failure."""
    reply = await visit(method, path)

    assert (status, False) == (reply.status, reply.json["success"])


async def test_a_form_of_another_site_changes_nothing(sandbox, visit):
    """What a browser sends across sites names its origin, and is refused; a body must say that it is JSON."""
    foreign = await visit("POST", "/reset", headers={"Origin": "https://evil.example"})
    rebound = await visit("GET", "/inventory", headers={"Host": "evil.example"})
    form = await visit("POST", "/faults", data='{"script": "outage"}', headers={"Content-Type": "text/plain"})

    assert [403, 403, 415] == [reply.status for reply in (foreign, rebound, form)]
    assert () == sandbox.faults.pending


async def test_without_it(visitor_of):
    """With `admin=False` there is nothing below `/_sandbox/`: it is a path as any other, and asks for the token."""
    async with Sandbox(1, 0, admin=False) as sandbox:
        visit = visitor_of(sandbox)
        replies = [await visit("GET", path) for path in ("", "/", "/health", "/events")]

        assert [401] * 4 == [reply.status for reply in replies]


async def test_paths_that_only_begin_so(visitor_of, sandbox):
    """A path such as `/_sandboxes` is none of it."""
    assert 401 == (await visitor_of(sandbox)("GET", "es")).status
