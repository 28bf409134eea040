"""Slices: a segment that is recorded more poorly is flagged, an equal world is not, and few outcomes are not judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from amount import amount
from sklearn.metrics import roc_auc_score

from prevenance.judge import clustered
from prevenance.judge.slices import CHANCE, _chances, size_and_tenure, slice_report

SEGMENTS = np.array(["small", "mid", "large"])


def world(seed: int, blind: str = "", *, customers: int = 450, tests: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return predictions and traits; in the ``blind`` segment the model sees nothing of who leaves."""
    dice = np.random.default_rng(seed)
    segment = SEGMENTS[np.arange(customers) % 3]
    names = [f"c{number:04d}" for number in range(customers)]
    taste, found = dice.normal(size=customers), []
    for test in range(tests):
        label = (dice.random(customers) < 0.12).astype(float)
        sees = np.where(segment == blind, 0.0, 2.0)
        for model, strength in (("m", sees), ("rule", 0.3)):
            raw = strength * label + 0.5 * taste + dice.normal(size=customers)
            cutoff = pd.Timestamp("2026-01-01") + pd.Timedelta(days=90 * test)
            found.append(pd.DataFrame({"cutoff": cutoff, "customer_id": names, "label": label, "model": model, "raw": raw, "score": 0.1}))
    predictions = pd.concat(found, ignore_index=True)
    traits = predictions.loc[predictions["model"] == "m", ["cutoff", "customer_id"]].reset_index(drop=True)
    return predictions, traits.assign(segment=np.tile(segment, tests), region=np.tile(np.arange(customers) % 5, tests).astype(str))


def flagged(seed: int, blind: str = "") -> set[str]:
    predictions, traits = world(seed, blind)
    found = slice_report(predictions, traits, ["segment", "region"], "m", capacity=40, seed=1)
    return {str(one["value"]) for one in found if one["starved"] or one["worse"]}


def test_a_segment_that_is_recorded_poorly_is_flagged() -> None:
    assert sum("small" in flagged(seed, "small") for seed in range(amount(2, 20))) >= amount(2, 18)


def test_an_equal_world_is_left_alone() -> None:
    assert sum(bool(flagged(seed)) for seed in range(amount(2, 20))) <= amount(0, 1)


def test_the_chance_of_a_false_word_is_shared_and_half_of_it_is_the_segments() -> None:
    found = [{"column": column, "enough": True} for column in ("segment", "segment", *["country"] * 9)]
    found.append({"column": "country", "enough": False})
    chances = _chances(found)
    assert sum(2 * chances[one["column"]] for one in found if one["enough"]) == pytest.approx(CHANCE)
    assert chances["segment"] == pytest.approx(CHANCE / 8)
    assert _chances(found[2:])["country"] == pytest.approx(CHANCE / 18)


def test_a_column_that_tells_who_leaves_makes_no_slice_look_worse() -> None:
    dice, flagged_worse = np.random.default_rng(7), 0
    for seed in range(amount(2, 5)):
        predictions, traits = world(seed, customers=900)
        large = predictions["customer_id"].map(dict(zip(traits["customer_id"], traits["segment"], strict=True))) == "large"
        mine = predictions["model"] == "m"
        more = large & (dice.random(len(large)) < 0.5)
        label = (
            predictions["label"].mask(more, 1.0).where(mine).groupby([predictions["cutoff"], predictions["customer_id"]]).transform("max")
        )
        raw = 0.8 * label + 4.0 * large + dice.normal(size=len(label))
        found = slice_report(predictions.assign(label=label, raw=raw), traits, ["segment"], "m", capacity=40)
        flagged_worse += any("AUC" in str(one["worse"]) for one in found)
    assert flagged_worse <= 1


def test_a_slice_without_attention_is_starved() -> None:
    predictions, traits = world(1)
    small = predictions["customer_id"].map(dict(zip(traits["customer_id"], traits["segment"], strict=True))) == "small"
    pushed = predictions.assign(raw=predictions["raw"] - 3.0 * small)
    found = {str(one["value"]): one for one in slice_report(pushed, traits, ["segment"], "m", capacity=40)}
    assert found["small"]["starved"]
    assert found["small"]["attention"]["high"] < 0.8  # type: ignore[index]
    assert not found["large"]["starved"]
    assert found["small"]["contact_share"] < 0.5 * found["small"]["outcome_share"]  # type: ignore[operator]


def test_a_column_may_warn_without_blocking() -> None:
    predictions, traits = world(1)
    upside = predictions.assign(raw=predictions["raw"].where(predictions["model"] == "rule", -predictions["raw"]))
    assert all(one["collapse"] for one in slice_report(upside, traits, ["segment"], "m", capacity=40))
    assert not any(one["collapse"] for one in slice_report(upside, traits, ["segment"], "m", capacity=40, unblocking=["segment"]))


def test_few_outcomes_are_not_judged() -> None:
    predictions, traits = world(2, "small", customers=60, tests=2)
    found = slice_report(predictions, traits, ["segment"], "m", capacity=5)
    assert {(one["enough"], one["says"], one["starved"], one["worse"]) for one in found} == {(False, "not enough data", False, "")}


def test_every_outcome_and_contact_is_in_one_slice() -> None:
    predictions, traits = world(3)
    found = slice_report(predictions, traits, ["segment"], "m", capacity=40)
    mine = predictions[predictions["model"] == "m"]
    assert sum(one["positives"] for one in found) == mine["label"].sum()  # type: ignore[misc]
    caught = sum(one["recall"] * one["positives"] for one in found)  # type: ignore[operator]
    assert caught + sum(one["false_alarms"] for one in found) == pytest.approx(160)  # type: ignore[misc]


def test_nobody_listed_is_not_starved_where_few_would_be_expected() -> None:
    predictions, traits = world(4)
    none = predictions.assign(raw=np.where(predictions["customer_id"] < "c0150", -9.0, predictions["raw"]))
    found = slice_report(none, traits.assign(half=(traits["customer_id"] < "c0150").astype(str)), ["half"], "m", capacity=1)
    assert found[1]["contact_share"] == 0.0
    assert not found[1]["starved"]


def test_size_is_cut_on_what_was_learned_from() -> None:
    frame = pd.DataFrame(
        {"customer_id": list("abcdef"), "cutoff": 0, "seats": [1.0, 2, 3, 4, 500, np.nan], "tenure_days": [1, 400, 800, 9, 9, 9]}
    )
    found = size_and_tenure(frame, pd.Series([True, True, True, True, False, False]))
    assert found["size"].tolist()[:5] == ["seats up to 2", "seats up to 2", "seats 2 to 3", "seats above 3", "seats above 3"]
    assert found["size"].isna().tolist() == [False] * 5 + [True]
    assert found["tenure"].tolist()[:3] == ["under 1 year", "1 to 2 years", "2 years and more"]
    assert "size" not in size_and_tenure(frame[["customer_id", "cutoff"]], pd.Series(True, frame.index))


def test_the_clustered_auc_is_the_auc_and_its_error_counts_customers() -> None:
    dice = np.random.default_rng(0)
    label, raw = (dice.random(400) < 0.3).astype(float), dice.normal(size=400)
    once = clustered.clustered_auc(label, raw + label, np.zeros(400, dtype=int), np.arange(400), 400)
    assert once.value == pytest.approx(roc_auc_score(label, raw + label))
    twice = clustered.clustered_auc(*(np.tile(each, 2) for each in (label, raw + label, np.zeros(400, dtype=int), np.arange(400))), 400)
    assert twice.error == pytest.approx(once.error)
    assert clustered.clustered_auc(label * 0, raw, np.zeros(400, dtype=int), np.arange(400), 400).below(0.5) == 1.0


def test_the_clustered_interval_holds_the_truth_as_often_as_it_says() -> None:
    held, truth = 0, 0.7602  # two normal laws one standard deviation apart
    for seed in range(200):
        dice = np.random.default_rng(seed)
        label = np.repeat((dice.random(150) < 0.3).astype(float), 2)
        raw = label + np.repeat(dice.normal(size=150), 2)
        low, high = clustered.clustered_auc(label, raw, np.tile([0, 1], 150), np.repeat(np.arange(150), 2), 150).interval()
        assert low is not None
        assert high is not None
        held += low <= truth <= high
    assert 0.85 <= held / 200 <= 0.95
