"""Stability of reasons: real signals come back in every refit, reasons out of noise do not."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from amount import some

from prevenance.explain.attribution import column_stories
from prevenance.explain.stability import reasons_stability
from prevenance.features.define import Count, Feature, Trend
from prevenance.models import training
from prevenance.models.bundle import chance
from prevenance.models.folds import Fold

CUTOFFS = [datetime(2026, 1, 1), datetime(2026, 4, 1), datetime(2026, 7, 1)]
FOLD = Fold((CUTOFFS[0],), (CUTOFFS[1],), CUTOFFS[2])
SIGNALS = [f"signal_{number}" for number in range(3)]
NOISE = [f"noise_{number}" for number in range(25)]


def world(strength: float, customers: int = 400) -> pd.DataFrame:
    dice = np.random.default_rng(1)
    parts = []
    for cutoff in CUTOFFS:
        rows = pd.DataFrame(dice.normal(size=(customers, 28)), columns=[*SIGNALS, *NOISE])
        chance = 1 / (1 + np.exp(2 - strength * rows[SIGNALS].sum(axis=1)))
        rows = rows.assign(label=(dice.random(customers) < chance).astype(float), cutoff=pd.Timestamp(cutoff))
        parts.append(rows.assign(customer_id=[f"c{n:03d}" for n in range(customers)], state="at_risk"))
    return pd.concat(parts, ignore_index=True)


def told(kind: str, strength: float, family: dict[str, object] | None = None) -> dict[str, object]:
    frame = world(strength)
    fitted = training.fit_model(frame, FOLD, kind, [*SIGNALS, *NOISE], seed=3)
    newest = frame[frame["cutoff"] == pd.Timestamp(CUTOFFS[2])]
    top = newest.assign(score=chance(fitted, newest)).nlargest(40, "score")
    return reasons_stability(fitted, frame, FOLD, top, family or {}, seed=5)


@pytest.mark.parametrize("kind", some(["logistic", "lightgbm"], 0))
def test_real_reasons_come_back_and_noise_does_not(kind: str) -> None:
    real, noise = told(kind, 1.5), told(kind, 0.25)
    assert real["share_stable"] >= 0.85  # type: ignore[operator]
    assert real["share_kept"] > noise["share_kept"] + 0.2  # type: ignore[operator]
    assert noise["share_stable"] <= real["share_stable"] - 0.15  # type: ignore[operator]
    assert (real["refits"], real["trivial"], real["stable"] + real["unstable"]) == (10, False, real["listed"])  # type: ignore[operator]


def test_a_draw_without_a_value_of_a_rare_feature_is_no_failure() -> None:
    frame = world(1.0)
    rare = frame.assign(rare=frame["noise_0"].where(frame["customer_id"] == "c007"))
    fitted = training.fit_model(rare, FOLD, "logistic", [*SIGNALS, "rare"], seed=3)
    assert "rare" in fitted.encoder.features
    assert reasons_stability(fitted, rare, FOLD, rare.head(20), {}, seed=5)["listed"]


def test_the_same_draws_give_the_same_answer() -> None:
    assert told("logistic", 1.0) == told("logistic", 1.0)


def test_one_family_is_one_reason() -> None:
    assert told("logistic", 1.0, dict.fromkeys([*SIGNALS, *NOISE], "all"))["share_stable"] == 1.0


def test_a_rule_is_trivially_stable_and_nobody_listed_is_no_share() -> None:
    assert told("rule", 1.0) == {
        "refits": 0, "listed": 40, "stable": 40, "unstable": 0, "share_stable": 1.0, "share_kept": 1.0, "trivial": True,
    }  # fmt: skip
    frame = world(1.0)
    fitted = training.fit_model(frame, FOLD, "logistic", SIGNALS, seed=3)
    assert reasons_stability(fitted, frame, FOLD, frame.head(0), {}, seed=5)["share_stable"] is None


def test_lookbacks_and_trends_are_of_one_family() -> None:
    definitions = [Feature(f"logins_{days}d", "usage", Count(), "{value}", "kind = 'login'", days) for days in (7, 28)]
    found = column_stories(
        [*definitions, Trend("logins_28d_trend", "logins_28d", "{now}"), Feature("uses_7d", "usage", Count(), "{value}", "", 7)]
    )
    assert len({found[name] for name in ("logins_7d", "logins_28d", "logins_28d_trend", "logins_28d_trend_before")}) == 1
    assert found["uses_7d"] != found["logins_7d"]
