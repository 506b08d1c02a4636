"""What was done, as small frozen values: a call, a page that a walk gives, a walk. They hold no secret."""

import re
from typing import Literal

from attrs import frozen

from mihu_async.errors import Attempt

WORD = re.compile(r"[a-z][a-z_-]*|v[0-9]+")
"""A part of a path that is not an id."""


@frozen
class CallReport:
    """What was done for one call: ``mihu.last_call``, and what hooks are given."""

    method: str
    """The verb of its request."""
    path: str
    """Its path, without the base URL; secrets in it are masked."""
    attempts: tuple[Attempt, ...]
    """All that have ended, the last one too."""
    found: bool
    """Whether the answer was lost, and the result comes from looking up what the write had made."""
    base_url: str = ""
    """The workspace's."""

    @property
    def template(self) -> str:
        """The path with ``{id}`` for every part that is not a plain word, for names of spans and labels of metrics."""
        return "/".join(part if not part or WORD.fullmatch(part) else "{id}" for part in self.path.split("/"))


@frozen
class PageReport:
    """A page that a walk gives."""

    path: str
    """The listing's."""
    number: int
    """Which page it is, from 1."""
    items: int
    """How many items it holds that were not given before."""
    base_url: str = ""
    """The workspace's."""


@frozen(kw_only=True)
class WalkReport:
    """How far a walk is, and whether it is proved to be complete.

    ``complete`` is True only where a certificate holds, which ``proof`` names. Where it is False at the end, a WARNING
    in the log says why.
    """

    expected: int | None = None
    """The last ``total`` that the service gave; None before the first page."""
    yielded: int = 0
    """How many items the caller got."""
    duplicates: int = 0
    """How many came again and were dropped."""
    pages: int = 0
    """How many answers were read."""
    drifted: bool = False
    """Whether the listing was seen to move."""
    problems: int = 0
    """How many fields could not be read and are None; a WARNING in the log names the first ones."""
    complete: bool | None = None
    """None during the walk; then True if it is proved that every item was given that was there all along."""
    proof: Literal["counted", "still", "confirmed"] | None = None
    """Names the certificate that holds; None during the walk, and where none does.

    ``"counted"``: as many items were given that were there at the beginning as the first answer said that there were.
    ``"still"``: items have no dates, and nothing moved in any answer; or, for a part of a listing, no item is younger.
    ``"confirmed"``: a later pass showed all items that were there when it began.
    """
