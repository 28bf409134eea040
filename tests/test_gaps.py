"""Power by gap: what only works in the last week is a footprint; what fades slowly is a warning."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from prevenance.judge.gaps import NAMES, late_footprints, power_by_gap


def world(seed: int = 1, customers: int = 1500) -> pd.DataFrame:
    """Return two cutoffs; ``echo`` rises in the last week, ``early`` works at any gap, ``fading`` less and less, ``noise_*`` never."""
    dice = np.random.default_rng(seed)
    frame = pd.DataFrame({"customer_id": np.repeat([f"c{n}" for n in range(customers)], 2)})
    frame["cutoff"] = np.tile(pd.to_datetime(["2026-01-01", "2026-04-01"]), customers)
    frame["label"] = (dice.random(len(frame)) < 0.25).astype(float)
    days = pd.Series(dice.choice([3, 15, 40, 80], len(frame)))
    frame["outcome_at"] = (frame["cutoff"] + pd.to_timedelta(days, unit="D")).where(frame["label"] > 0)
    left = frame["label"] > 0
    frame["echo"] = 1.6 * (left & (days <= 7)) + dice.normal(size=len(frame))
    frame["early"] = -1.2 * left + dice.normal(size=len(frame))
    frame["fading"] = 1.5 * left * np.exp(-days / 60) + dice.normal(size=len(frame))
    for number in range(30):
        frame[f"noise_{number}"] = dice.normal(size=len(frame))
    return frame.assign(state="at_risk", segment="one")


FEATURES = ["echo", "early", "fading", "segment", *[f"noise_{number}" for number in range(30)]]


@pytest.mark.parametrize("seed", range(5))
def test_only_the_footprint_is_named(seed: int) -> None:
    assert late_footprints(world(seed), FEATURES) == ["echo"]


def test_a_footprint_that_falls_is_one_too_and_holes_are_medians() -> None:
    frame = world()
    assert late_footprints(frame.assign(echo=-frame["echo"]), ["echo", "early"]) == ["echo"]
    holes = frame["echo"].where(np.arange(len(frame)) % 10 > 0)
    assert late_footprints(frame.assign(echo=holes), ["echo"]) == ["echo"]


def test_the_power_is_the_auc_of_that_gap_against_everybody_without() -> None:
    frame = world()
    echo, early = power_by_gap(frame, ["echo", "early"], ["echo"])
    assert [one["days"] for one in echo.aucs] == list(NAMES)
    assert (echo.footprint, early.footprint) == (True, False)
    near = frame[(frame["label"] == 0) | ((frame["outcome_at"] - frame["cutoff"]).dt.days <= 7)]
    whole = [roc_auc_score(part["label"], part["echo"]) for _, part in near.groupby("cutoff")]
    assert echo.aucs[0]["auc"] == pytest.approx(np.mean(whole), abs=0.01)
    assert all(one["auc"] > 0.7 for one in early.aucs)  # type: ignore[operator]
    assert all(one["low"] < 0.5 < one["high"] for one in echo.aucs[1:])  # type: ignore[operator]


def test_few_customers_and_undated_outcomes_tell_nothing() -> None:
    few = world(customers=40)
    assert late_footprints(few, FEATURES) == []
    assert {one["auc"] for one in power_by_gap(few, ["echo"])[0].aucs} == {None}
    undated = world().assign(outcome_at=pd.NaT)
    assert (power_by_gap(undated, ["echo"]), late_footprints(undated, FEATURES)) == ([], [])
    assert power_by_gap(world().head(0), ["echo"]) == []
