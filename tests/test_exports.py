import pickle

import mihu_async
from mihu_async import sandbox


def test_all_is_sorted_and_complete():
    """What the package imports for its users is what it says that it exports."""
    public = {
        name
        for name, value in vars(mihu_async).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("mihu_async.")
    }

    assert sorted(mihu_async.__all__) == mihu_async.__all__
    assert public | {"__version__"} == set(mihu_async.__all__)


def test_the_sandbox_exports_what_it_names():
    """Each name of its face can be had."""
    assert sorted(sandbox.__all__) == sandbox.__all__
    assert all(getattr(sandbox, name) for name in sandbox.__all__)


def test_public_values_survive_pickling():
    """Options and pages can be sent to another process."""
    page = mihu_async.Page(
        items=(mihu_async.Rate(description="x"),),
        pagination=mihu_async.Pagination(current_page=1, per_page=1, total=1, last_page=1, has_more=False),
    )
    for value in (page, mihu_async.Timeout(total=5), mihu_async.RetryPolicy(max_attempts=1)):
        assert value == pickle.loads(pickle.dumps(value))
