"""Holds that ``api.py`` leaves out nothing that can be called, and that editors show the API's words."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from mihu_async import EnsureRun, MihuClient, NumberChannels, Pager, Purchase, TrunkSpec
from mihu_async.models.enums import OpenEnum
from mihu_async.resources.agents import Agents
from mihu_async.resources.numbers import Numbers
from mihu_async.resources.sip_connections import SipConnections
from mihu_async.resources.trunks import Trunks
from mihu_async.sandbox import Sandbox

API = ast.parse((Path(__file__).parent / "api.py").read_text())

KINDS: dict[type, str] = {
    MihuClient: "",
    Numbers: "numbers.",
    Trunks: "trunks.",
    Agents: "agents.",
    SipConnections: "sip_connections.",
    Pager: "",
    Purchase: "",
    EnsureRun: "",
    Sandbox: "",
}
"""What users call, and what they write before a name of it."""


def names(tree: ast.AST) -> set[str]:
    """Name the attributes that are looked up in code: ``pages``, ``numbers.list``."""
    looked_up = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    owners = {f"{node.value.attr}.{node.attr}" for node in looked_up if isinstance(node.value, ast.Attribute)}
    return owners | {node.attr for node in looked_up}


def asserted(tree: ast.AST) -> set[str]:
    """Name the attributes whose type is asserted, in the assertion or by way of a variable."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "assert_type"]
    variables = {call.args[0].id for call in calls if isinstance(call.args[0], ast.Name)}
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in variables
    ]
    return {name for node in [*calls, *values] for name in names(node)}


def gives_something(member: Any) -> bool:
    """Tell whether there is a type to assert."""
    return isinstance(member, property) or inspect.signature(member).return_annotation is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_method_and_property_is_checked(kind: type):
    """Whatever gives something has its type asserted, and all else is called."""
    members = {f"{KINDS[kind]}{name}": member for name, member in vars(kind).items() if not name.startswith("_")}
    public = {name: member for name, member in members.items() if callable(member) or isinstance(member, property)}

    assert [] == [
        name
        for name, member in public.items()
        if name not in (asserted(API) if gives_something(member) else names(API))
    ]


def choices() -> Iterator[tuple[str, type[Enum], set[str]]]:
    """Find the annotations that name an enum, and the words beside it."""
    functions = [function for kind in (Numbers, Trunks, NumberChannels) for function in vars(kind).values()]
    holders: list[Any] = [TrunkSpec, *filter(inspect.isfunction, functions)]
    for holder in holders:
        for name, hint in get_type_hints(holder).items():
            kinds = [kind for kind in get_args(hint) if inspect.isclass(kind) and issubclass(kind, OpenEnum)]
            if name != "return" and str in get_args(hint) and kinds:
                words = {word for part in get_args(hint) if get_origin(part) is Literal for word in get_args(part)}
                yield f"{holder.__qualname__}({name})", kinds[0], words


@pytest.mark.parametrize(("where", "kind", "words"), [pytest.param(*choice, id=choice[0]) for choice in choices()])
def test_an_editor_proposes_every_word_of_an_enum(where: str, kind: type[Enum], words: set[str]):
    """Beside an enum and any string stand the enum's own words, for editors to propose; ``voice`` is one more."""
    others = {"voice"} if where == "NumberChannels.agent_on(channel)" else set[str]()

    assert {member.value for member in kind} | others == words
