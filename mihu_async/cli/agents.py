"""``mihu-async agents``: who answers a number's calls and text messages."""

from typing import Annotated

from cyclopts import App

from mihu_async.cli.columns import AGENTS
from mihu_async.cli.export import PLAIN, Export, export
from mihu_async.cli.output import OUTPUT, Format, show_one
from mihu_async.cli.settings import DEFAULTS, Settings
from mihu_async.cli.words import FLAG

agents: App = App(name="agents", help="Agents: who answers a number's calls and text messages.")


@agents.command(name="list")
async def list_agents(
    *, page: int = 1, per_page: int = 100, how: Export = PLAIN, settings: Settings = DEFAULTS
) -> None:
    """List the workspace's agents. Provisional: filters and pages of the service's answer are not documented.

    Parameters
    ----------
    page
        Where to begin.
    per_page
        How many agents a request asks for.
    """
    async with settings.client() as mihu:
        await export(mihu.agents.list(page=page, per_page=per_page), AGENTS, how)


@agents.command
async def provision_call(
    agent_uuid: str,
    phone_number_uuid: str,
    /,
    *,
    dry_run: Annotated[bool, FLAG] = False,
    output: Annotated[Format | None, OUTPUT] = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Have an agent answer the calls of a number that was bought.

    Parameters
    ----------
    agent_uuid
        The agent that answers, as agents list names it.
    phone_number_uuid
        Which number, as numbers list names it.
    dry_run
        Change nothing: show the request that would be sent.
    output
        How the agent is written; as a table on a terminal and as jsonl elsewhere, unless given.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        show_one(await mihu.agents.provision_call(agent_uuid, phone_number_uuid), AGENTS, output)


@agents.command
async def assign_sms(
    agent_uuid: str,
    phone_number_uuid: str,
    /,
    *,
    dry_run: Annotated[bool, FLAG] = False,
    settings: Settings = DEFAULTS,
) -> None:
    """Have an agent answer the text messages of a number that was bought, and of no other one. Provisional.

    Parameters
    ----------
    agent_uuid
        The agent that answers, as agents list names it. The number whose messages it answers now is taken from it.
    phone_number_uuid
        Which number, as numbers list names it.
    dry_run
        Change nothing: show the request that would be sent.
    """
    async with settings.writing(dry_run=dry_run) as mihu:
        await mihu.agents.assign_sms(agent_uuid, phone_number_uuid)
