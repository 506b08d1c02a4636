"""The site as it was built: `make docs` runs this after the build."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parent.parent / "build" / "site"
PAGES = [page for page in sorted(SITE.rglob("*.html")) if page.name != "404.html"]
FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("source", "srcset"), ("iframe", "src")}
"""What a browser fetches by itself."""


class Page(HTMLParser):
    """What a page points at, what it fetches, and the places in it that can be pointed at."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text())

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
    """Give the file and the anchor that a link of a page means."""
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
    styles = [pointed_at(page, link)[0].read_text() for link in read(page).fetched if link.endswith(".css")]

    assert [] == [link for link in read(page).fetched if urlsplit(link).netloc]
    assert [] == [link for link in read(page).fetched if not pointed_at(page, link)[0].is_file()]
    assert [] == [
        found for style in styles for found in re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']+", style)
    ]


def test_docstrings_became_prose():
    """No page shows a role or an argument list as it is written in a docstring."""
    raw = re.compile(r":(?:class|meth|attr|func):|``")

    assert [] == [
        str(page) for page in PAGES if raw.search(re.sub(r"<pre.*?</pre>", "", page.read_text(), flags=re.DOTALL))
    ]


def test_arguments_became_a_list():
    """What a docstring says of arguments is a list, with links to what it names."""
    client = (SITE / "reference" / "client" / "index.html").read_text()

    assert re.search(
        r"<li>\s*<strong><code>timeout</code></strong>: the bounds of a call; see <a [^>]*#mihu_async.Timeout", client
    )
