import math
from decimal import Decimal

import pytest

from mihu_async import Timeout, UsageError


def test_the_defaults_are_the_documented_ones():
    """A call has a minute, a connection ten seconds, a silence thirty."""
    assert Timeout(total=60, connect=10, read=30) == Timeout()


@pytest.mark.parametrize("value", [0, -1, None, math.inf, math.nan, "5", True, Decimal(5)], ids=repr)
@pytest.mark.parametrize("name", ["total", "connect", "read"])
def test_no_bound_can_be_switched_off(name, value):
    """The error names the bound."""
    with pytest.raises(UsageError, match=rf"Timeout\.{name} must be") as caught:
        Timeout(**{name: value})

    assert name == caught.value.argument
