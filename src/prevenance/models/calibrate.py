"""From a ranking value to an honest chance."""

import numpy as np

Band = tuple[tuple[float, float, float], ...]
"""Knots (score, low, high), scores ascending: between these scores the share that left lay, with 90 %."""

WHOLE: Band = ((0.0, 0.0, 1.0), (1.0, 0.0, 1.0))
"""The band of somebody who has seen nothing yet."""


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-v))``."""
    from scipy.special import expit

    return expit(values)


def platt_calibrator(log_odds: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return (slope, intercept) such that ``sigmoid(slope * z + intercept)`` is the chance, by Platt's smoothed targets.

    Where the rows hold one class only, or the order turns out upside down, the slope is 0 and everybody gets the
    smoothed rate: an order that did not hold in later rows must not be printed as chances.
    """
    positives, total = float(labels.sum()), len(labels)
    flat = 0.0, float(np.log((positives + 0.5) / (total - positives + 0.5)))
    spread = float(log_odds.std()) if total else 0.0
    if not 0 < positives < total or spread < 1e-12:
        return flat
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    middle = float(log_odds.mean())
    # Every row twice, once per class with its weight, because the estimator takes no fractions as labels.
    standard = np.tile((log_odds - middle) / spread, 2).reshape(-1, 1)
    weight = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (total - positives + 2))
    # All but no ridge: two numbers learned from many rows need none.
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000)
    # The sums of many rows depend on how many threads add them.
    with threadpool_limits(limits=1):
        model.fit(standard, np.repeat([1.0, 0.0], total), sample_weight=np.append(weight, 1 - weight))
    slope = float(model.coef_[0, 0]) / spread
    return (slope, float(model.intercept_[0]) - slope * middle) if slope > 0 else flat
