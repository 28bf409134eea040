"""Do chances come true? Predicted against seen, in tenths by score, beside what luck alone would show."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.models.folds import sampling_units
from prevenance.models.units import unit_evidence

Floats = NDArray[np.float64]

TENTHS = 10

WORLDS = 400
"""Simulated worlds in which every chance is exact."""


def reliability(predictions: pd.DataFrame, model: str, *, seed: int = 0) -> dict[str, object]:
    """Return predicted, seen, worst_tenth {predicted, seen, customers, low, high}, error, error_by_luck {value, high} and bins of a model.

    A bin is {predicted, seen, snapshots, customers, low, high}. Bins hold equal numbers of test snapshots, lowest scores first.
    ``low``/``high`` is where 90 % of the seen shares fall in ``WORLDS`` worlds in which every chance is exact (the consistency bars of
    Bröcker & Smith, 2007, "Increasing the reliability of reliability diagrams"); in a world all snapshots of a customer share one fate, so
    the bars count customers and are wide rather than narrow, those of ``worst_tenth`` hold 99 %; with too few of
    them, or of groups, there are none (see ``units``). ``error`` is the expected calibration error (mean distance of seen from
    predicted, in chances), ``error_by_luck`` its mean and 95 % quantile in those worlds. Empty predictions give {}.
    """
    rows = predictions[(predictions["model"] == model) & predictions["label"].notna()].sort_values(
        ["score", "cutoff", "customer_id"], kind="stable"
    )
    if rows.empty:
        return {}
    score, label = (rows[column].to_numpy(dtype=float) for column in ("score", "label"))
    customer = pd.factorize(sampling_units(rows), sort=True)[0]
    parts = np.array_split(np.arange(len(rows)), min(TENTHS, len(rows)))
    starts, counts = np.array([part[0] for part in parts]), np.array([len(part) for part in parts])
    predicted, seen = (np.add.reduceat(values, starts) / counts for values in (score, label))
    exact = _worlds(score, customer, starts, seed) / counts
    low, high = np.quantile(exact, [0.05, 0.95], axis=0)
    least, most = np.quantile(exact[:, -1], [0.005, 0.995])
    luck = np.array([_error(world, predicted, counts) for world in exact])
    enough = unit_evidence(rows).enough
    bins = [
        {
            "predicted": float(predicted[place]),
            "seen": float(seen[place]),
            "snapshots": len(part),
            "customers": len(np.unique(customer[part])),
            "low": float(low[place]) if enough else None,
            "high": float(high[place]) if enough else None,
        }
        for place, part in enumerate(parts)
    ]
    return {
        "predicted": float(score.mean()),
        "seen": float(label.mean()),
        "worst_tenth": {name: bins[-1][name] for name in ("predicted", "seen", "customers")}
        | ({"low": float(least), "high": float(most)} if enough else {"low": None, "high": None}),
        "error": _error(seen, predicted, counts),
        "error_by_luck": {"value": float(luck.mean()), "high": float(np.quantile(luck, 0.95))} if enough else {"value": None, "high": None},
        "bins": bins,
    }


def _worlds(score: Floats, customer: NDArray[np.intp], starts: NDArray[np.intp], seed: int) -> Floats:
    """Return the outcomes in each bin of each world, shape (worlds, bins)."""
    generator, customers = np.random.default_rng(seed), int(customer.max()) + 1
    # One fate a customer: its snapshots are one piece of evidence.
    fates = (generator.random(customers)[customer] for _ in range(WORLDS))
    return np.array([np.add.reduceat((fate < score).astype(float), starts) for fate in fates])


def _error(seen: Floats, predicted: Floats, counts: NDArray[np.intp]) -> float:
    """Return the expected calibration error: mean distance over bins, weighted by snapshots."""
    return float(np.average(np.abs(seen - predicted), weights=counts))
