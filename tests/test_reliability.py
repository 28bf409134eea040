"""Chances that come true lie inside their noise band; overconfident ones do not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prevenance.reliability import reliability


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
