"""``mihu-async sip-connections``: connections to a SIP server that agents use for calls."""

from typing import Annotated

from cyclopts import App, Parameter

from mihu_async import MihuClient, SipConnection
from mihu_async.cli.commands import change
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.layouts import CONNECTIONS
from mihu_async.cli.parameters import group
from mihu_async.cli.sip import LOGIN, login

connections: App = group("sip-connections", "SIP connections, which agents use for calls.")


@change(connections, CONNECTIONS)
async def create(
    mihu: MihuClient,
    phone_number: Annotated[str, Parameter(help="The number of the connection.")],
    /,
    *,
    name: Annotated[str, Parameter(help="A label.")],
    gateway: Annotated[str, Parameter(help="The host of the SIP server.")],
    sip_login: Annotated[
        str, Parameter(help='The source of username and password: "env", "ask" or a JSON file, as for trunks.')
    ],
    secondary_gateway: Annotated[str | None, Parameter(help="The host of a second SIP server.")] = None,
) -> SipConnection:
    """Create a SIP connection. It is never created twice."""
    found = login(sip_login)
    if missing := [name for name in LOGIN if name not in found]:
        raise StopError(
            Exit.USAGE, f"--sip-login {sip_login} contains no {' and no '.join(missing)}. Nothing was sent."
        )
    return await mihu.sip_connections.create(
        name=name, phone_number=phone_number, gateway=gateway, secondary_gateway=secondary_gateway, **found
    )
