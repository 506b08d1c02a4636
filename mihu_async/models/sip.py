"""SIP connections, and the agents that use them for their calls."""

from datetime import datetime

from attrs import field, frozen

from mihu_async.models.identity import IDENTITY


@frozen(kw_only=True)
class SipConnection:
    """A connection to a SIP server. No answer contains its username and password."""

    uuid: str = field(metadata=IDENTITY)
    """The id that ``agents.assign_sip_connection`` takes as ``connection_uuid``."""
    name: str | None = None
    """The connection's label."""
    phone_number: str | None = None
    """The number that the connection carries."""
    gateway: str | None = None
    """The host name or address of the SIP server."""
    secondary_gateway: str | None = None
    """The host name or address of a second SIP server; None if there is none."""
    status: str | None = None
    """The connection's state, as the service writes it; its words are not documented."""
    created_at: datetime | None = None
    """The time at which the connection was created."""
    updated_at: datetime | None = None
    """The time at which the connection was last changed."""


@frozen(kw_only=True)
class SipAssignment:
    """An agent that uses a SIP connection for its calls."""

    agent_uuid: str = field(metadata=IDENTITY)
    """The id of the agent."""
    connection_uuid: str = field(metadata=IDENTITY)
    """The id of the connection that the agent uses."""
    phone_number: str | None = None
    """The number whose calls the agent answers from then on."""
