"""What an editor shows of the public face when it is pointed at."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
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
CLASSES: dict[str, type] = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}


def sources(kind: type) -> Iterator[ast.ClassDef]:
    """Read the class, and those of ours that it is made of."""
    for base in kind.__mro__:
        if base.__module__.startswith("mihu_async."):
            tree = ast.parse(inspect.getsource(inspect.getmodule(base)))  # type: ignore[arg-type]  # it has one
            yield from (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == base.__name__)


def told(body: list[ast.stmt]) -> Iterator[tuple[str, bool]]:
    """Name what a class or a module declares, and say whether a docstring stands right below it."""
    for statement, below in pairwise([*body, ast.Pass()]):
        documented = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                yield name, documented
            case ast.AnnAssign(target=ast.Attribute(attr=name)) | ast.Assign(targets=[ast.Attribute(attr=name)]):
                yield name, documented
            case ast.FunctionDef(name="__init__"):
                yield from told([line for line in statement.body if not _is_local(line)])


def _is_local(line: ast.stmt) -> bool:
    return isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if not issubclass(kind, Enum)])
def test_every_field_has_a_docstring(name):
    """What an instance holds is explained where it is declared, in the class or in its __init__."""
    fields = {field for source in sources(CLASSES[name]) for field in told(source.body) if not field[0].startswith("_")}
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
    return dict(told(ast.parse(inspect.getsource(module)).body))


@pytest.mark.parametrize(("where", "name"), [(_version, "__version__"), (unset, "UNSET")])
def test_every_constant_has_a_docstring(where, name):
    """What is neither a class nor a function is explained where it is declared."""
    assert constants(where)[name]


def test_there_is_no_other_public_constant():
    """The constants above are all that there are."""
    assert {"mihu_async.__version__", "mihu_async.UNSET"} == {
        name for name, value in PUBLIC.items() if not inspect.isclass(value)
    }
