"""Agents: who answers a number. Mirrors what is known of the API under ``/agents``."""

from operator import attrgetter
from typing import Any
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import NOTHING, Request, describe
from mihu_async.models.agents import Agent, AgentAnswer
from mihu_async.models.provisional import Items
from mihu_async.models.sip import SipAssignment
from mihu_async.paging.pager import Pager
from mihu_async.resources.arguments import flag, identifier, whole
from mihu_async.resources.endpoint import PER_PAGE
from mihu_async.resources.lookups import provision_of, sms_assignment_of
from mihu_async.resources.provisional import ProvisionalEndpoint, warn_provisional

PATH = "/agents"
AGENTS = ProvisionalEndpoint(PATH, Items[Agent], attrgetter("agent_uuid"))


class Agents:
    """``mihu.agents``: list the workspace's agents, and have one answer the calls or text messages of a number."""

    def __init__(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency

    def list(self, *, page: int = 1, per_page: int = PER_PAGE, **filters: Any) -> Pager[Agent]:
        """List the workspace's agents: ``GET /agents``. **Provisional.** Safe to repeat.

        The path and the items are documented; the filters and whether there is a pagination are not. So a bare list is
        read as well as ``items`` with or without ``pagination``. Without it, the answer is one page, and is taken for
        all agents: where it holds as many as ``per_page``, there may be more. A process is told once by a
        ProvisionalWarning.

        Nothing is sent until the pager is used: ``async for`` walks every agent, ``await`` gives the first page.

        page: where to begin, counted from 1; the first is asked for without a number.
        per_page: how many agents a page holds, 1 to 100. That the service reads it is inferred: the vendor's own client
            sends it.
        filters: any other parameters, sent as they are: text, numbers, bools, UUIDs, enum members; None is not sent.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
        """
        warn_provisional()
        query = {"per_page": whole("per_page", per_page, most=PER_PAGE)} | filters
        return AGENTS.pager(self._pipeline, self._concurrency, query, page=page)

    async def provision_call(self, agent_uuid: str | UUID, phone_number_uuid: str | UUID) -> Agent:
        """Have an agent answer a number's calls: ``POST /agents/{uuid}/channels/call/provision``.

        It returns the agent, and ``numbers.channels(phone_number_uuid)`` shows who answers from then on. What happens
        where another agent answers the number, or where this one answers another number, is not documented.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the number's channels are looked at first. Bound to the agent, it is what was asked for: the
        agent is made from that look-up, with its uuid, its name (empty where the look-up does not tell it) and no other
        field, and ``mihu.last_call.found`` says so. Bound to no agent or to another one, it is sent again; that the
        same binding twice is the same as once is inferred.

        agent_uuid: the agent that answers; :meth:`list` shows it.
        phone_number_uuid: a number that was bought, as ``numbers.buy`` and ``numbers.list`` give it.

        Raises UsageError before anything is sent, an APIError where the service refuses, and OutcomeUnknownError where
        the answer was lost and the look-ups did not tell; ``await error.check()`` looks again.
        """
        agent, number = _binding(agent_uuid, phone_number_uuid)
        request: Request[AgentAnswer | Agent] = describe(
            "POST",
            f"{PATH}/{agent}/channels/call/provision",
            AgentAnswer,
            json={"phone_number_uuid": number},
            check=f"Look at numbers.channels({number!r}).call_agent before sending it again.",
            lookup=provision_of(agent, number),
        )
        bound = await self._pipeline.run(request)
        return bound if isinstance(bound, Agent) else bound.agent

    async def assign_sms(self, agent_uuid: str | UUID, phone_number_uuid: str | UUID) -> None:
        """Have an agent answer a number's text messages: ``POST /agents/{uuid}/channels/sms``.

        **Provisional.** Any existing SMS assignment of the agent is replaced: that and the path are documented. That
        the body is ``{"phone_number_uuid"}`` is inferred, and the answer is not known. So every 2xx is taken as done
        that is empty or a JSON object, unless it says ``success: false``, and ``numbers.channels(phone_number_uuid)``
        shows who answers in its ``.sms_agent``. A process is told once by a ProvisionalWarning.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the number's channels are looked at first: bound to the agent, it is done; bound to no agent or
        to another one, it is sent again, for an assignment that is replaced by itself is the same as once (inferred).

        agent_uuid: the agent that answers; :meth:`list` shows it.
        phone_number_uuid: a number that was bought, as ``numbers.buy`` and ``numbers.list`` give it.

        Raises UsageError before anything is sent, an APIError where the service refuses, and OutcomeUnknownError where
        the answer was lost and the look-ups did not tell; ``await error.check()`` looks again, and gives the number's
        :class:`Binding`, or None where the agent does not answer it now.
        """
        warn_provisional()
        agent, number = _binding(agent_uuid, phone_number_uuid)
        request = describe(
            "POST",
            f"{PATH}/{agent}/channels/sms",
            NOTHING,
            json={"phone_number_uuid": number},
            check=f"Look at numbers.channels({number!r}).sms_agent before sending it again.",
            lookup=sms_assignment_of(agent, number),
        )
        await self._pipeline.run(request)

    async def assign_sip_connection(
        self, agent_uuid: str | UUID, connection_uuid: str | UUID, *, force: bool = False
    ) -> SipAssignment:
        """Have an agent use a SIP connection for its calls: ``POST /agents/{uuid}/channels/call/sip-trunk``.

        It is sent again only where nothing can have been carried out: when no connection was made, or on 429. No call
        shows which connection an agent uses, so it is not repeated after a lost answer.

        agent_uuid: the agent that answers; :meth:`list` shows it.
        connection_uuid: the connection, as ``sip_connections.create`` gives it in ``.uuid``.
        force: True takes the connection's number from whoever uses it; False refuses that.

        Raises UsageError before anything is sent, and an APIError where the service refuses. Where the number is in use
        and ``force`` is False, the service refuses with the word ``phone_in_use``: ``str(error)`` shows it, and its
        status is not documented. OutcomeUnknownError comes where the answer was lost: ``error.how_to_check`` says how
        to look by hand, and ``await error.check()`` raises UsageError.
        """
        agent = identifier("agent_uuid", agent_uuid)
        body = {"connection_uuid": identifier("connection_uuid", connection_uuid), "force": flag("force", force)}
        request = describe(
            "POST",
            f"{PATH}/{agent}/channels/call/sip-trunk",
            SipAssignment,
            json=body,
            check="Call the connection's number, or look at the agent in the workspace, before sending it again.",
        )
        return await self._pipeline.run(request)


def _binding(agent_uuid: Any, phone_number_uuid: Any) -> tuple[str, str]:
    return identifier("agent_uuid", agent_uuid), identifier("phone_number_uuid", phone_number_uuid)
