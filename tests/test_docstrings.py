"""The docstrings that an editor shows, and the words that they begin with."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import mihu_async
from mihu_async import _version, doctor, sandbox
from mihu_async.models import unset

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (mihu_async, doctor, sandbox)
    for name in module.__all__
}
VERBS = frozenset(
    """
    Accept Activate Add Answer Apply Ask Assign Attach Begin Bind Build Buy Call Cancel Change Check Claim Clear
    Close Collect Count Create Decide Decode Delete Describe Discard Encode End Ensure Enter Escape Exclude
    Explain Fetch Fill Find Forget Format Handle Hold Insert Judge Keep Leave Lend Let List Lock Look Make Move
    Note Notify Open Parse Pause Pay Point Prepare Print Probe Raise Read Record Redact Refund Register Reject
    Release Remove Render Replace Report Reset Resolve Restore Return Run Save Search Send Serve Set Settle Show
    Split Start Stop Subscribe Sync Truncate Use Wait Wake Walk Warn Watch Write Yield
    """.split()  # noqa: SIM905 - one word a line would be a page
)
"""The first words of functions' docstrings."""
FRAGMENTS = frozenset(
    "And As At Being From Give How In Of Or Say Takes Tell To What When Where Whether Which Why".split()  # noqa: SIM905 - same
)
"""The first words of a docstring that is no sentence about its function or field."""
PACKAGE = Path(mihu_async.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
CLASSES: dict[str, type] = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}


def sources(kind: type) -> Iterator[ast.ClassDef]:
    """Read the class, and those of ours that it is made of."""
    for base in kind.__mro__:
        if base.__module__.startswith("mihu_async."):
            tree = ast.parse(inspect.getsource(inspect.getmodule(base)))  # type: ignore[arg-type]  # it has one
            yield from (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == base.__name__)


def fields_of(body: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """Name what a class or a module declares, and say whether a docstring stands right below it."""
    for statement, below in pairwise([*body, ast.Pass()]):
        documented = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name, documented
            case ast.AnnAssign(target=ast.Attribute(attr=name)) | ast.Assign(targets=[ast.Attribute(attr=name)]):
                yield name, documented
            case ast.FunctionDef(name="__init__"):
                yield from fields_of([line for line in statement.body if not _is_local(line)])


def _is_local(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if not issubclass(kind, Enum)])
def test_every_field_has_a_docstring(name):
    """What an instance holds is explained where it is declared, in the class or in its __init__."""
    fields = {
        field for source in sources(CLASSES[name]) for field in fields_of(source.body) if not field[0].startswith("_")
    }
    explained = {name for name, documented in fields if documented}

    assert {name for name, _ in fields} == explained


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_method_and_property_has_a_docstring(name):
    """What can be called is explained, by a docstring of its own."""
    kind = CLASSES[name]
    own = {
        name: value
        for base in kind.__mro__
        if base.__module__.startswith("mihu_async.")
        for name, value in vars(base).items()
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property | classmethod))
    }

    assert vars(kind)["__doc__"]
    assert [] == [name for name, value in own.items() if not value.__doc__]


def constants(module: ModuleType) -> dict[str, bool]:
    """Name what a module declares, and say whether it is explained."""
    return dict(fields_of(ast.parse(inspect.getsource(module)).body))


@pytest.mark.parametrize(("where", "name"), [(_version, "__version__"), (unset, "UNSET")])
def test_every_constant_has_a_docstring(where, name):
    """What is neither a class nor a function is explained where it is declared."""
    assert constants(where)[name]


def test_there_is_no_other_public_constant():
    """The constants above are all that there are."""
    assert {"mihu_async.__version__", "mihu_async.UNSET"} == {
        name for name, value in PUBLIC.items() if not inspect.isclass(value)
    }


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True for a property, also a cached one."""
    return any(ast.unparse(decorator).endswith("property") for decorator in function.decorator_list)


def functions(module: str) -> Iterator[tuple[str, bool, str]]:
    """Yield the name of each function of a module that has a docstring, if it is a property, and the first word."""
    for node in ast.walk(MODULES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (docstring := ast.get_docstring(node)):
            yield node.name, is_property(node), docstring.split()[0].rstrip(",.:")


def fields(module: str) -> Iterator[str]:
    """Yield the docstrings below the fields and constants of a module."""
    for node in ast.walk(MODULES[module]):
        body = node.body if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) else []
        for statement, below in pairwise(body):
            match statement, below:
                case ast.Assign() | ast.AnnAssign(), ast.Expr(value=ast.Constant(value=str(docstring))):
                    yield docstring
                case _:
                    pass


@pytest.mark.parametrize("module", MODULES)
def test_a_functions_docstring_begins_with_a_verb(module):
    """The first word of a function's docstring is a verb of the list, and that of a property is not."""
    assert [] == [
        (name, word) for name, named, word in functions(module) if (word in VERBS) == named or word in FRAGMENTS
    ]


@pytest.mark.parametrize("module", MODULES)
def test_a_class_is_described_by_a_noun(module):
    """The docstring of a module or a class begins with none of the words that begin a fragment."""
    nodes = [node for node in ast.walk(MODULES[module]) if isinstance(node, ast.Module | ast.ClassDef)]

    assert [] == [text for node in nodes if (text := ast.get_docstring(node)) and text.split()[0] in FRAGMENTS]


@pytest.mark.parametrize("module", MODULES)
def test_a_fields_docstring_is_a_sentence(module):
    """The docstring of a field begins with its subject and ends with a stop."""
    assert [] == [
        docstring
        for docstring in fields(module)
        if docstring.split()[0] in FRAGMENTS or not docstring.rstrip().endswith(".")
    ]
