"""What was done, as small frozen values: a call, a page that a walk gives, a walk. They hold no secret."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from attrs import field, frozen

from mihu_async.errors import Attempt

SHOWN = 3
"""How many problems a log line names."""
WORD = re.compile(r"[a-z][a-z_-]*|v[0-9]+")
"""A part of a path that is not an id."""


@frozen(eq=False)
class Headers(Mapping[str, str]):
    """The headers of an answer: a mapping that does not tell case. Several of one name are joined with a comma.

    Secrets in it are masked, and what stands under a name such as ``Set-Cookie`` is hidden altogether.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    """Names and values, as they came and in their order."""

    def __getitem__(self, name: str) -> str:
        found = [value for known, value in self.pairs if known.lower() == name.lower()]
        if not found:
            raise KeyError(name)
        return ", ".join(found)

    def __iter__(self) -> Iterator[str]:
        names: dict[str, str] = {}
        for name, _ in self.pairs:
            names.setdefault(name.lower(), name)
        return iter(names.values())

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.pairs})


@frozen
class Problem:
    """Something in an answer that could not be read, so it is None, or left out where it is a whole row."""

    path: str
    """The place, such as ``$.data.items[3].purchased_at``."""
    reason: str
    """The reason: what was expected there, and what kind of value came. It never quotes the value itself."""

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


def summarize(problems: Sequence[Problem], count: int) -> str:
    """Say how much could not be read, and where that was first."""
    shown = [str(problem) for problem in problems[:SHOWN]]
    if count > len(shown):
        shown.append("…")
    return f"{count} {'problem' if count == 1 else 'problems'}: {'; '.join(shown)}"


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
    problems: tuple[Problem, ...] = ()
    """The first of what could not be read in the last answer; empty where all of it was.

    Where that was a :class:`DecodeError`, as with ``strict=True``, they are in its ``paths``, and not here.
    """
    message: str | None = None
    """What the service said in words in its last answer, also of a success; None where it said nothing.

    It is for people. Secrets in it are masked, and it is cut after 2,000 characters.
    """
    request_id: str | None = None
    """The last answer's ``X-Request-Id``; None where it had none. [inferred: no such header is documented]."""
    headers: Mapping[str, str] = field(default=Headers(), hash=False)
    """Those of the last answer, whatever the case of a name; empty where no answer came.

    Secrets in them are masked, and ``Set-Cookie`` and the like are hidden altogether.
    """

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
    problems: tuple[Problem, ...] = ()
    """The first of what could not be read on it; empty where all of it was."""


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
