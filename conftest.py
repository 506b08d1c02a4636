"""Runs the code blocks of README and docs as tests, with the environment pointing at a sandbox."""

import gc
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


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Take what was imported for all tests out of the garbage collector's reach, so that its runs are short."""
    gc.collect()
    gc.freeze()


pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=["*.md"], fixtures=["workspace"]).pytest()
