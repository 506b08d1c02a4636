"""What docs/limits.md claims, beyond the code blocks that run by themselves: its recipe, against a real Redis."""

import re
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest
from limits import parse
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mihu_async import ConnectError, ConnectTimeoutError, MihuClient, RetryPolicy, Timeout
from mihu_async.sandbox import Sandbox
from mihu_async.sandbox.journal import Journal

FLEET = (Path(__file__).parent.parent / "docs" / "limits.md").read_text().partition("## A fleet")[2]
RECIPE = "\n".join(re.findall(r"```python\n(.*?)```", FLEET, re.DOTALL))
"""The code that the page shows, as it stands there."""

ALLOWANCE = 10
WALK = """
import asyncio, sys
from recipe import export

print("ready", flush=True)
sys.stdin.readline()
print(asyncio.run(export(sys.argv[1], "10/second")))
"""
JITTER = 0.3
"""How many seconds a request may take longer than another from the limiter to the sandbox, on a busy machine."""


class TimedJournal(Journal):
    """A journal that notes when each request arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[float] = []

    def record(self, entry):
        self.arrivals.append(time.monotonic())
        return super().record(entry)


@pytest.fixture
def recipe():
    """The recipe of the page as a module."""
    module = types.ModuleType("recipe")
    exec(RECIPE, module.__dict__)  # noqa: S102 - our own page
    return module


@pytest.mark.slow
def test_two_processes_share_an_allowance(redis_url, tmp_path):
    """Both walk at once and finish, and never more than the allowance arrives within a window."""
    (tmp_path / "recipe.py").write_text(RECIPE)
    journal = TimedJournal()
    sandbox = Sandbox(numbers=ALLOWANCE * 25)
    sandbox.journal = journal
    with sandbox:
        environment = {
            "MIHU_API_TOKEN": sandbox.token,
            "MIHU_BASE_URL": sandbox.base_url,
            "PYTHONPATH": str(tmp_path),
        }
        walks = [
            subprocess.Popen(
                [sys.executable, "-W", "error", "-c", WALK, redis_url],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said = [walk.stdout.readline() for walk in walks if walk.stdout]
        for walk in walks:
            print(file=walk.stdin, flush=True)
        done = [walk.communicate(timeout=30) for walk in walks]

    assert ["ready\n"] * 2 == said
    assert [("250\n", "")] * 2 == done
    assert 2 * ALLOWANCE == len(journal.arrivals)
    eleven = zip(journal.arrivals, journal.arrivals[ALLOWANCE:], strict=False)
    assert min(last - first for first, last in eleven) > 1 - JITTER


async def test_a_call_that_finds_the_allowance_spent_ends_by_its_deadline(recipe, redis_url):
    """It is not sent, and a call under another name is."""
    with Sandbox() as sandbox:
        async with Redis.from_url(redis_url) as redis, MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            acme = mihu.with_options(limiter=recipe.SharedRate(redis, parse("1/hour"), "acme"))
            other = mihu.with_options(limiter=recipe.SharedRate(redis, parse("1/hour"), "other"))
            await acme.numbers.list()
            with pytest.raises(ConnectTimeoutError, match="the limiter did not admit it"):
                await acme.with_options(timeout=Timeout(total=0.05)).numbers.list()
            await other.numbers.list()

        assert 2 == len(sandbox.journal)


async def test_without_its_redis_nothing_is_sent(recipe):
    """The error says that it was the limiter."""
    with Sandbox() as sandbox, socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"redis://127.0.0.1:{gone.getsockname()[1]}"
        gone.close()
        mihu = MihuClient(sandbox.token, base_url=sandbox.base_url, retries=RetryPolicy(max_attempts=1))
        async with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as redis, mihu:
            fair = mihu.with_options(limiter=recipe.SharedRate(redis, parse("1/hour"), "acme"))
            with pytest.raises(ConnectError, match="its limiter failed with ConnectionError"):
                await fair.numbers.list()

        assert 0 == len(sandbox.journal)
