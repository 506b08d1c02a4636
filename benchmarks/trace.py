"""Prints the modules and functions of the package that a warmed-up call crosses: python -m benchmarks.trace."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any

import mihu_async
from mihu_async import MihuClient
from mihu_async.sandbox import Sandbox

ROOT = str(Path(mihu_async.__file__).parent)
SERVER = str(Path(ROOT, "sandbox"))
GENERATED = ("<lambda>", "<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>", "<module>")
TIMER = "Pulse._beat"
"""The beginning of the names of functions that a timer enters, during whichever call it is due."""
PURCHASE: dict[str, Any] = {"country_code": "IT", "type": "local"}


async def crossed(call: Callable[[], Awaitable[Any]]) -> dict[str, list[str]]:
    """Return the functions that a call enters, by module, in the order of their first entry."""
    found: dict[str, list[str]] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        file, name = code.co_filename, code.co_qualname
        if event != "call" or not file.startswith(ROOT) or file.startswith(SERVER):
            return
        if name.endswith(GENERATED) or name.startswith(TIMER):
            return
        functions = found.setdefault(file.removeprefix(ROOT)[1:].removesuffix(".py"), [])
        if name not in functions:
            functions.append(name)

    sys.setprofile(note)
    try:
        await call()
    finally:
        sys.setprofile(None)
    return found


async def measure() -> dict[str, dict[str, list[str]]]:
    """Trace a read, and a purchase whose answer is lost."""
    with Sandbox(numbers=3, trunks=0) as sandbox:
        async with MihuClient(sandbox.token, base_url=sandbox.base_url) as mihu:
            uuid = sandbox.inventory.numbers[0]["phone_number_uuid"]
            await mihu.numbers.channels(uuid)
            sandbox.faults.play("lost-purchase")
            await mihu.numbers.buy(number="+390790080041", **PURCHASE)
            read = await crossed(lambda: mihu.numbers.channels(uuid))
            sandbox.faults.play("lost-purchase")
            lost = await crossed(lambda: mihu.numbers.buy(number="+390790080042", **PURCHASE))
    return {"numbers.channels(uuid)": read, "a purchase whose answer was lost": lost}


def main() -> None:
    """Print the modules and functions."""
    for what, found in asyncio.run(measure()).items():
        print(f"{what}: {len(found)} modules, {sum(map(len, found.values()))} functions")
        for module, functions in found.items():
            print(f"  {module}: {', '.join(functions)}")


if __name__ == "__main__":
    main()
