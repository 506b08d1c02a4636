"""The initial state of a sandbox: rows, agents and a token that are determined by the seed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import attrs

from mihu_async.sandbox.ranges import CAPACITY, FictionalNumber, fictional_numbers
from mihu_async.sandbox.rows import (
    CAPABILITIES,
    NUMBER_STATUSES,
    Agent,
    ChannelSettings,
    Inbound,
    Outbound,
    Requirement,
    Row,
    Trunk,
)

EPOCH = datetime(2023, 1, 2, 8, 0, 0, tzinfo=UTC)
FEES = (1.15, 1.0, 2.3, 4.75, 9.99, 15.5)
ROLES = ("Reception", "Sales", "Support", "Bookings", "Billing", "Surveys", "Reminders", "Night desk")
REQUIREMENTS = (
    Requirement(name="Proof of address", type="document", description="A bill of the last three months."),
    Requirement(name="Business name", type="textual", description="As registered."),
)
CHANNELS_OF_A_TRUNK = (("call",), ("call",), ("whatsapp",), ("call", "whatsapp"))


def random_stream(seed: int, name: str) -> Random:
    """Return a separate stream of random numbers, so that one part's use does not shift another's."""
    return Random(f"{seed}/{name}")  # noqa: S311 (made-up data must come out the same again)


def sandbox_token(seed: int) -> str:
    """Make up the token of a sandbox, which resembles no real one."""
    return f"sandbox-{random_stream(seed, 'token').getrandbits(128):032x}"


def default_settings(country_code: str, *, sms: bool) -> ChannelSettings:
    """Return the initial settings of a new number; no page states those of the service."""
    return ChannelSettings(
        voice=Outbound(enabled=True, channel_limit=10, whitelisted_destinations=(country_code,)),
        sms=Outbound(enabled=sms, channel_limit=5, whitelisted_destinations=(country_code,) if sms else ()),
        inbound=Inbound(enabled=True),
    )


def some_capabilities(random: Random, found: FictionalNumber) -> dict[str, bool]:
    """Make up the capabilities of a number."""
    sms = found.type == "mobile" or random.choice((True, False))
    flags = (True, sms, sms and found.country_code in {"US", "CA"}, not sms, found.type == "local", True)
    return dict(zip(CAPABILITIES, flags, strict=True))


class RowFactory:
    """Creates rows and agents from a seed, each with a new uuid, a new number and a later time than the one before."""

    def __init__(self, seed: int) -> None:
        self._random = random_stream(seed, "rows")
        self._numbers = fictional_numbers(random_stream(seed, "numbers"))
        self._moment = EPOCH
        self.agents: list[Agent] = []

    def uuid(self) -> str:
        """Make up a uuid."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def hire(self, uuid: str | None = None) -> Agent:
        """Add an agent that serves no number; its uuid is made up if None."""
        serial = len(self.agents)
        self.agents.append(Agent(uuid or self.uuid(), f"{ROLES[serial % len(ROLES)]} {serial // len(ROLES) + 1}"))
        return self.agents[-1]

    def number(self) -> FictionalNumber:
        """Return the next number of the fictional ranges; raise `ValueError` when they are used up."""
        if found := next(self._numbers, None):
            return found
        raise ValueError(f"the fictional ranges have only {CAPACITY} numbers")

    def purchased_rows(self, count: int) -> Iterator[Row]:
        """Create purchased numbers of every kind, about a third of them bound to agents of their own."""
        for _ in range(count):
            requirements = self._random.choice(((), (), (), (), REQUIREMENTS))
            yield attrs.evolve(
                self.purchased_row(self.number()),
                status=self._random.choices(NUMBER_STATUSES, (8, 1, 1))[0],
                compliance="requirement_pending" if requirements else "completed",
                requirements=requirements,
                agents=self._some_agents(),
            )

    def purchased_row(self, found: FictionalNumber) -> Row:
        """Create an active purchased number that no agent serves."""
        flags = some_capabilities(self._random, found)
        moment = self._later()
        return Row(
            phone_number_uuid=self.uuid(),
            number=found.number,
            country_code=found.country_code,
            location=found.location,
            type=found.type,
            status="active",
            compliance="completed",
            capabilities=flags,
            channel_settings=default_settings(found.country_code, sms=flags["sms"]),
            monthly_fee=self._random.choice(FEES),
            purchased_at=moment,
            updated_at=moment + timedelta(seconds=self._random.randrange(60)),
        )

    def trunk_rows(self, count: int) -> Iterator[Row]:
        """Create external rows, each with an agent of its own; some numbers have a row on both channels."""
        made = 0
        while made < count:
            number = self.number().number
            for channel in self._random.choice(CHANNELS_OF_A_TRUNK)[: count - made]:
                made += 1
                yield self.trunk_row(number, channel, self.hire().uuid)

    def trunk_row(self, number: str, channel: str, agent_uuid: str) -> Row:
        """Create an external row that is bound to an agent."""
        return Row(
            phone_number_uuid=self.uuid(),
            number=number,
            agents={channel: agent_uuid},
            updated_at=self._later(),
            trunk=Trunk(channel=channel, name=default_trunk_name(number, channel)),
        )

    def _later(self) -> datetime:
        self._moment += timedelta(seconds=self._random.randint(60, 1200))
        return self._moment

    def _some_agents(self) -> dict[str, str]:
        channels = self._random.choice(((), (), (), (), ("call",), ("call", "sms"), ("whatsapp",)))
        return dict.fromkeys(channels, self.hire().uuid) if channels else {}


def default_trunk_name(number: str, channel: str) -> str:
    """Return the default name of a trunk, as on the page: `call_trunk_12345678901`."""
    return f"{channel}_trunk_{number.removeprefix('+')}"
