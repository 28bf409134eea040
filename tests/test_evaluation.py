"""Evaluation: pooled metrics and their intervals, and a gate that noise does not pass."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from prevenance.judge import metrics
from prevenance.judge.bootstrap import bootstrap_interval, bootstrap_weights, closed_rows, customer_index, pooled_metrics
from prevenance.judge.evaluation import Finding, evaluate, gate_verdict, period_hits
from prevenance.judge.lead import lead_time, lead_weeks
from prevenance.judge.slices import slice_report

RIVALS = ("base_rate", "rule", "customer_rules", "champion")


def world(seed: int, *, model: float, rule: float, customers: int = 300, tests: int = 4, rate: float = 0.1) -> pd.DataFrame:
    """Return predictions of a model and a rule whose scores are ``strength * label + noise``, with a base rate."""
    generator = np.random.default_rng(seed)
    names = [f"c{number:04d}" for number in range(customers)]
    taste = generator.normal(size=customers)
    found = []
    for test in range(tests):
        cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=90 * test)
        label = (generator.random(customers) < rate).astype(float)
        left = cutoff + pd.to_timedelta(generator.integers(1, 90, customers), unit="D")
        outcome = np.where(label > 0, left.to_numpy(), np.datetime64("NaT"))
        for name, strength in (("model", model), ("rule", rule), ("base_rate", None)):
            raw = np.zeros(customers) if strength is None else strength * label + 0.5 * taste + generator.normal(size=customers)
            score = np.full(customers, rate) if strength is None else 1 / (1 + np.exp(2.5 - raw))
            keys = {"fold": test + 1, "cutoff": cutoff, "customer_id": names, "label": label, "outcome_at": outcome}
            found.append(pd.DataFrame({**keys, "model": name, "score": score, "raw": raw}))
    return pd.concat(found, ignore_index=True)


@pytest.fixture(scope="module")
def good() -> pd.DataFrame:
    return world(1, model=2.0, rule=0.7)


@pytest.fixture(scope="module")
def hand() -> pd.DataFrame:
    """Two periods, four customers, one model; ranks are a > b > c > d."""
    cutoffs = [pd.Timestamp("2024-01-01")] * 4 + [pd.Timestamp("2024-04-01")] * 4
    outcomes = [pd.Timestamp("2024-01-11"), pd.NaT, pd.NaT, pd.Timestamp("2024-02-01"), pd.NaT, pd.Timestamp("2024-04-02"), pd.NaT, pd.NaT]
    frame = pd.DataFrame({"cutoff": cutoffs, "customer_id": list("abcd") * 2, "outcome_at": outcomes, "raw": [4.0, 3.0, 2.0, 1.0] * 2})
    return frame.assign(label=frame["outcome_at"].notna().astype(float), score=0.25, fold=1, model="m")


# -- points and intervals


def test_weighted_metrics_equal_sklearn_for_every_draw():
    generator = np.random.default_rng(0)
    rows = pd.DataFrame({"cutoff": 0, "label": (generator.random(150) < 0.2).astype(float)})
    rows = rows.assign(raw=(rows["label"] + generator.normal(size=150)).round(1), score=0.2)
    weights = bootstrap_weights(150, 30, 7)
    found = pooled_metrics(rows, np.arange(150), weights, 20)
    for draw in range(31):
        weight = weights[:, draw]
        assert found["average_precision"][draw] == pytest.approx(average_precision_score(rows["label"], rows["raw"], sample_weight=weight))
        assert found["roc_auc"][draw] == pytest.approx(roc_auc_score(rows["label"], rows["raw"], sample_weight=weight))
        repeated = rows.loc[rows.index.repeat(weight)]
        for name in metrics.METRICS:
            column = "score" if name in metrics.OF_CHANCES else "raw"
            assert found[name][draw] == pytest.approx(metrics.METRICS[name](repeated["label"], repeated[column], 20)), name


def test_blocks_of_replicates_change_nothing(good, monkeypatch):
    whole = evaluate(good, capacity=30, replicates=50, seed=1)
    monkeypatch.setattr("prevenance.judge.bootstrap._CELLS", 5000)
    assert evaluate(good, capacity=30, replicates=50, seed=1) == whole


def test_periods_are_pooled_by_sums_and_by_outcomes(hand):
    one = evaluate(hand, capacity=2, replicates=20, seed=0)["m"]
    assert one["precision_at_capacity"]["value"] == pytest.approx(2 / 4)
    assert one["recall_at_capacity"]["value"] == pytest.approx(2 / 3)
    assert one["lift_at_capacity"]["value"] == pytest.approx(2 / (2 * 0.5 + 2 * 0.25))
    assert one["average_precision"]["value"] == pytest.approx((2 * 0.75 + 1 * 0.5) / 3)
    assert one["observed_over_expected"]["value"] == pytest.approx(3 / 2)


def test_every_metric_has_an_interval_around_its_value(good):
    report = evaluate(good, capacity=30, seed=4)
    assert list(report) == ["base_rate", "model", "rule"]
    for estimates in report.values():
        assert list(estimates) == list(metrics.METRICS)
        assert all(one["low"] <= one["value"] <= one["high"] for one in estimates.values())
    assert json.dumps(report, allow_nan=False)


def test_the_order_of_rows_plays_no_part_and_the_seed_does(good):
    shuffled = good.sample(frac=1.0, random_state=3)
    assert evaluate(shuffled, capacity=30, replicates=50, seed=4) == evaluate(good, capacity=30, replicates=50, seed=4)
    assert evaluate(good, capacity=30, replicates=50, seed=5) != evaluate(good, capacity=30, replicates=50, seed=4)


def test_intervals_are_by_customer_not_by_row(good):
    narrow = evaluate(good, capacity=30, seed=4)["model"]["brier"]
    again = pd.concat([good, good.assign(cutoff=good["cutoff"] + pd.Timedelta(days=3650))])
    doubled = evaluate(again, capacity=30, seed=4)["model"]["brier"]
    assert doubled["high"] - doubled["low"] == pytest.approx(narrow["high"] - narrow["low"])


@pytest.mark.long
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    estimates = [evaluate(world(seed, model=1.0, rule=0.0, tests=2), capacity=30, replicates=100, seed=0)["model"] for seed in range(60)]
    for metric in ("average_precision", "roc_auc", "precision_at_capacity"):
        truth = np.mean([one[metric]["value"] for one in estimates])
        held = np.mean([one[metric]["low"] <= truth <= one[metric]["high"] for one in estimates])
        assert 0.8 <= held <= 0.99, metric


def test_an_interval_is_freed_of_the_bias_of_drawing_twice():
    lifted = np.append(0.5, np.linspace(0.5, 0.7, 101))
    assert bootstrap_interval(lifted) == {"value": 0.5, "low": pytest.approx(0.41), "high": pytest.approx(0.59)}


def test_few_customers_get_no_interval(good):
    few = evaluate(good[good["customer_id"] < "c0019"], capacity=5, seed=1)["model"]
    assert {(one["low"], one["high"]) for one in few.values()} == {(None, None)}
    assert few["brier"]["value"] is not None
    assert evaluate(good[good["customer_id"] < "c0020"], capacity=5, seed=1)["model"]["brier"]["low"] is not None


def test_one_class_is_undefined_not_zero(good):
    never = evaluate(good.assign(label=0.0), capacity=30, replicates=20, seed=1)["model"]
    assert never["average_precision"] == {"value": None, "low": None, "high": None}
    assert never["precision_at_capacity"]["value"] == 0.0
    assert bootstrap_interval(np.array([0.5])) == {"value": 0.5, "low": None, "high": None}


def test_open_labels_are_left_out_and_null_scores_refused(good):
    newest = good["cutoff"].max()
    still_open = good.assign(label=good["label"].mask(good["cutoff"] == newest))
    assert len(period_hits(still_open, 30)) == 3
    with pytest.raises(ValueError, match="1 null labels, ranking values or scores"):
        evaluate(good.assign(raw=good["raw"].where(good.index > 0)), capacity=30, replicates=5, seed=1)


def test_no_predictions_give_empty_answers(good):
    nothing = good.head(0)
    assert evaluate(nothing, capacity=30, seed=1) == {}
    assert period_hits(nothing, 30).empty
    assert lead_time(nothing, "model", 30, 14) == {"median_days": None, "too_late": 0, "outcomes": 0}
    assert slice_report(nothing, nothing[["customer_id", "cutoff"]].assign(segment=""), ["segment"], "model") == []
    assert not gate_verdict(nothing, "model", RIVALS, capacity=30, seed=1).promoted


# -- periods, lead time, slices


def test_periods_show_hits_beside_chance(hand):
    table = period_hits(hand, 2)
    assert table.columns.tolist() == ["cutoff", "customers", "positives", "random", "m"]
    assert table["m"].tolist() == [1.0, 1.0]
    assert table["random"].tolist() == [1.0, 0.5]
    assert table["positives"].tolist() == [2, 1]


def test_lead_time_runs_from_the_first_list_to_the_outcome(hand):
    assert lead_time(hand, "m", 2, 7) == {"median_days": 5.5, "too_late": 1, "outcomes": 2}
    assert lead_time(hand, "m", 4, 7) == {"median_days": 10.0, "too_late": 1, "outcomes": 3}


def test_weeks_of_warning_add_up_to_the_outcomes(hand):
    weeks = lead_weeks(hand, "m", 4, 7)
    assert weeks[0] == {"week": 0, "outcomes": 1, "too_late": 1}
    assert weeks[1] == {"week": 1, "outcomes": 1, "too_late": 0}
    assert weeks[-1] == {"week": 4, "outcomes": 1, "too_late": 0}
    assert lead_weeks(hand.head(0), "m", 4, 7) == []


def test_an_outcome_on_two_lists_counts_once_from_the_first(hand):
    twice = hand.assign(outcome_at=pd.Timestamp("2024-04-11"), label=(hand["customer_id"] == "a").astype(float))
    assert lead_time(twice, "m", 1, 30) == {"median_days": 101.0, "too_late": 0, "outcomes": 1}


def test_a_slice_collapses_only_when_large_and_worse_than_the_rule(good):
    frame = good[good["model"] == "model"][["customer_id", "cutoff"]]
    frame = frame.assign(segment=np.where(frame["customer_id"] < "c0100", "small", None), region="one")
    fine = slice_report(good, frame, ["segment", "region", "absent"], "model", capacity=30)
    assert [(one["column"], one["value"], one["collapse"]) for one in fine] == [
        ("segment", "small", False),
        ("segment", "unknown", False),
        ("region", "one", False),
    ]
    assert fine[2]["outcome_share"] == fine[2]["contact_share"] == 1.0
    small = good["customer_id"] < "c0100"
    broken = good.assign(raw=good["raw"].where(~(small & (good["model"] == "model")), -good["raw"]))
    found = slice_report(broken, frame, ["segment"], "model")
    assert found[0]["positives"] >= 30
    assert found[0]["collapse"]
    one = broken.assign(label=np.where(broken["customer_id"] < "c0025", 1.0, broken["label"].where(~small, 0.0)))
    again = slice_report(one, frame, ["segment"], "model")
    assert again[0]["average_precision"] < again[0]["rule"]
    assert again[0]["positives"] >= 30
    assert not again[0]["collapse"], "the same few customers, period after period, are no large slice"
    assert not found[1]["collapse"]
    few = slice_report(broken[broken["cutoff"] == broken["cutoff"].min()], frame, ["segment"], "model")
    assert few[0]["positives"] < 30
    assert not few[0]["collapse"]


# -- the gate


def test_a_better_model_is_promoted_with_its_numbers(good):
    verdict = gate_verdict(good, "model", RIVALS, capacity=30, seed=1)
    assert verdict.promoted
    assert set(verdict.gates.values()) == {"pass"}
    assert verdict.why.startswith("promoted: average precision 0.")
    assert verdict.why.endswith("over 4 test periods.")
    assert "against the rule's" in verdict.why


@pytest.mark.long
def test_fault_53_shuffled_labels_are_not_promoted():
    promoted = 0
    for seed in range(40):
        shuffled = world(seed, model=2.0, rule=0.7, customers=200)
        order = np.random.default_rng(seed).permutation(200)
        labels = shuffled.groupby(["cutoff", "model"])["label"]
        shuffled["label"] = labels.transform(lambda label, order=order: label.to_numpy()[order])
        promoted += gate_verdict(shuffled, "model", RIVALS, capacity=20, seed=seed, replicates=200).promoted
    assert promoted <= 2


def test_a_model_no_better_than_the_rule_is_refused_in_words():
    verdict = gate_verdict(world(3, model=0.72, rule=0.7), "model", RIVALS, capacity=30, seed=1)
    assert not verdict.promoted
    assert verdict.gates["beats_rivals"] == "fail"
    assert "must be above 0" in verdict.why
    assert verdict.why.endswith("the rule stays.")


def test_the_best_rival_is_the_one_to_beat(good):
    champion = good[good["model"] == "model"].assign(model="champion")
    champion = champion.assign(raw=champion["raw"] + 0.01)
    verdict = gate_verdict(pd.concat([good, champion]), "model", RIVALS, capacity=30, seed=1)
    assert not verdict.promoted
    assert "against the champion's" in verdict.why
    assert verdict.why.endswith("the champion stays.")


def test_beating_a_rule_that_is_worse_than_a_coin_is_not_enough():
    predictions = world(6, model=0.0, rule=-2.0)
    predictions = predictions[predictions["model"] != "base_rate"]
    verdict = gate_verdict(predictions, "model", RIVALS, capacity=30, seed=1)
    assert verdict.gates["beats_rivals"] == "pass"
    assert not verdict.promoted
    assert verdict.gates["signal"] == "fail"


def test_three_periods_are_needed(good):
    newest = sorted(good["cutoff"].unique())[-2:]
    verdict = gate_verdict(good[good["cutoff"].isin(newest)], "model", RIVALS, capacity=30, seed=1)
    assert verdict.gates["periods"] == "fail"
    assert "2 test periods with both classes, 3 are needed" in verdict.why


def test_a_worse_brier_blocks(good):
    loud = good.assign(score=good["score"].mask(good["model"] == "model", 0.9))
    verdict = gate_verdict(loud, "model", RIVALS, capacity=30, seed=1)
    assert not verdict.promoted
    assert verdict.gates["brier"] == "fail"
    assert "Brier score 0.7247 is above the rule's" in verdict.why


def test_a_worse_precision_at_capacity_blocks(good):
    at_top = (good["model"] == "model") & (good["label"] == 0) & (good["customer_id"] < "c0004")
    missed = good.assign(raw=good["raw"].mask(at_top, 99.0))
    verdict = gate_verdict(missed, "model", RIVALS, capacity=2, seed=1)
    assert verdict.gates["precision_at_capacity"] == "fail"
    assert "precision at capacity 0.0000 is below the rule's" in verdict.why


def test_a_fraction_of_a_hit_at_capacity_is_no_difference(good):
    def barely(extra: float) -> dict[str, str]:
        """The model misses its sure hits, the rule ties two rows at the line: it leads by ``extra`` hits over all lists."""
        rows = good[good["model"].isin(["model", "rule"])].copy()
        rows = rows.sort_values(["model", "cutoff", "customer_id"], ignore_index=True)
        place = rows.groupby(["model", "cutoff"]).cumcount()
        first = rows["cutoff"] == rows["cutoff"].min()
        rows["label"] = (place < 5).astype(float)
        rule = rows["model"] == "rule"
        rows["raw"] = np.where(rule, np.where(place == 0, 50.0, -place), -1.0 * place)
        tied = rule & first & (place.isin([1, 9]) if extra == 0.5 else place == 1)
        rows.loc[tied, "raw"] = 60.0
        rows.loc[~rule & first & (place == 0), "raw"] = -0.5
        rows.loc[~rule & first & (place == 9), "raw"] = 70.0
        return gate_verdict(rows, "model", ["rule"], capacity=1, seed=1).gates

    assert barely(0.5)["precision_at_capacity"] == "pass"
    assert barely(1.0)["precision_at_capacity"] == "pass", "one hit is within luck"


@pytest.mark.parametrize(("severity", "result", "promoted"), [("fail", "fail", False), ("warn", "warn", True), ("pass", "pass", True)])
def test_a_failed_check_blocks_and_a_warning_does_not(good, severity, result, promoted):
    verdict = gate_verdict(good, "model", RIVALS, capacity=30, seed=1, findings=[Finding("PV001", "leaking features", "x", severity)])
    assert (verdict.gates["checks"], verdict.promoted) == (result, promoted)


def test_a_collapsed_slice_blocks(good):
    verdict = gate_verdict(good, "model", RIVALS, capacity=30, seed=1, sliced=[{"column": "segment", "value": "small", "collapse": True}])
    assert not verdict.promoted
    assert "ranked worse than the rule in segment small" in verdict.why


@pytest.mark.parametrize("sign", [{"starved": True}, {"worse": "AUC 0.55, 0.80 for everyone else"}])
def test_a_slice_that_is_served_worse_warns(good, sign):
    one = {"column": "segment", "value": "small", "collapse": False, "starved": False, "worse": "", **sign}
    verdict = gate_verdict(good, "model", RIVALS, capacity=30, seed=1, sliced=[one])
    assert (verdict.promoted, verdict.gates["slices"]) == (True, "warn")


def test_no_rival_no_promotion(good):
    verdict = gate_verdict(good[good["model"] == "model"], "model", RIVALS, capacity=30, seed=1)
    assert not verdict.promoted
    assert "no test period has both model and a rival; the rule stays" in verdict.why


def test_customers_are_indexed_by_name(good):
    rows, customers = closed_rows(good)
    assert (customers[customer_index(rows, customers)] == rows["customer_id"].to_numpy()).all()
