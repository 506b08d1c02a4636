"""What was built into dist/, looked at and used far from its source. Run by ``make dist-test``, not with the tests."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from mihu_async import __version__

ROOT = Path(__file__).parents[1]

WALK = """
import asyncio

import mihu_async
from mihu_async import MihuClient
from mihu_async.sandbox import Sandbox


async def main():
    async with Sandbox(numbers=120, trunks=3) as sandbox:
        async with MihuClient(token=sandbox.token, base_url=sandbox.base_url) as mihu:
            print(len(await mihu.numbers.list().collect()), len(await mihu.trunks.list().collect()))
    print(mihu_async.__version__)
    print(mihu_async.__file__)


asyncio.run(main())
"""

PLUGIN = """
import asyncio


async def count(client):
    async with client:
        return len(await client.numbers.list().collect())


def test_the_plugin(mihu_sandbox, mihu_client):
    assert asyncio.run(count(mihu_client)) == 250
    assert len(mihu_sandbox.journal) == 3
"""


@pytest.fixture(scope="module")
def wheel():
    """The wheel, of which there is one."""
    (path,) = (ROOT / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def sdist():
    """The source distribution, of which there is one."""
    (path,) = (ROOT / "dist").glob("*.tar.gz")
    return path


class Elsewhere:
    """An environment in a folder that knows nothing of the source."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.run(sys.executable, "-m", "venv", "--without-pip", "venv")

    def run(self, *command: object) -> "subprocess.CompletedProcess[str]":
        """Run a command there, whatever it says."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
        return subprocess.run(
            list(map(str, command)), cwd=self.folder, env=settings, capture_output=True, text=True, check=False
        )

    def python(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run its Python, without a warning."""
        return self.run(self.bin / "python", "-W", "error", *arguments)

    def install(self, *what: object) -> None:
        """Install something."""
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python", "--quiet", "--disable-pip-version-check")
        done = self.run(*pip, "install", *what)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, wheel):
    """The wheel, installed far away without any extra."""
    made = Elsewhere(tmp_path_factory.mktemp("elsewhere"))
    made.install(wheel)
    return made


def in_source(*folders: str) -> set[str]:
    """Name the files of the source."""
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*"))
    return {str(path.relative_to(ROOT)) for path in paths if path.is_file() and "__pycache__" not in path.parts}


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    """Every file of the package is in it, its mark for type checkers too, and no tests and no benchmarks."""
    with zipfile.ZipFile(wheel) as files:
        names = {name for name in files.namelist() if not name.startswith(f"mihu_async-{__version__}.dist-info/")}

    assert in_source("mihu_async") | {"mihu_async_pytest.py"} == names
    assert "mihu_async/py.typed" in names


def test_the_wheel_says_what_the_project_says(wheel):
    """Version, Python, requirements, licence and entry points are in its metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as files:
        info = f"mihu_async-{__version__}.dist-info"
        metadata = HeaderParser().parsestr(files.read(f"{info}/METADATA").decode())
        entries = files.read(f"{info}/entry_points.txt").decode()
        names = files.namelist()
    needed = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]

    assert __version__ == metadata["Version"]
    assert project["requires-python"] == metadata["Requires-Python"]
    assert sorted(project["dependencies"]) == sorted(needed)
    assert sorted(project["optional-dependencies"]) == sorted(metadata.get_all("Provides-Extra", []))
    assert sorted(project["classifiers"]) == sorted(metadata.get_all("Classifier", []))
    assert f"{info}/licenses/LICENSE" in names
    assert "[pytest11]\nmihu_async = mihu_async_pytest" in entries


def test_links_of_the_description_work_on_an_index(wheel):
    """A link to a file of the repository is one to this release, and the code of README stands as it is."""
    with zipfile.ZipFile(wheel) as files:
        info = f"mihu_async-{__version__}.dist-info"
        description = files.read(f"{info}/METADATA").decode().partition("\n\n")[2]
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    blocks = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    links = re.findall(r"""\]\(([^)]+)\)|(?:src|srcset)="([^"]+)""", blocks.sub("", description))

    assert [] == [link for link in map("".join, links) if not link.startswith(("https://", "#"))]
    assert f"]({source}/blob/v{__version__}/CHANGELOG.md)" in description
    assert f'src="{source}/raw/v{__version__}/docs/speed-light.svg"' in description
    assert blocks.findall((ROOT / "README.md").read_text()) == blocks.findall(description)


def test_the_sdist_holds_the_source_and_all_that_its_tests_need(sdist):
    """What is in the repository is in it, and nothing else but what it says of itself."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git as the developer has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("git lists the source, and this is no clone")
    with tarfile.open(sdist) as files:
        names = {name.partition("/")[2] for name in files.getnames()}

    assert {name for name in tracked.stdout.splitlines() if (ROOT / name).exists()} == names - {"PKG-INFO"}


def test_the_wheel_works_without_its_source_and_extras(elsewhere):
    """A walk of the sandbox needs the wheel and what it asks for, nothing more."""
    (elsewhere.folder / "walk.py").write_text(WALK)
    done = elsewhere.python("-I", "walk.py")

    assert (done.returncode, done.stderr) == (0, "")
    walked, version, where = done.stdout.splitlines()
    assert walked == "120 3"
    assert version == __version__
    assert Path(where).is_relative_to(elsewhere.folder)


@pytest.mark.parametrize(
    ("command", "extra"), [(["mihu-async", "demo"], "cli"), (["python", "-c", "import mihu_async.otel"], "otel")]
)
def test_what_needs_an_extra_names_it(elsewhere, command, extra):
    """Where an extra is not installed, what needs it says how to have it."""
    done = elsewhere.run(elsewhere.bin / command[0], *command[1:])

    assert done.returncode == 1
    assert f"pip install '.[{extra}]'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "versions", [["pytest==7.0.0", "pluggy==1.0.0"], ["pytest", "pluggy"]], ids=["oldest", "newest"]
)
def test_pytest_finds_the_fixtures(elsewhere, versions):
    """Where pytest is installed too, the sandbox's fixtures are there, in a project that has no settings for them."""
    if "==" in versions[0] and sys.version_info >= (3, 12):
        pytest.skip("pytest 7.0 itself warns under this Python")
    elsewhere.install("--upgrade", *versions)
    (elsewhere.folder / "test_mine.py").write_text(PLUGIN)
    done = elsewhere.python("-m", "pytest", "-q", "test_mine.py")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
