"""What README and docs claim, beyond the code blocks that run by themselves."""

import inspect
import re
from pathlib import Path

import pytest

import mihu_async
from mihu_async import doctor, ledger, otel, sandbox

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
TESTS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
    if re.search(r"\bdef test_", block)
]
MODULES = {
    mihu_async: mihu_async.__all__,
    doctor: doctor.__all__,
    ledger: ledger.__all__,
    sandbox: sandbox.__all__,
    otel: ["telemetry"],
}
NAMES = {f"{module.__name__}.{name}" for module, names in MODULES.items() for name in names if name != "__version__"}
RESOURCES = [
    f"{type(part).__module__}.{type(part).__name__}"
    for part in vars(mihu_async.MihuClient("x", subdomain="x")).values()
    if type(part).__module__.startswith("mihu_async.resources.")
]
ERRORS = [
    name
    for name, value in {**vars(mihu_async), "UndocumentedError": sandbox.UndocumentedError}.items()
    if inspect.isclass(value) and issubclass(value, Exception)
]


@pytest.mark.parametrize("block", TESTS)
def test_examples_of_tests_pass(pytester, block):
    """Every test that README and docs show runs in a user's own project, and passes."""
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(block)
    run = pytester.runpytest_inprocess("-W", "error")

    assert {"passed"} == set(run.parseoutcomes())


def test_the_reference_has_every_public_name():
    """Each public name, and the class of each resource, is on one page of the reference, and nothing else is."""
    documented = [name for page in PAGES for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE)]

    assert sorted(NAMES | set(RESOURCES)) == sorted(documented)


def test_the_catalogue_has_every_error():
    """Each public error and warning has its cause, what it changed, and its fix."""
    entries = re.findall(
        r"^### (\w+)\n\n- \*\*Cause\*\*: .+\n- \*\*Changed\*\*: .+\n- \*\*Fix\*\*: .+$",
        (DOCS / "catalogue.md").read_text(),
        re.MULTILINE,
    )

    assert sorted(ERRORS) == sorted(entries)
