"""The site as it was built: `make docs` runs this after the build."""

import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import griffe
import pytest

import mihu_async

SITE = Path(__file__).parent.parent / "build" / "site"
PAGES = [page for page in sorted(SITE.rglob("*.html")) if page.name != "404.html"]
CONFIGURED = tomllib.loads((SITE.parents[1] / "zensical.toml").read_text(encoding="utf-8"))["project"]["plugins"]
OPTIONS = CONFIGURED["mkdocstrings"]["handlers"]["python"]["options"]["docstring_options"]
FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("source", "srcset"), ("iframe", "src")}
"""What a browser fetches by itself."""


class Page(HTMLParser):
    """What a page points at, what it fetches, and the places in it that can be pointed at."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if (tag, name) == ("a", "href") and value:
                self.links.append(value)
            if (tag, name) in FETCHED and value:
                self.fetched.append(value)


read = cache(Page)


def pointed_at(page: Path, link: str) -> tuple[Path, str]:
    """Return the file and the anchor that a link of a page means."""
    parts = urlsplit(link)
    target = page if not parts.path else Path(page.parent, unquote(parts.path)).resolve()
    return target / "index.html" if target.is_dir() else target, unquote(parts.fragment)


def test_there_are_pages():
    """The build left pages to look at."""
    assert 25 < len(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE).parent))
def test_links_lead_somewhere(page):
    """Each link of a page, its navigation's too, leads to a file of the site and to a place that is in it."""
    lost = []
    for link in read(page).links:
        if urlsplit(link).scheme:
            continue
        target, anchor = pointed_at(page, link)
        if not target.is_file() or (anchor and anchor != "__skip" and anchor not in read(target).anchors):
            lost.append(link)

    assert [] == lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SITE).parent))
def test_nothing_is_fetched_from_elsewhere(page):
    """A page brings its styles, scripts, fonts and pictures along, so it can be read offline and tells on no reader."""
    styles = [
        pointed_at(page, link)[0].read_text(encoding="utf-8") for link in read(page).fetched if link.endswith(".css")
    ]

    assert [] == [link for link in read(page).fetched if urlsplit(link).netloc]
    assert [] == [link for link in read(page).fetched if not pointed_at(page, link)[0].is_file()]
    assert [] == [
        found for style in styles for found in re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']+", style)
    ]


def test_docstrings_became_prose():
    """No page shows a role or an argument list as it is written in a docstring."""
    raw = re.compile(r":(?:class|meth|attr|func):|``")

    assert [] == [
        str(page)
        for page in PAGES
        if raw.search(re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))
    ]


def test_arguments_became_a_table():
    """The arguments that a docstring names are rows of a table, with links to what they name."""
    trunks = (SITE / "reference" / "trunks" / "index.html").read_text(encoding="utf-8")
    row = r"<code>search</code>\s*</td>(?:(?!<tr).)*As in <a [^>]*#mihu_async\.resources\.trunks\.Trunks\.list"

    assert re.search(row, trunks, re.DOTALL)


def test_sections_of_docstrings_can_be_read(caplog):
    """Each section has entries of Google's form, and each argument that it names is one of its function."""
    found = list(griffe.load("mihu_async", search_paths=[str(SITE.parents[1])]).members.values())
    for member in found:
        if not member.is_alias:
            found.extend(member.members.values())
            if member.docstring:
                member.docstring.parse("google", **OPTIONS)

    assert 1000 < len(found)
    assert [] == [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_defaults_are_values():
    """A signature shows the value of a constant, and of a field its default alone."""
    client = (SITE / "reference" / "client.md").read_text(encoding="utf-8")
    pages = [re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")) for page in (SITE / "reference").rglob("*.html")]

    assert "concurrency: int = 4, " in client
    assert re.search(r"max_response_bytes: int = 64 \* 2 ?\*\* ?20, ", client)
    assert any("max_response_bytes: int = 64 * 2**20," in page for page in pages)
    assert any("budget: RetryBudget | None = RetryBudget()" in page for page in pages)
    assert [] == [found for page in pages for found in re.findall(r"= (?:attrs\.)?field\(.*", page)]


def test_the_header_names_the_version_and_the_repository():
    """Each page says which release it is about; no script asks anybody for it."""
    facts = f'<li class="md-source__fact md-source__fact--version">{mihu_async.__version__}</li>'

    assert [] == [str(page) for page in PAGES if facts not in page.read_text(encoding="utf-8")]
    assert [] == [str(page) for page in PAGES if 'data-md-component="source"' in page.read_text(encoding="utf-8")]


def test_programs_find_each_page():
    """llms.txt lists every page with a summary, and each of its links leads to the page as Markdown."""
    listed = re.findall(r"^- \[.+\]\((.+?)\): .{10,}$", (SITE / "llms.txt").read_text(encoding="utf-8"), re.MULTILINE)
    pages = {page.parent.relative_to(SITE) for page in PAGES}

    assert pages == {
        Path(path).with_suffix("") if not path.endswith("index.md") else Path(path).parent for path in listed
    }
    assert [] == [path for path in listed if not (SITE / path).is_file()]


def test_links_of_markdown_pages_lead_somewhere():
    """A link from one page as Markdown to another, or to an example, leads to a file."""
    links = [
        (page, link)
        for page in SITE.rglob("*.md")
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    ]

    assert 50 < len(links)
    assert [] == [(str(page), link) for page, link in links if not (page.parent / link).is_file()]


def test_sections_are_lists_for_programs():
    """A page as Markdown lists the arguments and errors of a function, and says what it returns."""
    numbers = (SITE / "reference" / "numbers.md").read_text(encoding="utf-8")

    assert "\n\n**Args:**\n\n- `page`: The page to begin with, counted from 1.\n- `per_page`: " in numbers
    assert "\n\n**Returns:** The number that was bought.\n\n**Raises:**\n\n- `UsageError`: Before anything" in numbers
    assert [] == re.findall(r"^(?:Args|Raises|Returns|Yields):$", numbers, re.MULTILINE)


def test_one_file_holds_all_pages():
    """llms-full.txt holds every page, and the documentation of every public name."""
    full = (SITE / "llms-full.txt").read_text(encoding="utf-8")
    public = {f"mihu_async.{name}" for name in mihu_async.__all__ if not name.startswith("__")}

    assert [] == [str(page) for page in SITE.rglob("*.md") if page.read_text(encoding="utf-8").strip() not in full]
    assert set() == public - set(re.findall(r"^## (mihu_async\.\w+)$", full, re.MULTILINE))
    assert "\n::: " not in full
