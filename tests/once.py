"""What a run of the tests makes once and all its processes share, read-only: who wants to change it takes a copy."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from filelock import FileLock

from prevenance.runs import inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.track import tracking

MADE: list[Path] = []
"""The folder of this run; empty outside of pytest."""


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


def shared_parts(patch: pytest.MonkeyPatch) -> None:
    """Let a demo company of equal settings be written once, and MLflow bring its tables up to date once: both are copied from there."""
    ensure, probe = inputs.ensure_demo, tracking._probe

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

    patch.setattr(inputs, "ensure_demo", demo)
    patch.setattr(tracking, "_probe", ready)


def empty_store(folder: Path) -> None:
    uri = f"sqlite:///{folder / tracking.STORE}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tracking._mlflow().MlflowClient(uri, uri).search_experiments()
