import re

import pytest

from mihu_async.sandbox.admin.pages import FILES, FOLDER

MARKUP = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|setTimeout\(['\"]")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/inspector.css", "text/css"), ("/inspector.js", "text/javascript")],
)
async def test_files(visit, path, kind):
    """The page, its script and its stylesheet are sent as what they are."""
    reply = await visit("GET", path)

    assert (200, f"{kind}; charset=utf-8") == (reply.status, reply.headers["Content-Type"])
    assert (FOLDER / FILES[path.removeprefix("/")]).read_bytes() == reply.body


async def test_the_address_without_its_slash(visit):
    """`/_sandbox` leads to `/_sandbox/`."""
    reply = await visit("GET", "")

    assert (308, "/_sandbox/") == (reply.status, reply.headers["Location"])


@pytest.mark.parametrize(
    ("path", "headers"), [("/", {}), ("/health", {}), ("/nothing", {}), ("/", {"Origin": "https://evil.example"})]
)
async def test_what_a_browser_may_do(visit, path, headers):
    """Every answer, also a refusal, lets a browser run the page's own script and nothing else, in no frame."""
    reply = await visit("GET", path, headers=headers)

    policy = dict(rule.split(" ", 1) for rule in reply.headers["Content-Security-Policy"].split("; "))
    assert ("'none'", "'self'", "'self'", "'none'") == tuple(
        policy[name] for name in ("default-src", "script-src", "style-src", "frame-ancestors")
    )
    assert not re.search("unsafe|https?:", reply.headers["Content-Security-Policy"])
    assert ("nosniff", "no-store") == (reply.headers["X-Content-Type-Options"], reply.headers["Cache-Control"])
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_nothing_is_fetched_from_elsewhere():
    """The files name no other host, but the name space of the icon."""
    content = "".join(path.read_text() for path in FOLDER.iterdir())

    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\s'\"]+", content))
    assert "//cdn" not in content
    assert "@import" not in content


def test_nothing_becomes_markup():
    """The script sets text and makes elements, and never hands text to a parser."""
    assert None is MARKUP.search((FOLDER / "inspector.js").read_text())


def test_the_page_holds_no_script_and_no_style():
    """So the policy needs no exception for either."""
    page = (FOLDER / "inspector.html").read_text()

    assert [] == re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", page)
