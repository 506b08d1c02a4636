"""Agents, which answer numbers. Covers the documented part of the API under ``/agents``."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import NOTHING, Request, describe
from mihu_async.models.agents import Agent, AgentAnswer
from mihu_async.models.provisional import Items
from mihu_async.models.sip import SipAssignment
from mihu_async.paging.pager import Pager
from mihu_async.resources.endpoint import PER_PAGE
from mihu_async.resources.lookups import provision_of, sms_assignment_of
from mihu_async.resources.provisional import ProvisionalEndpoint, warn_provisional
from mihu_async.validation import flag, identifier, positive_int

PATH = "/agents"
AGENTS = ProvisionalEndpoint(PATH, Items[Agent], attrgetter("agent_uuid"))


class Agents:
    """``mihu.agents``: list the workspace's agents, and let one answer the calls or text messages of a number."""

    def __init__(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency

    def list(self, *, page: int = 1, per_page: int = PER_PAGE, **filters: Any) -> Pager[Agent]:
        """List the workspace's agents: ``GET /agents``. **Provisional.** Safe to repeat.

        The path and the items are documented; the filters and the pagination are not. So the SDK reads a bare list as
        well as ``items`` with or without ``pagination``. An answer without ``pagination`` is taken for the full list;
        if it holds exactly ``per_page`` agents, there may be more. The first call in a process issues a
        ProvisionalWarning.

        Nothing is sent until the pager is used: ``async for`` walks every agent, ``await`` returns the first page.
        Walking raises the errors of its calls.

        Args:
            page: The page to begin with, counted from 1; the first is requested without a number.
            per_page: The number of agents on a page, 1 to 100. That the service reads it is inferred: the vendor's own
                client sends it.
            filters: Any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not
                sent.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        warn_provisional()
        query = {"per_page": positive_int("per_page", per_page, most=PER_PAGE)} | filters
        return AGENTS.pager(self._pipeline, self._concurrency, query, page=page)

    async def provision_call(self, agent_uuid: str | UUID, phone_number_uuid: str | UUID) -> Agent:
        """Let an agent answer a number's calls: ``POST /agents/{uuid}/channels/call/provision``.

        ``numbers.channels(phone_number_uuid)`` shows who answers from then on. It is not documented what happens if
        another agent answers the number, or if this agent answers another number.

        The call is sent again if it cannot have been applied: when no connection was made, or on 429. If the answer was
        lost, the SDK first looks at the number's channels. If the number is bound to the agent, the call has succeeded:
        the returned agent is made from that lookup, with its uuid, its name (empty if the lookup does not name it) and
        no other field, and ``mihu.last_call.found`` is True. If the number is bound to no agent or to another one, the
        call is sent again; it is inferred that repeating a binding has no further effect.

        Args:
            agent_uuid: The agent that answers; :meth:`list` shows it.
            phone_number_uuid: A number that was bought, as ``numbers.buy`` and ``numbers.list`` return it.

        Returns:
            The agent.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses.
            OutcomeUnknownError: If the answer was lost and the lookups were inconclusive; ``await error.check()``
                looks again.
        """
        agent, number = _binding(agent_uuid, phone_number_uuid)
        request: Request[AgentAnswer | Agent] = describe(
            "POST",
            f"{PATH}/{agent}/channels/call/provision",
            AgentAnswer,
            json={"phone_number_uuid": number},
            how_to_check=f"Check numbers.channels({number!r}).call_agent before you send it again.",
            lookup=provision_of(agent, number),
        )
        bound = await self._pipeline.run(request)
        return bound if isinstance(bound, Agent) else bound.agent

    async def assign_sms(self, agent_uuid: str | UUID, phone_number_uuid: str | UUID) -> None:
        """Let an agent answer a number's text messages: ``POST /agents/{uuid}/channels/sms``.

        **Provisional.** It is documented that the call has this path and replaces any SMS assignment of the agent. The
        body, ``{"phone_number_uuid"}``, is inferred, and the answer is not known. So every 2xx that is empty or a JSON
        object counts as success, unless it says ``success: false``; ``numbers.channels(phone_number_uuid)`` shows who
        answers in its ``.sms_agent``. The first call in a process issues a ProvisionalWarning.

        The call is sent again if it cannot have been applied: when no connection was made, or on 429. If the answer was
        lost, the SDK first looks at the number's channels. If the number is bound to the agent, the call has succeeded.
        If it is bound to no agent or to another one, the call is sent again: it is inferred that repeating an
        assignment has no further effect.

        Args:
            agent_uuid: The agent that answers; :meth:`list` shows it.
            phone_number_uuid: A number that was bought, as ``numbers.buy`` and ``numbers.list`` return it.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses.
            OutcomeUnknownError: If the answer was lost and the lookups were inconclusive; ``await error.check()``
                looks again, and returns the number's :class:`Binding`, or None if the agent does not answer it now.
        """
        warn_provisional()
        agent, number = _binding(agent_uuid, phone_number_uuid)
        request = describe(
            "POST",
            f"{PATH}/{agent}/channels/sms",
            NOTHING,
            json={"phone_number_uuid": number},
            how_to_check=f"Check numbers.channels({number!r}).sms_agent before you send it again.",
            lookup=sms_assignment_of(agent, number),
        )
        await self._pipeline.run(request)

    async def assign_sip_connection(
        self, agent_uuid: str | UUID, connection_uuid: str | UUID, *, force: bool = False
    ) -> SipAssignment:
        """Let an agent use a SIP connection for its calls: ``POST /agents/{uuid}/channels/call/sip-trunk``.

        The call is sent again only if it cannot have been applied: when no connection was made, or on 429. No endpoint
        shows which connection an agent uses, so the call is not repeated after a lost answer.

        Args:
            agent_uuid: The agent that answers; :meth:`list` shows it.
            connection_uuid: The connection: the ``.uuid`` that ``sip_connections.create`` returns.
            force: True takes the connection's number away from its present user; False refuses to.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses. If the number is in use and ``force`` is False, the refusal contains the
                word ``phone_in_use``, which ``str(error)`` shows; its status is not documented.
            OutcomeUnknownError: If the answer was lost. ``error.how_to_check`` says how to check by hand, and ``await
                error.check()`` raises UsageError.
        """
        agent = identifier("agent_uuid", agent_uuid)
        body = {"connection_uuid": identifier("connection_uuid", connection_uuid), "force": flag("force", force)}
        request = describe(
            "POST",
            f"{PATH}/{agent}/channels/call/sip-trunk",
            SipAssignment,
            json=body,
            how_to_check=(
                "Call the connection's number, or check the agent in the dashboard, before you send it again."
            ),
        )
        return await self._pipeline.run(request)


def _binding(agent_uuid: Any, phone_number_uuid: Any) -> tuple[str, str]:
    return identifier("agent_uuid", agent_uuid), identifier("phone_number_uuid", phone_number_uuid)
