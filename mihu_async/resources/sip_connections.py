"""SIP connections that agents use for calls. Covers the documented part of the API under ``/channels/sip-trunk``."""

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import describe
from mihu_async.frames import conceals_arguments
from mihu_async.models.inputs import SipCredentials
from mihu_async.models.sip import SipConnection
from mihu_async.validation import gateway_host, optional, present, secret, text_up_to

PATH = "/channels/sip-trunk/connections"
LABEL = text_up_to(255)
PHONE_NUMBER = text_up_to(32)


class SipConnections:
    """``mihu.sip_connections``: create a SIP connection; ``agents.assign_sip_connection`` lets an agent use it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @conceals_arguments
    async def create(
        self,
        *,
        name: str,
        phone_number: str,
        gateway: str,
        username: str,
        password: str,
        secondary_gateway: str | None = None,
    ) -> SipConnection:
        """Create a SIP connection: ``POST /channels/sip-trunk/connections``. The connection is never created twice.

        The call is sent again only if it cannot have been applied: when no connection was made, or on 429. No
        documented endpoint lists connections, so there is no lookup, and the call is not sent again after a lost
        answer.

        Args:
            name: A label, up to 255 characters.
            phone_number: The number that the connection carries, up to 32 characters; its form is not documented.
            gateway: The host name or IP address of the SIP server, without a scheme such as ``sip:``.
            username: The name with which the service signs in. No answer, repr, error or log contains it.
            password: The password with which the service signs in. No answer, repr, error or log contains it.
            secondary_gateway: The host name or address of a second server, up to 255 characters. None is not sent.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses.
            OutcomeUnknownError: If the answer was lost. ``error.how_to_check`` says how to check by hand, and ``await
                error.check()`` raises UsageError.
        """
        login = SipCredentials(username=secret("username", username), password=secret("password", password))
        del username, password  # a report of an error might print the variables: login's repr hides its values
        request = describe(
            "POST",
            PATH,
            SipConnection,
            json=present(
                {
                    "name": LABEL("name", name),
                    "phone_number": PHONE_NUMBER("phone_number", phone_number),
                    "gateway": gateway_host("gateway", gateway),
                    "username": login.username,
                    "password": login.password,
                    "secondary_gateway": optional(LABEL, "secondary_gateway", secondary_gateway),
                }
            ),
            how_to_check=(
                "Look for it among the workspace's SIP connections before you create it again; "
                f"mihu.request('GET', {PATH!r}) may list them, which is inferred."
            ),
        )
        return await self._pipeline.run(request)
