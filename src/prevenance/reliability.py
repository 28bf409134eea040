"""Do chances come true? Predicted against seen, in tenths by score."""

from __future__ import annotations

import numpy as np
import pandas as pd

TENTHS = 10


def reliability(predictions: pd.DataFrame, model: str) -> dict[str, object]:
    """Return predicted, seen, worst_tenth {predicted, seen} and bins [{predicted, seen, snapshots, low, high}] of a model.

    Bins hold equal numbers of test snapshots, lowest scores first; ``low``/``high`` is where 90 % of the seen shares would fall if every
    chance were exact (binomial). Empty predictions give {}.
    """
    from scipy.stats import binom

    rows = predictions[(predictions["model"] == model) & predictions["label"].notna()].sort_values(
        ["score", "cutoff", "customer_id"], kind="stable"
    )
    if rows.empty:
        return {}
    score, label = rows["score"].to_numpy(), rows["label"].to_numpy()
    bins = []
    for part in np.array_split(np.arange(len(rows)), min(TENTHS, len(rows))):
        mean, number = float(score[part].mean()), len(part)
        low, high = (float(binom.ppf(side, number, mean)) / number for side in (0.05, 0.95))
        bins.append({"predicted": mean, "seen": float(label[part].mean()), "snapshots": number, "low": low, "high": high})
    worst = bins[-1]
    return {
        "predicted": float(score.mean()),
        "seen": float(label.mean()),
        "worst_tenth": {"predicted": worst["predicted"], "seen": worst["seen"]},
        "bins": bins,
    }
