"""Agents, which answer numbers."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from mihu_async.models.extra import extra
from mihu_async.models.identity import IDENTITY


@frozen(kw_only=True)
class Agent:
    """An agent of the workspace.

    Fields that the model does not define, such as its role and its objective, are on ``extra``.
    """

    agent_uuid: str = field(metadata=IDENTITY)
    """The id that numbers and trunks are bound to, and that :class:`Binding` names."""
    name: str
    """The agent's name.

    It is documented to be always present; if it cannot be read, it is None. It is empty if the answer to
    ``agents.provision_call`` was lost and the lookup did not name the agent.
    """
    description: str | None = None
    """The text that describes the agent in the workspace."""
    language: str | None = None
    """The language that the agent speaks, as the service writes it."""
    timezone: str | None = None
    """The time zone that the agent works in, as the service writes it."""
    status: str | None = None
    """The agent's state, as the service writes it; only the older of two documented answers has it."""
    extra: Mapping[str, Any] = extra()
    """All other fields that the service sent, as plain JSON values."""


@frozen(kw_only=True)
class AgentAnswer:
    """The documented answer to the binding of an agent: ``data.agent``."""

    agent: Agent = field(metadata=IDENTITY)
    extra: Mapping[str, Any] = extra()
