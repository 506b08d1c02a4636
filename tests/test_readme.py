"""What the README claims, beyond the code blocks that run by themselves."""

import inspect
import re
from pathlib import Path

from mihu_async import errors

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_example_test_passes(pytester):
    """The README's test of a user's own code runs in a user's own project."""
    (block,) = re.findall(r"```python\n(from mihu_async\.sandbox import Status.*?)```", README, re.DOTALL)
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(block)

    pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_the_tree_of_errors_is_the_codes():
    """Every error of the README is one of the package's, and the other way round."""
    tree = README.partition("```text\n")[2].partition("```")[0]
    public = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.MihuError) and not name.startswith("_")
    }

    assert public == set(re.findall(r"[A-Z]\w+Error\b", tree)) - {"TimeoutError"} | {"MihuError"}
