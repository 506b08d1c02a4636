import math
from decimal import Decimal

import pytest

from mihu_async.core.finite import is_finite


@pytest.mark.parametrize("value", [0, -1, 1.5, Decimal("1.10"), 2**1000], ids=repr)
def test_numbers_are_finite(value):
    """Whole numbers, fractions and decimals count."""
    assert is_finite(value)


@pytest.mark.parametrize(
    "value",
    [True, None, "1", math.nan, -math.inf, Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 10**400],
    ids=lambda value: str(value)[:9],
)
def test_what_cannot_be_waited_for_or_paid_is_not(value):
    """Nothing raises, whatever it is."""
    assert not is_finite(value)
