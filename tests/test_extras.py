"""What is said where an extra is not installed."""

from mihu_async.extras import missing


def test_the_hint_installs_from_a_checkout():
    """It names what is missing and the extra, and sends nobody to an index where anybody could take the name."""
    error = ModuleNotFoundError("No module named 'rich'", name="rich")

    assert (
        "mihu-async needs rich, which is not installed. In a checkout of mihu_async, run: pip install '.[cli]'"
    ) == missing("mihu-async", error, "cli")
