import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mihu_async import NumberType
from mihu_async.models.enums import OpenEnum


@pytest.mark.parametrize("kind", OpenEnum.__subclasses__(), ids=lambda kind: kind.__name__)
def test_members_are_their_strings(kind):
    """Each documented word is a known member that equals its string."""
    for member in kind:
        assert str(member) == member == kind(str(member))
        assert member.is_known
        assert {member: 1}[str(member)] == 1


@given(st.text())
def test_any_string_is_a_member(value):
    """An unknown value equals its string, keeps it, and says that it is not known."""
    member = NumberType(value)

    assert value == member == str(member) == member.value
    assert isinstance(member, NumberType)
    assert member.is_known is (value in {"local", "toll_free", "mobile", "national"})
    assert hash(value) == hash(member)


def test_an_unknown_value_is_not_one_of_the_documented_ones():
    """Reading a new word does not change the enum, and a member's name is not its value."""
    before = list(NumberType)
    shouted = NumberType("LOCAL")

    assert before == list(NumberType)
    assert not shouted.is_known
    assert shouted != NumberType.LOCAL
    assert "<NumberType.LOCAL: 'LOCAL'>" == repr(shouted)


@pytest.mark.parametrize("value", ["local", "satellite"])
def test_members_survive_pickling_and_copying(value):
    """An unknown value comes back as itself."""
    member = NumberType(value)

    for again in (pickle.loads(pickle.dumps(member)), copy.deepcopy(member)):
        assert (member, member.is_known) == (again, again.is_known)


def test_only_strings_are_values():
    """A number is no member of a string enum."""
    with pytest.raises(ValueError, match="5 is not a valid NumberType"):
        NumberType(5)  # type: ignore[arg-type]  # the point of the test
