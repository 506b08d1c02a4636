"""The inspector's files: a page, a script and a stylesheet, sent so that nothing else can run or be fetched."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from mihu_async.sandbox.answers import Answer
from mihu_async.sandbox.journal import JournalEntry

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
FILES = {"": "inspector.html", "inspector.css": "inspector.css", "inspector.js": "inspector.js"}
"""The file for each name below `/_sandbox/`."""
NAMES = tuple(FILES)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""The content security policy: the page may run its script, use its stylesheet and ask its own server."""
SAFETY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""The security headers of every answer below `/_sandbox/`."""


def static(name: str) -> Callable[[Any, JournalEntry], Answer]:
    """Return the operation that sends a file."""
    return lambda _sandbox, _request: _read(FILES[name])


@cache
def _read(name: str) -> Answer:
    path = FOLDER / name
    return Answer(body=path.read_bytes(), headers={"Content-Type": TYPES[path.suffix]})
