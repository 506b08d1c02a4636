"""Agents: who answers a number. Mirrors what is known of the API under ``/agents``."""

from uuid import UUID

from attrs import evolve

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.models.provisional import ProvisionedCall
from mihu_async.resources.arguments import path_id
from mihu_async.resources.lookups import provision_of

PATH = "/agents"


class Agents:
    """``mihu.agents``: have an agent answer the calls of a number that the workspace owns."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def provision_call(self, agent_uuid: str | UUID, phone_number_uuid: str | UUID) -> ProvisionedCall:
        """Have an agent answer a number's calls: ``POST /agents/{uuid}/channels/call/provision``.

        The path and the body are documented, the answer only in part: what it says is on ``.extra``, and
        ``numbers.channels(phone_number_uuid)`` shows who answers from then on. What happens where another agent
        answers the number, or where this one answers another number, is not documented.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the number's channels are looked at first: bound to the agent, it is what was asked for; else
        it is sent again, for that the same binding twice is the same as once is inferred.

        agent_uuid: the agent that answers.
        phone_number_uuid: a number that was bought, as ``numbers.buy`` and ``numbers.list`` give it.

        Raises UsageError before anything is sent, an APIError where the service refuses, and OutcomeUnknownError where
        the answer was lost and the look-ups did not tell; ``await error.check()`` looks again.
        """
        agent = path_id("agent_uuid", agent_uuid)
        number = path_id("phone_number_uuid", phone_number_uuid)
        request = describe(
            "POST",
            f"{PATH}/{agent}/channels/call/provision",
            ProvisionedCall,
            json={"phone_number_uuid": number},
            check=f"Look at numbers.channels({number!r}) before sending it again.",
            lookup=provision_of(agent, number),
        )
        done = await self._pipeline.run(request)
        return evolve(done, agent_uuid=done.agent_uuid or agent, phone_number_uuid=done.phone_number_uuid or number)
