"""Runs the code blocks of README and docs as tests, with the environment pointing at a sandbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from mihu_async.sandbox import Sandbox


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Stand in for the reader's workspace: a sandbox, three of its agents, and an empty directory."""
    monkeypatch.chdir(tmp_path)
    with Sandbox() as sandbox:
        for name, value in sandbox.variables.items():
            monkeypatch.setenv(name, value)
        yield


pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"], fixtures=["workspace"]).pytest()
