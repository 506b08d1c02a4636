"""Makes Markdown of the docstrings for the reference: lists of arguments, and links to what they name."""

import re
from collections.abc import Callable
from typing import Any

from griffe import Extension, Object

ROLE = re.compile(r":(class|meth|attr):`([\w.]+)`")
ARGUMENT = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*): (.*)", re.DOTALL)
TREE = re.compile(r"^[├└│]", re.MULTILINE)


class Docstrings(Extension):
    """Rewrites each docstring as it is read."""

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite that of a module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value, lambda name: f"{owner(obj).path}.{name}")


def owner(obj: Object) -> Object:
    """Give the class whose members a docstring names without saying so."""
    return obj if obj.is_class or obj.parent is None else obj.parent


def markdown(text: str, path_of: Callable[[str], str]) -> str:
    """Make Markdown of a docstring: a paragraph that explains arguments becomes a list, a role a link."""
    paragraphs = (as_list(paragraph) or paragraph for paragraph in text.split("\n\n"))
    return ROLE.sub(lambda found: link(*found.groups(), path_of=path_of), "\n\n".join(paragraphs))


def as_list(paragraph: str) -> str:
    """Make a list of lines such as ``name: what it is``, each with its indented lines, and of nothing else."""
    entries = [ARGUMENT.match(entry) for entry in re.split(r"\n(?! )", paragraph)]
    if not all(entries):
        return ""
    return "\n".join(f"- **`{entry[1]}`**: {' '.join(entry[2].split())}" for entry in entries if entry)


def link(role: str, name: str, *, path_of: Callable[[str], str]) -> str:
    """Link to a public class, or to a member of the class that the docstring is about."""
    target = f"mihu_async.{name}" if role == "class" or "." in name else path_of(name)
    return f"[`{name}`][{target}]"
