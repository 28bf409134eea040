"""What a run of the tests makes once and all its processes share, read-only: who wants to change it takes a copy."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import shutil
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from pipelines.start.run import _guarded
from prevenance.runs import demo as demo_files
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.track import tracking

MADE: list[Path] = []
"""The folder of this run; empty outside of pytest."""


CHEAP = ["demo.events=15000", "model.trials=2", "validation.replicates=20", "validation.cutoffs=12", "validation.tests=3"]
"""Settings of a world whose size is not what a test is about."""
RULED = (
    (
        *(
            "train",
            "demo.customers=70",
            "demo.months=16",
            "model=rule",
            "capacity=10",
            *CHEAP,
            "demo.events=5000",
            "target=churn",
            "as_of=2026-09-01",
        ),
        *("features.sets=[tickets,contacts]", "features.lookbacks=[28,90]"),
    ),
    ("score", "target=churn"),
)
"""A month-old champion, the rule, and the list of the night of 2026-10-01."""

Commands = tuple[tuple[str, ...], ...]


def start(temporary: Path, worker: bool) -> None:
    """Share below ``temporary``, the base of this process; several workers have a folder above theirs in common."""
    MADE[:] = [(temporary.parent if worker else temporary) / "once"]


def once(name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder called ``name``, made by the first who asks."""
    root = MADE[0]
    root.mkdir(exist_ok=True)
    with FileLock(root / f"{name}.lock"):
        if not (root / name).exists():
            work = root / f"{name}.work"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            make(work)
            work.rename(root / name)
    return root / name


def copied(name: str, make: Callable[[Path], object], place: Path) -> Path:
    """Return a copy of one's own at ``place``."""
    return shutil.copytree(once(name, make), place, symlinks=True, dirs_exist_ok=True)


def lived(commands: Commands) -> Path:
    """Return the output folder in which ``commands`` (name, settings; ``out=`` is added) ran, one after another, once for all: only to be read.

    A folder in which the same commands but the last ones ran is not made again.
    """

    def make(work: Path) -> None:
        (name, *arguments), before = commands[-1], commands[:-1]
        if before:
            lived_copy(before, work / "out")
        with redirect_stdout(io.StringIO()):
            status = _guarded(name, importlib.import_module(f"pipelines.{name}").body, [*arguments, f"out={work / 'out'}"])
        assert status == 0, (name, arguments)
        (work / "was").write_text(str(work / "out"), encoding="utf-8")

    return once(f"lived-{hashlib.sha256(json.dumps(commands).encode()).hexdigest()[:16]}", make) / "out"


def lived_copy(commands: Commands, place: Path) -> Path:
    """Return a copy of one's own at ``place``: it names itself, not where it is from; what MLflow keeps beside its store is left out."""
    shared = lived(commands)
    old = (shared.parent / "was").read_text(encoding="utf-8")
    shutil.copytree(shared, place, symlinks=True, ignore=shutil.ignore_patterns("mlruns"))
    for path in (*place.glob("*.json"), *place.glob("status/*.json")):
        path.write_text(path.read_text(encoding="utf-8").replace(old, str(place)), encoding="utf-8")
    with closing(sqlite3.connect(place / tracking.STORE)) as store, store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for column in [row[1] for row in store.execute(f'pragma table_info("{table}")')]:
                holds = f'typeof("{column}") = \'text\' and instr("{column}", ?)'
                store.execute(f'update "{table}" set "{column}" = replace("{column}", ?, ?) where {holds}', (old, str(place), old))
    return place


def shared_parts(patch: pytest.MonkeyPatch) -> None:
    """Let a demo company of equal settings be written once, and MLflow bring its tables up to date once: both are copied from there."""
    ensure, probe = demo_files.ensure_demo, tracking._probe

    def demo(given: Settings, folder: Path, steps: Steps) -> None:
        if folder.exists():
            return ensure(given, folder, steps)
        wanted = hashlib.sha256(json.dumps(asdict(given.demo), sort_keys=True).encode()).hexdigest()[:16]

        def write(work: Path) -> None:
            alone = work.with_suffix(".out")
            alone.mkdir(exist_ok=True)
            ensure(replace(given, out=str(alone)), work, Steps(alone))

        copied(f"demo-{wanted}", write, folder)
        return None

    def ready(path: Path) -> None:
        if not path.exists() and path.parent.is_dir():
            shutil.copy(once("store", empty_store) / tracking.STORE, path)
        probe(path)

    patch.setattr(demo_files, "ensure_demo", demo)
    patch.setattr(tracking, "_probe", ready)


def empty_store(folder: Path) -> None:
    uri = f"sqlite:///{folder / tracking.STORE}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tracking._mlflow().MlflowClient(uri, uri).search_experiments()
