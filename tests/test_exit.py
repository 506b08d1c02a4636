"""A program that uses the SDK ends without a warning, however it ends."""

import os
import subprocess
import sys

import pytest

from mihu_async.sandbox import Sandbox

BEGIN = """
import asyncio
from mihu_async import MihuClient

mihu = MihuClient()

async def count():
    return len(await mihu.numbers.list(per_page=1).collect())
"""
ENDS = {
    "two loops, never closed": "print(asyncio.run(count()), asyncio.run(count()))",
    "closed": """
async def main():
    async with mihu:
        print(await count(), await count())
asyncio.run(main())
""",
    "left in the middle of a walk": """
async def main():
    async for number in mihu.numbers.list(per_page=1):
        break
    print(3, 3)
asyncio.run(main())
""",
    "cancelled": """
async def main():
    task = asyncio.create_task(count())
    await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    print(3, 3)
asyncio.run(main())
""",
}

QUICK = ("two loops, never closed", "cancelled")
"""Each takes a process; these two leave the most behind."""


@pytest.mark.parametrize(
    "end", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in ENDS]
)
def test_nothing_is_left_open_at_exit(end):
    """In development mode, with every warning an error, nothing is said on standard error."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", BEGIN + ENDS[end]],
            env={**os.environ, "MIHU_API_TOKEN": sandbox.token, "MIHU_BASE_URL": sandbox.base_url},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert (0, "3 3\n", "") == (done.returncode, done.stdout, done.stderr)
