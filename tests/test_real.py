"""Real exports, where ``PREVENANCE_DATA`` names the folder that holds them; skipped elsewhere, saying so."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from amount import some

from pipelines import score, train
from pipelines.start.run import _guarded

pytestmark = pytest.mark.long

DATA = os.environ.get("PREVENANCE_DATA", "")
SETS = {"helpdesk": "tickets", "complete_journey": "churn", "ravenstack": "churn"}


@pytest.mark.parametrize("source", some(sorted(SETS), 1))
def test_a_real_export_gets_a_report_and_a_list(tmp_path: Path, source: str) -> None:
    folder = Path(DATA) / source
    if not DATA or not folder.is_dir():
        pytest.skip("set PREVENANCE_DATA to the folder that holds the real exports (README, 'Real data')")
    target, out = SETS[source], tmp_path / "out"
    arguments = [f"source={source}", f"target={target}", f"data={folder}", f"out={out}", "model.trials=2", "validation.replicates=50"]
    assert _guarded("train", train.body, arguments) == 0
    report = json.loads((out / "train" / target / "report.json").read_text())
    assert _guarded("score", score.body, [f"out={out}", f"target={target}"]) == 0
    manifest = json.loads((out / "lists" / target / "latest" / "manifest.json").read_text())
    for table in manifest["tables"].values():
        assert table["read"] == table["used"] + sum(table["excluded"].values()) + sum(table["quarantined"].values())
    counts = manifest["counts"]
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    auc = {name: one["roc_auc"] for name, one in report["models"].items()}
    if source == "ravenstack":
        assert report["chosen"]["model"] == "rule"
        assert "the rule stays" in report["chosen"]["why"]
        assert manifest["tables"]["usage"]["quarantined"] == {"conflicting_key": 44}
        assert manifest["tables"]["usage"]["warnings"]["before_subscription"] > 10_000
    elif source == "helpdesk":
        assert 0.70 < auc["logistic"]["value"] < 0.85
        assert any("Variant twice" in message for message in manifest["messages"])
    else:
        assert 0.80 < auc["logistic"]["value"] < 0.90
        assert report["chosen"]["model"] in ("logistic", "lightgbm")
