"""SIP connections, and which agent uses one for its calls."""

from datetime import datetime

from attrs import field, frozen

from mihu_async.models.identity import IDENTITY


@frozen(kw_only=True)
class SipConnection:
    """A connection to a SIP server. Its username and password never come back from the service."""

    uuid: str = field(metadata=IDENTITY)
    """The id that ``agents.assign_sip_connection`` takes as ``connection_uuid``."""
    name: str | None = None
    """The connection's label."""
    phone_number: str | None = None
    """The number that it carries."""
    gateway: str | None = None
    """The host name or address of the SIP server."""
    secondary_gateway: str | None = None
    """The host name or address of a second one; None where there is none."""
    status: str | None = None
    """The connection's state, as the service writes it; its words are not documented."""
    created_at: datetime | None = None
    """The time at which it was created."""
    updated_at: datetime | None = None
    """The time at which it was last changed."""


@frozen(kw_only=True)
class SipAssignment:
    """An agent that uses a SIP connection for its calls."""

    agent_uuid: str = field(metadata=IDENTITY)
    """The agent."""
    connection_uuid: str = field(metadata=IDENTITY)
    """The connection that it uses."""
    phone_number: str | None = None
    """The number whose calls the agent answers from then on."""
