"""Reports as small frozen values: of a call, of a page that a walk yields, of a walk. They hold no secret."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from attrs import field, frozen

from mihu_async.errors import Attempt

SHOWN = 3
"""The number of problems that a log line names."""
WORD = re.compile(r"[a-z][a-z_-]*|v[0-9]+")
"""A part of a path that is not an id."""


@frozen(eq=False)
class Headers(Mapping[str, str]):
    """The headers of an answer: a case-insensitive mapping. Several headers of one name are joined with a comma.

    Secrets in the values are redacted, and the value of a header such as ``Set-Cookie`` is hidden altogether.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    """The names and values as they were received, in their order."""

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
    """A part of an answer that could not be read, so it is None, or left out if it is a whole row."""

    path: str
    """The place, such as ``$.data.items[3].purchased_at``."""
    reason: str
    """The reason: the expected kind of value and the received kind. It never quotes the value itself."""

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


def summarize(problems: Sequence[Problem], count: int) -> str:
    """Return how many problems there are, and the first of them, as one line for a log.

    Args:
        problems: The first problems.
        count: The number of all problems.
    """
    shown = [str(problem) for problem in problems[:SHOWN]]
    if count > len(shown):
        shown.append("…")
    return f"{count} {'problem' if count == 1 else 'problems'}: {'; '.join(shown)}"


@frozen
class CallReport:
    """The report of one call: ``mihu.last_call``, and the argument of hooks."""

    method: str
    """The verb of the request."""
    path: str
    """The path of the request, without the base URL; secrets in it are redacted."""
    attempts: tuple[Attempt, ...]
    """All attempts that have ended, including the last one."""
    found: bool
    """True if the answer was lost and a lookup found the result of the write."""
    base_url: str = ""
    """The base URL of the workspace."""
    problems: tuple[Problem, ...] = ()
    """The first parts of the last answer that could not be read; empty if all of it was readable.

    If the answer was a :class:`DecodeError`, as with ``strict=True``, they are in its ``paths`` and not here.
    """
    message: str | None = None
    """The service's message in its last answer, also of a success; None if it sent none.

    It is for people. Secrets in it are redacted, and it is cut after 2,000 characters.
    """
    request_id: str | None = None
    """The last answer's ``X-Request-Id``; None if it had none. [inferred: not documented]."""
    headers: Mapping[str, str] = field(default=Headers(), hash=False)
    """The headers of the last answer, whatever the case of a name; empty if no answer came.

    Secrets in them are redacted, and ``Set-Cookie`` and the like are hidden altogether.
    """

    @property
    def template(self) -> str:
        """The path with ``{id}`` for every part that is not a plain word, for names of spans and labels of metrics."""
        return "/".join(part if not part or WORD.fullmatch(part) else "{id}" for part in self.path.split("/"))


@frozen
class PageReport:
    """A page that a walk yields."""

    path: str
    """The path of the listing."""
    number: int
    """The number of the page, counted from 1."""
    items: int
    """The number of items on the page that the walk had not yielded before."""
    base_url: str = ""
    """The base URL of the workspace."""
    problems: tuple[Problem, ...] = ()
    """The first parts of the page that could not be read; empty if all of it was readable."""


@frozen(kw_only=True)
class WalkReport:
    """The progress of a walk, and whether the walk is proved to be complete.

    ``complete`` is True only if a certificate holds, which ``proof`` names. If it is False at the end, a WARNING in the
    log names the reason.
    """

    expected: int | None = None
    """The last ``total`` that the service sent; None before the first page."""
    yielded: int = 0
    """The number of items that the caller received."""
    duplicates: int = 0
    """The number of items that came again and were dropped."""
    pages: int = 0
    """The number of answers that were read."""
    drifted: bool = False
    """True if an answer showed that the listing changed during the walk."""
    problems: int = 0
    """The number of fields that could not be read and are None; a WARNING in the log names the first ones."""
    complete: bool | None = None
    """None during the walk; then True if it is proved to have yielded every item that was there from start to end."""
    proof: Literal["counted", "still", "confirmed"] | None = None
    """The name of the certificate that holds; None during the walk, and if none holds.

    - ``"counted"``: the walk yielded as many of the items that were there at its beginning as the first answer counted.
    - ``"still"``: items have no dates, and no answer showed a change; or, for a part of a listing, no item is newer
      than the walk.
    - ``"confirmed"``: a later pass showed all items that were there when it began.
    """
