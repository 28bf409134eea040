"""From a ranking value to an honest chance, and how far that chance can be trusted."""

from collections import Counter

import numpy as np

from prevenance.models.units import effective_number

Band = tuple[tuple[float, float, float], ...]
"""Knots (score, low, high), scores ascending: between these scores the share that left lay, with 90 %."""

WHOLE: Band = ((0.0, 0.0, 1.0), (1.0, 0.0, 1.0))
"""The band of somebody who has seen nothing yet."""

NEAREST = 400


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


def interval_band(scores: np.ndarray, labels: np.ndarray, customers: np.ndarray, groups: np.ndarray | None = None) -> Band:
    """Return the 90 % interval of the chance at up to 33 scores and at 0 and 1: around the score itself, as wide as the evidence is thin.

    The rows must be told by a model that had not learned from them. At a score it is Jeffreys' interval of as many trials as distinct customers
    are among the ``NEAREST`` rows, customers of one of the ``groups`` counting as little as unequal groups weigh (see ``units``); where the
    shares of the past lie further from their chances than luck takes them, by the dispersion of a quasi-binomial model (McCullagh & Nelder,
    1989, 4.5), there are so many trials fewer. Low and high never fall as the score rises.
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
    trials = np.array([_units_around(scores, customers, groups, score, size) for score in grid]) / _dispersion(scores, labels, groups)
    # A score of tonight may lie outside all of the past.
    knots, trials = np.concatenate([[0.0], grid, [1.0]]), np.concatenate([trials[:1], trials, trials[-1:]])
    knots, first = np.unique(knots, return_index=True)
    low, high = (_rising(values) for values in _interval(knots, trials[first]))
    return tuple((float(score), float(least), float(most)) for score, least, most in zip(knots, low, high, strict=True))


def _dispersion(scores: np.ndarray, labels: np.ndarray, units: np.ndarray) -> float:
    """Return by how much the shares of ten equal parts scatter around their chances more than the luck of units makes them; at least 1."""
    off = []
    for part in np.array_split(np.arange(len(scores)), min(10, len(scores))):
        chance, seen = float(scores[part].mean()), float(labels[part].mean())
        off.append((seen - chance) ** 2 * len(set(units[part])) / max(chance * (1 - chance), 1e-6))
    return max(1.0, float(np.mean(off)))


def _units_around(scores: np.ndarray, customers: np.ndarray, groups: np.ndarray, score: float, size: int) -> float:
    """Return how many equal units the customers among the ``size`` rows nearest in rank, and their ties, weigh as."""
    middle = int(np.searchsorted(scores, score, side="left") + np.searchsorted(scores, score, side="right")) // 2
    first = min(max(middle - size // 2, 0), len(scores) - size)
    start = int(np.searchsorted(scores, scores[first], side="left"))
    end = int(np.searchsorted(scores, scores[first + size - 1], side="right"))
    belongs = dict(zip(customers[start:end], groups[start:end], strict=True))  # a customer's group, once a customer
    return effective_number(np.array(list(Counter(belongs.values()).values())))


def _interval(share: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import betaincinv

    came, stayed = share * trials + 0.5, (1 - share) * trials + 0.5
    low, high = np.minimum(betaincinv(came, stayed, 0.05), share), np.maximum(betaincinv(came, stayed, 0.95), share)
    # Where nobody is expected among the trials the chance may be 0, and 1 where everybody is (Brown, Cai and DasGupta, 2001, 4.1.2).
    return np.where(came < 1, 0.0, low), np.where(stayed < 1, 1.0, high)


def _rising(values: np.ndarray) -> np.ndarray:
    from sklearn.isotonic import isotonic_regression

    return isotonic_regression(values)
