"""Too few groups, or one that holds most customers: no interval, no promotion, and a sentence that says why."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prevenance.judge import evaluation, gaps, reliability, saved, slices
from prevenance.models.bands import interval_band
from prevenance.models.units import MIN_UNITS, MIN_WITH_OUTCOME, effective_number, effective_units, unit_evidence

CUSTOMERS, PERIODS = 200, 4


def predictions(group: np.ndarray | None) -> pd.DataFrame:
    """Return a model that is far better than the rule over four periods; ``group`` (200,) says who belongs together."""
    rng, ids = np.random.default_rng(3), np.arange(CUSTOMERS)
    label = (ids % 4 == 0).astype(float)
    parts = []
    for period in range(PERIODS):
        for model, strength in (("logistic", 3.0), ("rule", 0.5)):
            raw = strength * label + rng.normal(size=CUSTOMERS)
            frame = pd.DataFrame(
                {"fold": period + 1, "cutoff": pd.Timestamp(2025, 1 + period, 1), "customer_id": [f"c{n:03}" for n in ids]}
            )
            frame = frame.assign(
                label=label, outcome_at=frame["cutoff"] + pd.Timedelta(days=9), model=model, raw=raw, score=0.1 + 0.6 * label
            )
            parts.append(frame if group is None else frame.assign(group=[f"g{n:03}" for n in group]))
    return pd.concat(parts, ignore_index=True)


IDS = np.arange(CUSTOMERS)
FEW = {
    "one": IDS * 0,
    "two": IDS % 2,
    "nineteen": IDS % 19,
    "one that holds 95 %": np.where(IDS < 190, 0, IDS),
    "one that holds 95 % of the outcomes": np.where((IDS % 4 == 0) & (IDS < 190), 0, IDS),
    "nine with the outcome": np.where(IDS % 4 == 0, IDS % 9, 100 + IDS // 4),
}


@pytest.mark.parametrize("group", FEW.values(), ids=list(FEW))
def test_too_few_groups_have_no_interval_and_nothing_is_promoted(group: np.ndarray) -> None:
    rows = predictions(group)
    verdict = evaluation.gate_verdict(rows, "logistic", ["rule"], capacity=20, seed=1, replicates=50)
    assert not verdict.promoted
    assert verdict.gates["beats_rivals"] == verdict.gates["signal"] == "fail"
    assert "90 % interval" not in verdict.why
    assert f"of {CUSTOMERS} customers" in verdict.why
    assert f"{MIN_UNITS} are needed, {MIN_WITH_OUTCOME} of them with the outcome; look at parent_id in customers.sql" in verdict.why
    measured = evaluation.evaluate(rows, capacity=20, replicates=50, seed=1)
    assert {(one["low"], one["high"]) for model in measured.values() for one in model.values()} == {(None, None)}
    told = reliability.reliability(rows, "logistic")
    assert {one["low"] for one in told["bins"]} == {None}  # type: ignore[attr-defined]
    assert told["error_by_luck"] == {"value": None, "high": None}
    assert {(one["low"], one["high"]) for one in gaps.power_by_gap(rows[rows["model"] == "rule"], ["raw"])[0].aucs} == {(None, None)}
    cut = rows[rows["model"] == "rule"].assign(segment=lambda frame: np.where(IDS[frame.index % CUSTOMERS] % 8 < 4, "a", "b"))
    sliced = slices.slice_report(rows, cut[["cutoff", "customer_id", "segment"]], ["segment"], "logistic", capacity=20, replicates=50)
    assert {(one["attention"]["low"], one["auc_gap"]["low"], one["starved"], one["worse"]) for one in sliced} == {(None, None, False, "")}  # type: ignore[index]
    scored = rows.replace({"model": {"rule": "health_score"}})
    compared = saved.compare_with_health_score(scored, "logistic", capacity=20, share=0.3, replicates=50, seed=1)
    assert compared is not None
    assert (compared["low"], compared["high"]) == (None, None)
    assert "are needed" in str(compared["text"])


@pytest.mark.parametrize("group", [None, IDS, IDS % 40], ids=["no parents", "a parent each", "forty parents"])
def test_enough_groups_promote_as_before(group: np.ndarray | None) -> None:
    rows = predictions(group)
    verdict = evaluation.gate_verdict(rows, "logistic", ["rule"], capacity=20, seed=1, replicates=50)
    assert verdict.promoted, verdict.why


def test_without_parents_the_sentence_speaks_of_customers() -> None:
    rows = predictions(None)
    few = rows[rows["customer_id"] < "c036"]
    verdict = evaluation.gate_verdict(few, "logistic", ["rule"], capacity=5, seed=1, replicates=50)
    assert "(36 customers in the test periods, 9 with the outcome: 20 are needed, 10 of them with the outcome)" in verdict.why


def test_unequal_groups_weigh_as_few_equal_ones() -> None:
    assert effective_number(np.array([5, 5, 5, 5])) == 4
    assert effective_number(np.array([], dtype=int)) == 0
    assert round(effective_number(np.array([95, 1, 1, 1, 1, 1])), 2) == 1.11
    rows = predictions(FEW["one that holds 95 %"])
    found = unit_evidence(rows)
    assert (found.customers, found.units, round(found.effective, 1)) == (200, 11, 1.1)
    assert effective_units(predictions(None)) == CUSTOMERS


def test_the_band_of_a_chance_is_as_wide_as_its_groups_are_few() -> None:
    scores = np.linspace(0, 1, 400)
    labels = (np.random.default_rng(0).random(400) < scores).astype(float)
    customers = np.arange(400)

    def width(units: np.ndarray) -> float:
        band = np.array(interval_band(scores, labels, units, np.zeros(400)))
        return float((band[1:-1, 2] - band[1:-1, 1]).mean())

    assert width(customers) < 0.2
    assert width(np.where(customers % 20 > 0, 0, customers)) > 0.8
