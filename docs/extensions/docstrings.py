"""Turns the roles in docstrings into the links of the reference."""

import re
from collections.abc import Callable
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(class|meth|attr):`([\w.]+)`")


class Docstrings(Extension):
    """A griffe extension that rewrites each docstring as it is read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = with_links(obj.docstring.value, lambda role, name: path_of(role, name, obj))


def path_of(role: str, name: str, obj: Object) -> str:
    """Return the path that a role means: of a public class, a class of the module, or a member of the class."""
    package = obj.package
    if name.startswith(f"{package.name}."):
        return name
    if role == "class":
        return f"{package.path if name in package.members else obj.module.path}.{name}"
    if "." in name:
        return f"{package.path}.{name}"
    owner = obj if obj.is_class or obj.parent is None else obj.parent
    return f"{owner.path}.{name}"


def with_links(text: str, target: Callable[[str, str], str]) -> str:
    """Return a docstring with a Markdown link in the place of each role."""
    return ROLE.sub(lambda role: f"[`{role[2]}`][{target(role[1], role[2])}]", text)
