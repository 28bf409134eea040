"""The house: rooms whose imports run down one list, no circle between modules, one door per outside library, one place for each rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE, PIPELINES = ROOT / "src" / "prevenance", ROOT / "pipelines"
ROOMS = [
    "base",
    "words",
    "tables",
    "consent",
    "sources",
    "history",
    "features",
    "targets",
    "demo",
    "models",
    "order",
    "judge",
    "explain",
    "decide",
    "publish",
    "support",
    "proof",
    "track",
    "privacy",
    "runs",
]
"""From the ground up: a room imports itself and what stands before it in this list."""

ORDER = [*ROOMS, "pipelines", "api"]
"""The rooms, and what starts them: the commands, and what notebooks import."""

DOORS_OUT = ("cli", "testing")
"""What people outside call, and nobody inside."""

DOORS = {
    "hydra": {"pipelines"},
    "omegaconf": {"pipelines"},
    "mlflow": {"track"},
    "shap": {"explain"},
    "psycopg": {"sources"},
    "duckdb": {"sources", "history", "features"},
    "optuna": {"models"},
    "lightgbm": {"models", "judge", "proof"},
    "jinja2": {"publish"},
    "holidays": {"base"},
}
RECORDS = {"sources.taken", "judge.tested", "runs.listed", "runs.settings.schema", "targets.target"}
"""Modules that hold records alone: nothing in them is worked out from what another module does."""

TARGET_WORDS = {"churn", "tickets", "cross_sell", "contract", "event", "silence", "ticket", "offer", "family"}
"""Names and kinds of targets: what they mean stands in the target's own file, where others read it."""


def modules() -> dict[str, Path]:
    found = {}
    for base, before in ((PACKAGE, ("prevenance",)), (PIPELINES, ("pipelines",))):
        for path in sorted(base.rglob("*.py")):
            parts = (*before, *path.relative_to(base).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(tree: ast.AST) -> set[str]:
    """Return what is imported anywhere, late and for types alone too: modules of ours by their own name, others as written."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.add(whole if whole in MODULES else node.module)
    return found


TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}
ARROWS = {name: imports(tree) for name, tree in TREES.items()}


def room(name: str) -> str:
    parts = name.split(".")
    return "pipelines" if parts[0] == "pipelines" else parts[1] if len(parts) > 1 else ""


def upward(name: str, asked: set[str]) -> list[str]:
    """Return the imports of a module that do not run down the list of rooms."""
    here = room(name)
    return [
        one
        for one in sorted(asked)
        if one.split(".")[0] in ("prevenance", "pipelines") and room(one) and ORDER.index(room(one)) > ORDER.index(here)
    ]


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Return the modules that reach themselves, each circle once (Tarjan, 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for there in arrows[name] & arrows.keys():
            if there not in number:
                visit(there)
            if there in stack:
                lowest[name] = min(lowest[name], lowest[there])
        if lowest[name] == number[name]:
            ring = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(ring) > 1:
                found.append(sorted(ring))

    for name in arrows:
        if name not in number:
            visit(name)
    return found


def test_the_list_of_rooms_is_short_and_holds_every_module() -> None:
    assert len(ROOMS) <= 20
    assert {room(name) for name in MODULES} - {"", *DOORS_OUT} == set(ORDER)


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) not in ("", *DOORS_OUT)])
def test_imports_never_run_upwards(name: str) -> None:
    assert not upward(name, ARROWS[name]), f"{name} imports what stands above it"


def test_no_two_modules_import_each_other_however_far_around() -> None:
    assert circles(ARROWS) == []


def test_an_upward_import_and_a_circle_would_be_seen() -> None:
    late = ast.parse("def later():\n    from prevenance.runs import night\n")
    assert upward("prevenance.models.training", imports(late)) == ["prevenance.runs.night"]
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_has_its_door(library: str) -> None:
    users = {room(name) for name, asked in ARROWS.items() if any(one.split(".")[0] == library for one in asked)}
    assert users <= DOORS[library]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_records_stand_apart_from_logic(name: str) -> None:
    tree = TREES[f"prevenance.{name}"]
    held = {f"prevenance.{one}" for one in RECORDS}
    others = {one for one in ARROWS[f"prevenance.{name}"] if one.startswith("prevenance") and one not in held}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in others:
            assert all(one.name[0].isupper() for one in node.names), f"{name} imports more than records from {node.module}"
    assert not [node for node in tree.body if isinstance(node, ast.FunctionDef)], f"{name} has functions beside its records"


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("*.py")), ids=lambda path: path.name)
def test_entry_points_are_thin(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 40


def test_what_a_command_does_knows_no_conf_and_prints_nothing() -> None:
    for name, tree in TREES.items():
        if room(name) not in ("pipelines", *DOORS_OUT):
            calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            assert "print" not in calls, name
        if room(name) not in ("runs", "pipelines", "api"):
            names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert "Settings" not in names, f"{name} is below runs/ and knows Settings"


PLAIN = {"base", "words", "tables", "consent", "history", "features", "order"}
"""Rooms in which nothing comes in or goes out as JSON: what they hand on has a type."""


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) in PLAIN])
def test_what_is_no_json_has_a_type(name: str) -> None:
    assert "dict[str, Any]" not in MODULES[name].read_text(encoding="utf-8")


def compared_with_a_target(tree: ast.AST) -> Iterator[int]:
    """Return the lines on which a name or kind of a target is compared with, or chosen by, a literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            said = " ".join(ast.unparse(one) for one in sides)
            literals = {one.value for side in sides for one in ast.walk(side) if isinstance(one, ast.Constant)}
            if literals & TARGET_WORDS and "target" in said:
                yield node.lineno
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            keys = {one.value for one in node.keys if isinstance(one, ast.Constant)}
            if len(keys & TARGET_WORDS) > 1 and keys <= TARGET_WORDS:
                yield node.lineno


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) not in ("targets", "demo")])
def test_nobody_compares_a_target_with_a_literal(name: str) -> None:
    assert list(compared_with_a_target(TREES[name])) == []


def test_a_comparison_with_a_target_would_be_seen() -> None:
    told = 'view.get("target") == "churn"\ntarget.kind in ("offer", "family")\nx = {"churn": 1, "tickets": 2}\n'
    assert list(compared_with_a_target(ast.parse(told))) == [1, 2, 3]


@pytest.mark.parametrize("name", list(MODULES))
def test_nothing_unpickles_or_instantiates(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    for word in ("import pickle", "import joblib", "cloudpickle", "utils.instantiate", "hydra.utils", "eval(", "exec("):
        assert word not in text, f"{name} uses {word}"


@pytest.mark.parametrize("path", [*MODULES.values()], ids=list(MODULES))
def test_modules_stay_small(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= 250


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("*.py")), ids=lambda path: path.name)
def test_an_entry_point_names_a_run_that_is_there(path: Path) -> None:
    """The run is imported when it is asked for, by its name: no type checker looks at it."""
    for node in ast.walk(TREES[f"pipelines.{path.stem}"] if path.stem != "__init__" else ast.Module([], [])):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "command":
            _, module, function = (one.value for one in node.args if isinstance(one, ast.Constant))
            run = next(one for one in TREES[f"prevenance.runs.{module}"].body if getattr(one, "name", "") == function)
            assert [one.arg for one in run.args.args] == ["given", *(["targets"] if node.keywords else []), "steps"]
