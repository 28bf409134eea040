"""The score a team already works with: computed as written, back-tested as a rival, and kept at work unless a model beats it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest
from amount import amount, some
from hypothesis import given as drawn
from hypothesis import strategies as st

from pipelines import replay, score, train
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.judge.saved import compare_with_health_score
from prevenance.models import health_score, module
from prevenance.runs.health import health_score_of
from prevenance.runs.settings.schema import Settings

pytestmark = pytest.mark.long

SMALL = [f"demo.customers={amount(70, 150)}", "demo.months=16", "capacity=10", "target=churn", *once.CHEAP, "demo.events=5000"]
SMALL += ["features.sets=[usage,tickets,invoices,feedback]", "features.lookbacks=[28]"]
INPUTS = [
    {"feature": "logins_28d_trend", "weight": 30, "bands": [{"up_to": -0.33, "points": 0}, {"up_to": 0, "points": 50}, {"points": 100}]},
    {"feature": "tickets_28d", "weight": 10, "bands": [{"up_to": 1, "points": 100}, {"from": 3, "points": 0}]},
]
COLUMNS = ["logins_28d_trend", "tickets_28d", "seats"]


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"train": train.body, "score": score.body, "replay": replay.body}[name], list(arguments))


def asked(inputs: list[object], kind: str = "auto") -> Settings:
    settings = Settings()
    settings.health_score.inputs, settings.model.kind = inputs, kind
    return settings


def parameters() -> tuple[dict[str, object], object]:
    params = health_score_of(asked(INPUTS), COLUMNS)
    encoder = health_score.score_encoder(params, COLUMNS)
    return health_score.parameters(health_score.estimator(encoder, seed=1, **params)), encoder


def test_the_score_is_the_weighted_mean_of_the_points_that_are_known():
    held, encoder = parameters()
    frame = pd.DataFrame(
        {"logins_28d_trend": [-0.5, -0.33, 0.2, np.nan, np.nan, -0.5], "tickets_28d": [0, 1, 3, 5, np.nan, 2.0], "seats": 1.0}
    )
    found = health_score.scores(encoder.matrix(frame), held["inputs"])
    assert np.allclose(found, [25.0, 25.0, 75.0, 0.0, np.nan, 0.0], equal_nan=True), "2 tickets lie between the bands: left out"
    assert health_score.log_odds(held, encoder.matrix(frame)).tolist() == pytest.approx([2.5, 2.5, -2.5, 5.0, 0.0, 5.0])


@drawn(st.lists(st.tuples(st.one_of(st.none(), st.floats(-1, 1)), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=30))
def test_contributions_add_up_and_a_row_does_not_depend_on_its_neighbours(rows):
    held, encoder = parameters()
    matrix = encoder.matrix(pd.DataFrame(rows, columns=["logins_28d_trend", "tickets_28d"]).astype(float))
    base, parts = module("health_score").contributions(held, matrix)
    whole = health_score.log_odds(held, matrix)
    assert np.allclose(base + parts.sum(axis=1), whole)
    assert np.array_equal(whole, np.concatenate([health_score.log_odds(held, row[None]) for row in matrix]))
    assert (np.abs(whole) <= 5.0).all()


WRONG = [
    ({"feature": "logins_28d_trnd"}, "E210", 'did you mean "logins_28d_trend"'),
    ({"feature": "segment"}, "E210", "is text"),
    ({"weight": 0}, "E202", "the weight of tickets_28d is 0"),
    ({"weight": -5}, "E202", "above 0"),
    ({"wieght": 5}, "E201", 'did you mean "weight"'),
    ({"bands": []}, "E202", "has no bands"),
    ({"bands": [{"up_to": 3, "points": 100}, {"from": 2, "points": 0}]}, "E202", "overlap at band 2"),
    ({"bands": [{"points": 100}, {"up_to": 3, "points": 0}]}, "E202", "overlap at band 2"),
    ({"bands": [{"from": 5, "up_to": 3, "points": 100}]}, "E202", "overlap at band 1"),
    ({"bands": [{"up_to": 3, "points": 120}]}, "E202", "0 to 100"),
    ({"bands": [{"upto": 3, "points": 10}]}, "E201", 'did you mean "up_to"'),
    ({"bands": [{"up_to": "three", "points": 10}]}, "E202", "no number"),
]


@pytest.mark.parametrize(("change", "code", "words"), WRONG, ids=lambda value: str(value)[:50])
def test_every_slip_is_named(change: dict[str, object], code: str, words: str) -> None:
    with pytest.raises(PrevenanceError, match="health_score.inputs") as refused:
        health_score_of(asked([INPUTS[1] | change]), COLUMNS)
    assert refused.value.code == code
    assert words in refused.value.line()


def test_inputs_that_a_source_does_not_give_are_left_out():
    assert health_score_of(asked(INPUTS), ["seats"]) == {}
    assert health_score_of(asked([]), COLUMNS) == {}
    only = health_score.score_encoder(health_score_of(asked(INPUTS), ["tickets_28d"]), ["tickets_28d"])
    assert only.features == ("tickets_28d",)
    with pytest.raises(PrevenanceError, match="E203.*add health_score=example"):
        health_score_of(asked([], "health_score"), COLUMNS)


def test_the_example_is_right_about_every_feature():
    given = settings_of("train", ["health_score=example"])
    names = {one["feature"] for one in given.health_score.inputs}
    assert {one["feature"] for one in health_score_of(given, sorted(names))["inputs"]} == names


def predictions(model: list[float], own: list[float], label: list[float]) -> pd.DataFrame:
    names = [f"c{number:03d}" for number in range(len(label))]
    frame = pd.DataFrame({"fold": 1, "cutoff": pd.Timestamp("2026-01-01"), "customer_id": names, "label": label, "outcome_at": pd.NaT})
    parts = [frame.assign(model=name, raw=raw, score=0.1) for name, raw in (("lightgbm", model), ("health_score", own))]
    return pd.concat(parts, ignore_index=True)


def test_the_difference_is_counted_in_customers_saved():
    label = np.tile([1.0, 0.0, 0.0, 0.0], 50)
    found = compare_with_health_score(
        predictions(label + np.arange(200) / 1000, -label, label), "lightgbm", capacity=20, share=0.15, replicates=200, seed=1
    )
    assert (found["hits_model"], found["hits_score"], found["difference"], found["saved_assumed"]) == (20.0, 0.0, 20.0, 3.0)
    assert 0 < found["low"] <= 20 <= found["high"]
    assert "+3.0 customers saved (90 % interval" in found["text"]
    assert found["text"].endswith("the model finds more")
    same = compare_with_health_score(predictions(label, label, label), "lightgbm", capacity=20, share=0.15, replicates=200, seed=1)
    assert (same["difference"], same["low"], same["high"]) == (0.0, 0.0, 0.0)
    assert same["text"].endswith("the difference is not certain")
    assert compare_with_health_score(predictions(label, label, label), "neural", capacity=20, share=0.15, replicates=10, seed=1) is None


@pytest.mark.parametrize("model", some(["health_score", "logistic"], 0))
def test_the_score_goes_to_work_unless_a_model_beats_it(tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("train", *SMALL, f"out={out}", "health_score=example", f"model={model}") == 0
    report = json.loads((out / "train" / "churn" / "report.json").read_text())
    assert "health_score" in report["models"]
    promoted = report["chosen"]["promoted"]
    assert report["chosen"]["model"] == (model if promoted else "health_score")
    assert promoted or report["chosen"]["why"].endswith("Your health score goes to work.")
    counted = {"hits_model", "hits_score", "difference", "low", "high", "saved_assumed", "share", "text"}
    assert set(report["health_score"]) == counted | {"converted", "changes"}
    assert "refitted_score" in report["models"]
    assert run("score", f"out={out}") == 0
    manifest = json.loads((out / "lists" / "churn" / "latest" / "manifest.json").read_text())
    assert manifest["model"]["kind"] == report["chosen"]["model"]
    assert run("replay", f"out={out}", "as_of=2026-04-01") == 0
    assert "your health score" in capsys.readouterr().out.lower()


def test_who_asks_for_the_rule_gets_it_beside_the_score(tmp_path: Path) -> None:
    assert run("train", *SMALL, f"out={tmp_path / 'out'}", "health_score=example", "model=rule") == 0
    report = json.loads((tmp_path / "out" / "train" / "churn" / "report.json").read_text())
    assert "health_score" in report["models"]
    assert report["chosen"]["model"] == "rule"
    assert "goes to work" not in report["chosen"]["why"]


def test_without_a_score_nothing_is_said_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", *SMALL, f"out={tmp_path / 'out'}", "model=health_score") == 2
    assert "add health_score=example" in capsys.readouterr().err
    report = json.loads((once.lived(once.RULED) / "train" / "churn" / "report.json").read_text())
    assert report["chosen"]["model"] == "rule"
    assert "health_score" not in report
    assert "health_score" not in report["models"]
