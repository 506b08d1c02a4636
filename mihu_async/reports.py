"""What was done, as small frozen values: a call, a page that a walk gives, a walk. They hold no secret."""

import re

from attrs import frozen

from mihu_async.errors import Attempt

WORD = re.compile(r"[a-z][a-z_-]*|v[0-9]+")
"""A part of a path that is not an id."""


@frozen
class CallReport:
    """What was done for one call: ``mihu.last_call``, and what hooks are given.

    ``attempts`` are all that have ended, the last one too; ``found`` says that the answer was lost and that the result
    comes from looking up what the write had made. ``base_url`` is the workspace's.
    """

    method: str
    path: str
    attempts: tuple[Attempt, ...]
    found: bool
    base_url: str = ""

    @property
    def template(self) -> str:
        """The path with ``{id}`` for every part that is not a plain word, for names of spans and labels of metrics."""
        return "/".join(part if not part or WORD.fullmatch(part) else "{id}" for part in self.path.split("/"))


@frozen
class PageReport:
    """A page that a walk gives: the ``number`` of it, and how many ``items`` it holds that were not given before.

    ``path`` is the listing's, ``base_url`` the workspace's.
    """

    path: str
    number: int
    items: int
    base_url: str = ""


@frozen(kw_only=True)
class WalkReport:
    """How far a walk is, and whether it can be trusted.

    ``expected`` is the last ``total`` that the service gave, None before the first page; ``yielded`` counts the items
    that the caller got; ``duplicates`` those that came again and were dropped; ``pages`` the answers. ``drifted``
    says that the listing was seen to move. ``complete`` is None during the walk, then True where nothing that was
    seen contradicts it (with ``on_drift="verify"``: where a whole pass matched), else False, with a WARNING in the log.
    """

    expected: int | None = None
    yielded: int = 0
    duplicates: int = 0
    pages: int = 0
    drifted: bool = False
    complete: bool | None = None
