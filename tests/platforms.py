"""Marks tests that need more than every supported system has."""

import sys

import pytest


def posix_only(reason: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test on Windows; the reason says what Windows lacks."""
    return pytest.mark.skipif(sys.platform == "win32", reason=f"Windows {reason}")
