import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/\S+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text())


def test_each_promise_names_its_test():
    """Each row of the table ends with one."""
    table = (ROOT / "SECURITY.md").read_text().partition("|---|---|\n")[2].splitlines()

    assert len(table) == len(NAMED) > 0


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_security_names_is_there(path, name):
    """A test that was renamed is renamed there too."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse((ROOT / path).read_text())

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}
