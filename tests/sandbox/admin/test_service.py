import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest

from mihu_async.sandbox import Sandbox, Status

ALL = {"faults", "inventory", "journal"}


@asynccontextmanager
async def stream_of(sandbox):
    """Read the events of a sandbox, each as the set of parts that it names."""
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox.base_url}/_sandbox/events") as response:
        assert "text/event-stream" == response.headers["Content-Type"]

        async def following():
            async with asyncio.timeout(5):
                lines = [(await response.content.readline()).decode() for _ in range(3)]
            assert ("event: change\n", "\n") == (lines[0], lines[2])
            return set(lines[1].removeprefix("data: ").split())

        yield following


async def test_a_stream_begins_with_all_parts(sandbox):
    """Whoever begins to watch, or has lost the connection, is told to read all."""
    async with stream_of(sandbox) as following:
        assert await following() == ALL


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param(lambda sandbox: sandbox.inventory.insert(), "inventory", id="insert"),
        pytest.param(lambda sandbox: sandbox.inventory.insert_trunk(), "inventory", id="trunk"),
        pytest.param(
            lambda sandbox: sandbox.inventory.delete(sandbox.inventory.numbers[0]["phone_number_uuid"]),
            "inventory",
            id="delete",
        ),
        pytest.param(
            lambda sandbox: sandbox.inventory.update(sandbox.inventory.numbers[0]["phone_number_uuid"]),
            "inventory",
            id="update",
        ),
        pytest.param(lambda sandbox: sandbox.faults.play("outage"), "faults", id="play"),
        pytest.param(lambda sandbox: sandbox.faults.clear(), "faults", id="no faults"),
        pytest.param(lambda sandbox: sandbox.journal.clear(), "journal", id="no journal"),
    ],
)
async def test_changes_of_a_program(sandbox, change, part):
    """A change of a test is reported, with the part that changed."""
    async with stream_of(sandbox) as following:
        await following()
        change(sandbox)

        assert await following() == {part}


async def test_changes_of_a_request(sandbox, call):
    """A request changes the journal, and with it what it meets and what it does."""
    sandbox.faults.add(Status(503))
    async with stream_of(sandbox) as following:
        changed = await following()
        assert changed == ALL
        await call("GET", "/phone-numbers")

        changed = await following()
        while changed != {"faults", "journal"}:
            changed |= await following()


async def test_changes_of_another_thread(sandbox):
    """A change that another thread makes is reported, too."""
    async with stream_of(sandbox) as following:
        await following()
        await asyncio.to_thread(sandbox.inventory.insert)

        assert await following() == {"inventory"}


def test_a_stream_does_not_hold_the_sandbox_up():
    """A sandbox stops at once while somebody watches."""

    async def watch() -> None:
        async with Sandbox(1, 0) as sandbox, stream_of(sandbox) as following:
            await following()
            async with asyncio.timeout(1):
                await sandbox.stop()
            sandbox.inventory.insert()

    asyncio.run(watch())
