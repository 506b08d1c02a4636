"""Creates an environment for each peer, once. A peer that cannot be installed is reported and left out."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from benchmarks.processes import CACHE, ROOT

INSTALL_LIMIT = 300
"""Seconds that an installation may take."""
NAMES = {"telnyx": "telnyx", "retell-sdk": "retell", "openai": "openai", "twilio": "twilio"}
"""The walker of each distribution."""


def wanted() -> dict[str, str]:
    """Return the requirement of each peer, from the dependency group."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    requirements: list[str] = groups["peers"]
    return {NAMES[re.split(r"[\[<>=~! ]", requirement)[0]]: requirement for requirement in requirements}


def python_of(peer: str) -> Path:
    """Return the path of a peer's Python."""
    return CACHE / "peers" / peer / "bin" / "python"


def install(peer: str, requirement: str) -> str:
    """Create a peer's environment, unless it exists. Return the reason if it cannot be created, else an empty text."""
    python = python_of(peer)
    stamp = python.parent.parent / "installed"
    if stamp.exists() and stamp.read_text() == requirement:
        return ""
    print(f"installing {requirement} …", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(python.parent.parent)], check=True)
        pip = [str(python), "-m", "pip", "-qq", "--disable-pip-version-check", "--retries", "1"]
        subprocess.run([*pip, "install", requirement], check=True, timeout=INSTALL_LIMIT)
    except (OSError, subprocess.SubprocessError) as error:
        return f"{peer} could not be installed ({type(error).__name__})"
    stamp.write_text(requirement)
    return ""


def version_of(peer: str) -> str:
    """Return the installed version of a peer."""
    name = next(name for name, known in NAMES.items() if known == peer)
    code = f"from importlib.metadata import version; print(version({name!r}))"
    printed = subprocess.run([str(python_of(peer)), "-c", code], check=True, capture_output=True, text=True)
    return printed.stdout.strip()


def installed() -> dict[str, Path]:
    """Return the Python of each installed peer."""
    return {peer: python_of(peer) for peer in NAMES.values() if (python_of(peer).parent.parent / "installed").exists()}
