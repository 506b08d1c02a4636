"""The SIP options of a trunk. The username and the password never come from the command line."""

import os
from pathlib import Path
from typing import Any

from attrs import frozen
from cyclopts import Parameter

from mihu_async import UNSET, SipCredentials, SipUpdate, Unset
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import read_object
from mihu_async.cli.prompts import ask_secret
from mihu_async.validation import present

LOGIN = ("username", "password")
ENVIRONMENT = {name: f"MIHU_SIP_{name.upper()}" for name in LOGIN}


@Parameter(name="*", group="SIP")
@frozen(kw_only=True)
class Sip:
    """The SIP gateway of a trunk, and its credentials."""

    sip_gateway: str | None = None
    """The host of the gateway."""
    sip_port: int | None = None
    """The port of the gateway."""
    sip_secondary_gateway: str | None = None
    """The host of a second gateway."""
    sip_login: str | None = None
    """The source of username and password: "env" for MIHU_SIP_USERNAME and MIHU_SIP_PASSWORD, "ask" for a prompt, or
    the path of a JSON file with keys of these names.
    """

    def credentials(self) -> SipCredentials | None:
        """Return the credentials for a registration, or None if none were given."""
        given = self._given()
        return SipCredentials(**given) if given else None

    def change(self) -> SipUpdate | Unset:
        """Return the update of a trunk, or UNSET if nothing was given; an empty text clears a value."""
        given = self._given()
        return SipUpdate(**given) if given else UNSET

    def _given(self) -> dict[str, Any]:
        options = {
            "gateway": self.sip_gateway,
            "port": self.sip_port,
            "secondary_gateway": self.sip_secondary_gateway,
        }
        return present(options) | login(self.sip_login)


NO_SIP = Sip()


def login(source: str | None) -> dict[str, str]:
    """Return the username and the password that the source contains."""
    match source:
        case None:
            found = {}
        case "env":
            found = present({name: os.environ.get(variable) for name, variable in ENVIRONMENT.items()})
        case "ask":
            found = {name: said for name in LOGIN if (said := ask_secret(f"SIP {name}"))}
        case _:
            found = read_object(Path(source))
    if source is not None and not (found and found.keys() <= set(LOGIN)):
        where = " or ".join(ENVIRONMENT.values()) if source == "env" else "username or password and nothing else"
        raise StopError(Exit.USAGE, f"--sip-login {source} must provide {where}.")
    return found
