"""The eight types of leakage: each line is computed, and changes when the training is spoilt in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prevenance.judge import hindsight
from prevenance.judge import tested as records
from prevenance.judge.drift import Drift
from prevenance.judge.evaluation import Finding
from prevenance.judge.hindsight import TITLES
from prevenance.models import training
from prevenance.models.folds import Fold, make_folds

pytestmark = pytest.mark.long

CUTOFFS = [datetime(2025, 1, 1) + timedelta(days=28 * number) for number in range(14)]
FEATURES = ["logins", "seats", "plan", "month"]


@dataclass(frozen=True)
class Trained:
    """What a test spoils, one field at a time; ``frame`` may be out of order, as a frame of training may."""

    frame: pd.DataFrame
    tonight: pd.DataFrame
    parted: tuple[Fold, ...]
    backtest: training.Backtest
    columns: list[str]
    leaks: list[dict[str, Any]]
    findings: Sequence[Finding]
    model: str
    params: dict[str, Any]
    tested_as: str
    horizon_days: int
    settle_days: int
    seed: int
    cohort: pd.DataFrame


def leakage_types(told: Trained) -> list[dict[str, str]]:
    production = Fold((), (), CUTOFFS[-1])
    tested = records.Tested(
        told.cohort, training.usable_rows(told.frame), told.tonight, told.parted, production, told.columns, told.leaks, (told.model,),
        told.backtest, None, {}, told.frame.iloc[:0],
    )  # fmt: skip
    choice = records.Choice(
        told.model, told.params, told.tested_as, None, False, True, "", {}, [], tuple(told.findings), Drift(0, 0, 0, (), ())
    )  # fmt: skip
    return hindsight.leakage_types(tested, choice, horizon_days=told.horizon_days, settle_days=told.settle_days, seed=told.seed)


def world(customers: int = 300) -> pd.DataFrame:
    dice = np.random.default_rng(4)
    parts = []
    for number, cutoff in enumerate(CUTOFFS):
        rows = pd.DataFrame({"customer_id": [f"c{n:04d}" for n in range(customers)], "cutoff": pd.Timestamp(cutoff), "state": "at_risk"})
        rows["logins"], rows["seats"] = dice.normal(size=customers), dice.lognormal(size=customers)
        rows["plan"], rows["month"] = dice.choice(["starter", "business"], customers), float(number % 12)
        rows["label"] = (dice.random(customers) < 1 / (1 + np.exp(2.5 + 1.2 * rows["logins"]))).astype(float)
        rows["outcome_at"] = (rows["cutoff"] + pd.Timedelta(days=20)).where(rows["label"] > 0)
        # In the newest three cutoffs two customers in five are new.
        parts.append(rows.iloc[: customers * 3 // 5] if number < 11 else rows)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def honest() -> Trained:
    frame = world()
    parted = make_folds(CUTOFFS, horizon_days=30, settle_days=3, tests=3, calibrate=2)
    told = training.backtest(frame, parted, ["logistic"], FEATURES, seed=1)
    tonight = frame[frame["cutoff"] == pd.Timestamp(CUTOFFS[-1])].assign(label=np.nan)
    params = told.params["logistic"]
    return Trained(frame, tonight, parted, told, FEATURES, [], [], "logistic", params, "logistic", 30, 3, 1, frame[["cutoff", "state"]])


def line(trained: Trained, wanted: str) -> tuple[str, str]:
    one = next(one for one in leakage_types(trained) if one["type"] == wanted)
    return one["status"], one["answer"]


def test_an_honest_training_passes_all_eight(honest: Trained) -> None:
    told = leakage_types(honest)
    assert [one["type"] for one in told] == list(TITLES)
    assert {one["type"]: one["status"] for one in told} == dict.fromkeys(TITLES, "pass")
    assert all(any(letter.isdigit() for letter in one["answer"]) for one in told)


def test_without_a_test_nothing_is_claimed(honest: Trained) -> None:
    assert {one["status"] for one in leakage_types(replace(honest, parted=()))} == {"warn"}


def test_a_test_that_was_learned_from_fails(honest: Trained) -> None:
    last = honest.parted[-1]
    spoilt = replace(
        honest, parted=(*honest.parted[:-1], Fold(last.fit, (*last.calibrate, last.test), last.test, (*last.learned, last.test)))
    )
    assert line(spoilt, "L1.1")[0] == "fail"
    assert "in 1 of them" in line(spoilt, "L1.1")[1]
    assert line(spoilt, "L3.1")[0] == "fail"
    assert "before it was known" in line(spoilt, "L3.1")[1]


def test_chances_that_needed_the_test_fail(honest: Trained) -> None:
    told = honest.backtest.predictions
    ours = (told["model"] == "logistic") & (told["fold"] == 3) & (told["customer_id"] == "c0007")
    spoilt = replace(honest.backtest, predictions=told.assign(score=told["score"] + 0.001 * ours))
    assert line(replace(honest, backtest=spoilt), "L1.2") == (
        "fail", "fitted again without the test's rows, 1 of 300 chances of the newest test change",
    )  # fmt: skip


def test_a_rule_that_needed_the_test_fails(honest: Trained) -> None:
    spoilt = replace(honest.backtest, rules=("seats, largest first", *honest.backtest.rules[1:]))
    assert line(replace(honest, backtest=spoilt), "L1.3")[0] == "fail"
    assert "differ in folds 1;" in line(replace(honest, backtest=spoilt), "L1.3")[1]


def test_duplicates_are_counted(honest: Trained) -> None:
    twice = pd.concat([honest.frame, honest.frame.head(5)], ignore_index=True)
    assert line(replace(honest, frame=twice), "L1.4")[0] == "fail"
    assert line(replace(honest, frame=twice), "L1.4")[1].startswith("5 snapshots are there twice")
    copied = honest.frame.copy()
    early, late = (copied.index[copied["cutoff"] == pd.Timestamp(cutoff)] for cutoff in (CUTOFFS[0], honest.parted[-1].test))
    copied.loc[late[10:60], FEATURES[:3]] = copied.loc[early[:50], FEATURES[:3]].to_numpy()
    assert line(replace(honest, frame=copied), "L1.4") == (
        "warn", "0 snapshots are there twice; 50 of 300 test snapshots equal another customer's that was learned from",
    )  # fmt: skip


def test_leaks_in_use_fail_and_left_out_ones_warn(honest: Trained) -> None:
    leak = {"feature": "logins", "why": "x", "flattered_by": 0.1}
    assert line(replace(honest, leaks=[leak]), "L2")[0] == "fail"
    assert line(replace(honest, leaks=[leak | {"feature": "reason"}]), "L2")[0] == "warn"
    echo = Finding("PV007", "footprints", "a footprint, not a warning: logins", "warn")
    assert line(replace(honest, findings=[echo]), "L2") == (
        "warn",
        "4 features in use, 0 left out that look as if written after the outcome; " + echo.text,
    )


def test_a_longer_horizon_closes_the_gap(honest: Trained) -> None:
    assert "at least 23 days" in line(honest, "L3.1")[1]
    assert line(replace(honest, horizon_days=60), "L3.1") == (
        "fail", "a label was learned from 7 days before it was known (60 days of outcome and 3 to be recorded)",
    )  # fmt: skip


def test_customers_never_seen_are_told_apart(honest: Trained) -> None:
    status, told = line(honest, "L3.2")
    assert status == "pass"
    assert "never seen before" in told
    rows = honest.backtest.predictions
    new = rows["customer_id"] >= "c0180"
    flat = replace(honest.backtest, predictions=rows.assign(raw=rows["raw"].mask(new, rows["raw"].where(rows["label"] < 1, -9.0))))
    assert line(replace(honest, backtest=flat), "L3.2")[0] == "warn"


def test_another_cohort_tonight_is_told(honest: Trained) -> None:
    assert line(replace(honest, tonight=honest.tonight.head(100)), "L3.3")[0] == "warn"
    assert "100 tonight" in line(replace(honest, tonight=honest.tonight.head(100)), "L3.3")[1]
    many = honest.frame.assign(label=honest.frame["label"].mask(honest.frame["cutoff"] >= pd.Timestamp(CUTOFFS[-3]), 1.0))
    assert line(replace(honest, frame=many), "L3.3")[0] == "warn"
