"""A caller of the pages below `/_sandbox/`, which sends no token."""

from collections.abc import Callable
from functools import partial

import pytest

from mihu_async.sandbox import Sandbox
from tests.sandbox.conftest import Caller


@pytest.fixture
def visitor_of() -> Callable[[Sandbox], Caller]:
    """Return what makes a caller for a test's own sandbox."""
    return partial(Caller, root="/_sandbox")


@pytest.fixture
def visit(sandbox: Sandbox, visitor_of: Callable[[Sandbox], Caller]) -> Caller:
    """Return a caller for the small sandbox's own pages."""
    return visitor_of(sandbox)
