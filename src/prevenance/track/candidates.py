"""What a training's run holds besides the model: a child run for each candidate, the data set, and the code that made it."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prevenance.base.version import VERSION

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric

GIT_SECONDS = 5.0
_LONGEST_DIGEST = 36
"""Characters that MLflow keeps of a data set's digest."""


def log_candidates(client: MlflowClient, parent: str, experiment: str, report: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Log each of the report's ``candidates`` as a child of the run ``parent``.

    A child has its metrics over all test periods (with ``_low`` and ``_high``), each period's as ``period/<metric>`` (step 1 is the oldest test,
    the time is its cutoff), what was tuned as params and how many settings were tried.
    """
    from mlflow.entities import Param

    for one in report.get("candidates") or []:
        name = str(one["model"])
        known = {**tags, "mlflow.parentRunId": parent, "candidate": name, "in_use": str(name == report.get("tested_as")).lower()}
        child = client.create_run(experiment, tags=known, run_name=name)
        params = {"kind": one["kind"], "trials": one["trials"]} | one["params"]
        measured = _metrics(metric_values({name: report["models"].get(name, {})}, named=False), child.info.start_time)
        for step, period in enumerate(one["periods"], start=1):
            moment = int(datetime.fromisoformat(period["cutoff"]).replace(tzinfo=UTC).timestamp() * 1000)
            values = {f"period/{metric}": value for metric, value in period.items() if _finite(value)}
            measured += _metrics(values, moment, step)
        client.log_batch(child.info.run_id, measured, [Param(key, str(value)[:500]) for key, value in sorted(params.items())])
        client.set_terminated(child.info.run_id)


def metric_values(models: Mapping[str, Any], *, named: bool = True) -> dict[str, float]:
    """Return every finite metric of ``{model: {metric: {value, low, high}}}``, flat: ``<model>/<metric>``, ``..._low``, ``..._high``.

    >>> metric_values({"rule": {"brier": {"value": 0.1, "low": None, "high": 0.2}}})
    {'rule/brier': 0.1, 'rule/brier_high': 0.2}
    """
    return {
        f"{model}/{metric}{ending}" if named else f"{metric}{ending}": float(estimate[part])
        for model, metrics in models.items()
        for metric, estimate in metrics.items()
        for part, ending in (("value", ""), ("low", "_low"), ("high", "_high"))
        if _finite(estimate.get(part))
    }


def dataset_input(report: Mapping[str, Any], digest: str) -> DatasetInput:
    """Return what was learned from as MLflow's record of a data set: its source's name, the digest of its rows, where the snapshots lie.

    The place is relative to the store's folder. No row goes with it.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag

    counts = {f"num_{key}": report[key] for key in ("snapshots", "customers", "positives", "features") if report.get(key) is not None}
    place = json.dumps({"uri": f"train/{report.get('target', '')}/features.parquet"})
    told = Dataset(str(report.get("source") or "source"), digest[:_LONGEST_DIGEST], "local", place, profile=json.dumps(counts))
    return DatasetInput(told, [InputTag("mlflow.data.context", "training")])


def code_tags() -> dict[str, str]:
    """Return the version of this package and, where its files are kept by git, the commit and whether anything was changed since."""
    said = {"version": VERSION}
    here, git = Path(__file__).parent, shutil.which("git")
    # An installed package may lie within a repository that is not its own: only files that git keeps are of the commit.
    if git and _git(git, here, "ls-files", "--error-unmatch", Path(__file__).name):
        commit = _git(git, here, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
        if commit:
            said |= {"mlflow.source.git.commit": commit.removesuffix("-dirty"), "git_changed": str(commit.endswith("-dirty")).lower()}
    return said


def _git(git: str, folder: Path, *asked: str) -> str:
    """Return what git answers, nothing if it cannot."""
    # a hook's variables name another repository; looking must not write
    alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run([git, "-C", str(folder), *asked], capture_output=True, text=True, env=alone, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _metrics(values: Mapping[str, float], moment: int, step: int = 0) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(name, float(value), moment, step) for name, value in values.items()]


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
