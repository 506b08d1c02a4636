"""The problems of an answer: the places that could not be read, collected in bounded number."""

from mihu_async.reports import Problem

LISTED = 64
"""The number of problems of one answer that are listed; the others are only counted."""


class UnreadableError(Exception):
    """A value cannot be read.

    Args:
        reason: The reason, in words.
        suffix: The place of the value, below the place that is being read.
    """

    def __init__(self, reason: str, suffix: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suffix = suffix


class Problems:
    """The problems of one answer, and ``path``, the place that is being read, in parts."""

    def __init__(self) -> None:
        self.path: list[str] = ["$"]
        self.listed: list[Problem] = []
        self.count: int = 0
        self.left_out: int = 0

    def note(self, reason: str, suffix: str = "") -> None:
        """Note a problem at the present place, or at ``suffix`` below it."""
        self.count += 1
        if self.count <= LISTED:
            self.listed.append(Problem("".join(self.path) + suffix, reason))

    def leave_out(self, rows: int = 1) -> None:
        """Count rows that are left out of the result."""
        self.left_out += rows
