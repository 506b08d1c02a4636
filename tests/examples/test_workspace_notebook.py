"""The notebook, run by a kernel as its users run it."""

from collections import Counter
from decimal import Decimal
from pprint import pformat
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.examples.hosts import EXAMPLES


@pytest.fixture
async def cells(workspace, monkeypatch, tmp_path):
    """Run it from its first cell to its last, and give what each cell of code shows."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.delenv("PYTHONDEVMODE", raising=False)  # in the kernel it would only take time
    notebook = nbformat.read(EXAMPLES / "workspace.ipynb", as_version=4)
    code = "from tests.internals import transport_of\nlen(transport_of(mihu).sessions.own)"
    notebook["cells"].append(nbformat.v4.new_code_cell(code, id="sessions"))
    await NotebookClient(notebook, timeout=30).async_execute()
    return {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"}


@pytest.mark.slow
async def test_it_shows_the_workspace(cells, workspace):
    """Each cell shows what stands in the workspace, and nothing is warned of."""
    rows = workspace.inventory.numbers
    fees = [Decimal(str(row["billing"]["monthly_fee"])) for row in rows]
    calls = [(row["number"], row["bindings"]["call"]["agent_name"]) for row in workspace.inventory.trunks]
    agents = {number: agent for number, agent in calls if agent}

    assert {
        "client": None,
        "numbers": str(len(rows)),
        "countries": repr(Counter(row["country_code"] for row in rows).most_common(5)),
        "fees": repr(sum(fees, Decimal(0))),
        "trunks": pformat(agents, sort_dicts=False),
        "close": None,
        "sessions": "0",
    } == {name: shown(outputs) for name, outputs in cells.items()}


def test_it_is_kept_as_it_was_written():
    """Without what a run of it left."""
    notebook = nbformat.read(EXAMPLES / "workspace.ipynb", as_version=4)

    assert [] == [cell["id"] for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")]


def shown(outputs: list[Any]) -> str | None:
    """Return what a cell shows, which is no more than its value."""
    if not outputs:
        return None
    (output,) = outputs
    assert "execute_result" == output["output_type"]
    text: str = output["data"]["text/plain"]
    return text
