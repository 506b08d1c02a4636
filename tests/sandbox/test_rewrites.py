import pytest

from mihu_async.sandbox import Change, NullFields, RepeatPage, UnknownEnum


async def test_change_in_place(sandbox, call):
    """A function that returns nothing has changed the answer in place."""
    sandbox.faults.add(Change(lambda body: body["data"]["items"].pop()))
    sandbox.faults.add(Change(lambda body: body["data"].update(extra=1)))
    replies = [await call("GET", "/phone-numbers") for _ in range(2)]

    assert sandbox.inventory.numbers[-1] == replies[0].json
    assert 1 == replies[1].json["data"]["extra"]


async def test_change_by_value(sandbox, call):
    """What a function returns is sent in place of the answer, with its status and headers."""
    sandbox.faults.add(Change(lambda body: [body["success"]]))
    reply = await call("GET", "/nowhere")

    assert (404, [False]) == (reply.status, reply.json)


async def test_unknown_enum(sandbox, call):
    """Every item gets the value that no page names."""
    sandbox.faults.add(UnknownEnum())
    reply = await call("GET", "/phone-numbers")

    assert {"quarantined"} == {row["status"] for row in reply.json["data"]["items"]}


async def test_unknown_enum_in_a_part(sandbox, call):
    """A dotted field is set where its parents are there; a null parent stays null."""
    sandbox.faults.add(UnknownEnum("compliance.status", "lost"))
    reply = await call("GET", "/phone-numbers?include_external=1")

    assert [{"lost"}, {None}] == [
        {row["compliance"] and row["compliance"]["status"] for row in reply.json["data"]["items"] if keep(row)}
        for keep in (lambda row: not row["is_external"], lambda row: row["is_external"])
    ]


async def test_null_fields(sandbox, call):
    """Every item has the fields as null, whole or in part, and the rest as it is."""
    sandbox.faults.add(NullFields("billing", "compliance.requirements"))
    reply = await call("GET", "/phone-numbers")

    assert [
        row | {"billing": None, "compliance": row["compliance"] | {"requirements": None}}
        for row in sandbox.inventory.numbers
    ] == reply.json["data"]["items"]


async def test_null_fields_of_one_number(sandbox, call):
    """The data of a single answer is a row too; a parent that is not there is passed over."""
    sandbox.faults.add(NullFields("status", "nothing.here"))
    reply = await call("POST", "/phone-numbers", json={"number": "+3912345", "country_code": "IT", "type": "local"})

    assert sandbox.inventory.numbers[-1] | {"status": None} == reply.json["data"]


async def test_null_fields_of_a_refusal(sandbox, call):
    """A refusal has no data, and stays as it is."""
    sandbox.faults.add(NullFields("status"))
    reply = await call("GET", "/phone-numbers?page=0")

    assert (422, {"success", "message", "error"}) == (reply.status, set(reply.json))


async def test_null_fields_of_nothing(sandbox, call):
    """An answer without data has no rows, and stays as it is."""
    trunk = sandbox.inventory.insert_trunk()
    sandbox.faults.add(NullFields("status"))
    reply = await call("DELETE", f"/phone-numbers/trunks?phone_number={trunk['number'][1:]}&channel=call")

    assert (200, None) == (reply.status, reply.json["data"])


@pytest.mark.parametrize(("keep_echo", "echoed"), [(False, 1), (True, 3)], ids=["its own echo", "the true echo"])
async def test_repeated_page(sandbox, call, keep_echo, echoed):
    """A repeated page has another page's items, and says so or does not."""
    sandbox.faults.add(RepeatPage(keep_echo=keep_echo))
    reply = await call("GET", "/phone-numbers?page=3&per_page=2")

    assert list(sandbox.inventory.numbers[:2]) == reply.json["data"]["items"]
    assert echoed == reply.json["data"]["pagination"]["current_page"]
    assert (("page", "3"), ("per_page", "2")) == sandbox.journal[0].query


async def test_repr_of_null_fields():
    """The repr of a fault shows what it does."""
    assert "NullFields(names=('status',))" == repr(NullFields("status"))
