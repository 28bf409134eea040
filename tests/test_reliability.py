"""Chances that come true lie inside their noise band; overconfident ones do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prevenance.judge.reliability import reliability


def predictions(stretch: float) -> pd.DataFrame:
    dice = np.random.default_rng(3)
    true = dice.uniform(0.02, 0.6, 4000)
    said = np.clip(0.3 + (true - 0.3) * stretch, 0.001, 0.999)
    return pd.DataFrame(
        {
            "model": "m",
            "cutoff": pd.Timestamp("2026-01-01"),
            "customer_id": [f"c{n:05d}" for n in range(4000)],
            "score": said,
            "label": (dice.random(4000) < true).astype(float),
        }
    )


def test_true_chances_lie_in_the_band_and_stretched_ones_do_not() -> None:
    def outside(stretch: float) -> int:
        bins = reliability(predictions(stretch), "m")["bins"]
        return sum(not one["low"] <= one["seen"] <= one["high"] for one in bins)  # type: ignore[attr-defined]

    assert outside(1.0) <= 3
    assert outside(1.8) >= 6


def test_no_predictions_say_nothing() -> None:
    assert reliability(predictions(1.0), "other") == {}


def test_the_calibration_error_stands_beside_its_value_by_luck() -> None:
    exact, stretched = (reliability(predictions(stretch), "m") for stretch in (1.0, 1.8))
    assert exact["error"] < exact["error_by_luck"]["high"]  # type: ignore[index,operator]
    assert stretched["error"] > 3 * stretched["error_by_luck"]["high"]  # type: ignore[index,operator]


def test_the_bars_hold_ninety_of_a_hundred_exact_shares() -> None:
    dice, held = np.random.default_rng(1), []
    for _ in range(40):
        rows = predictions(1.0).head(600)
        rows = rows.assign(label=(dice.random(600) < rows["score"]).astype(float))
        held += [one["low"] <= one["seen"] <= one["high"] for one in reliability(rows, "m")["bins"]]  # type: ignore[attr-defined]
    assert 0.86 <= np.mean(held) <= 0.97


def test_the_bars_count_customers_not_snapshots() -> None:
    once = predictions(1.0).head(400)
    again = pd.concat([once.assign(cutoff=once["cutoff"] + pd.Timedelta(days=28 * n)) for n in range(5)])
    widths = [np.mean([one["high"] - one["low"] for one in reliability(rows, "m")["bins"]]) for rows in (once, again)]  # type: ignore[attr-defined]
    assert widths[1] > 0.9 * widths[0]
