"""What a data scientist finds in MLflow: a run with its candidates, the data set, the code, and artifacts that move with the folder."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_tracking import REPORT, client, features, log, model

from prevenance import __version__
from prevenance.models import bundle
from prevenance.track import candidates, place, tracking

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

PERIODS = [
    {"cutoff": f"2026-0{month}-01T00:00:00", "snapshots": 40, "hits": 3.0, "roc_auc": 0.7 + month / 100, "brier": None}
    for month in (1, 2, 3)
]
TOLD = {
    **REPORT,
    "tested_as": "lightgbm",
    "snapshots": 120,
    "models": {**REPORT["models"], "lightgbm": {"roc_auc": {"value": 0.72, "low": 0.7, "high": 0.75}}},
    "candidates": [
        {"model": "lightgbm", "kind": "lightgbm", "params": {"num_leaves": 4, "learning_rate": 0.05}, "trials": 20, "periods": PERIODS},
        {"model": "rule", "kind": "rule", "params": {}, "trials": 0, "periods": PERIODS[:1]},
    ],
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "out"
    folder.mkdir()
    log(folder, model(-1.0), report=TOLD)
    return folder


def runs(out: Path):
    found = client(out).search_runs(["1"])
    parent = next(run for run in found if "mlflow.parentRunId" not in run.data.tags)
    return parent, {run.info.run_name: run for run in found if run is not parent}


def test_every_candidate_is_a_child_of_the_training(out: Path) -> None:
    parent, children = runs(out)
    assert set(children) == {"lightgbm", "rule"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    assert {name: run.data.tags["in_use"] for name, run in children.items()} == {"lightgbm": "true", "rule": "false"}
    assert {run.info.status for run in (parent, *children.values())} == {"FINISHED"}
    assert children["lightgbm"].data.params == {"kind": "lightgbm", "trials": "20", "num_leaves": "4", "learning_rate": "0.05"}
    assert (children["lightgbm"].data.metrics["roc_auc"], children["lightgbm"].data.metrics["roc_auc_low"]) == (0.72, 0.7)


def test_a_test_period_is_a_step_at_its_cutoff(out: Path) -> None:
    _, children = runs(out)
    told = client(out).get_metric_history(children["lightgbm"].info.run_id, "period/roc_auc")
    assert [(one.step, one.value) for one in told] == [(1, 0.71), (2, 0.72), (3, 0.73)]
    assert datetime.fromtimestamp(told[1].timestamp / 1000, UTC) == datetime(2026, 2, 1, tzinfo=UTC)
    assert "period/brier" not in children["lightgbm"].data.metrics, "what is undefined is no number"


def test_the_data_set_the_version_and_the_commit_are_told(out: Path) -> None:
    parent, children = runs(out)
    (used,) = parent.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest, used.tags[0].value) == ("demo", ("ab" * 32)[:36], "training")
    assert json.loads(used.dataset.source) == {"uri": "train/tickets/features.parquet"}
    assert json.loads(used.dataset.profile) == {"num_snapshots": 120}
    for run in (parent, *children.values()):
        assert run.data.tags["version"] == __version__
        assert len(run.data.tags.get("mlflow.source.git.commit", "0" * 40)) == 40


def test_the_commit_is_that_of_our_own_repository_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("there is no git here")
    there = tmp_path / "site-packages" / "candidates.py"
    there.parent.mkdir()
    there.write_text("")
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "PATH": str(Path(git).parent), "HOME": str(tmp_path)}

    def asked(*words: str) -> str:
        base = [git, "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.com"]
        return subprocess.run([*base, *words], env=alone, check=True, capture_output=True, text=True).stdout.strip()

    asked("init", "-q")
    asked("commit", "-q", "--allow-empty", "-m", "theirs")
    monkeypatch.setattr(candidates, "__file__", str(there))
    assert candidates.code_tags() == {"version": __version__}, "an installed package in somebody's repository"
    asked("add", ".")
    asked("commit", "-q", "-m", "ours")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert candidates.code_tags() == {
        "version": __version__,
        "mlflow.source.git.commit": asked("rev-parse", "HEAD"),
        "git_changed": "false",
    }
    there.write_text("# changed")
    assert candidates.code_tags()["git_changed"] == "true"


def test_a_folder_that_moved_gives_its_artifacts(tmp_path: Path) -> None:
    before = tmp_path / "old place" / "out"
    before.mkdir(parents=True)
    log(before, model(-1.0), report=TOLD)
    now = tmp_path / "neue Ablage" / "ergebnis"
    now.parent.mkdir()
    shutil.move(before, now)
    with tracking.open_store(now) as (mlflow, opened):
        parent, children = runs(now)
        told = Path(mlflow.artifacts.download_artifacts(run_id=parent.info.run_id, artifact_path="report/report.html"))
        assert told.read_text() == "<p>report"
        frame = features()
        loaded = mlflow.pyfunc.load_model("models:/tickets@champion")
        assert loaded.predict(frame)["score"].tolist() == bundle.chance(model(-1.0), frame).tolist()
        assert opened.get_experiment("1").artifact_location == (now / "mlruns" / "tickets").as_uri()
    assert not [text for text in stored_texts(now / "mlflow.db") if "old place" in text or "old%20place" in text]
    assert log(now, model(-1.0), report=TOLD) == "1", "the same training is still the same"
    assert len(children) == 2


def stored_texts(store: Path) -> list[str]:
    """Return the places that the store keeps."""
    with closing(sqlite3.connect(store)) as opened:
        asked = [f"select {column} from {table} where {column} is not null" for table, column in place._PATHS]
        return [str(value) for query in asked for (value,) in opened.execute(query)]


def test_artifacts_kept_elsewhere_on_purpose_stay_there(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as store:
        place.set_places(store, tmp_path)
        store.execute("create table experiments (name text, artifact_location text)")
        store.execute("create table runs (artifact_uri text)")
        elsewhere, ours, other = (
            "s3://bucket/mlruns/churn",
            "file:///was/out/mlruns/churn lists".replace(" ", "%20"),
            "file:///was/out/mlruns/tickets",
        )
        store.executemany("insert into experiments values (?, ?)", [("churn", elsewhere), ("churn lists", ours), ("tickets", other)])
        store.executemany(
            "insert into runs values (?)", [(f"{elsewhere}/1/artifacts",), (f"{ours}/2/artifacts",), (f"{other}/3/artifacts",)]
        )
        (tmp_path / "mlruns" / "churn lists").mkdir(parents=True)
        place.set_places(store, tmp_path)
        now = (tmp_path / "mlruns" / "churn lists").as_uri()
        assert [one for (one,) in store.execute("select artifact_location from experiments")] == [elsewhere, now, other]
        found = [one for (one,) in store.execute("select artifact_uri from runs")]
        assert found == [f"{elsewhere}/1/artifacts", f"{now}/2/artifacts", f"{other}/3/artifacts"]
