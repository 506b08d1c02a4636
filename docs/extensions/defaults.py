"""Shows what a default is, where the code only names it: the value of a constant, and of a field its default alone."""

import re
from collections.abc import Iterator
from typing import Any

from griffe import Attribute, Class, Expr, ExprCall, ExprKeyword, ExprName, Extension, Function, Module

LONGEST = 60
"""Characters of a value; one that is longer says less than its name."""

Value = str | Expr | None


class Defaults(Extension):
    """Rewrites the defaults of parameters and the values of fields, once the whole package is read."""

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Rewrite those of a package."""
        for member in list(members(pkg)):
            if isinstance(member, Function):
                for parameter in member.parameters:
                    parameter.default = shown(parameter.default, pkg)
            elif is_field(member.value):
                member.value = shown(default_of(member.value), pkg)


def members(parent: Module | Class) -> Iterator[Function | Attribute]:
    """Yield the functions and attributes below a module or class, and no alias of one."""
    for member in parent.members.values():
        if isinstance(member, Module | Class):
            yield from members(member)
        elif isinstance(member, Function | Attribute):
            yield member


def is_field(value: Value) -> bool:
    """Return True for a call of attrs' `field`, or of a private function that makes fields alike."""
    return isinstance(value, ExprCall) and re.fullmatch(r"(attrs\.)?field|_\w+", str(value.function)) is not None


def default_of(call: Any) -> Value:
    """Return the default that a call of `field` names; None where it names none."""
    given = {argument.name: argument.value for argument in call.arguments if isinstance(argument, ExprKeyword)}
    factory = given.get("factory")
    return given.get("default", factory and f"{factory}()")


def shown(default: Value, package: Module) -> Value:
    """Return the value of a constant of the package that is not public, and any other default as it is."""
    if not isinstance(default, ExprName) or default.name in package.members:
        return default
    path = default.canonical_path.removeprefix(f"{package.path}.")
    try:
        found = package[path]
        constant = found.final_target if found.is_alias else found
    except (KeyError, AttributeError):
        return default
    value = constant.value if isinstance(constant, Attribute) else None
    return value if value is not None and len(str(value)) <= LONGEST else default
