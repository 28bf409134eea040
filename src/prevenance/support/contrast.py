"""One place beside all others: whether its mean is above theirs by more than chance explains, where tickets of a customer or a week hang together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Sums = tuple[np.ndarray, np.ndarray]
"""For each group of chances that hang together (a customer, a week): the sum of what is compared, and how many chances."""

LEAST_GROUPS = 10
"""Customers, and weeks, that a place must have chances in."""
TIMES = 1.5
"""A place is dear from one and a half times its reference on: teams and categories differ a little anyway."""


@dataclass(frozen=True)
class Contrast:
    """The mean of a place and of its reference, the standard error of their difference, and how likely chance alone would put the place so far above
    ``TIMES`` its reference; NaN where there are too few groups.
    """

    own: float
    reference: float
    error: float
    p: float


def contrast(groupings: Sequence[tuple[Sums, Sums]]) -> Contrast:
    """Return the comparison of a place (first) with its reference (second), by each of several groupings of the same chances; the most cautious counts."""
    (own_sums, own_counts), (sums, counts) = groupings[0]
    own, reference = own_sums.sum() / own_counts.sum(), sums.sum() / counts.sum()
    each = [(_error(place, beside, 1.0), _p(place, beside)) for place, beside in groupings]
    return Contrast(float(own), float(reference), max(error for error, _ in each), float(np.max([p for _, p in each])))


def _p(place: Sums, beside: Sums) -> float:
    from scipy.special import stdtr

    groups = min(int((place[1] > 0).sum()), int((beside[1] > 0).sum()))
    if groups < LEAST_GROUPS:
        return float("nan")
    above = place[0].sum() / place[1].sum() - TIMES * beside[0].sum() / beside[1].sum()
    error = _error(place, beside, TIMES)
    return float(stdtr(groups - 1, -above / error)) if error > 0 else float(above <= 0)


def _error(place: Sums, beside: Sums, times: float) -> float:
    """Return the standard error of (mean of the place - times · mean of the reference), each a ratio over groups (linearised)."""
    told = np.zeros(len(place[0]))
    for (sums, counts), weight in ((place, 1.0), (beside, -times)):
        total = counts.sum()
        told += weight * (sums - sums.sum() / total * counts) / total
    groups = max(int(((place[1] > 0) | (beside[1] > 0)).sum()), 2)
    return float(np.sqrt(groups / (groups - 1) * np.square(told).sum()))
