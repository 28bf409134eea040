"""95 % intervals of means, shares and medians over tickets, by customer: tickets of one customer are not independent of each other."""

from __future__ import annotations

import numpy as np

LEAST_CUSTOMERS = 10
"""Customers that an interval needs."""


def mean_interval(sums: np.ndarray, counts: np.ndarray, *, share: bool = False) -> tuple[float, float, float]:
    """Return mean, low and high of tickets from each customer's sum and count; NaN where nothing is known, or too few customers for an interval.

    The interval is that of a ratio over customers (linearised); of a ``share`` it is Wilson's with as many tickets as that is worth.
    """
    held = counts > 0
    sums, counts = sums[held].astype(float), counts[held].astype(float)
    if not len(counts):
        return np.nan, np.nan, np.nan
    mean, reach = float(sums.sum() / counts.sum()), _quantile(len(counts))
    if len(counts) < LEAST_CUSTOMERS:
        return mean, np.nan, np.nan
    error = _standard_error(sums - mean * counts, counts.sum())
    if not share:
        return mean, mean - reach * error, mean + reach * error
    worth = mean * (1 - mean) / error**2 if error > 0 and 0 < mean < 1 else float(len(counts))
    middle, square = (mean + reach**2 / (2 * worth)) / (1 + reach**2 / worth), reach**2 / worth
    half = reach * np.sqrt(mean * (1 - mean) / worth + square / (4 * worth)) / (1 + square)
    return mean, float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def median_interval(values: np.ndarray, customers: np.ndarray) -> tuple[float, float, float]:
    """Return median, low and high of values (N) whose customers are numbered (N); as ``mean_interval`` (Woodruff, 1952)."""
    if not len(values):
        return np.nan, np.nan, np.nan
    middle, most = float(np.median(values)), int(customers.max()) + 1
    counts = np.bincount(customers, minlength=most)
    if (counts > 0).sum() < LEAST_CUSTOMERS:
        return middle, np.nan, np.nan
    below = np.bincount(customers, weights=(values < middle) + 0.5 * (values == middle), minlength=most)
    half = _quantile(int((counts > 0).sum())) * max(_standard_error(below - 0.5 * counts, len(values)), 0.5 / np.sqrt(len(values)))
    low, high = np.quantile(values, np.clip([0.5 - half, 0.5 + half], 0, 1))
    return middle, float(low), float(high)


def difference_interval(now: tuple[float, float, float], before: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the difference of two estimates and its interval, from theirs (MOVER); it is no narrower than it is, where customers are the same."""
    (value, low, high), (old, old_low, old_high) = now, before
    found = value - old
    return found, found - float(np.hypot(value - low, old_high - old)), found + float(np.hypot(high - value, old - old_low))


def _standard_error(residuals: np.ndarray, total: float) -> float:
    groups = len(residuals)
    return float(np.sqrt(groups / (groups - 1) * np.square(residuals).sum()) / total)


def _quantile(groups: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(max(groups - 1, 1), 0.975))
