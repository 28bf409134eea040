"""How far a chance can be trusted: the 90 % interval around it, from what chances that were told beforehand turned out to be."""

import numpy as np
import pandas as pd

from prevenance.models.calibrate import WHOLE, Band, sigmoid
from prevenance.models.folds import sampling_units
from prevenance.models.units import MIN_UNITS, effective_number

NINETY = 1.645
"""Standard errors to either side."""

NONE_MAY_COME = 3.0
"""What the likelihood of none, as -log, has to reach: at three none comes in one case of twenty, and all likewise."""

OFF_AT_LEAST = 0.15
"""Log-odds by which chances are expected to be off whatever the past says: 10 % may be 9 or 11. Told by made companies, whose true chances are known."""

EVEN, HALVINGS = np.linspace(0, 1, 33), 2.0 ** -np.arange(6, 32)
"""Shares at which scores are taken, and those taken beside them towards either end, where a list is read."""

_LEAST = 1e-6


def knots_of(scores: np.ndarray) -> np.ndarray:
    """Return scores to tell something at, ascending: 33 in even steps of their number, and towards both ends halving the rest each time."""
    tails = HALVINGS[len(scores) * HALVINGS >= 1]
    return np.unique(np.quantile(scores, np.r_[EVEN, tails, 1 - tails]))


def band_of(scores: np.ndarray, rows: pd.DataFrame) -> Band:
    """Return the 90 % interval by score of rows (label, cutoff, customer_id or group) told by models that had not learned from them."""
    units, periods = sampling_units(rows).to_numpy(dtype=object), rows["cutoff"].to_numpy()
    return interval_band(scores, rows["label"].to_numpy(dtype="float64"), units, periods)


def interval_band(scores: np.ndarray, labels: np.ndarray, units: np.ndarray, periods: np.ndarray) -> Band:
    """Return the 90 % interval of the chance at ``knots_of`` the scores and at 0 and 1: around the score itself, as wide as what is known is thin.

    ``scores``: chances (n,) told before their ``labels`` (0 or 1) came, of ``units`` (customers or groups) at ``periods``. Low is 0 where none
    of those at and below a score came and none may, high 1 where all of those at and above did and all may. Neither falls as the score rises.
    """
    if not len(scores):
        return WHOLE
    # Equal scores in one order, whatever the order given: sums differ by it in the last digit.
    order = np.lexsort((periods, units, scores))
    scores, labels, units, periods = scores[order], labels[order], units[order], periods[order]
    grid = knots_of(scores)
    wide = NINETY * np.sqrt(_variance(grid, scores, labels, units, periods))
    z = _log_odds(grid)
    low, high = np.minimum(sigmoid(z - wide), grid), np.maximum(sigmoid(z + wide), grid)
    upto, past = np.searchsorted(scores, grid, side="right"), np.searchsorted(scores, grid, side="left")
    kept = np.clip(scores, _LEAST, 1 - _LEAST)
    first, last = upto - 1, len(scores) - 1 - past
    low[(np.cumsum(labels)[first] == 0) & (np.cumsum(-np.log(1 - kept))[first] < NONE_MAY_COME)] = 0.0
    high[(np.cumsum(1 - labels[::-1])[last] == 0) & (np.cumsum(-np.log(kept[::-1]))[last] < NONE_MAY_COME)] = 1.0
    # A score of tonight may lie outside all of the past: nothing narrower is known there than at the ends.
    knots, low, high = np.r_[0.0, grid, 1.0], np.r_[0.0, low, low[-1]], np.r_[high[0], high, 1.0]
    knots, kept_at = np.unique(knots, return_index=True)
    low, high = np.maximum.accumulate(low[kept_at]), np.maximum.accumulate(high[kept_at])
    return tuple((float(score), float(least), float(most)) for score, least, most in zip(knots, low, high, strict=True))


def _variance(grid: np.ndarray, scores: np.ndarray, labels: np.ndarray, units: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Return at each score of ``grid`` the variance of the log-odds: what was off given what was seen of it, and the level's change by period.

    What was seen to be off, and its luck, is that of one step of Newton from the chances told towards a logistic regression of the labels on
    their log-odds (Cox, 1958, "Two further applications of a model for binary regression"), times the design effect of the units (Rao and Scott,
    1984, first order). The less of it stands out from its luck, the less is believed (Efron and Morris, 1973, empirical Bayes), but never
    that less is off than ``OFF_AT_LEAST``, nor than half of the luck: where the past is thin, what was learned from it is too.
    """
    z, weight, rest = _log_odds(scores), _weight(scores), labels - scores
    information = np.array([[weight.sum(), (weight * z).sum()], [(weight * z).sum(), (weight * z * z).sum()]])
    inverse = np.linalg.pinv(information, rcond=1e-9, hermitian=True)
    of_unit, sizes = _places(units)
    sums = np.stack([np.bincount(of_unit, rest), np.bincount(of_unit, rest * z)])
    squares = np.array([[(one * other).sum() for other in sums] for one in sums])
    counted = effective_number(sizes)
    alike = max(1.0, float((inverse * squares).sum()) / 2, len(scores) / counted if counted < MIN_UNITS else 0.0)
    luck = inverse * alike
    intercept, slope = inverse @ np.array([rest.sum(), (rest * z).sum()])
    at = _log_odds(grid)
    off = intercept + slope * at
    by_luck = luck[0, 0] + 2 * luck[0, 1] * at + luck[1, 1] * at * at
    likely = np.maximum.reduce([off * off - by_luck, by_luck / 2, np.full(len(grid), OFF_AT_LEAST**2)])
    believed = likely / (likely + by_luck)
    return (believed * off) ** 2 + believed * by_luck + _between_periods(rest, weight, periods)


def _between_periods(rest: np.ndarray, weight: np.ndarray, periods: np.ndarray) -> float:
    """Return the variance of the level's log-odds between periods beyond that of each by itself (DerSimonian and Laird, 1986)."""
    period, _ = _places(periods)
    information = np.bincount(period, weight)
    levels, total = np.bincount(period, rest) / information, float(information.sum())
    scatter = float((information * (levels - (information * levels).sum() / total) ** 2).sum())
    apart = total - float((information**2).sum()) / total
    return max(0.0, (scatter - (len(levels) - 1)) / apart) if apart > 0 else 0.0


def _log_odds(scores: np.ndarray) -> np.ndarray:
    kept = np.clip(scores, _LEAST, 1 - _LEAST)
    return np.log(kept / (1 - kept))


def _weight(scores: np.ndarray) -> np.ndarray:
    kept = np.clip(scores, _LEAST, 1 - _LEAST)
    return kept * (1 - kept)


def _places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place, found = pd.factorize(values, sort=True)
    return place, np.bincount(place, minlength=len(found))
