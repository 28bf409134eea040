from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prevenance.base.errors import PrevenanceError
from prevenance.models import bundle, shelf
from prevenance.models.bundle import Fitted
from prevenance.models.encode import Encoder
from prevenance.track import tracking

# MLflow itself uses what SQLAlchemy has deprecated.
pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

COLUMNS = ["logins_28d", "plan"]


def model(intercept: float = -1.0, columns: tuple[str, ...] = tuple(COLUMNS)) -> Fitted:
    vocabulary = {"plan": ("basic", "pro")} if "plan" in columns else {}
    return Fitted("rule", Encoder(columns, vocabulary), {}, (1.0, intercept), band=((0.0, 0.0, 0.1), (1.0, 0.9, 1.0)))


def features(rows: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(rows)],
            "cutoff": pd.Series(pd.Timestamp("2026-10-01"), index=range(rows), dtype="datetime64[us]"),
            "logins_28d": [np.nan, *range(1, rows)],
            "plan": pd.Series(["basic", None, "new"] * (rows // 3), dtype="str"),
        }
    )


REPORT = {
    "source": "demo",
    "models": {"rule": {"brier": {"value": 0.1, "low": None, "high": 0.2}, "roc_auc": {"value": float("nan")}}},
}


def log(out: Path, fitted: Fitted, **changed) -> str:
    folder = out.parent / f"saved-{abs(fitted.calibrator[1])}"
    digest = bundle.save(fitted, folder)
    picture = out.parent / "report.html"
    picture.write_text("<p>report")
    usual = {
        "settings": {"seed": 7, "target.horizon_days": 90, "source.password": "hunter2"},
        "digests": {"model": digest, "data": "ab" * 32},
        "report": REPORT,
        "bundle_folder": folder,
        "fitted_kind": "rule",
        "example": features()[list(fitted.encoder.features)],
        "files": [picture],
        "promoted": True,
        "run_name": "tickets",
    }
    return tracking.log_run(out, **({"target": "tickets"} | usual | changed))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with two versions of tickets, the first of them champion."""
    folder = tmp_path_factory.mktemp("tracking") / "out"
    folder.mkdir()
    assert log(folder, model(-1.0)) == "1"
    assert log(folder, model(-2.0), promoted=False) == "2"
    return folder


def client(out: Path):
    return tracking._mlflow().MlflowClient(f"sqlite:///{out / 'mlflow.db'}")


def digest_of(out: Path, version: str) -> str:
    return str(client(out).get_model_version("tickets", version).tags["model_digest"])


def test_the_same_training_is_logged_once(out: Path) -> None:
    before = (len(client(out).search_model_versions("name = 'tickets'")), len(client(out).search_runs(["1"])))
    assert log(out, model(-1.0)) == "1"
    assert (len(client(out).search_model_versions("name = 'tickets'")), len(client(out).search_runs(["1"]))) == before == (2, 2)


def test_the_champion_moves_only_when_promoted(out: Path) -> None:
    assert tracking.tracked_champion(out, "tickets") == ("1", digest_of(out, "1"))
    assert (out / "models" / "tickets" / "champion" / "model.json").is_file()
    assert bundle.load(out / "models" / "tickets" / digest_of(out, "2"), digest_of(out, "2")) == model(-2.0)
    assert tracking.tracked_champion(out, "churn") is None


def test_an_alias_moved_by_hand_is_obeyed(out: Path) -> None:
    client(out).set_registered_model_alias("tickets", "champion", "2")
    assert tracking.tracked_champion(out, "tickets") == ("2", digest_of(out, "2"))
    client(out).delete_registered_model_alias("tickets", "champion")
    assert tracking.tracked_champion(out, "tickets") is None
    client(out).set_registered_model_alias("tickets", "champion", "1")


def test_a_data_scientist_gets_the_scores_of_the_list(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = tracking._mlflow()
    monkeypatch.chdir(out.parent)
    mlflow.set_tracking_uri("sqlite:///out/mlflow.db")
    loaded = mlflow.pyfunc.load_model("models:/tickets@champion")
    frame = features().set_index(pd.Index(range(10, 16)))
    found = loaded.predict(frame)
    np.testing.assert_array_equal(found["score"], bundle.chance(model(-1.0), frame))
    assert found.index.tolist() == frame.index.tolist()
    assert (found["score_low"] <= found["score"]).all()


def test_a_damaged_artifact_is_refused_before_it_is_parsed(out: Path) -> None:
    mlflow = tracking._mlflow()
    mlflow.set_tracking_uri(f"sqlite:///{out / 'mlflow.db'}")
    place = Path(mlflow.artifacts.download_artifacts("models:/tickets/2"))
    file = place / "artifacts" / "bundle" / "model.json"
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"-2.0", b"-3.0"))
    with pytest.raises(PrevenanceError, match=r"E502.*digest differs"):
        mlflow.pyfunc.load_model("models:/tickets/2")
    file.write_bytes(whole)


def test_params_and_metrics_are_flat_and_hold_no_secret(out: Path) -> None:
    runs = client(out).search_runs(["1"])
    assert {tuple(sorted(run.data.params)) for run in runs} == {("digest", "seed", "target.horizon_days")}
    assert runs[0].data.metrics == {"rule/brier": 0.1, "rule/brier_high": 0.2}
    assert "mlflow.user" not in runs[0].data.tags
    found = [path for path in out.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert found == []


def test_nothing_is_pickled_and_no_customer_is_kept(out: Path) -> None:
    # loading a model makes Python compile its script beside it; that is bytecode, not a file of the model
    files = [path for path in (out / "mlruns").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {path.suffix for path in files} <= {".py", ".json", ".txt", ".yaml", ".html", ""}
    assert not [path for path in files if path.read_bytes().startswith(b"\x80")]
    assert not [path for path in files if b"c3" in path.read_bytes() and path.name.endswith("example.json")]


def test_the_users_tracking_uri_is_left_alone(out: Path) -> None:
    mlflow = tracking._mlflow()
    mlflow.set_tracking_uri("sqlite:///elsewhere.db")
    log(out, model(-1.0))
    assert mlflow.get_tracking_uri() == "sqlite:///elsewhere.db"


def test_a_store_that_cannot_be_read_does_not_stop_the_night(tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    digest = bundle.save(model(), saved)
    models = tmp_path / "out" / "models" / "tickets"
    shelf.keep_model(models, digest, saved)
    shelf.register_version(models, digest, "3", promoted=True)
    assert tracking.tracked_champion(tmp_path / "out", "tickets") == ("3", digest)
    (tmp_path / "out" / "mlflow.db").write_bytes(b"no database" * 1000)
    messages: list[str] = []
    assert tracking.tracked_champion(tmp_path / "out", "tickets", messages) == ("3", digest)
    assert "cannot be read (file is not a database)" in messages[0]
    with pytest.raises(PrevenanceError, match=r"E801 path=.*mlflow.db.*not a database.*move the file away"):
        log(tmp_path / "out", model())


def test_a_damaged_kept_model_is_replaced(tmp_path: Path) -> None:
    digest = bundle.save(model(), tmp_path / "saved")
    kept = shelf.keep_model(tmp_path / "models", digest, tmp_path / "saved")
    (kept / "model.json").write_bytes(b"{}")
    shelf.keep_model(tmp_path / "models", digest, tmp_path / "saved")
    assert bundle.load(kept, digest) == model()


def test_a_model_without_inputs_is_logged_too(out: Path) -> None:
    assert log(out, model(-0.5, ()), target="churn") == "1"


def test_a_normal_run_says_nothing(out: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\nfrom test_tracking import log, model\n"
        "log(Path(sys.argv[1]), model(-1.5), promoted=False)\n"
    )
    root = Path(__file__).parent
    command = [sys.executable, "-c", code, str(out), str(root), str(root.parent / "src")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
