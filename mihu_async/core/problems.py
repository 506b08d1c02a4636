"""What could not be read in an answer: collected while it is read, by place, and bounded whatever came."""

from attrs import define, field

from mihu_async.reports import Problem

LISTED = 64
"""How many problems of one answer are written down; the others are counted."""


class UnreadableError(Exception):
    """A value cannot be read. ``suffix`` is its place below the one that is being read."""

    def __init__(self, reason: str, suffix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suffix = suffix


@define
class Problems:
    """The problems of one answer, and the place that is being read: ``path``, a part each."""

    path: list[str] = field(factory=lambda: ["$"])
    listed: list[Problem] = field(factory=list[Problem])
    count: int = 0
    left_out: int = 0

    def note(self, reason: str, suffix: str = "") -> None:
        """Write down what is wrong below the present place."""
        self.count += 1
        if self.count <= LISTED:
            self.listed.append(Problem("".join(self.path) + suffix, reason))

    def leave_out(self, rows: int = 1) -> None:
        """Count rows that are not given."""
        self.left_out += rows
