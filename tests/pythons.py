"""Runs the tests on each supported Python that this machine has: ``make test-pythons``.

The classifiers in pyproject.toml name the supported Pythons. This module looks for each of them on the PATH and among
the installations of pyenv and uv. Each gets an environment of its own below build/pythons with the built wheel in it,
runs the first example of README with warnings as errors, and then the tests of the source distribution. tests/examples
is left out, because its frameworks support a new Python later than this package does.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "build" / "wheel" / "source"
"""The source distribution without its package, as make unpacks it."""

ASK = """
import sys, sysconfig
print("%d.%d" % sys.version_info[:2] + "t" * bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
"""
"""A program that prints the version of its interpreter: ``3.14``, or ``3.14t`` for a free-threaded build."""


def supported(pyproject: str) -> list[str]:
    """Return the versions that the classifiers name, oldest first."""
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', pyproject)


def first_example(readme: str) -> str:
    """Return the first Python block of a page."""
    found = re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert found, "there is no Python block"
    return found[1]


def candidates(versions: Iterable[str], environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield paths of possible interpreters: those on the PATH first, then those of pyenv, then those of uv."""
    for folder in environment.get("PATH", "").split(os.pathsep):
        yield from (Path(folder, f"python{version}") for version in versions)
    home = Path(environment.get("HOME", "~")).expanduser()
    pyenv = Path(environment.get("PYENV_ROOT") or home / ".pyenv")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(environment.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for installed in (pyenv / "versions", uv):
        yield from sorted(installed.glob("*/bin/python3"), reverse=True)


def version_of(interpreter: Path) -> str | None:
    """Return the version of an interpreter; None where it does not run, as with a shim of pyenv."""
    try:
        asked = subprocess.run([interpreter, "-c", ASK], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def interpreters(versions: list[str], environment: Mapping[str, str]) -> dict[str, Path]:
    """Return the first interpreter of each version that is found."""
    found: dict[str, Path] = {}
    for path in candidates(versions, environment):
        version = version_of(path) if path.is_file() else None
        if version in versions:
            found.setdefault(version, path)
    return found


def passes(version: str, interpreter: Path) -> bool:
    """Install the wheel for an interpreter, and run the first example and the tests."""
    folder = ROOT / "build" / "pythons" / version
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(python), "install"]
    (wheel,) = (ROOT / "dist").glob("*.whl")
    example = first_example((ROOT / "README.md").read_text(encoding="utf-8"))
    steps = (
        [str(interpreter), "-m", "venv", "--clear", "--without-pip", str(folder)],
        [*pip, f"{wheel}[cli,otel,redis]", "--group", "test"],
        [str(python), "-I", "-W", "error", "-c", example],
        [str(python), "-m", "pytest", "-n", "auto", "--dist", "worksteal", "--ignore=tests/examples", *sys.argv[1:]],
    )
    print(f"== Python {version}: {interpreter}", flush=True)
    return all(subprocess.run(step, cwd=SOURCE, check=False).returncode == 0 for step in steps)


def main() -> int:
    """Run the tests on each Python that is found; return 1 where one fails or none is found."""
    versions = supported((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = interpreters(versions, os.environ)
    results = {version: "passed" if passes(version, path) else "FAILED" for version, path in sorted(found.items())}
    print("", *(f"Python {version}: {results.get(version, 'not found')}" for version in versions), sep="\n")
    return 0 if set(results.values()) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main())
