"""Metrics of one ranked period: at capacity first; AUC is a footnote.

Each is a short function of ``(y, score, capacity)``: ``y`` holds 1.0 (outcome) or 0.0, ``score`` the ranking value or chance of
the same rows, ``capacity`` how many rows the team can work. Where ``y`` has one class only, what is undefined is nan.

A list must break ties somehow, a metric must not depend on how: at capacity the value is the expectation over random tie-breaking, and
``tie_range`` gives the worst and the best case.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Metric = Callable[[ArrayLike, ArrayLike, int], float]


def average_precision(y: ArrayLike, score: ArrayLike, capacity: int = 0) -> float:
    """Return the average precision in [0, 1] (no interpolation, ties taken as one step); capacity plays no part."""
    from sklearn.metrics import average_precision_score

    y, score = _arrays(y, score)
    return float(average_precision_score(y, score)) if _two_classes(y) else float("nan")


def roc_auc(y: ArrayLike, score: ArrayLike, capacity: int = 0) -> float:
    """Return the chance that a row with the outcome ranks above one without (ties count half); capacity plays no part.

    From the sum of ranks of those with the outcome (Mann and Whitney, 1947): exact, where an area summed in steps is not.
    """
    from scipy.stats import rankdata

    y, score = _arrays(y, score)
    if not _two_classes(y):
        return float("nan")
    ours = y > 0
    positives = float(ours.sum())
    return float((rankdata(score)[ours].sum() - positives * (positives + 1) / 2) / (positives * (len(y) - positives)))


def hits_at_capacity(y: ArrayLike, score: ArrayLike, capacity: int) -> float:
    """Return how many outcomes are expected among the ``min(capacity, rows)`` highest scores, ties broken at random."""
    sure, places, tied, outcomes = _capacity_line(*_arrays(y, score), capacity)
    return sure + (places * outcomes / tied if tied else 0.0)


def tie_range(y: ArrayLike, score: ArrayLike, capacity: int) -> tuple[float, float]:
    """Return (worst, best) hits at capacity over every way to break the ties at the capacity line."""
    sure, places, tied, outcomes = _capacity_line(*_arrays(y, score), capacity)
    return sure + max(0.0, places - (tied - outcomes)), sure + min(places, outcomes)


def precision_at_capacity(y: ArrayLike, score: ArrayLike, capacity: int) -> float:
    """Return expected hits over contacts, ``min(capacity, rows)``; nan without rows."""
    contacts = min(capacity, len(np.asarray(y)))
    return hits_at_capacity(y, score, capacity) / contacts if contacts else float("nan")


def recall_at_capacity(y: ArrayLike, score: ArrayLike, capacity: int) -> float:
    """Return expected hits over all outcomes; nan without an outcome."""
    outcomes = float(np.sum(np.asarray(y, dtype=float)))
    return hits_at_capacity(y, score, capacity) / outcomes if outcomes else float("nan")


def lift_at_capacity(y: ArrayLike, score: ArrayLike, capacity: int) -> float:
    """Return precision at capacity over the base rate: how many times better than a list drawn at random; nan without an outcome."""
    base = float(np.mean(np.asarray(y, dtype=float))) if len(np.asarray(y)) else 0.0
    return precision_at_capacity(y, score, capacity) / base if base else float("nan")


def brier(y: ArrayLike, score: ArrayLike, capacity: int = 0) -> float:
    """Return the mean squared distance of the chance from what came (0 is best); nan without rows."""
    y, score = _arrays(y, score)
    return float(np.mean((y - score) ** 2)) if len(y) else float("nan")


def observed_over_expected(y: ArrayLike, score: ArrayLike, capacity: int = 0) -> float:
    """Return outcomes over the sum of chances: 1 is honest, below 1 promised too many; nan where nothing was expected."""
    y, score = _arrays(y, score)
    expected = float(np.sum(score))
    return float(np.sum(y)) / expected if expected > 0 else float("nan")


METRICS: dict[str, Metric] = {
    "average_precision": average_precision,
    "roc_auc": roc_auc,
    "precision_at_capacity": precision_at_capacity,
    "recall_at_capacity": recall_at_capacity,
    "lift_at_capacity": lift_at_capacity,
    "brier": brier,
    "observed_over_expected": observed_over_expected,
}
"""Every metric of the report by name."""

OF_CHANCES = frozenset({"brier", "observed_over_expected"})
"""Metrics that want a calibrated chance; the others want any ranking value."""


def _capacity_line(y: NDArray[np.float64], score: NDArray[np.float64], capacity: int) -> tuple[float, float, float, float]:
    """Return (hits above the line's score, places left for those tied at it, how many are tied, outcomes among them)."""
    contacts = min(capacity, len(y))
    if contacts < 1:
        return 0.0, 0.0, 0.0, 0.0
    line = np.partition(score, len(score) - contacts)[len(score) - contacts]
    above, tied = score > line, score == line
    return float(y[above].sum()), float(contacts - above.sum()), float(tied.sum()), float(y[tied].sum())


def _arrays(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float arrays; a null is our own bug: open labels and unscored rows never get this far."""
    outcome, value = np.asarray(y, dtype=float), np.asarray(score, dtype=float)
    if outcome.shape != value.shape:
        raise ValueError(f"{outcome.shape} labels but {value.shape} scores")
    if np.isnan(outcome).any() or np.isnan(value).any():
        raise ValueError(f"{int(np.isnan(outcome).sum())} null labels and {int(np.isnan(value).sum())} null scores")
    return outcome, value


def _two_classes(y: NDArray[np.float64]) -> bool:
    return bool(len(y)) and bool(0 < y.sum() < len(y))
