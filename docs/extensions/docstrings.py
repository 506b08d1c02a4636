"""Makes Markdown of the docstrings for the reference: lists of arguments, and links to what they name."""

import re
from collections.abc import Callable
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(class|meth|attr):`([\w.]+)`")
ARGUMENT = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)", re.DOTALL)


class Docstrings(Extension):
    """Rewrites each docstring as it is read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite that of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value, lambda role, name: path_of(role, name, obj))


def path_of(role: str, name: str, obj: Object) -> str:
    """Say what a role in a docstring means: a public class, one of the same module, or a member of the same class."""
    package = obj.package
    if name.startswith(f"{package.name}."):
        return name
    if role == "class":
        return f"{package.path if name in package.members else obj.module.path}.{name}"
    if "." in name:
        return f"{package.path}.{name}"
    owner = obj if obj.is_class or obj.parent is None else obj.parent
    return f"{owner.path}.{name}"


def markdown(text: str, target: Callable[[str, str], str]) -> str:
    """Make Markdown of a docstring: a paragraph that explains arguments becomes a list, a role a link."""
    paragraphs = (as_list(paragraph) or paragraph for paragraph in text.split("\n\n"))
    return ROLE.sub(lambda role: f"[`{role[2]}`][{target(role[1], role[2])}]", "\n\n".join(paragraphs))


def as_list(paragraph: str) -> str:
    """Make a list of lines such as ``name: what it is``, each with its indented lines, and of nothing else."""
    entries = [ARGUMENT.match(entry) for entry in re.split(r"\n(?! )", paragraph)]
    if not all(entries):
        return ""
    return "\n".join(f"- **`{entry[1]}`**: {' '.join(entry[2].split())}" for entry in entries if entry)
