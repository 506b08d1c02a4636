"""``mihu-async agents``: assigns agents to the calls and text messages of numbers."""

from typing import Annotated

from cyclopts import App, Parameter

from mihu_async import Agent, MihuClient, Pager, SipAssignment
from mihu_async.cli.commands import change, listing
from mihu_async.cli.layouts import AGENTS, ASSIGNMENTS
from mihu_async.cli.numbers import uuid_of
from mihu_async.cli.parameters import AgentUuid, Flag, Known, Page, PerPage, group
from mihu_async.cli.progress import tell

agents: App = group("agents", "Agents: who answers a number's calls and text messages.")


@listing(agents, AGENTS, "list")
def list_agents(mihu: MihuClient, *, page: Page = 1, per_page: PerPage = 100) -> Pager[Agent]:
    """List the workspace's agents. Provisional: the service documents neither filters nor pages for them."""
    return mihu.agents.list(page=page, per_page=per_page)


@change(agents, AGENTS)
async def provision_call(mihu: MihuClient, agent_uuid: AgentUuid, number: Known, /) -> Agent:
    """Assign an agent to the calls of a purchased number, in place of any other agent."""
    agent = await mihu.agents.provision_call(agent_uuid, await uuid_of(mihu, number))
    tell(f"Agent {agent_uuid} answers the calls of {number} now.")
    return agent


@change(agents)
async def assign_sms(mihu: MihuClient, agent_uuid: AgentUuid, number: Known, /) -> None:
    """Assign an agent to the text messages of a purchased number. Provisional.

    The agent stops answering the messages of any other number.
    """
    await mihu.agents.assign_sms(agent_uuid, await uuid_of(mihu, number))
    tell(f"Agent {agent_uuid} answers the text messages of {number} now.")


@change(agents, ASSIGNMENTS)
async def assign_sip_connection(
    mihu: MihuClient,
    agent_uuid: AgentUuid,
    connection_uuid: Annotated[str, Parameter(help="The connection, as sip-connections create shows it.")],
    /,
    *,
    force: Annotated[Flag, Parameter(help="Take the connection's number from its present user.")] = False,
) -> SipAssignment:
    """Assign an agent to a SIP connection for its calls."""
    return await mihu.agents.assign_sip_connection(agent_uuid, connection_uuid, force=force)
