"""Ensuring that a trunk serves an agent: look, decide, act, and look again after a refusal.

The decision is pure. The actions are safe under races and lost answers: a registration is looked up if its answer was
lost, and the service refuses it if another call was faster; an assignment is safe to repeat.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Literal

from attrs import evolve, field, frozen

from mihu_async.core.redaction import hide_secrets
from mihu_async.errors import APIError, MihuError, OutcomeUnknownError
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import Direction, TrunkChannel
from mihu_async.models.inputs import SipCredentials
from mihu_async.value import Value

ROUNDS = 4
"""The number of refusals after which the SDK gives up, while others register and delete the same trunk."""
NOT_ABOUT_TRUNKS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
PATH = "/phone-numbers/trunks"
SETTINGS = ("name", "direction", "sip", "additional_settings")
"""The settings that a trunk stores and no answer ever shows."""


class EnsureOutcome(StrEnum):
    """The action that made a trunk serve its agent."""

    CREATED = "created"
    """The trunk did not exist, and was registered."""
    REASSIGNED = "reassigned"
    """The trunk served another agent, and was moved."""
    UNCHANGED = "unchanged"
    """The trunk already served the agent, or a lookup found that it does after the registration's answer was lost."""


@frozen(kw_only=True)
class Ensured:
    """A trunk that serves the agent that the caller named.

    The settings (``name``, ``direction``, ``sip``, ``additional_settings``) are not sent to a trunk that exists
    already. No answer ever shows them, so the SDK cannot tell whether they match; ``trunks.update`` sets them.
    """

    outcome: EnsureOutcome
    """The action: the trunk was created, or reassigned from another agent, or left unchanged."""
    snapshot: NumberChannels
    """The number's channels as the service showed them last."""
    unverified: tuple[str, ...] = ()
    """The names of the settings that the caller passed and that were not sent; empty if the trunk was created."""


@frozen(kw_only=True)
class TrunkSpec:
    """A trunk as it should be: the arguments of ``trunks.ensure``, which checks them."""

    phone_number: str
    """The number in E.164 form."""
    channel: TrunkChannel | Literal["call", "whatsapp"] | str
    """The channel: ``call`` or ``whatsapp``."""
    agent_uuid: Any
    """The id of the agent that is to answer: text or a UUID."""
    name: str | None = None
    """A label, for a new trunk."""
    direction: Direction | Literal["inbound", "outbound", "both"] | str | None = None
    """The direction of the calls that the trunk handles, for a new trunk."""
    sip: SipCredentials | None = field(default=None, repr=lambda sip: repr(hide_secrets(sip)))
    """The credentials with which the service reaches the trunk, for a new trunk."""
    additional_settings: Mapping[str, Any] | None = field(default=None, repr=False)
    """Free JSON, for a new trunk."""


class Step(StrEnum):
    """The next action."""

    KEEP = "keep"
    ASSIGN = "assign"
    REGISTER = "register"


def decide(snapshot: NumberChannels | None, *, channel: str, agent_uuid: str) -> Step:
    """Return the step that makes a trunk serve an agent.

    A purchased number never has a trunk: the service refuses to register it.

    Args:
        snapshot: The number's channels; None if there is no such number.
        channel: The channel of the trunk.
        agent_uuid: The agent that is to answer.
    """
    agent = None if snapshot is None or snapshot.is_external is False else snapshot.agent_on(channel)
    if agent is None:
        return Step.REGISTER
    return Step.KEEP if agent.agent_uuid and agent.agent_uuid.lower() == agent_uuid.lower() else Step.ASSIGN


def may_be_otherwise(error: APIError) -> bool:
    """Return True if a refusal may mean that the trunk exists after all, no longer exists, or has an unknown number.

    The statuses of these cases are not documented, so every refusal that is about the request counts.
    """
    is_the_callers = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return is_the_callers and error.status not in NOT_ABOUT_TRUNKS


class Ensure(Value, frozen=True, kw_only=True):
    """The terms of ensuring one trunk: its requests, the wanted agent, and the settings that the caller passed."""

    HIDDEN: ClassVar[frozenset[str]] = frozenset({"look", "register", "assign"})  # they hold credentials

    look: Callable[[], Awaitable[NumberChannels]]
    register: Callable[[], Awaitable[NumberChannels]]
    assign: Callable[[], Awaitable[NumberChannels]]
    channel: str
    agent_uuid: str
    settings: tuple[str, ...]

    async def run(self) -> Ensured:
        """Look and act until the trunk serves the agent.

        A refusal is final if the next lookup asks for the same step again.

        Raises:
            APIError: If a refusal is final.
            OutcomeUnknownError: If the answer to a registration was lost and could not be looked up, or if the service
                confirms an action and shows another agent.
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
                done = await self._do(step)
            except OutcomeUnknownError as unknown:
                if not self.settings:
                    raise
                return await self._found(unknown)
            except APIError as error:
                if not may_be_otherwise(error):
                    raise
                refusals.append((step, error))
            else:
                return await self._confirmed(done)

    async def _confirmed(self, done: Ensured) -> Ensured:
        """Return an action that was confirmed. If its answer names another agent, the next lookup decides."""
        if not self._is_anothers(done.snapshot):
            return done
        with suppress(MihuError):
            if seen := await self._again(done):
                return seen
        method, path = ("POST", PATH) if done.outcome is EnsureOutcome.CREATED else ("PUT", f"{PATH}/assign")
        number, agent = done.snapshot.number, done.snapshot.agent_on(self.channel)
        how_to_check = f"Look at numbers.channels_of({number!r}) before you ensure it again, which is safe."
        raise OutcomeUnknownError(
            f"{method} {path} may or may not have been applied: it was answered with success, but the answer shows "
            f"that {number} serves agent {agent and agent.agent_uuid} on {self.channel}. {how_to_check}",
            method=method,
            url=path,
            how_to_check=how_to_check,
            look=partial(self._again, done),
        )

    async def _again(self, done: Ensured) -> Ensured | None:
        """Return an action with a new snapshot, or None if the trunk does not serve the agent."""
        snapshot = await self._seen()
        if snapshot is None or decide(snapshot, channel=self.channel, agent_uuid=self.agent_uuid) is not Step.KEEP:
            return None
        return evolve(done, snapshot=snapshot)

    def _is_anothers(self, snapshot: NumberChannels) -> bool:
        agent = snapshot.agent_on(self.channel)
        uuid = agent.agent_uuid if agent else None
        return uuid is not None and uuid.lower() != self.agent_uuid.lower()

    async def _found(self, unknown: OutcomeUnknownError) -> Ensured:
        """Return the trunk if it serves the agent, whosever settings it stores; raise the error otherwise."""
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
