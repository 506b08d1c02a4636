"""What README and docs claim, beyond the code blocks that run by themselves."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
TESTS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
    if re.search(r"\bdef test_", block)
]


@pytest.mark.parametrize("block", TESTS)
def test_examples_of_tests_pass(pytester, block):
    """Every test that README and docs show runs in a user's own project, and passes."""
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(block)
    run = pytester.runpytest_inprocess("-W", "error")

    assert {"passed"} == set(run.parseoutcomes())
