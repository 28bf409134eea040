"""From a ranking value to an honest chance, and how far that chance can be trusted."""

from collections import Counter

import numpy as np

from prevenance.models.units import effective_number

Band = tuple[tuple[float, float, float], ...]
"""Knots (score, low, high), scores ascending: between these scores the share that left lay, with 90 %."""

WHOLE: Band = ((0.0, 0.0, 1.0), (1.0, 0.0, 1.0))
"""The band of somebody who has seen nothing yet."""

NEAREST = 200


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

    middle = float(log_odds.mean())
    # Every row twice, once per class with its weight, because the estimator takes no fractions as labels.
    standard = np.tile((log_odds - middle) / spread, 2).reshape(-1, 1)
    weight = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (total - positives + 2))
    # All but no ridge: two numbers learned from many rows need none.
    model = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000)
    model.fit(standard, np.repeat([1.0, 0.0], total), sample_weight=np.append(weight, 1 - weight))
    slope = float(model.coef_[0, 0]) / spread
    return (slope, float(model.intercept_[0]) - slope * middle) if slope > 0 else flat


def interval_band(scores: np.ndarray, labels: np.ndarray, customers: np.ndarray, groups: np.ndarray | None = None) -> Band:
    """Return the 90 % interval of the share that left among the rows nearest in score, at up to 33 scores.

    The rows must be later than those the model learned from. Several snapshots of a customer count as one when the width is set (Jeffreys'
    interval on distinct customers), and customers of one of the ``groups`` as little as unequal groups weigh (see ``units``). Low and high never fall as the score rises.
    """
    total = len(scores)
    if not total:
        return WHOLE
    # Equal scores in one order, whatever the order given.
    order = np.lexsort((customers, scores))
    scores, labels, customers = scores[order], labels[order], customers[order]
    groups = customers if groups is None else groups[order]
    size = min(total, NEAREST, max(20, total // 5))
    grid = np.unique(np.quantile(scores, np.linspace(0, 1, 33)))
    found = np.array([_interval(*_around(scores, labels, customers, groups, score, size)) for score in grid])
    low, high = (_rising(found[:, side]) for side in (0, 1))
    return tuple((float(score), float(least), float(most)) for score, least, most in zip(grid, low, high, strict=True))


def _around(
    scores: np.ndarray, labels: np.ndarray, customers: np.ndarray, groups: np.ndarray, score: float, size: int
) -> tuple[float, float]:
    """Return the share that left among the ``size`` rows nearest in rank (and their ties), and how many equal units they weigh as."""
    middle = int(np.searchsorted(scores, score, side="left") + np.searchsorted(scores, score, side="right")) // 2
    first = min(max(middle - size // 2, 0), len(scores) - size)
    start = int(np.searchsorted(scores, scores[first], side="left"))
    end = int(np.searchsorted(scores, scores[first + size - 1], side="right"))
    belongs = dict(zip(customers[start:end], groups[start:end], strict=True))  # a customer's group, once a customer
    return float(labels[start:end].mean()), effective_number(np.array(list(Counter(belongs.values()).values())))


def _interval(share: float, customers: float) -> tuple[float, float]:
    from scipy.special import betaincinv

    left, stayed = share * customers + 0.5, (1 - share) * customers + 0.5
    return float(betaincinv(left, stayed, 0.05)), float(betaincinv(left, stayed, 0.95))


def _rising(values: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import isotonic_regression

    return isotonic_regression(values)
