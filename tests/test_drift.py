"""Drift: what moved is named, what did not is left alone whatever the size, and a calendar is no drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from amount import amount

from prevenance.judge.drift import input_drift, psi_threshold, stability_index

FEATURES = ["logins", "rare", "score", "plan", *[f"noise_{number}" for number in range(16)]]


def frames(seed: int, *, customers: int = 300, cutoffs: int = 6, shift: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return six cutoffs of customers who hardly change, and one cutoff of other customers; ``shift`` lowers their logins."""
    dice = np.random.default_rng(seed)

    def people(number: int, at: int, times: int, moved: float) -> pd.DataFrame:
        one = pd.DataFrame({"customer_id": [f"{at}-{n}" for n in range(number)]})
        one["logins"] = dice.poisson(np.exp(2 - moved + 0.7 * dice.normal(size=number)))
        one["rare"] = (dice.random(number) < 0.02).astype(float)
        one["score"] = np.where(dice.random(number) < 0.6, np.nan, dice.normal(size=number))
        one["plan"] = dice.choice(["starter", "business", "enterprise", "odd"], number, p=[0.6, 0.3, 0.09, 0.01])
        for name in FEATURES[4:]:
            one[name] = dice.lognormal(size=number)
        parts = [
            one.assign(cutoff=pd.Timestamp("2026-01-01") + pd.Timedelta(days=28 * (at + place)), month=at + place) for place in range(times)
        ]
        return pd.concat(parts, ignore_index=True).assign(tenure_days=lambda rows: 100.0 * rows["month"] + dice.random(len(rows)))

    return people(customers, 0, cutoffs, 0.0), people(customers, 20, 1, shift)


@pytest.mark.long
def test_no_drift_alarms_no_oftener_than_it_says() -> None:
    drawn = amount(30, 200)
    alarmed = sum(bool(input_drift(*frames(seed, customers=150 if seed % 2 else 600), FEATURES).moved) for seed in range(drawn))
    assert alarmed <= amount(1, 5)  # one in a hundred, and three standard deviations of luck


def test_the_law_holds_at_its_own_level() -> None:
    dice = np.random.default_rng(2)
    shares = np.full(10, 0.1)
    found = [stability_index(*(dice.multinomial(size, shares) / size for size in (400, 250)), 400, 250) for _ in range(4000)]
    assert np.mean(np.array(found) > psi_threshold(10, 400, 250, 0.05)) == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_shift_is_found_and_told(seed: int) -> None:
    moved = input_drift(*frames(seed, shift=1.0), FEATURES).moved
    assert [one.feature for one in moved] == ["logins"]
    assert moved[0].psi >= max(moved[0].threshold, 0.1)
    assert moved[0].text.startswith("median 7 → 3") or "→" in moved[0].text


def test_a_feed_that_stops_and_a_new_word_are_told() -> None:
    old, new = frames(3)
    silent = input_drift(old, new.assign(score=np.nan), FEATURES).moved
    assert [(one.feature, one.text.split(" → ")[1]) for one in silent] == [("score", "100 % of customers")]
    assert not silent[0].grown
    known = input_drift(old, new.assign(score=new["logins"] * 1.0), FEATURES).moved
    assert [(one.feature, one.grown) for one in known] == [("score", True)]
    renamed = input_drift(old, new.assign(plan=new["plan"].replace("starter", "start")), FEATURES).moved
    assert [one.feature for one in renamed] == ["plan"]
    assert renamed[0].text.startswith("start")


def test_a_date_and_an_age_are_no_drift() -> None:
    found = input_drift(*frames(4), [*FEATURES, "month", "tenure_days"])
    assert found.left_out == ("month", "tenure_days")
    assert found.moved == ()
    assert found.looked == len(FEATURES)


def test_what_swings_with_the_season_is_no_drift() -> None:
    old, new = frames(8)
    wave = old["noise_0"] * np.where(old["month"] % 3 == 0, 5.0, 1.0)
    assert input_drift(old.assign(noise_0=wave), new.assign(noise_0=new["noise_0"] * 5.0), FEATURES).moved == ()
    assert [one.feature for one in input_drift(old.assign(noise_0=wave), new.assign(noise_0=new["noise_0"] * 50.0), FEATURES).moved] == [
        "noise_0"
    ]


def test_a_certain_but_tiny_difference_does_not_matter() -> None:
    dice = np.random.default_rng(5)
    old, new = (pd.DataFrame({"customer_id": np.arange(40_000), "cutoff": at, "x": dice.normal(at / 10, 1.0, 40_000)}) for at in (0, 1))
    assert input_drift(old, new, ["x"]).moved == ()
    assert psi_threshold(10, 40_000, 40_000, 0.01) < 0.01


def test_a_customer_counts_once_and_few_are_not_compared() -> None:
    old, new = frames(6, customers=60)
    assert (input_drift(old, new, FEATURES).before, input_drift(old, new, FEATURES).now) == (60, 60)
    few = new.head(49).assign(logins=99)
    assert (input_drift(old, few, FEATURES).looked, input_drift(old, few, FEATURES).moved) == (0, ())
    assert input_drift(old.head(0), new.head(0), FEATURES).moved == ()
