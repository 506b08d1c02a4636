"""To have a trunk serve an agent, whatever is there now: look, decide, do, and look again where that was refused.

What decides is pure. What is done is safe under races and lost answers: a registration is looked up where its answer
was lost, and refused by the service where another one was faster; an assignment may be repeated.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Literal

from attrs import field, frozen

from mihu_async.core.mask import hide_secrets
from mihu_async.errors import APIError, MihuError, OutcomeUnknownError
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import Direction, TrunkChannel
from mihu_async.models.inputs import SipCredentials

ROUNDS = 4
"""How many refusals are looked into at the most, while others register and delete the same trunk."""
NOT_ABOUT_TRUNKS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
SETTINGS = ("name", "direction", "sip", "additional_settings")
"""What a trunk stores and no answer ever shows."""


class EnsureOutcome(StrEnum):
    """What was done so that a trunk serves its agent."""

    CREATED = "created"
    """It was not there, and was registered."""
    REASSIGNED = "reassigned"
    """It served another agent."""
    UNCHANGED = "unchanged"
    """It served the agent already, or was found to after the answer to its registration was lost."""


@frozen(kw_only=True)
class Ensured:
    """A trunk that serves the agent that was asked for.

    A trunk that was there already is not sent its settings (``name``, ``direction``, ``sip``, ``additional_settings``).
    No answer ever shows them, so whether they match cannot be told; ``trunks.update`` sets them.
    """

    outcome: EnsureOutcome
    """What was done for it: it was created, or reassigned from another agent, or nothing was."""
    snapshot: NumberChannels
    """The number's channels as the service showed them last."""
    unverified: tuple[str, ...] = ()
    """The settings that were given and not sent, by name; empty where the trunk was created."""


@frozen(kw_only=True)
class TrunkSpec:
    """A trunk as it should be: the arguments of ``trunks.ensure``, which checks them."""

    phone_number: str
    """E.164."""
    channel: TrunkChannel | Literal["call", "whatsapp"] | str
    """``call`` or ``whatsapp``."""
    agent_uuid: Any
    """The agent that is to answer: text or a UUID."""
    name: str | None = None
    """A label, for a trunk that is made."""
    direction: Direction | Literal["inbound", "outbound", "both"] | str | None = None
    """Which calls it handles, for a trunk that is made."""
    sip: SipCredentials | None = field(default=None, repr=lambda sip: repr(hide_secrets(sip)))
    """How the service reaches it, for a trunk that is made."""
    additional_settings: Mapping[str, Any] | None = field(default=None, repr=False)
    """Free JSON, for a trunk that is made."""


class Step(StrEnum):
    """What to do next."""

    KEEP = "keep"
    ASSIGN = "assign"
    REGISTER = "register"


def decide(snapshot: NumberChannels | None, *, channel: str, agent_uuid: str) -> Step:
    """Decide what makes a trunk serve an agent, by what a look showed; None where there is no such number.

    A number of the purchased inventory has no trunk, whoever answers it: that it cannot be registered is for the
    service to say.
    """
    agent = None if snapshot is None or snapshot.is_external is False else snapshot.agent_on(channel)
    if agent is None:
        return Step.REGISTER
    return Step.KEEP if agent.agent_uuid and agent.agent_uuid.lower() == agent_uuid.lower() else Step.ASSIGN


def may_be_otherwise(error: APIError) -> bool:
    """Tell whether a refusal may mean that a trunk is there after all, or no longer, or that a number is not known.

    Which status each of these gets is not documented, so every refusal may that is about the request.
    """
    is_the_callers = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_the_callers and error.status not in NOT_ABOUT_TRUNKS


@frozen(kw_only=True)
class Ensure:
    """How one trunk is looked at, registered and assigned, what of it is wanted, and which settings were given."""

    look: Callable[[], Awaitable[NumberChannels]] = field(repr=False)
    register: Callable[[], Awaitable[NumberChannels]] = field(repr=False)  # holds credentials
    assign: Callable[[], Awaitable[NumberChannels]] = field(repr=False)
    channel: str
    agent_uuid: str
    settings: tuple[str, ...]

    async def run(self) -> Ensured:
        """Look and do until the trunk serves the agent, or raise what keeps it from that.

        A refusal is believed where the next look asks for the same step again.
        """
        refusals: list[tuple[Step, APIError]] = []
        while True:
            snapshot = await self._seen()
            step = decide(snapshot, channel=self.channel, agent_uuid=self.agent_uuid)
            if snapshot is not None and step is Step.KEEP:
                return self._there(EnsureOutcome.UNCHANGED, snapshot)
            if refusals and (refusals[-1][0] is step or len(refusals) == ROUNDS):
                raise refusals[-1][1]
            try:
                return await self._do(step)
            except OutcomeUnknownError as unknown:
                if not self.settings:
                    raise
                return await self._found(unknown)
            except APIError as error:
                if not may_be_otherwise(error):
                    raise
                refusals.append((step, error))

    async def _found(self, unknown: OutcomeUnknownError) -> Ensured:
        """Return the trunk where it serves the agent, whoever's settings it stores; raise the error elsewhere."""
        snapshot = None
        with suppress(MihuError):
            snapshot = await self._seen()
        step = decide(snapshot, channel=self.channel, agent_uuid=self.agent_uuid)
        if snapshot is None or step is not Step.KEEP:
            raise unknown
        return self._there(EnsureOutcome.UNCHANGED, snapshot)

    async def _seen(self) -> NumberChannels | None:
        try:
            return await self.look()
        except APIError as error:
            if not may_be_otherwise(error):
                raise
            return None

    async def _do(self, step: Step) -> Ensured:
        if step is Step.ASSIGN:
            return self._there(EnsureOutcome.REASSIGNED, await self.assign())
        return Ensured(outcome=EnsureOutcome.CREATED, snapshot=await self.register())

    def _there(self, outcome: EnsureOutcome, snapshot: NumberChannels) -> Ensured:
        return Ensured(outcome=outcome, snapshot=snapshot, unverified=self.settings)
