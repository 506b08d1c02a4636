"""``mihu-async agents``: who answers a number's calls and text messages."""

from typing import Annotated

from cyclopts import App, Parameter

from mihu_async import Agent, MihuClient, Pager, SipAssignment
from mihu_async.cli.commands import change, listing
from mihu_async.cli.layouts import AGENTS, ASSIGNMENTS
from mihu_async.cli.numbers import uuid_of
from mihu_async.cli.parameters import AgentUuid, Flag, Known, Page, PerPage, group

agents: App = group("agents", "Agents: who answers a number's calls and text messages.")


@listing(agents, AGENTS, "list")
def list_agents(mihu: MihuClient, *, page: Page = 1, per_page: PerPage = 100) -> Pager[Agent]:
    """List the workspace's agents. Provisional: filters and pages of the service's answer are not documented."""
    return mihu.agents.list(page=page, per_page=per_page)


@change(agents, AGENTS)
async def provision_call(mihu: MihuClient, agent_uuid: AgentUuid, number: Known, /) -> Agent:
    """Have an agent answer the calls of a number that was bought."""
    return await mihu.agents.provision_call(agent_uuid, await uuid_of(mihu, number))


@change(agents)
async def assign_sms(mihu: MihuClient, agent_uuid: AgentUuid, number: Known, /) -> None:
    """Have an agent answer the text messages of a number that was bought, and of no other one. Provisional.

    The number whose messages the agent answers now is taken from it.
    """
    await mihu.agents.assign_sms(agent_uuid, await uuid_of(mihu, number))


@change(agents, ASSIGNMENTS)
async def assign_sip_connection(
    mihu: MihuClient,
    agent_uuid: AgentUuid,
    connection_uuid: Annotated[str, Parameter(help="The connection, as sip-connections create shows it.")],
    /,
    *,
    force: Annotated[Flag, Parameter(help="Take the connection's number from whoever uses it.")] = False,
) -> SipAssignment:
    """Have an agent use a SIP connection for its calls."""
    return await mihu.agents.assign_sip_connection(agent_uuid, connection_uuid, force=force)
