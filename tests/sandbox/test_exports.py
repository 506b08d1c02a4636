import pytest

from mihu_async import sandbox


def test_names_are_sorted_and_there():
    """Each public name is there, once, in order."""
    assert sorted(set(sandbox.__all__)) == sandbox.__all__
    assert [] == [name for name in sandbox.__all__ if getattr(sandbox, name).__name__ != name]


def test_names_can_be_imported_with_a_star():
    """A star import brings all names, though none is imported before it is used."""
    names: dict[str, object] = {}
    exec("from mihu_async.sandbox import *", names)  # noqa: S102 (a star import stands at module level only)

    assert set(sandbox.__all__) == set(names) - {"__builtins__"}


def test_unknown_name():
    """A name that is not there is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'Sandboxes'"):
        _ = sandbox.Sandboxes
