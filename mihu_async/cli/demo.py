"""The demo: the main features of the SDK, with the real client and HTTP on loopback, against the sandbox."""

import time
from collections import Counter

from rich.console import Console

from mihu_async import Billing, MihuClient, NumberChannels, PhoneNumber, PurchaseLimitError, SipCredentials
from mihu_async.cli.stage import Output, output_for
from mihu_async.cli.wording import proof_of, walk_in_words
from mihu_async.sandbox import Sandbox

SHOWN = 5
PER_PAGE = 25
BOUGHT = "+390790080041"
REFUSED = "+390790080042"
TRUNK = "+12345678901"


async def run(*, numbers: int, trunks: int, seed: int, console: Console | None = None) -> None:
    """Run every step against a sandbox that accepts one purchase and refuses the next."""
    output = output_for(console or Console())
    began = time.perf_counter()
    async with Sandbox(numbers=numbers, trunks=trunks, seed=seed) as sandbox:
        output.line(f"A sandbox serves the documented API at {sandbox.base_url}.")
        async with MihuClient(token=sandbox.token, base_url=sandbox.base_url) as mihu:
            await walk(mihu, output)
            await walk_while_it_moves(mihu, sandbox, output)
            sandbox.inventory.purchase_limit = len(sandbox.inventory.numbers) + 1
            await buy(mihu, output)
            agent, other = sandbox.inventory.free_agents("call")[:2]
            await register_and_assign(mihu, output, agent, other)
            await be_refused(mihu, output)
        requests = len(sandbox.journal)
    output.step("Done")
    output.line(f"{requests} requests in {time.perf_counter() - began:.2f} s; nothing left this machine.")


async def walk(mihu: MihuClient, output: Output) -> None:
    """Read every number and every trunk, page by page."""
    output.step("Every number of the workspace")
    listing = mihu.numbers.list(per_page=PER_PAGE)
    total = (await listing).pagination.total
    found = await output.gather("numbers", total, listing)
    output.line(f"The first {SHOWN}:")
    output.table(["number", "country", "type", "status", "monthly fee"], map(describe, found[:SHOWN]))
    countries = Counter(number.country_code for number in found)
    output.line(", ".join(f"{code} {count}" for code, count in sorted(countries.items(), key=str)))

    output.step("Every external trunk")
    trunks = mihu.trunks.list(per_page=PER_PAGE)
    total = (await trunks).pagination.total
    found = await output.gather("trunks", total, trunks)
    output.line(f"The first {SHOWN}:")
    output.table(["number", "agent"], ((trunk.number, answered_by(trunk)) for trunk in found[:SHOWN]))


async def walk_while_it_moves(mihu: MihuClient, sandbox: Sandbox, output: Output) -> None:
    """Walk a listing while numbers are released and bought, and show that none was missed."""
    output.step("The same walk, while numbers are released and bought")
    before = {row["number"] for row in sandbox.inventory.numbers}
    listing = mihu.numbers.list(per_page=PER_PAGE)
    walked: list[str] = []
    moves = iter([release, release, take_on, release])
    async for page in listing.pages():
        walked += (number.number for number in page)
        next(moves, leave_alone)(sandbox)
    stayed = before & {row["number"] for row in sandbox.inventory.numbers}
    output.line(f"{len(stayed)} numbers stayed in the listing; {len(stayed - set(walked))} of them were missed.")
    output.line(f"{walk_in_words(listing.report)}: {proof_of(listing.report)}.")


def release(sandbox: Sandbox) -> None:
    """Remove the first two numbers from the inventory."""
    for row in sandbox.inventory.numbers[:2]:
        sandbox.inventory.delete(row["phone_number_uuid"])


def take_on(sandbox: Sandbox) -> None:
    """Insert a number before all others."""
    sandbox.inventory.insert(at=0)


def leave_alone(_: Sandbox) -> None:
    """Change nothing."""


async def buy(mihu: MihuClient, output: Output) -> None:
    """Buy a number and show that the inventory grew by it."""
    output.step(f"Buy {BOUGHT}")
    before = (await mihu.numbers.list()).pagination.total
    bought = await mihu.numbers.buy(number=BOUGHT, country_code="IT", type="local", monthly_fee=1.15)
    after = (await mihu.numbers.list()).pagination.total
    output.table(["number", "country", "type", "status", "monthly fee"], [describe(bought)])
    output.line(f"The workspace had {before} numbers, and now has {after}.")


async def register_and_assign(mihu: MihuClient, output: Output, agent: str, other: str) -> None:
    """Register a trunk, move it to another agent, and show the change."""
    output.step(f"Register the trunk {TRUNK}, then assign it to another agent")
    sip = SipCredentials(gateway="sip.acme.com", port=5060, username="acme", password="demo-password")  # noqa: S106 - the sandbox's
    registered = await mihu.trunks.register(phone_number=TRUNK, agent_uuid=agent, channel="call", sip=sip)
    assigned = await mihu.trunks.assign(phone_number=TRUNK, channel="call", agent_uuid=other)
    output.table(["", "calls are answered by"], [["registered", caller(registered)], ["assigned", caller(assigned)]])


async def be_refused(mihu: MihuClient, output: Output) -> None:
    """Buy one number more than the workspace allows, and show the error."""
    output.step(f"Buy {REFUSED}, one more than the workspace allows")
    try:
        await mihu.numbers.buy(number=REFUSED, country_code="IT", type="local")
    except PurchaseLimitError as error:
        output.line(f"{type(error).__name__}: {error}")


def describe(number: PhoneNumber) -> list[str]:
    """Return the row of a number."""
    billing = number.billing or Billing()
    fee = "-" if billing.monthly_fee is None else f"{billing.monthly_fee:.2f} {billing.currency}"
    return [number.number, number.country_code or "-", number.type or "-", number.status or "-", fee]


def answered_by(trunk: PhoneNumber) -> str:
    """Return the names of a trunk's agents, with their channels."""
    bindings = trunk.bindings
    named = {"call": bindings and bindings.call, "whatsapp": bindings and bindings.whatsapp}
    return ", ".join(
        f"{binding.agent_name} ({channel})" for channel, binding in named.items() if binding and binding.bound
    )


def caller(snapshot: NumberChannels) -> str:
    """Return the name of the agent that answers calls."""
    call = snapshot.channels.call
    return f"{call.agent_name} ({call.agent_uuid})" if call else "-"
