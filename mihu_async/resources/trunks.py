"""External SIP trunks: the workspace's own numbers. Covers the API under ``/phone-numbers/trunks``."""

from collections.abc import AsyncIterable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import NOTHING, describe, json_object
from mihu_async.frames import conceals_arguments
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import Direction, TrunkChannel
from mihu_async.models.inputs import SipCredentials
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.models.unset import UNSET, Unset
from mihu_async.models.updates import SipUpdate
from mihu_async.paging.pager import Pager, Shard
from mihu_async.resources.bulk import EnsureRun, R, check_rows
from mihu_async.resources.changes import changes, sip_change, unless_unset
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.resources.ensure import PATH, SETTINGS, Ensure, Ensured
from mihu_async.resources.lookups import contradiction_of, registration_of
from mihu_async.resources.rows import Listed
from mihu_async.resources.watcher import INTERVAL, Watcher
from mihu_async.validation import (
    e164,
    e164_or_digits,
    identifier,
    instance_of,
    one_of,
    optional,
    positive_int,
    present,
    seconds,
    text,
)

CHANNEL, DIRECTION = one_of(TrunkChannel), one_of(Direction)
TRUNKS = Endpoint(
    PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"), dates=attrgetter("purchased_at", "updated_at")
)


class Trunks:
    """``mihu.trunks``: list external trunks, register, change and delete them, and let them serve an agent.

    A trunk is identified by its phone number and its channel together.
    """

    def __init__(self, pipeline: Pipeline, concurrency: int) -> None:
        self._pipeline = pipeline
        self._concurrency = concurrency

    def list(
        self,
        *,
        page: int = 1,
        per_page: int = PER_PAGE,
        search: str | None = None,
        channel: TrunkChannel | Literal["call", "whatsapp"] | str | None = None,
        agent_uuid: str | UUID | None = None,
    ) -> Pager[PhoneNumber]:
        """List external trunks: ``GET /phone-numbers/trunks``. Safe to repeat.

        Nothing is sent until the pager is used: ``async for`` walks every trunk, ``await`` returns the first page. A
        filter that is None is not sent. Trunks come as full numbers; the fields that do not apply to them are None.
        Walking raises the errors of its calls.

        Args:
            page: The page to begin with, counted from 1.
            per_page: The number of trunks on a page, 1 to 100. 100 by default; the service's own default is 25.
            search: A part of the phone number. The filter's name is inferred, so the service may ignore it.
            channel: Only trunks bound on this channel: a member of the enum, or its string.
            agent_uuid: Only trunks that this agent serves on any channel.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        filters = {
            "search": optional(text, "search", search),
            "channel": optional(CHANNEL, "channel", channel),
            "agent_uuid": optional(identifier, "agent_uuid", agent_uuid),
        }
        return TRUNKS.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    def shard(self, shard: Shard) -> Pager[PhoneNumber]:
        """Return the pager of a part that ``await pager.split(…)`` returned, here or in another process.

        Safe to repeat.

        Args:
            shard: The part.

        Raises:
            UsageError: If it is a part of another resource's listing.
        """
        return TRUNKS.part(self._pipeline, self._concurrency, shard)

    def watch(
        self,
        *,
        interval: float = INTERVAL,
        since: str | None = None,
        search: str | None = None,
        channel: TrunkChannel | Literal["call", "whatsapp"] | str | None = None,
        agent_uuid: str | UUID | None = None,
    ) -> Watcher:
        """Watch the trunks for changes: ``GET /phone-numbers/trunks``, all pages, repeatedly. Only reads.

        Nothing is sent until the watcher is used: ``async for change in watcher`` yields each change once, from walks
        that are proved complete. Watching raises the errors after which no walk would succeed; other errors slow it
        down. See :class:`Watcher`. A trunk that no longer passes the filters is reported as removed, and one that now
        passes as added. No answer shows a trunk's name, direction, SIP credentials or additional settings, so a change
        of these alone is not seen, unless it moves ``updated_at``.

        Args:
            interval: Seconds from the end of one walk to the beginning of the next; 60 by default.
            since: The result of ``watcher.snapshot()``, of the same workspace and filters, to report the changes since
                then; None takes the first walk as the base.
            search: As in :meth:`list`.
            channel: As in :meth:`list`.
            agent_uuid: As in :meth:`list`.

        Raises:
            UsageError: At once, if an argument is invalid.
        """
        pager = self.list(search=search, channel=channel, agent_uuid=agent_uuid)
        return Watcher(pager, self._pipeline.clock, PATH, interval=seconds("interval", interval), since=since)

    @conceals_arguments
    async def register(
        self,
        *,
        phone_number: str,
        agent_uuid: str | UUID,
        channel: TrunkChannel | Literal["call", "whatsapp"] | str,
        name: str | None = None,
        direction: Direction | Literal["inbound", "outbound", "both"] | str | None = None,
        sip: SipCredentials | None = None,
        additional_settings: Mapping[str, Any] | None = None,
    ) -> NumberChannels:
        """Register a trunk and bind it to an agent: ``POST /phone-numbers/trunks``. It is never registered twice.

        The call is sent again if it cannot have been applied: when no connection was made, or on 429. If the answer
        was lost, the SDK looks the trunk up first:

        - If it is bound on the channel to the agent, it is returned, with a snapshot built from the listing.
        - If it is bound to another agent, ConflictError is raised.
        - If there is none, the call is sent again, because the service refuses a trunk that it already has. If it
          refuses, the SDK looks for the trunk as in ``numbers.buy``.

        If ``name``, ``direction``, ``sip`` or ``additional_settings`` were passed, a trunk that the SDK finds may store
        somebody else's settings, which no answer shows. It then raises OutcomeUnknownError; :meth:`update` stores
        yours. A number that is used on both channels is registered once for each. Calls of this client for one trunk
        wait for each other.

        Args:
            phone_number: The number in E.164 form. It must be neither in the purchased inventory nor bound on this
                channel.
            agent_uuid: The agent that answers; it must not serve another number on this channel.
            channel: ``call`` or ``whatsapp``; a member of the enum, or its string.
            name: A label for dashboards and logs; if None, the service takes ``{channel}_trunk_{digits}``, such as
                ``"call_trunk_12345678901"``.
            direction: The direction of the calls that the trunk handles: for the call channel only, ignored for
                WhatsApp, and ``both`` on the service if None.
            sip: Credentials, for the call channel only, encrypted at rest on the service; if None, none are stored. No
                documented answer contains them.
            additional_settings: Free JSON that is stored with the trunk, for extras of the channel.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            ConflictError: If a lookup after a lost answer finds the trunk bound to another agent.
            APIError: If the service refuses. The status for a taken number or agent is not documented.
            OutcomeUnknownError: If the answer was lost and the lookups were inconclusive; ``await error.check()``
                looks again.
        """
        body = _registration(phone_number, agent_uuid, channel, name, direction, sip, additional_settings)
        lookup = registration_of(
            body["phone_number"],
            str(body["channel"]),
            body["agent_uuid"],
            Listed(TRUNKS, self._concurrency),
            settings=[name for name in SETTINGS if name in body],
        )
        how_to_check = (
            f"Before you register it again, check which agent it serves: numbers.channels_of({phone_number!r})"
            f".{body['channel']}_agent."
        )
        request = describe(
            "POST",
            PATH,
            NumberChannels,
            json=body,
            how_to_check=how_to_check,
            lookup=lookup,
            contradiction=contradiction_of(body["phone_number"]),
        )
        return await self._pipeline.run(request)

    @conceals_arguments
    async def ensure(
        self,
        *,
        phone_number: str,
        channel: TrunkChannel | Literal["call", "whatsapp"] | str,
        agent_uuid: str | UUID,
        name: str | None = None,
        direction: Direction | Literal["inbound", "outbound", "both"] | str | None = None,
        sip: SipCredentials | None = None,
        additional_settings: Mapping[str, Any] | None = None,
    ) -> Ensured:
        """Ensure that a trunk serves an agent, whatever its present state. Safe to repeat.

        It looks at the number (``GET /phone-numbers/channels?number=``). If the trunk serves the agent, it is
        unchanged, and nothing is sent; if it serves another one, it is reassigned (:meth:`assign`, a PUT); and if there
        is no trunk, it is created (:meth:`register`, a POST). If that is refused, because others were faster, it looks
        again and acts on the new state, so two concurrent calls end with one trunk. The service's answer for an unknown
        number is not documented, so any refusal that concerns the request counts as one. With ``dry_run=True`` it only
        looks, and raises DryRun with the request that it would send.

        Args:
            phone_number: The number of the trunk, in E.164 form.
            channel: The channel of the trunk: a member of the enum, or its string.
            agent_uuid: The agent that is to answer.
            name: As :meth:`register` takes it, for a new trunk. It is not sent to a trunk that exists.
            direction: As :meth:`register` takes it, for a new trunk. It is not sent to a trunk that exists.
            sip: As :meth:`register` takes it, for a new trunk. It is not sent to a trunk that exists.
            additional_settings: As :meth:`register` takes it, for a new trunk. It is not sent to a trunk that exists.

        Returns:
            The action that was taken, and the snapshot. If the trunk existed, or was found after a lost answer, no
            answer shows its settings: ``.unverified`` names those that were passed, and :meth:`update` sets them.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses and the next lookup shows no other way, for example because the agent
                serves another number, or the number is a purchased one.
            OutcomeUnknownError: If the answer to a registration was lost and could not be looked up, or if the service
                confirms a registration or an assignment and then shows another agent.
        """
        body = _registration(phone_number, agent_uuid, channel, name, direction, sip, additional_settings)
        address = {argument: body[argument] for argument in ("phone_number", "channel", "agent_uuid")}
        settings = {argument: body[argument] for argument in SETTINGS if argument in body}
        query = {"number": body["phone_number"]}
        look = describe("GET", "/phone-numbers/channels", NumberChannels, query=query)
        return await Ensure(
            look=partial(self._pipeline.run, look),
            register=partial(self.register, **address, **settings),
            assign=partial(self.assign, **address),
            channel=str(body["channel"]),
            agent_uuid=body["agent_uuid"],
            settings=tuple(settings),
        ).run()

    @conceals_arguments
    def ensure_all(self, rows: Iterable[R] | AsyncIterable[R], *, concurrency: int | None = None) -> EnsureRun[R]:
        """Ensure that many trunks serve their agents: :meth:`ensure` for each row, some at a time.

        Nothing is sent yet: ``async for result in run`` does the work, and yields a result for each row as it is done,
        errors included; ``run.report`` shows the progress at any moment. See :class:`EnsureRun`. An agent that serves
        another number is refused, even if a later row would move that number: then run it again.

        Args:
            rows: An iterable or an async iterable of ``TrunkSpec(…)`` or of mappings with the same names.
            concurrency: The most rows under way at a time, from 1; None takes the client's.

        Raises:
            UsageError: If an argument is invalid. An error of a row is its result.
        """
        most = optional(positive_int, "concurrency", concurrency) or self._concurrency
        return EnsureRun(check_rows(rows), self.ensure, most)

    @conceals_arguments
    async def update(
        self,
        *,
        phone_number: str,
        channel: TrunkChannel | Literal["call", "whatsapp"] | str,
        name: str | Unset = UNSET,
        direction: Direction | Literal["inbound", "outbound", "both"] | str | Unset = UNSET,
        sip: SipUpdate | SipCredentials | Unset = UNSET,
        additional_settings: Mapping[str, Any] | Unset = UNSET,
    ) -> NumberChannels:
        """Change a trunk: ``PATCH /phone-numbers/trunks``. Safe to repeat.

        An argument that is left out is not sent, and its value on the service stays. None has no meaning here, and is
        refused. The answer shows none of the four settings.

        Args:
            phone_number: The number of the trunk, as it was registered. It cannot be changed.
            channel: The channel of the trunk, as it was registered. It cannot be changed.
            name: The label of the trunk.
            direction: The direction of the calls that the trunk handles; for the call channel only.
            sip: ``SipUpdate(…)`` changes the fields that are set in it, and an empty text clears one of them. Or
                ``SipCredentials(…)``, as :meth:`register` takes them, whose None fields are not sent.
            additional_settings: Free JSON that replaces the settings that are stored with the trunk; ``{}`` clears
                them.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid or nothing is to change.
            APIError: If the service refuses.
        """
        trunk: dict[str, Any] = {
            "phone_number": e164("phone_number", phone_number),
            "channel": CHANNEL("channel", channel),
        }
        # not kept in a variable, which a report of an error might print: credentials are plain text in there
        request = describe(
            "PATCH",
            PATH,
            NumberChannels,
            json=trunk
            | changes(
                {
                    "name": unless_unset(text, "name", name),
                    "direction": unless_unset(DIRECTION, "direction", direction),
                    "sip": unless_unset(sip_change, "sip", sip),
                    "additional_settings": unless_unset(json_object, "additional_settings", additional_settings),
                }
            ),
            contradiction=contradiction_of(trunk["phone_number"]),
        )
        return await self._pipeline.run(request)

    async def delete(self, *, phone_number: str, channel: TrunkChannel | Literal["call", "whatsapp"] | str) -> None:
        """Delete a trunk: ``DELETE /phone-numbers/trunks``, with both arguments in the query. Safe to repeat.

        The method is documented; its path and the names in the query are inferred, and its answer is not known. So
        every 2xx that is empty or a JSON object counts as success, unless it says ``success: false``.

        Args:
            phone_number: The number of the trunk, as it was registered, with or without the ``+``.
            channel: ``call`` or ``whatsapp``; the number's trunk on the other channel stays.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            NotFoundError: If there is no such trunk; but not after an attempt of this call whose answer was lost,
                because that attempt may have deleted it.
            APIError: If the service refuses.
        """
        query = {
            "phone_number": e164_or_digits("phone_number", phone_number),
            "channel": CHANNEL("channel", channel),
        }
        await self._pipeline.run(describe("DELETE", PATH, NOTHING, query=query))

    async def assign(
        self, *, phone_number: str, channel: TrunkChannel | Literal["call", "whatsapp"] | str, agent_uuid: str | UUID
    ) -> NumberChannels:
        """Move a trunk to another agent: ``PUT /phone-numbers/trunks/assign``. Safe to repeat.

        The number itself is not changed, and neither is its trunk on the other channel, which takes a call of its own.

        Args:
            phone_number: The number of the trunk, as it was registered.
            channel: The channel of the trunk: a member of the enum, or its string.
            agent_uuid: The agent that serves the trunk from now on.

        Raises:
            UsageError: Before anything is sent, if an argument is invalid.
            APIError: If the service refuses.
        """
        body = {
            "phone_number": e164("phone_number", phone_number),
            "channel": CHANNEL("channel", channel),
            "agent_uuid": identifier("agent_uuid", agent_uuid),
        }
        contradiction = contradiction_of(body["phone_number"])
        return await self._pipeline.run(
            describe("PUT", f"{PATH}/assign", NumberChannels, json=body, contradiction=contradiction)
        )


def _registration(
    phone_number: Any, agent_uuid: Any, channel: Any, name: Any, direction: Any, sip: Any, additional_settings: Any
) -> dict[str, Any]:
    body = {
        "phone_number": e164("phone_number", phone_number),
        "agent_uuid": identifier("agent_uuid", agent_uuid),
        "channel": CHANNEL("channel", channel),
        "name": optional(text, "name", name),
        "direction": optional(DIRECTION, "direction", direction),
        "sip": optional(instance_of(SipCredentials), "sip", sip),
        "additional_settings": optional(json_object, "additional_settings", additional_settings),
    }
    return present(body)
