"""The notebooks run on a small company, and are stored without outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import once
import pytest
from amount import some

import prevenance

pytestmark = pytest.mark.long

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs(path):
    found = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in found["cells"] if cell["cell_type"] == "code"]
    assert cells
    for cell in cells:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert set(found["metadata"]) <= {"kernelspec", "language_info"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return once.lived_copy(once.RULED, tmp_path_factory.mktemp("notebooks") / "out")


@pytest.mark.parametrize(
    "path", some(NOTEBOOKS, *[place for place, path in enumerate(NOTEBOOKS) if path.stem == "why_this_list"]), ids=lambda path: path.stem
)
@pytest.mark.filterwarnings("ignore")  # of the kernel's own libraries, in another process
def test_a_notebook_runs(path, company, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    before = sorted(one for one in company.rglob("*") if "steps.log" not in one.name)
    monkeypatch.setenv("PREVENANCE_OUT", str(company))
    monkeypatch.setenv("MPLBACKEND", "agg")
    found = nbformat.read(path, as_version=4)
    NotebookClient(found, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    printed = "".join(out.get("text", "") for cell in found.cells if cell["cell_type"] == "code" for out in cell["outputs"])
    if path.stem == "did_it_help":
        assert "too few yet" in printed
    assert sorted(one for one in company.rglob("*") if "steps.log" not in one.name) == before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_uses_the_public_api_alone(path):
    text = "".join(line for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] for line in [*cell["source"], "\n"])
    assert "import prevenance as pv" in text
    assert not re.findall(r"from (?:prevenance|pipelines)\b|import (?:prevenance\.|pipelines)|sys\.path", text)
    assert set(re.findall(r"\bpv\.(\w+)", text)) <= set(prevenance.__all__)


def test_all_four_are_there():
    assert {path.stem for path in NOTEBOOKS} == {"look_at_the_tables", "why_this_list", "did_it_help", "compare_models"}
