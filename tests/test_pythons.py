"""Finding the Pythons that the tests are run on."""

import os
import sys
from pathlib import Path

from tests import pythons
from tests.platforms import posix_only

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def script(path: Path, prints: str, code: int = 0) -> Path:
    """Write a program that stands in for an interpreter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {prints}\nexit {code}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_classifiers_name_the_supported_pythons():
    """Supported are the Pythons from the one that is required to the newest, one after the other."""
    pyproject = (pythons.ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert ["3.11", "3.12", "3.13", "3.14", "3.15"] == pythons.supported(pyproject)
    assert 'requires-python = ">=3.11"' in pyproject


def test_an_interpreter_says_its_version():
    """The running interpreter is asked like any other, and says whether it is free-threaded."""
    assert pythons.version_of(Path(sys.executable)) in {HERE, f"{HERE}t"}


@posix_only("runs no shell scripts, which stand in for interpreters")
def test_interpreters_come_from_the_path_pyenv_and_uv(tmp_path):
    """The PATH goes before pyenv, and pyenv before uv; what does not run, and what is not supported, is passed over."""
    broken = script(tmp_path / "shims" / "python3.12", "3.12", code=1)
    on_path = script(tmp_path / "bin" / "python3.11", "3.11")
    script(tmp_path / ".pyenv" / "versions" / "3.11.7" / "bin" / "python3", "3.11")
    of_pyenv = script(tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python3", "3.12")
    script(tmp_path / ".pyenv" / "versions" / "3.9.1" / "bin" / "python3", "3.9")
    of_uv = script(tmp_path / ".local" / "share" / "uv" / "python" / "cpython-3.13" / "bin" / "python3", "3.13")
    script(tmp_path / ".local" / "share" / "uv" / "python" / "cpython-3.14t" / "bin" / "python3", "3.14t")
    environment = {"HOME": str(tmp_path), "PATH": os.pathsep.join([str(broken.parent), str(on_path.parent)])}

    found = pythons.interpreters(["3.11", "3.12", "3.13", "3.14"], environment)

    assert {"3.11": on_path, "3.12": of_pyenv, "3.13": of_uv} == found


def test_what_is_no_program_has_no_version(tmp_path):
    """A file that cannot be run is no interpreter."""
    (tmp_path / "python3.11").write_text("", encoding="utf-8")

    assert pythons.version_of(tmp_path / "python3.11") is None


def test_the_first_example_is_the_first_python_block():
    """Blocks of a shell are passed over."""
    assert "a = 1\n" == pythons.first_example("```console\n$ x\n```\n\n```python\na = 1\n```\n\n```python\nb\n```\n")
