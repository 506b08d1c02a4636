"""External SIP trunks: the workspace's own numbers. Mirrors the API under ``/phone-numbers/trunks``."""

from collections.abc import AsyncIterable, Iterable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from mihu_async.core.pipeline import Pipeline
from mihu_async.core.request import NOTHING, describe
from mihu_async.frames import conceals_arguments
from mihu_async.models.channels import NumberChannels
from mihu_async.models.enums import Direction, TrunkChannel
from mihu_async.models.inputs import SipCredentials
from mihu_async.models.numbers import PhoneNumber
from mihu_async.models.pages import Page
from mihu_async.models.unset import UNSET, Unset
from mihu_async.models.updates import SipUpdate
from mihu_async.paging.pager import Pager, Shard, check_concurrency
from mihu_async.resources.arguments import (
    e164,
    e164_or_digits,
    identifier,
    instance_of,
    json_object,
    one_of,
    optional,
    present,
    seconds,
    text,
)
from mihu_async.resources.bulk import EnsureRun, R, check_rows
from mihu_async.resources.changes import changes, sip_change, unless_unset
from mihu_async.resources.endpoint import PER_PAGE, Endpoint
from mihu_async.resources.ensure import SETTINGS, Ensure, Ensured
from mihu_async.resources.lookups import registration_of, snapshot_request
from mihu_async.resources.watcher import INTERVAL, Watcher

PATH = "/phone-numbers/trunks"
CHANNEL, DIRECTION = one_of(TrunkChannel), one_of(Direction)
TRUNKS = Endpoint(
    PATH, Page[PhoneNumber], attrgetter("phone_number_uuid"), dates=attrgetter("purchased_at", "updated_at")
)


class Trunks:
    """``mihu.trunks``: list external trunks, register, change and delete them, have them serve an agent.

    A trunk is known by its phone number and its channel together.
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

        Nothing is sent until the pager is used: ``async for`` walks every trunk, ``await`` gives the first page.
        A filter that is None is not sent. Trunks come as full numbers; what does not apply to them is None.

        page: where to begin, counted from 1.
        per_page: how many trunks a page holds, 1 to 100. 100 unless given; the service's own default is 25.
        search: a part of the phone number. The filter's name is inferred, so the service may ignore it.
        channel: only trunks bound on this channel; a member of the enum, or its string.
        agent_uuid: only trunks that this agent serves on any channel.

        Raises UsageError at once for a value that can never be accepted; walking raises the errors of the calls.
        """
        filters = {
            "search": optional(text, "search", search),
            "channel": optional(CHANNEL, "channel", channel),
            "agent_uuid": optional(identifier, "agent_uuid", agent_uuid),
        }
        return TRUNKS.pager(self._pipeline, self._concurrency, filters, page=page, per_page=per_page)

    def shard(self, shard: Shard) -> Pager[PhoneNumber]:
        """Walk a part of a listing that ``await pager.split(…)`` cut, in this process or another one. Safe to repeat.

        Raises UsageError for a part of another resource's listing.
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
        """Tell what changes among the trunks: ``GET /phone-numbers/trunks``, all pages, again and again. Only reads.

        Nothing is sent until the watcher is used: ``async for change in watcher`` tells each change once, from walks
        that are proved complete. See :class:`Watcher`.

        interval: seconds from the end of one walk to the beginning of the next; 60 unless told otherwise.
        since: what ``watcher.snapshot()`` gave, of the same workspace and filters, to tell what changed since then;
            None takes the first walk for the base.
        search, channel, agent_uuid: as :meth:`list` takes them. A trunk that no longer passes the filters is told as
            removed, and one that passes now as added.

        Raises UsageError at once for a value that can never be accepted. Watching raises the errors after which no walk
        would succeed; others slow it down. No answer shows a trunk's name, direction, SIP credentials or additional
        settings, so a change of these alone is not seen, unless it moves ``updated_at``.
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
        """Register a trunk and bind it to an agent: ``POST /phone-numbers/trunks``. It is never made twice.

        It is sent again where nothing can have been carried out: when no connection was made, or on 429. Where the
        answer was lost, the trunk is looked up first: bound on the channel to the agent, it is what was asked for, and
        its snapshot is made from the listing; bound to another agent, it is a ConflictError; and not there, it is sent
        again, because the service refuses what it already has. Where that is refused, it is looked for as in
        ``numbers.buy``. Where ``name``, ``direction``, ``sip`` or ``additional_settings`` were given, a trunk that is
        found may store those of somebody else, which no answer shows: that is an OutcomeUnknownError, and
        :meth:`update` stores yours.
        A number that is used on both channels is registered once for each. Calls of this client for one trunk wait for
        each other.

        phone_number: E.164. It must be neither in the purchased inventory nor bound on this channel.
        agent_uuid: the agent that answers; it must not serve another number on this channel.
        channel: ``call`` or ``whatsapp``; a member of the enum, or its string.
        name: a label for dashboards and logs; where None, the service takes ``{channel}_trunk_{digits}``, such as
            ``"call_trunk_12345678901"``.
        direction: which calls the trunk handles: for the call channel only, ignored for WhatsApp, and ``both`` on the
            service where None.
        sip: credentials, for the call channel only, encrypted at rest on the service; where None, none are stored. They
            come back in no documented answer.
        additional_settings: free JSON that is stored with the trunk, for extras of the channel.

        Raises UsageError before anything is sent, an APIError where the service refuses (which status a taken number or
        agent gets is not documented), and OutcomeUnknownError where the answer was lost and the look-ups did not tell;
        ``await error.check()`` looks again.
        """
        body = _registration(phone_number, agent_uuid, channel, name, direction, sip, additional_settings)
        lookup = registration_of(
            body["phone_number"],
            str(body["channel"]),
            body["agent_uuid"],
            self._listed,
            settings=[name for name in SETTINGS if name in body],
        )
        check = (
            f"Before registering it again, look whom it serves: numbers.channels_of({phone_number!r})"
            f".{body['channel']}_agent."
        )
        request = describe("POST", PATH, NumberChannels, json=body, check=check, lookup=lookup)
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
        """Have a trunk serve an agent, whatever is there now; gives what was done for it, and the snapshot.

        It looks at the number (``GET /phone-numbers/channels?number=``). Where the trunk serves the agent, it is
        unchanged, and nothing is sent; where it serves another one, it is reassigned (:meth:`assign`, a PUT); and where
        there is none, it is created (:meth:`register`, a POST). Where that is refused, because others were faster, it
        looks again and goes by what it sees then. So it is safe to repeat, and two that run at a time end with one
        trunk. How the service answers for a number that it does not know is not documented: any refusal that is about
        the request is taken for that.

        phone_number, channel: which trunk.
        agent_uuid: the agent that is to answer it.
        name, direction, sip, additional_settings: what a new trunk stores, as :meth:`register` takes it. To a trunk
            that is there they are not sent, and no answer shows what it stores: ``.unverified`` names those that were
            given, and :meth:`update` sets them.

        Raises UsageError before anything is sent; an APIError where the service refuses and the next look shows no
        other way, such as for an agent that serves another number, or a number of the purchased inventory; and what its
        calls raise: OutcomeUnknownError where a registration's answer was lost and could not be looked up. A
        trunk that is found then and may store other settings than those given is unchanged, and ``.unverified`` names
        them. With
        ``dry_run=True`` it looks, and DryRun says what it would send.
        """
        body = _registration(phone_number, agent_uuid, channel, name, direction, sip, additional_settings)
        address = {argument: body[argument] for argument in ("phone_number", "channel", "agent_uuid")}
        settings = {argument: body[argument] for argument in SETTINGS if argument in body}
        return await Ensure(
            look=partial(self._pipeline.run, snapshot_request(body["phone_number"])),
            register=partial(self.register, **address, **settings),
            assign=partial(self.assign, **address),
            channel=str(body["channel"]),
            agent_uuid=body["agent_uuid"],
            settings=tuple(settings),
        ).run()

    @conceals_arguments
    def ensure_all(self, rows: Iterable[R] | AsyncIterable[R], *, concurrency: int | None = None) -> EnsureRun[R]:
        """Have many trunks serve their agents: :meth:`ensure` for each row, some at a time, and a result for each.

        Nothing is sent yet: ``async for result in run`` does it, and gives the results as they come, errors too;
        ``run.report`` says what was done, at any moment. See :class:`EnsureRun`.

        rows: an iterable or an async iterable, of ``TrunkSpec(…)`` or of mappings with the same names.
        concurrency: how many rows are under way at a time, from 1; None takes the client's.

        An agent that serves another number is refused, also where a later row would move that one: run it again then.

        Raises UsageError where the arguments can never be accepted. What is wrong with a row is its result.
        """
        most = self._concurrency if concurrency is None else check_concurrency(concurrency)
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

        What is left out is not sent, and stays as it is. None has no meaning here, and is refused.

        phone_number, channel: which trunk, as it was registered. Neither can be changed.
        name: its label.
        direction: which calls it handles; for the call channel only.
        sip: ``SipUpdate(…)`` changes the fields that are set in it, and an empty text clears one of them. Or
            ``SipCredentials(…)``, as a registration takes them: what is None in these is not sent.
        additional_settings: free JSON that replaces what is stored with the trunk; ``{}`` clears it.

        The answer shows none of the four. Raises UsageError before anything is sent, also where nothing is to change,
        and an APIError where the service refuses.
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
        )
        return await self._pipeline.run(request)

    async def delete(self, *, phone_number: str, channel: TrunkChannel | Literal["call", "whatsapp"] | str) -> None:
        """Remove a trunk: ``DELETE /phone-numbers/trunks``, with both arguments in the query. Safe to repeat.

        That there is such a method is documented; its path and the names in the query are inferred, and its answer is
        not known. So every 2xx is taken as done that is empty or a JSON object, unless it says ``success: false``.

        phone_number: as it was registered, with or without the ``+``.
        channel: ``call`` or ``whatsapp``; the number's trunk on the other channel stays.

        Raises UsageError before anything is sent, and an APIError where the service refuses: NotFoundError where there
        is no such trunk, but not after an attempt of this call whose answer was lost, which may have removed it.
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

        phone_number, channel: which trunk, as it was registered. The number itself is not changed, and neither is its
            trunk on the other channel, which takes a call of its own.
        agent_uuid: the agent that serves it from now on.

        Raises UsageError before anything is sent, and an APIError where the service refuses.
        """
        body = {
            "phone_number": e164("phone_number", phone_number),
            "channel": CHANNEL("channel", channel),
            "agent_uuid": identifier("agent_uuid", agent_uuid),
        }
        return await self._pipeline.run(describe("PUT", f"{PATH}/assign", NumberChannels, json=body))

    def _listed(self, pipeline: Pipeline, filters: dict[str, Any]) -> Pager[PhoneNumber]:
        return TRUNKS.pager(pipeline, self._concurrency, filters, page=1, per_page=PER_PAGE)


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
