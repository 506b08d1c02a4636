"""What the project says of itself in several files is the same in each."""

import re
import tomllib
from pathlib import Path

import mihu_async
from mihu_async import __version__

ROOT = Path(__file__).parents[1]
PACKAGE = Path(mihu_async.__file__).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SITE = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = (*(ROOT / name for name in (".github", "benchmarks", "docs", "examples", "tests")), PACKAGE)
WRITTEN = {".css", ".html", ".ipynb", ".js", ".md", ".py", ".yml"}


def test_the_site_names_this_version_and_repository():
    """Its header shows the version of the package, and links to the address in project.urls."""
    assert __version__ == SITE["extra"]["version"]
    assert PYPROJECT["project"]["urls"]["Source"] == SITE["repo_url"]


def test_each_address_begins_with_the_one_of_the_source():
    """Issues, changelog and the links of README as an index shows it are in the same repository."""
    project = PYPROJECT["project"]["urls"]
    made = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]
    links = [each["replacement"][each["replacement"].index("https:") :] for each in made]
    addresses = [project["Issues"], project["Changelog"], *links]

    assert [] == [address for address in addresses if not address.startswith(f"{project['Source']}/")]


def test_the_placeholder_stands_in_two_files():
    """Whoever gives the project a home replaces it in pyproject.toml and zensical.toml, and nowhere else."""
    host = "git" + ".example"
    top = [path for path in ROOT.iterdir() if path.is_file() and path.suffix in {".md", ".toml", ".yaml", ""}]
    below = [path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in WRITTEN]
    top = [path for path in top if path.name != "PKG-INFO"]  # a source distribution is made of pyproject.toml
    found = {path.name for path in top + below if host in path.read_text(encoding="utf-8", errors="replace")}

    assert {"pyproject.toml", "zensical.toml"} == found


def test_every_extra_is_explained():
    """The index of the site names each extra that can be installed."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    assert [] == [extra for extra in PYPROJECT["project"]["optional-dependencies"] if f"`{extra}`" not in index]


def test_the_architecture_names_every_module_of_the_core():
    """Its table and the folder hold the same names."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `core/")]
    named = [name for row in rows for name in re.findall("`core/([a-z_]+)`", row)]
    modules = {path.stem for path in (PACKAGE / "core").glob("*.py")} - {"__init__"}

    assert sorted(modules) == sorted(named)
