"""Writes the pages for readers that are programs: llms.txt, llms-full.txt, and each page as Markdown beside the site.

`make docs` runs it after the build: `python docs/extensions/llms.py build/site`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import griffe
import yaml  # type: ignore[import-untyped]  # stubs would be installed for this line alone

DOCS = Path(__file__).parents[1]
SHORTEST = 40
"""Characters of a summary; of shorter sentences it takes several."""
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DIRECTIVE = re.compile(r"^::: ([\w.]+)\n(?:(?: {4}.*)?\n)*", re.MULTILINE)
ROW = re.compile(r"^\| \[.*\]\((\w+\.md)\) \| (.*) \|$", re.MULTILINE)
"""A row of the table of the reference: a page, and what is there."""
ROLE = re.compile(r":\w+:`([^`]+)`")
SECTION = re.compile(r"^(Args|Raises|Returns|Yields):\n((?: {4}.*(?:\n|$))+)", re.MULTILINE)
"""A section of a docstring in Google style, whose lines are indented."""


def read(path: str) -> str:
    """Return the text of a file below docs."""
    return (DOCS / path).read_text(encoding="utf-8")


def pages(nav: list[Any], section: str = "") -> Iterator[tuple[str, str]]:
    """Yield the pages of a navigation in its order, each as its section and its path below docs."""
    for entry in nav:
        if isinstance(entry, str):
            yield section, entry
        elif "glob" not in entry:
            ((title, target),) = entry.items()
            yield from pages(target, title) if isinstance(target, list) else [(section, target)]


def title_of(page: str) -> str:
    """Return the heading of a page."""
    return page.partition("\n")[0].removeprefix("# ")


def summary_of(page: str) -> str:
    """Return the first sentences of a page that are prose, in one line and without links; an empty text for none."""
    summary = ""
    for paragraph in CODE.sub("", page).split("\n\n")[1:]:
        if re.match(r"[\w`*\[]", paragraph):
            prose = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
            for sentence in re.split(r"(?<=[.:]) ", prose):
                summary += f" {sentence}"
                if len(summary) > SHORTEST:
                    break
            return summary.strip().rstrip(":.") + "."
    return summary


def with_reference(page: str, package: Any) -> str:
    """Return a page with the documentation of each object in the place of the directive that names it."""
    return DIRECTIVE.sub(lambda found: described(package[found[1].partition(".")[2]], "##"), page)


def described(thing: Any, heading: str) -> str:
    """Return the signature and docstring of an object, and of its public members, as Markdown."""
    parts = [f"{heading} {thing.path if heading == '##' else thing.name}", f"```python\n{signature_of(thing)}\n```"]
    if thing.docstring:
        parts.append(ROLE.sub(r"`\1`", SECTION.sub(as_list, thing.docstring.value)).replace("``", "`"))
    members = thing.members.values() if thing.is_class else ()
    parts += [described(member, "###") for member in members if member.is_public and member.docstring]
    return "\n\n".join(part.strip() for part in parts) + "\n\n"


def as_list(section: re.Match[str]) -> str:
    """Return a section as Markdown: a list of its arguments or errors, or the text of its result."""
    entries = [" ".join(entry.split()) for entry in re.split(r"\n(?! )", dedent(section[2]).strip())]
    if section[1] in {"Returns", "Yields"}:
        return f"**{section[1]}:** {' '.join(entries)}\n"
    return f"**{section[1]}:**\n\n" + "\n".join(re.sub(r"^(\w+):", r"- `\1`:", entry) for entry in entries) + "\n"


def signature_of(thing: Any) -> str:
    """Return an object as its definition begins."""
    if thing.is_attribute:
        value = f" = {thing.value}" if thing.value is not None else ""
        return f"{thing.name}: {thing.annotation}{value}" if thing.annotation else f"{thing.name}{value}"
    if thing.is_class:
        return f"class {thing.signature() or thing.name}"
    return f"{'async def' if 'async' in thing.labels else 'def'} {thing.signature()}"


def main(site: Path) -> None:
    """Write all of it into the site."""
    extensions = griffe.load_extensions(f"{DOCS / 'extensions' / 'defaults.py'}:Defaults")
    package = griffe.load("mihu_async", search_paths=[DOCS.parent], extensions=extensions)
    index = read("index.md")
    short = [f"# {title_of(index)}\n\n> {summary_of(index)}\n"]
    full: list[str] = []
    section = ""
    rows = {f"reference/{name}": what for name, what in ROW.findall(read("reference/index.md"))}
    for at, path in pages(yaml.safe_load(read(".nav.yml"))["nav"]):
        text = read(path).replace("](../examples/", "](examples/")
        page = with_reference(text, package)
        if at != section or not full:
            short.append(f"\n## {at or 'Start'}\n\n")
            section = at
        short.append(f"- [{title_of(page)}]({path}): {rows.get(path) or summary_of(text)}\n")
        full.append(page.strip())
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(page, encoding="utf-8")
    (site / "llms.txt").write_text("".join(short), encoding="utf-8")
    (site / "llms-full.txt").write_text("\n\n---\n\n".join(full) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
