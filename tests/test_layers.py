"""Imports run down one list and never up; each outside library has its door."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "prevenance"
LAYERS = [
    ["errors"],
    ["words"],
    ["playbook"],
    ["disk", "keys", "memory"],
    ["erased", "audit", "sbom", "lock", "pseudonyms"],
    ["advisories"],
    ["tables"],
    ["privacy", "special"],
    ["sources"],
    ["gates"],
    ["history"],
    ["quality"],
    ["contracts", "parents"],
    ["features", "targets"],
    ["folds"],
    ["models"],
    ["metrics"],
    ["challenger"],
    ["training"],
    ["bootstrap", "clustered"],
    ["slices"],
    ["saved"],
    ["lead", "evaluation", "reliability"],
    ["footprints"],
    ["leakage"],
    ["drift", "gaps"],
    ["checks"],
    ["hindsight"],
    ["tracking"],
    ["lists_log"],
    ["scoring"],
    ["facts"],
    ["telling"],
    ["explain"],
    ["change"],
    ["lineage", "whatif"],
    ["incidents"],
    ["story", "note"],
    ["stability"],
    ["capacity"],
    ["holdout"],
    ["order"],
    ["suppression"],
    ["decision"],
    ["ranking"],
    ["movement"],
    ["writers"],
    ["outcomes"],
    ["feedback"],
    ["erasure", "record", "retention", "overrides"],
]
FREE = {"__init__", "cli", "pyfunc_model"}
"""Doors to the package itself: they may import anything, nothing may import them."""
DOORS = {
    "hydra": {"pipelines"},
    "omegaconf": {"pipelines"},
    "mlflow": {"tracking", "lists_log", "pyfunc_model"},
    "shap": {"explain"},
    "psycopg": {"sources"},
    "duckdb": {"sources", "history", "features"},
    "optuna": {"models", "training"},
    "lightgbm": {"models", "leakage"},
    "jinja2": {"writers"},
}


def level(name: str) -> int:
    return next(number for number, names in enumerate(LAYERS) if name in names)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_never_run_upwards(path: Path) -> None:
    here = room(path)
    if here in FREE:
        return
    for name in imports(path):
        if name.startswith("prevenance."):
            there = name.split(".")[1]
            if there not in FREE and any(there in names for names in LAYERS):
                assert level(there) <= level(here), f"{here} imports {there}, which stands above it"
                assert there == here or level(there) < level(here) or here in LAYERS[level(there)][-1:], (
                    f"{here} and {there} do not know each other"
                )
        assert not name.startswith("pipelines"), f"{here} imports a pipeline"


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_its_door(library: str) -> None:
    users = {room(path) for path in MODULES if any(name.split(".")[0] == library for name in imports(path))}
    users |= {"pipelines" for path in (ROOT / "pipelines").glob("*.py") if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= DOORS[library]


def test_every_module_belongs_to_a_layer() -> None:
    known = {name for names in LAYERS for name in names} | FREE
    assert {room(path) for path in MODULES} <= known


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    module = tmp_path / "tables.py"
    module.write_text("from prevenance.history import History\nimport mlflow.pyfunc\n", encoding="utf-8")
    assert {"prevenance.history", "mlflow.pyfunc"} <= imports(module)
    assert level("history") > level("tables")


def test_pipelines_stay_tables_of_contents() -> None:
    for name in ("train", "score", "leakage", "demo"):
        lines = (ROOT / "pipelines" / f"{name}.py").read_text(encoding="utf-8").count("\n")
        assert lines <= 120, f"pipelines/{name}.py has {lines} lines"


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "pipelines").glob("*.py"))], ids=lambda path: path.name)
def test_nothing_unpickles_or_instantiates(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("import pickle", "import joblib", "cloudpickle", "utils.instantiate", "hydra.utils", "eval(", "exec("):
        assert word not in text, f"{path.name} uses {word}"
