import math
from decimal import Decimal

import pytest

from mihu_async import RetryBudget, RetryPolicy, Timeout, UsageError


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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", True),
        ("max_attempts", 1.5),
        ("base_delay", -1),
        ("max_delay", math.nan),
        ("max_retry_after", math.inf),
        ("base_delay", "1"),
        ("base_delay", True),
        ("base_delay", Decimal("0.5")),
    ],
)
def test_a_policy_that_cannot_be_is_refused(option, value):
    """The error names the option."""
    with pytest.raises(UsageError, match=option) as caught:
        RetryPolicy(**{option: value})

    assert option == caught.value.argument


@pytest.mark.parametrize("option", ["tokens", "cost", "refill"])
@pytest.mark.parametrize("value", [-1, math.inf, "5", True], ids=repr)
def test_a_budget_that_cannot_be_is_refused(option, value):
    """The error names the option."""
    with pytest.raises(UsageError, match=rf"RetryBudget\.{option}"):
        RetryBudget(**{option: value})


def test_a_budget_is_a_budget():
    """A number is none."""
    with pytest.raises(UsageError, match="budget must be RetryBudget"):
        RetryPolicy(budget=500)  # type: ignore[arg-type]  # the point of the test
    assert RetryBudget(tokens=500, cost=5, refill=1) == RetryPolicy().budget
