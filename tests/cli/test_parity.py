"""The command does from a shell what the SDK does from Python."""

import inspect

from cyclopts import App

from mihu_async import MihuClient
from mihu_async.cli.app import app
from mihu_async.resources.agents import Agents
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.sip_connections import SipConnections
from mihu_async.resources.trunks import Trunks

GROUPS = {"numbers": Numbers, "trunks": Trunks, "agents": Agents, "sip-connections": SipConnections}
ELSEWHERE = {
    "numbers find": "numbers get",
    "numbers prepare": "numbers buy",
    "numbers channels-of": "numbers channels",
    "numbers rates": "rates",
    "trunks ensure-all": "trunks ensure",
}
"""Methods that a command of another name calls."""
NOT_HERE = {
    "numbers shard": "a part of a walk is for programs that share one among machines",
    "numbers rates-shard": "a part of a walk is for programs that share one among machines",
    "trunks shard": "a part of a walk is for programs that share one among machines",
    "aclose": "a command closes its client when it ends",
    "with-options": "the options of the command line take its place",
}
"""Methods that no command calls, with the reason."""
ITS_OWN = {"numbers get", "rates", "sandbox", "demo"}
"""Commands that are named otherwise than the method that they call, or that call none."""


def methods(owner: type) -> set[str]:
    """Return the public methods of a class, as a command would be named."""
    found = inspect.getmembers(owner, inspect.isfunction)
    return {name.replace("_", "-") for name, _ in found if not name.startswith("_")}


def commands(group: App) -> set[str]:
    """Return the names of a group's commands."""
    return {name for name in group if not name.startswith("-")}


def offered() -> set[str]:
    """Return all commands, with the group in front of those that have one."""
    grouped = {f"{group} {name}" for group in GROUPS for name in commands(app[group])}
    return grouped | (commands(app) - GROUPS.keys())


def sdk() -> set[str]:
    """Return all public methods of the SDK, as commands would be named."""
    grouped = {f"{group} {name}" for group, owner in GROUPS.items() for name in methods(owner)}
    return grouped | methods(MihuClient)


def test_every_method_of_the_sdk_has_its_command():
    """Or stands on a list with the command that calls it, or with the reason why none does."""
    assert sdk() - offered() == ELSEWHERE.keys() | NOT_HERE.keys() - offered()
    assert offered() >= set(ELSEWHERE.values())


def test_every_command_is_a_method_of_the_sdk():
    """But for those that call one of another name, or serve the documented API on this machine."""
    assert offered() - sdk() == ITS_OWN
